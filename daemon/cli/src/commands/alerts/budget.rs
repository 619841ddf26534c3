//! `vedette alerts budget`: what alerts cost the people who read them, and what they were worth.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use vedette_gateway::engine::budget::{Claim, Judged, Load, SensorWorth, Weather, Worth, rank};
use vedette_gateway::engine::{Alert, Mode, Timestamp};

use super::ledger::{History, Known};
use super::{act::parse_time, weather};
use crate::clock_time::{now, to_the_second};
use crate::nuisance;
use crate::outcome::Outcome;
use crate::plain::printable;

#[derive(Debug, clap::Args)]
pub(super) struct Budget {
    /// Operators on duty at one time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    operators: u32,
    /// Count from this time on, such as 2026-03-01T00:00:00Z; from the first alert when absent
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Weather by the hour, to set nuisance against: a CSV file with the columns t,wind_mps,rain_mm. Without it, what gateways that
    /// hear a weather station told with their alerts
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
}

impl Budget {
    pub(super) fn run(&self, history: &History) -> anyhow::Result<Outcome> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).map_err(anyhow::Error::from);
            text.and_then(|text| weather::read(&text)).with_context(|| path.display().to_string())
        };
        let weather = self.weather.as_ref().map(read).transpose()?;
        let since = self.since.unwrap_or(Timestamp::MIN);
        let mut raised: Vec<(Timestamp, &str, &Known, &Alert)> = history
            .alerts
            .iter()
            .filter_map(|(id, known)| Some((known.raised_at()?, id.as_str(), known, known.newest()?)))
            .filter(|&(at, _, _, alert)| at >= since && asks_for_attention(alert))
            .collect();
        raised.sort_by_key(|&(at, id, ..)| (at, id));
        let mut out = std::io::stdout().lock();
        let (Some(&(first, ..)), Some(&(last, ..))) = (raised.first(), raised.last()) else {
            writeln!(out, "no alerts")?;
            return Ok(Outcome::Done);
        };
        let load = Load::of(raised.iter().map(|&(at, ..)| at), first, last.plus_seconds(1.0), self.operators);
        write_load(&load, first, last, self.operators, &mut out)?;
        write_shelved(&raised, now(), &mut out)?;
        let verdicts = history.verdicts();
        let mut worth = Worth::default();
        let mut judged = BTreeMap::<&str, Vec<Judged>>::new();
        for &(at, id, known, alert) in &raised {
            if let Some(&reason) = verdicts.get(id) {
                worth.count(reason);
                // An alert that waited for its link came later than it was raised.
                let at = known.first_weather().map_or(at, |weather| weather.at);
                judged.entry(known.gateway.as_str()).or_default().extend(Claim::of(alert, at).judged(reason));
            }
        }
        write_worth(&worth, raised.len(), &mut out)?;
        write!(out, "{}", nuisance::told(&ranked(&judged, weather.as_deref(), history)))?;
        Ok(Outcome::Done)
    }
}

/// The sensors of all gateways, each set against the weather told or else against that which its gateway's alerts carry.
fn ranked(judged: &BTreeMap<&str, Vec<Judged>>, weather: Option<&[Weather]>, history: &History) -> Vec<SensorWorth> {
    let mut all = Vec::new();
    for (gateway, of_gateway) in judged {
        let heard = weather.map_or_else(|| history.weather_at(gateway), <[Weather]>::to_vec);
        for worth in rank(of_gateway, &heard) {
            // Two gateways may both have a radar-1.
            let sensor = if judged.len() > 1 { format!("{gateway}/{}", worth.sensor) } else { worth.sensor };
            all.push(SensorWorth { sensor, ..worth });
        }
    }
    all.sort_by(|a, b| b.nuisance.total_cmp(&a.nuisance).then_with(|| a.sensor.cmp(&b.sensor)));
    all
}

fn asks_for_attention(alert: &Alert) -> bool {
    alert.mode == Mode::Actual && alert.asks_attention()
}

fn write_load(
    load: &Load,
    first: Timestamp,
    last: Timestamp,
    operators: u32,
    out: &mut impl Write,
) -> std::io::Result<()> {
    writeln!(out, "{} alerts from {} to {}", load.alerts, to_the_second(first), to_the_second(last))?;
    writeln!(
        out,
        "{:.1} % of {} ten-minute windows with at most one alert for each of {operators} operators; worst window {}; \
         {} floods",
        100.0 * load.manageable_share(),
        load.windows,
        load.worst,
        load.floods
    )
}

fn write_shelved(
    raised: &[(Timestamp, &str, &Known, &Alert)],
    now: Timestamp,
    out: &mut impl Write,
) -> std::io::Result<()> {
    for (_, id, known, alert) in raised {
        if let (Some(until), true) = (alert.shelved_until, known.is_open() && alert.is_shelved(now)) {
            let (id, text) = (id.get(..8).unwrap_or(id), printable(&alert.text));
            writeln!(out, "shelved until {}: {id} {text}", to_the_second(until))?;
        }
    }
    Ok(())
}

fn write_worth(worth: &Worth, alerts: usize, out: &mut impl Write) -> std::io::Result<()> {
    let Some((precision, (low, high))) = worth.precision() else {
        return writeln!(out, "none of them was closed by an operator as real, nuisance or false");
    };
    let all = worth.judged() + worth.exercise;
    let closed =
        [(worth.real, "real"), (worth.nuisance, "nuisance"), (worth.wrong, "false"), (worth.exercise, "exercise")];
    let share = |count: usize| 100.0 * count as f64 / all as f64;
    let shares: Vec<String> =
        closed.iter().map(|&(count, name)| format!("{name} {count} ({:.0} %)", share(count))).collect();
    writeln!(out, "closed as {}; {} not judged", shares.join(", "), alerts - all)?;
    let (precision, low, high) = (100.0 * precision, 100.0 * low, 100.0 * high);
    writeln!(out, "{precision:.0} % of those judged were real (95 % interval {low:.0} to {high:.0} %)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::alerts::ledger::stating;

    #[test]
    fn only_what_is_shelved_now_is_told_as_shelved() {
        let mut known = stating("\"raised\"");
        let until = Timestamp::from_seconds(100);
        known.revisions[0].alert.shelved_until = Some(until);
        let alert = known.newest().expect("a revision");
        let told = |second: i64| {
            let mut out = Vec::new();
            let raised = [(Timestamp::MIN, alert.id.as_str(), &known, alert)];
            write_shelved(&raised, Timestamp::from_seconds(second), &mut out).expect("written");
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(told(99), "shelved until 1970-01-01T00:01:40Z: cece9ee9 \n");
        assert_eq!(told(100), "");
    }
}
