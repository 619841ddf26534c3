//! `vedette alerts budget`: what alerts cost the people who read them, and what they were worth.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use vedette_gateway::engine::budget::{Judged, Load, SensorWorth, Worth, rank};
use vedette_gateway::engine::{Alert, CloseReason, Mode, Severity, Timestamp};

use super::ledger::{History, Known};
use super::{act::parse_time, weather};
use crate::clock_time::to_the_second;
use crate::outcome::Outcome;

/// Sensors listed, and sensors for which a change is suggested.
const LISTED: usize = 10;
const SUGGESTED: usize = 3;
/// A correlation that is worth a word.
const NOTEWORTHY: f64 = 0.3;

#[derive(Debug, clap::Args)]
pub(super) struct Budget {
    /// Operators on duty at one time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    operators: u32,
    /// Count from this time on, such as 2026-03-01T00:00:00Z; from the first alert when absent
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Weather by the hour, to set nuisance against: a CSV file with the columns t,wind_mps,rain_mm
    #[arg(long, value_name = "FILE")]
    weather: Option<PathBuf>,
}

impl Budget {
    pub(super) fn run(&self, history: &History) -> anyhow::Result<Outcome> {
        let weather = match &self.weather {
            Some(path) => std::fs::read_to_string(path)
                .map_err(anyhow::Error::from)
                .and_then(|text| weather::read(&text))
                .with_context(|| path.display().to_string())?,
            None => Vec::new(),
        };
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
        write_shelved(&raised, &mut out)?;
        let verdicts = history.verdicts();
        let mut worth = Worth::default();
        let mut judged = Vec::new();
        for &(at, id, _, alert) in &raised {
            if let Some(&reason) = verdicts.get(id) {
                worth.count(reason);
                judged.extend(judgement(at, alert, reason));
            }
        }
        write_worth(&worth, raised.len(), &mut out)?;
        write_sensors(&rank(&judged, &weather), &mut out)?;
        Ok(Outcome::Done)
    }
}

fn asks_for_attention(alert: &Alert) -> bool {
    alert.mode == Mode::Actual && alert.severity > Severity::Info && alert.suppressed.is_none()
}

fn judgement(raised: Timestamp, alert: &Alert, reason: CloseReason) -> Option<Judged> {
    let real = match reason {
        CloseReason::Real => true,
        CloseReason::Nuisance | CloseReason::False => false,
        CloseReason::Exercise | CloseReason::Cleared | CloseReason::Retracted => return None,
    };
    let shares = alert.contributors.iter().filter_map(|part| Some((part.sensor.clone(), part.share?))).collect();
    Some(Judged { raised, confidence: alert.confidence, real, shares })
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

fn write_shelved(raised: &[(Timestamp, &str, &Known, &Alert)], out: &mut impl Write) -> std::io::Result<()> {
    for (_, id, known, alert) in raised {
        if let (Some(until), true) = (alert.shelved_until, known.is_open()) {
            writeln!(out, "shelved until {}: {} {}", to_the_second(until), &id[..id.len().min(8)], alert.text)?;
        }
    }
    Ok(())
}

fn write_worth(worth: &Worth, alerts: usize, out: &mut impl Write) -> std::io::Result<()> {
    let Some((precision, (low, high))) = worth.precision() else {
        return writeln!(out, "none of them was closed by an operator as real, nuisance or false");
    };
    writeln!(
        out,
        "closed as real {}, nuisance {}, false {}, exercise {}; {} not judged",
        worth.real,
        worth.nuisance,
        worth.wrong,
        worth.exercise,
        alerts - worth.judged() - worth.exercise
    )?;
    let (precision, low, high) = (100.0 * precision, 100.0 * low, 100.0 * high);
    writeln!(out, "{precision:.0} % of those judged were real (95 % interval {low:.0} to {high:.0} %)")
}

fn write_sensors(ranked: &[SensorWorth], out: &mut impl Write) -> std::io::Result<()> {
    let noisy: Vec<&SensorWorth> = ranked.iter().filter(|worth| worth.nuisance > 0.0).take(LISTED).collect();
    if noisy.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nsensor           nuisance   real   (alerts, each shared among its sensors)")?;
    for worth in &noisy {
        write!(out, "{:<16} {:>8.1} {:>6.1}", worth.sensor, worth.nuisance, worth.real)?;
        if let Some((wind, rain)) = worth.with_weather {
            for (name, correlation) in [("wind", wind), ("rain", rain)] {
                if correlation >= NOTEWORTHY {
                    write!(out, "   comes with {name} (correlation {correlation:.2})")?;
                }
            }
        }
        writeln!(out)?;
    }
    for worth in noisy.iter().take(SUGGESTED) {
        if let Some(factor) = worth.false_alarm_factor {
            writeln!(
                out,
                "\n{}: claimed more than came true; in its [[sensor]] table write a false_alarms_per_hour, or a \
                 clutter_per_scan where it scans, {factor:.1} times as high",
                worth.sensor
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_three_sensors_are_told_with_what_would_help() {
        let worth = |sensor: &str, nuisance: f64, factor: Option<f64>| SensorWorth {
            sensor: sensor.to_owned(),
            nuisance,
            real: 1.0,
            with_weather: Some((0.8, 0.1)),
            false_alarm_factor: factor,
        };
        let ranked = [
            worth("pir-3", 9.0, Some(4.0)),
            worth("radar", 5.0, None),
            worth("trip-1", 4.0, Some(2.0)),
            worth("x", 3.5, Some(2.0)),
        ];
        let mut out = Vec::new();
        write_sensors(&ranked, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("comes with wind (correlation 0.80)").count(), 4, "{text}");
        assert_eq!(
            text.matches("in its [[sensor]] table write").count(),
            2,
            "the fourth is none of the worst three: {text}"
        );
        assert!(text.contains(
            "pir-3: claimed more than came true; in its [[sensor]] table write a false_alarms_per_hour, or a "
        ));
        assert!(text.contains("clutter_per_scan where it scans, 4.0 times as high"), "{text}");
    }
}
