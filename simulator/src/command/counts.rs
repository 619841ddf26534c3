//! `vedette-sim counts`: counts of zones over years, with surges at known times.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use vedette_sim::counts::{CountScene, Possible};

/// Arguments of `counts`.
#[derive(Args)]
pub(crate) struct Counts {
    /// File to write: a CSV for `vedette warn --backtest`.
    #[arg(long, value_name = "FILE", required_unless_present = "possible")]
    out: Option<PathBuf>,
    /// Print how many such surges can be found within a day at one false warning a year and zone, by who knows all but the counts.
    #[arg(long)]
    possible: bool,
    /// Number of zones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    zones: u32,
    /// Days of counts.
    #[arg(long, value_name = "N", default_value_t = 730)]
    days: u32,
    /// Mean count of a zone in a day.
    #[arg(long, value_name = "N", default_value_t = 6.0)]
    per_day: f64,
    /// How many times the usual rate is reached in a surge; 1 for no surges.
    #[arg(long, value_name = "RATIO", default_value_t = 5.0)]
    rise: f64,
    /// Seed; the same seed gives the same file.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Counts {
    /// Generates and writes.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        anyhow::ensure!((0.0..=1e5).contains(&self.per_day), "--per-day: expected 0 to 100000, got {}", self.per_day);
        anyhow::ensure!((1.0..=1e3).contains(&self.rise), "--rise: expected 1 to 1000, got {}", self.rise);
        if self.possible {
            let Possible { ramps, spikes } = Possible::of(self.per_day, self.rise, self.seed);
            let (ramps, spikes) = (100.0 * ramps, 100.0 * spikes);
            println!(
                "who knows every rate, the spread and the shapes of surges finds {ramps:.0} % of ramps and {spikes:.0} % of spikes \
                 within a day, at one false warning a year and zone"
            );
        }
        let Some(path) = &self.out else { return Ok(()) };
        let scene =
            CountScene { zones: self.zones, days: self.days, per_day: self.per_day, rise: self.rise, seed: self.seed };
        let file = File::create(path).with_context(|| path.display().to_string())?;
        let mut out = BufWriter::new(file);
        scene.write(&mut out).and_then(|()| out.flush()).with_context(|| path.display().to_string())
    }
}
