//! `vedette-sim reliability`: does an alert's confidence mean what it says?

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::config::RulesTable;
use vedette_sim::campaign::{Claim, Diagram, claims, drive, fit};
use vedette_sim::scenario::Scenario;

use super::campaign::files;

/// Arguments of `reliability`.
#[derive(Args)]
pub(crate) struct Reliability {
    /// Number of seeds for each scenario that is fitted on, from 1 on.
    #[arg(long, default_value_t = 6)]
    fit_seeds: u64,
    /// Number of seeds for each scenario that is tested on, after those of the fit.
    #[arg(long, default_value_t = 6)]
    seeds: u64,
    /// Folder of scenarios: in the order of their names, one is fitted on and the next is tested on.
    #[arg(default_value = "config/scenarios")]
    scenarios: PathBuf,
    /// Leave out scenarios that last longer than this many hours.
    #[arg(long, value_name = "H", default_value_t = 24.0)]
    max_hours: f64,
    /// Write the diagram of the test, calibrated, as a picture.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

impl Reliability {
    /// Fits, tests and prints.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut scenarios = Vec::new();
        for file in files(&self.scenarios)? {
            let scenario = Scenario::read(&file)?;
            if scenario.layout.duration_s <= self.max_hours * 3600.0 {
                scenarios.push(scenario);
            }
        }
        let progress = ProgressBar::new(scenarios.len() as u64);
        progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}")?);
        let (mut fitted, mut tested) = (Vec::new(), Vec::new());
        for (index, scenario) in scenarios.iter().enumerate() {
            progress.set_message(scenario.name.clone());
            if index % 2 == 0 {
                gather(scenario, 1..=self.fit_seeds, &mut fitted)?;
            } else {
                gather(scenario, self.fit_seeds + 1..=self.fit_seeds + self.seeds, &mut tested)?;
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        let rules = RulesTable { calibration: fit(&fitted), ..RulesTable::default() };
        println!("{} alerts of {} scenarios to fit on:", fitted.len(), scenarios.len().div_ceil(2));
        println!("[rules]\ncalibration = {:?}\n", rules.calibration);
        println!("other scenarios and seeds, confidence as it is without a fit:\n{}", Diagram::of(&tested));
        let calibrated = |claim: &Claim| Claim { confidence: rules.calibrated(claim.confidence), ..*claim };
        let diagram = Diagram::of(&tested.iter().map(calibrated).collect::<Vec<_>>());
        println!("the same, calibrated:\n{diagram}");
        if let Some(path) = &self.svg {
            std::fs::write(path, diagram.svg()).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// Scenarios say nothing of calibration, so that these are the confidences before it.
fn gather(scenario: &Scenario, seeds: impl Iterator<Item = u64>, all: &mut Vec<Claim>) -> anyhow::Result<()> {
    for seed in seeds {
        all.extend(claims(scenario, &drive(scenario, seed)?));
    }
    Ok(())
}
