//! `vedette-sim faults`: the deterministic fault simulation, and its table.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::bail;
use clap::Args;
use vedette_sim::faults::{Family, Outcome, play};

/// Arguments of `faults`.
#[derive(Args)]
pub(crate) struct Faults {
    /// How many seeds; they go round the fault families.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: usize,
    /// Play one seed only, with every family, and print what was found.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

#[derive(Default)]
struct Row {
    seeds: u64,
    sum: Outcome,
    failing: Vec<u64>,
}

impl Row {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        let sum = &mut self.sum;
        sum.alerts += outcome.alerts;
        sum.faults += outcome.faults;
        sum.lost += outcome.lost;
        sum.double += outcome.double;
        sum.unreported += outcome.unreported;
        sum.dropped += outcome.dropped;
        sum.disorder += outcome.disorder;
        sum.radio_lost += outcome.radio_lost;
        sum.longest_silence_s = sum.longest_silence_s.max(outcome.longest_silence_s);
        if !outcome.findings.is_empty() {
            self.failing.push(seed);
        }
    }
}

impl Faults {
    /// Plays and prints; an error when anything was lost, doubled, unreported or out of order.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let jobs: Vec<(Family, u64)> = match self.seed {
            Some(seed) => Family::ALL.iter().map(|&family| (family, seed)).collect(),
            None => (0..self.seeds).map(|n| (Family::ALL[n % Family::ALL.len()], n as u64)).collect(),
        };
        let outcomes = play_all(&jobs);
        let mut rows: BTreeMap<Family, Row> = BTreeMap::new();
        for (&(family, seed), outcome) in jobs.iter().zip(&outcomes) {
            rows.entry(family).or_default().add(seed, outcome);
            if self.seed.is_some() {
                for finding in &outcome.findings {
                    eprintln!("{}: {finding}", family.name());
                }
            }
        }
        print(&rows)?;
        let wrong = |outcome: &Outcome| outcome.lost + outcome.double + outcome.unreported;
        let sum: u64 =
            outcomes.iter().map(|outcome| wrong(outcome) + outcome.disorder + outcome.radio_lost + outcome.busy).sum();
        if sum > 0 || rows.values().any(|row| !row.failing.is_empty()) {
            for (family, row) in rows.iter().filter(|(_, row)| !row.failing.is_empty()) {
                let first: Vec<_> = row.failing.iter().take(5).collect();
                eprintln!("{}: {} seeds failed, replay with --seed {first:?}", family.name(), row.failing.len());
            }
            bail!("{sum} faults were not survived");
        }
        Ok(())
    }
}

/// Plays all on every core; the outcomes are in the order of the jobs, whatever ran where.
fn play_all(jobs: &[(Family, u64)]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Outcome::default(); jobs.len()]);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&(family, seed)) = jobs.get(at) else { return };
                    let outcome = play(family, seed);
                    if let Some(place) = outcomes.lock().ok().as_mut().and_then(|outcomes| outcomes.get_mut(at)) {
                        *place = outcome;
                    }
                }
            });
        }
    });
    outcomes.into_inner().unwrap_or_default()
}

fn print(rows: &BTreeMap<Family, Row>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<16} {:>6} {:>9} {:>9} {:>6} {:>7} {:>11} {:>8} {:>9} {:>11} {:>18}",
        "fault",
        "seeds",
        "faults",
        "alerts",
        "lost",
        "double",
        "unreported",
        "dropped",
        "disorder",
        "radio lost",
        "longest silence s"
    )?;
    let mut total = Row::default();
    for (family, row) in rows {
        let sum = &row.sum;
        writeln!(
            out,
            "{:<16} {:>6} {:>9} {:>9} {:>6} {:>7} {:>11} {:>8} {:>9} {:>11} {:>18.0}",
            family.name(),
            row.seeds,
            sum.faults,
            sum.alerts,
            sum.lost,
            sum.double,
            sum.unreported,
            sum.dropped,
            sum.disorder,
            sum.radio_lost,
            sum.longest_silence_s
        )?;
        total.add(0, sum);
        total.seeds += row.seeds - 1;
    }
    let sum = &total.sum;
    let (seeds, alerts) = (total.seeds, sum.alerts);
    writeln!(out, "seeds={seeds} alerts={alerts} lost={} double={} unreported={}", sum.lost, sum.double, sum.unreported)
}
