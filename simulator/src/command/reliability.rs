//! `vedette-sim reliability`: does an alert's confidence mean what it says?
//!
//! Fitted on sites drawn at random, tested on the scenarios that people wrote.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vedette_engine::config::RulesTable;
use vedette_engine::{EVIDENCE_NAMES, EVIDENCE_TERMS, Evidence, Learned};
use vedette_sim::campaign::{
    Calibration, Claim, Diagram, Discrimination, Judged, Run, claims, close_all, drive_inspected, drive_taught, fit,
    refit,
};
use vedette_sim::scenario::Scenario;

use super::campaign::files;

/// The scenarios that weights of the default configuration were fitted on, beside drawn sites.
const FITTED_ON: [&str; 21] = [
    "along-then-turn",
    "bad-network",
    "clocks-of-1970",
    "dawn-storm",
    "demo",
    "distress-in-the-cold",
    "fog",
    "game-at-the-wire",
    "jamming",
    "line-crossing",
    "patrol-with-radio",
    "power-loss",
    "radio-congestion",
    "river",
    "season-change",
    "sensors-dead",
    "single-walker",
    "two-gateways-east",
    "unannounced-work",
    "wind-front",
    "thirty-days",
];

/// Of the resampling.
const SEED: u64 = 1;

/// Arguments of `reliability`.
#[derive(Args)]
pub(crate) struct Reliability {
    /// Number of drawn sites to fit on.
    #[arg(long, default_value_t = 300)]
    sites: u64,
    /// Number of the first of them.
    #[arg(long, value_name = "N", default_value_t = 1)]
    first_site: u64,
    /// Fit also on seeds 1 to N of the scenarios that weights were fitted on before.
    #[arg(long, value_name = "N", default_value_t = 0)]
    fit_seeds: u64,
    /// Number of seeds of each scenario to test on.
    #[arg(long, default_value_t = 6)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Folder of the scenarios to test on.
    #[arg(default_value = "config/scenarios")]
    scenarios: PathBuf,
    /// Fit only these terms, by number, with the weights of the others as they are.
    #[arg(long, value_name = "TERM", value_delimiter = ',', value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(..EVIDENCE_TERMS as u64))]
    terms: Vec<usize>,
    /// Take the seeds of a scenario for days at one border, one after the other: an operator closes each day's alerts at its end, and
    /// the gateway learns from that.
    #[arg(long)]
    operator: bool,
    /// Leave out scenarios that last longer than this many hours.
    #[arg(long, value_name = "H", default_value_t = 24.0)]
    max_hours: f64,
    /// Write the diagram of the test, as alerts say now, as a picture.
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
        let progress = ProgressBar::new(self.sites + scenarios.len() as u64);
        progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}")?);
        let (mut fitted, mut tested, mut table) = (Vec::new(), Vec::new(), Table::default());
        progress.set_message("drawn sites");
        for number in self.first_site..self.first_site + self.sites {
            fitted.extend(gather(&Scenario::drawn(number), number..=number, &mut table)?.concat());
            progress.inc(1);
        }
        for scenario in scenarios.iter().filter(|scenario| FITTED_ON.contains(&scenario.name.as_str())) {
            progress.set_message(scenario.name.clone());
            fitted.extend(gather(scenario, 1..=self.fit_seeds, &mut table)?.concat());
        }
        for scenario in &scenarios {
            progress.set_message(scenario.name.clone());
            let seeds = self.first_seed..self.first_seed + self.seeds;
            let runs =
                if self.operator { days(scenario, seeds, &mut table)? } else { gather(scenario, seeds, &mut table)? };
            tested.push((scenario.name.as_str(), runs));
            progress.inc(1);
        }
        progress.finish_and_clear();
        if let Some(path) = &self.table {
            std::fs::write(path, table.to_string()).with_context(|| path.display().to_string())?;
        }
        if let Some(path) = &self.svg {
            let diagram = Diagram::of(&runs(&tested).concat());
            std::fs::write(path, diagram.svg()).with_context(|| path.display().to_string())?;
        }
        println!("{} scenarios, as alerts say now:", tested.len());
        report(&tested);
        let is_unused = |family: &&Family<'_>| !FITTED_ON.contains(&family.0);
        let unused: Vec<Family<'_>> = tested.iter().filter(is_unused).cloned().collect();
        println!("the {} of them that no weight was fitted on:", unused.len());
        report(&unused);
        if self.sites + self.fit_seeds > 0 {
            self.fit_and_report(&fitted, &tested);
        }
        Ok(())
    }

    fn fit_and_report(&self, fitted: &[Claim], tested: &[Family<'_>]) {
        let weights = match &self.terms[..] {
            [] => fit(fitted),
            terms => refit(fitted, RulesTable::default().confidence_weights, terms),
        };
        let (count, sites, seeds) = (fitted.len(), self.sites, self.fit_seeds);
        println!("{count} alerts of {sites} drawn sites and {seeds} seeds of scenarios give:");
        println!("[rules]\nconfidence_weights = {weights:?}\n");
        for (name, weight) in EVIDENCE_NAMES.iter().zip(weights) {
            println!("{weight:>7.2}  {name}");
        }
        let weighed = |claim: &Claim| {
            let confidence = claim.evidence.map_or(claim.confidence, |evidence| evidence.confidence(&weights));
            Claim { confidence, ..*claim }
        };
        let weighed_run = |run: &Vec<Claim>| run.iter().map(weighed).collect();
        let weighed: Vec<Family<'_>> =
            tested.iter().map(|(name, runs)| (*name, runs.iter().map(weighed_run).collect())).collect();
        println!("\nthe scenarios with these weights:");
        report(&weighed);
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

fn gather(
    scenario: &Scenario,
    seeds: impl IntoIterator<Item = u64>,
    table: &mut Table,
) -> anyhow::Result<Vec<Vec<Claim>>> {
    seeds
        .into_iter()
        .map(|seed| {
            let run = drive_inspected(scenario, seed)?;
            let claims = claims(scenario, &run);
            table.add(scenario, seed, &claims, &run);
            Ok(claims.into_iter().map(|(claim, _)| claim).collect())
        })
        .collect()
}

/// The same as days at one border, with an operator who says of each day's alerts what they were.
fn days(
    scenario: &Scenario,
    seeds: impl IntoIterator<Item = u64>,
    table: &mut Table,
) -> anyhow::Result<Vec<Vec<Claim>>> {
    let mut learned = Learned::default();
    let mut days = Vec::new();
    for seed in seeds {
        let mut run = drive_taught(scenario, seed, learned)?;
        let claims = claims(scenario, &run);
        table.add(scenario, seed, &claims, &run);
        days.push(claims.into_iter().map(|(claim, _)| claim).collect());
        learned = close_all(scenario, &mut run);
    }
    Ok(days)
}

/// Every alert that made a claim, a line each.
#[derive(Default)]
struct Table(String);

impl Table {
    fn add(&mut self, scenario: &Scenario, seed: u64, claims: &[(Claim, Judged)], run: &Run) {
        for (claim, judged) in claims {
            let Judged { written, alert, cause } = judged;
            let nearest = judged.nearest_m(scenario, run).map_or_else(String::new, |metres| format!("{metres:.0}"));
            let cause = cause.map_or_else(String::new, |cause| cause.to_string());
            let terms = claim.evidence.iter().flat_map(Evidence::terms);
            let terms: Vec<String> = terms.map(|term| format!("{term:.4}")).collect();
            self.0 += &format!(
                "{},{seed},{:.1},{:?},\"{cause}\",{nearest},\"{}\",{},{:.4},{}\n",
                scenario.name,
                written.seconds_since(scenario.layout.begins),
                alert.kind,
                alert.text,
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
            "scenario,seed,at_s,kind,cause,nearest_m,text,real,confidence,{}",
            EVIDENCE_NAMES.map(|name| format!("{name:?}")).join(",")
        )?;
        f.write_str(&self.0)
    }
}
