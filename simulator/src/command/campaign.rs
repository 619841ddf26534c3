//! `vedette-sim campaign`: the scenario library through the engine, many seeds each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::Severity;
use vedette_sim::campaign::{Judged, Tally, drive, judged};
use vedette_sim::scenario::Scenario;

/// Arguments of `campaign`.
#[derive(Args)]
pub(crate) struct Campaign {
    /// Number of seeds for each scenario, from 1 on.
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// Scenario files, or folders of them.
    #[arg(default_value = "config/scenarios")]
    scenarios: Vec<PathBuf>,
    /// Leave out scenarios that last longer than this many hours.
    #[arg(long, value_name = "H", default_value_t = 24.0)]
    max_hours: f64,
    /// First seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_seed: u64,
    /// List all alerts that ask for attention with who was there by the truth, and count the causes.
    #[arg(long)]
    causes: bool,
}

impl Campaign {
    /// Runs all and prints a table.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut scenarios = Vec::new();
        for path in &self.scenarios {
            for file in files(path)? {
                let scenario = Scenario::read(&file)?;
                if scenario.layout.duration_s <= self.max_hours * 3600.0 {
                    scenarios.push(scenario);
                }
            }
        }
        println!("{}", Tally::head());
        let progress = ProgressBar::new(scenarios.len() as u64 * self.seeds);
        progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}")?);
        let (mut total, mut calm, mut alerts) = (Tally::default(), Tally::default(), Vec::new());
        for scenario in &scenarios {
            progress.set_message(scenario.name.clone());
            let mut tally = Tally::default();
            for seed in self.first_seed..self.first_seed + self.seeds {
                let run = drive(scenario, seed)?;
                tally.add(scenario, &run);
                if self.causes {
                    alerts.extend(judged(scenario, &run).into_iter().map(|judged| (scenario, seed, judged)));
                }
                progress.inc(1);
            }
            progress.suspend(|| println!("{:<22} {tally}", scenario.name));
            total.merge(&tally);
            if scenario.is_calm() {
                calm.merge(&tally);
            }
        }
        progress.finish_and_clear();
        println!("{:<22} {total}\n\n{}", "all", Tally::legend());
        println!("\nalerts about somebody that ask for attention, {} runs: {}", total.runs, total.precision());
        println!("in calm (wind to 3.3 m/s, no rain, mist or dawn), {} runs: {}", calm.runs, calm.precision());
        let (told, within) = total.places;
        println!("places told with movement: {told}; somebody in the 95 % ellipse at that time: {within}");
        if self.causes {
            list(&alerts);
        }
        Ok(())
    }
}

/// Every alert with who was there, then how many there are of each kind and cause.
pub(super) fn list(judged: &[(&Scenario, u64, Judged)]) {
    let mut counts = BTreeMap::<(Severity, String), usize>::new();
    println!();
    for (scenario, seed, Judged { written, alert, cause }) in judged {
        let cause = cause.map_or_else(|| format!("{:?}", alert.kind), |cause| cause.to_string());
        let at_s = written.seconds_since(scenario.layout.begins);
        println!("{:<22} {seed:>3} {at_s:>8.0} s  {cause:<20} {:<8?} {}", scenario.name, alert.severity, alert.text);
        *counts.entry((alert.severity, cause)).or_default() += 1;
    }
    println!("\n{:<8} {:<20} {:>6}", "severity", "cause", "alerts");
    for ((severity, cause), count) in counts.iter().rev() {
        println!("{:<8} {cause:<20} {count:>6}", format!("{severity:?}"));
    }
}

/// The file itself, or the scenario files of a folder in the order of their names.
pub(super) fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}
