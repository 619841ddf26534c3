//! `vedette-sim reliability`: does an alert's confidence mean what it says?

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::EVIDENCE_NAMES;
use vedette_sim::campaign::{Claim, Diagram, Discrimination, claims, drive_inspected, fit};
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
    /// Write the diagram of the test, with the fitted weights, as a picture.
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
        let weights = fit(&fitted);
        println!("{} alerts of {} scenarios to fit on:", fitted.len(), scenarios.len().div_ceil(2));
        println!("[rules]\nconfidence_weights = {weights:?}\n");
        for (name, weight) in EVIDENCE_NAMES.iter().zip(weights) {
            println!("{weight:>7.2}  {name}");
        }
        println!("\nother scenarios and seeds, as alerts say now:");
        report(&tested);
        let weighed = |claim: &Claim| {
            let confidence = claim.evidence.map_or(claim.confidence, |evidence| evidence.confidence(&weights));
            Claim { confidence, ..*claim }
        };
        let weighed: Vec<Claim> = tested.iter().map(weighed).collect();
        println!("the same with these weights:");
        report(&weighed);
        let diagram = Diagram::of(&weighed);
        if let Some(path) = &self.svg {
            std::fs::write(path, diagram.svg()).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn report(claims: &[Claim]) {
    println!("{}{}\n", Diagram::of(claims), Discrimination::of(claims));
}

fn gather(scenario: &Scenario, seeds: impl Iterator<Item = u64>, all: &mut Vec<Claim>) -> anyhow::Result<()> {
    for seed in seeds {
        all.extend(claims(scenario, &drive_inspected(scenario, seed)?));
    }
    Ok(())
}
