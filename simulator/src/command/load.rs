//! `vedette-sim load`: what reaches one operator from many gateways.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::budget::{Load as Windows, interval};
use vedette_sim::campaign::{Cause, Judged, drive, judged};
use vedette_sim::scenario::Scenario;

use super::campaign::list;

/// Arguments of `load`.
#[derive(Args)]
pub(crate) struct Load {
    /// The scenario of every gateway; each gets a seed of its own.
    #[arg(default_value = "config/scenarios/normal-week.toml")]
    scenario: PathBuf,
    /// Number of gateways.
    #[arg(long, default_value_t = 10)]
    gateways: u64,
    /// Seed of the first gateway.
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_seed: u64,
    /// Operators who share the alerts.
    #[arg(long, default_value_t = 1)]
    operators: u32,
    /// Play only so many hours of the scenario.
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// List all alerts that ask for attention with who was there by the truth, and count the causes.
    #[arg(long)]
    causes: bool,
}

impl Load {
    /// Plays all gateways and prints what one operator had of it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut scenario = Scenario::read(&self.scenario)?;
        if let Some(hours) = self.hours {
            scenario.layout.duration_s = scenario.layout.duration_s.min(hours * 3600.0);
        }
        let progress = ProgressBar::new(self.gateways);
        progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}")?);
        let (mut asked, mut crossings) = (Vec::<(&Scenario, u64, Judged)>::new(), 0);
        for seed in self.first_seed..self.first_seed + self.gateways {
            let run = drive(&scenario, seed)?;
            asked.extend(judged(&scenario, &run).into_iter().map(|judged| (&scenario, seed, judged)));
            crossings += run.truth.crossings.len();
            progress.inc(1);
        }
        progress.finish_and_clear();
        let begins = scenario.layout.begins;
        let ends = begins.plus_seconds(scenario.layout.duration_s);
        asked.sort_by_key(|(_, _, judged)| judged.written);
        let asked_at = asked.iter().map(|(_, _, judged)| judged.written);
        let windows = Windows::of(asked_at, begins, ends, self.operators);
        let causes: Vec<Cause> = asked.iter().filter_map(|(_, _, judged)| judged.cause).collect();
        let (movements, real) = (causes.len(), causes.iter().filter(|cause| cause.is_real()).count());
        println!("{} gateways with {}, {:.0} h", self.gateways, scenario.name, scenario.layout.duration_s / 3600.0);
        println!("passages of the line, by whatever: {crossings}");
        println!("alerts that ask for attention, health included: {}", windows.alerts);
        println!(
            "windows of 10 min with at most one alert for each of {} operator(s): {:.3}; most in one: {}; floods: {}",
            self.operators,
            windows.manageable_share(),
            windows.worst,
            windows.floods
        );
        if movements > 0 {
            let (low, high) = interval(real, movements);
            #[expect(clippy::cast_precision_loss, reason = "few alerts")]
            let share = real as f64 / movements as f64;
            println!("about somebody: {movements}, real {real}: precision {share:.2} (95 %: {low:.2} to {high:.2})");
        }
        if self.causes {
            list(&asked);
        }
        Ok(())
    }
}
