//! `vedette-sim reliability`: does an alert's confidence mean what it says?

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::{EVIDENCE_NAMES, Evidence};
use vedette_sim::campaign::{Calibration, Claim, Diagram, Discrimination, Judged, claims, drive_inspected, fit};
use vedette_sim::scenario::Scenario;

use super::campaign::files;

/// Of the resampling.
const SEED: u64 = 1;

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
    /// Fit on one run of this scenario as well, however long it lasts; may be given several times.
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// Write the diagram of the test, with the fitted weights, as a picture.
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
    /// Write every alert with its claim, who was there and what bore it out, as a table.
    #[arg(long, value_name = "FILE.csv")]
    table: Option<PathBuf>,
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
        let (mut fitted, mut tested, mut table) = (Vec::new(), Vec::new(), Table::default());
        for (index, scenario) in scenarios.iter().enumerate() {
            progress.set_message(scenario.name.clone());
            if index % 2 == 0 {
                fitted.extend(gather(scenario, 1..=self.fit_seeds, &mut table)?.concat());
            } else {
                let seeds = self.fit_seeds + 1..=self.fit_seeds + self.seeds;
                tested.push((scenario.name.as_str(), gather(scenario, seeds, &mut table)?));
            }
            progress.inc(1);
        }
        for file in &self.also {
            let scenario = Scenario::read(file)?;
            progress.set_message(scenario.name.clone());
            fitted.extend(gather(&scenario, 1..=1, &mut table)?.concat());
        }
        progress.finish_and_clear();
        if let Some(path) = &self.table {
            std::fs::write(path, table.to_string()).with_context(|| path.display().to_string())?;
        }
        let weights = fit(&fitted);
        println!("{} alerts of {} scenarios to fit on:", fitted.len(), scenarios.len().div_ceil(2) + self.also.len());
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
        let weighed_run = |run: &Vec<Claim>| run.iter().map(weighed).collect();
        let weighed: Vec<Family<'_>> =
            tested.iter().map(|(name, runs)| (*name, runs.iter().map(weighed_run).collect())).collect();
        println!("the same with these weights:");
        report(&weighed);
        if let Some(path) = &self.svg {
            let diagram = Diagram::of(&runs(&weighed).concat());
            std::fs::write(path, diagram.svg()).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// The runs of one scenario, under its name.
type Family<'a> = (&'a str, Vec<Vec<Claim>>);

fn runs(families: &[Family<'_>]) -> Vec<Vec<Claim>> {
    families.iter().flat_map(|(_, runs)| runs.iter().cloned()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "few alerts")]
fn report(families: &[Family<'_>]) {
    let runs = runs(families);
    let claims = runs.concat();
    println!("{}{}\n{}", Diagram::of(&claims), Discrimination::of(&claims), Calibration::of(&runs, SEED));
    println!("{:<24} {:>7} {:>8} {:>7}", "by scenario", "alerts", "claimed", "real");
    for (name, runs) in families {
        let claims = runs.concat();
        let share = |sum: f64| sum / claims.len().max(1) as f64;
        let claimed = share(claims.iter().map(|claim| claim.confidence).sum());
        let real = share(claims.iter().filter(|claim| claim.real).count() as f64);
        println!("{name:<24} {:>7} {claimed:>8.2} {real:>7.2}", claims.len());
    }
    println!();
}

fn gather(scenario: &Scenario, seeds: impl Iterator<Item = u64>, table: &mut Table) -> anyhow::Result<Vec<Vec<Claim>>> {
    seeds
        .map(|seed| {
            let run = drive_inspected(scenario, seed)?;
            let claims = claims(scenario, &run);
            table.add(scenario, seed, &claims);
            Ok(claims.into_iter().map(|(claim, _)| claim).collect())
        })
        .collect()
}

/// Every alert that made a claim, a line each.
#[derive(Default)]
struct Table(String);

impl Table {
    fn add(&mut self, scenario: &Scenario, seed: u64, claims: &[(Claim, Judged)]) {
        for (claim, Judged { written, alert, cause }) in claims {
            let cause = cause.map_or_else(String::new, |cause| cause.to_string());
            let terms = claim.evidence.iter().flat_map(Evidence::terms);
            let terms: Vec<String> = terms.map(|term| format!("{term:.4}")).collect();
            self.0 += &format!(
                "{},{seed},{:.1},{:?},\"{cause}\",{},{:.4},{}\n",
                scenario.name,
                written.seconds_since(scenario.layout.begins),
                alert.kind,
                claim.real,
                claim.confidence,
                terms.join(",")
            );
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "scenario,seed,at_s,kind,cause,real,confidence,{}",
            EVIDENCE_NAMES.map(|name| format!("{name:?}")).join(",")
        )?;
        f.write_str(&self.0)
    }
}
