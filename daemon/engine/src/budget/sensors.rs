//! Which sensors raise alerts that are worth nothing, whether weather is behind it, and what would help.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{Clutter, Timestamp};

use crate::{Alert, CloseReason};

/// Sensors worth listing, and how many of the worst a change is suggested for.
pub const LISTED: usize = 10;
/// See [`LISTED`].
pub const SUGGESTED: usize = 3;

/// Alerts with a sensor that speak for a change of its configuration.
const SUGGEST_FROM: f64 = 3.0;
/// Hours with weather needed before it is compared.
const HOURS_FROM: usize = 12;
const HOUR_MICROS: i64 = 3_600_000_000;

/// What an alert claimed, and on whose evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// When it was raised.
    pub raised: Timestamp,
    /// How sure it was.
    pub confidence: f64,
    /// Each sensor's share of the evidence.
    pub shares: Vec<(String, f64)>,
}

impl Claim {
    /// What an alert claims, raised then.
    #[must_use]
    pub fn of(alert: &Alert, raised: Timestamp) -> Self {
        let shares = alert.contributors.iter().filter_map(|part| Some((part.sensor.clone(), part.share?))).collect();
        Self { raised, confidence: alert.confidence, shares }
    }

    /// The claim beside what an operator closed the alert as; none where that says nothing of the claim.
    #[must_use]
    pub fn judged(self, reason: CloseReason) -> Option<Judged> {
        Some(Judged { claim: self, real: reason.says_real()? })
    }
}

/// An alert with what an operator closed it as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What it claimed.
    pub claim: Claim,
    /// Whether there was something that needed somebody.
    pub real: bool,
}

/// Weather in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// When the hour began.
    pub at: Timestamp,
    /// Mean wind.
    pub wind_mps: f64,
    /// Rain in the hour.
    pub rain_mm: f64,
}

/// What one sensor's part in alerts was worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorWorth {
    /// Its name.
    pub sensor: String,
    /// Alerts that were worth nothing, each counted by the sensor's share of the evidence.
    pub nuisance: f64,
    /// Alerts that were real, counted likewise.
    pub real: f64,
    /// Correlation of its nuisance by the hour with wind and with rain, when there was weather for enough hours.
    pub with_weather: Option<(f64, f64)>,
    /// Its `false_alarms_per_hour` should be this many times higher, when enough alerts say so.
    pub false_alarm_factor: Option<f64>,
    /// The line to write in its table for that, where its configuration is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

impl SensorWorth {
    /// What to change so that the sensor claims no more than comes true, for people.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        let factor = self.false_alarm_factor?;
        let wanted = match &self.change {
            Some(line) => format!("{line}, {factor:.1} times as high as it is"),
            None => format!("a false_alarms_per_hour, or a clutter_per_scan where it scans, {factor:.1} times as high"),
        };
        Some(format!("{}: claimed more than came true; in its [[sensor]] table write {wanted}", self.sensor))
    }

    /// The same, knowing what the sensor is configured with.
    pub(crate) fn configured(self, clutter: Clutter) -> Self {
        let (key, value, most) = setting(clutter);
        let wanted = self.false_alarm_factor.map(|factor| f64::min(factor * value, most));
        // Of none at all nothing is so many times as high.
        let change = wanted.filter(|&wanted| wanted > 0.0).map(|wanted| format!("{key} = {}", two_digits(wanted)));
        Self { change, ..self }
    }
}

/// The key that says how much a sensor reports of nothing, its value, and the most that it takes.
pub(crate) const fn setting(clutter: Clutter) -> (&'static str, f64, f64) {
    match clutter {
        Clutter::PerScan(per_scan) => ("clutter_per_scan", per_scan, 100_000.0),
        Clutter::PerHour(per_hour) => ("false_alarms_per_hour", per_hour, 1e9),
    }
}

/// A positive number as a person would type it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few digits")]
fn two_digits(number: f64) -> String {
    let decimals = (1.0 - libm::floor(libm::log10(number))).clamp(1.0, 12.0) as usize;
    format!("{number:.decimals$}")
}

/// Sensors by nuisance, most first.
#[must_use]
pub fn rank<'a>(judged: impl IntoIterator<Item = &'a Judged>, weather: &[Weather]) -> Vec<SensorWorth> {
    #[derive(Default)]
    struct Sum {
        nuisance: f64,
        real: f64,
        confidence: f64,
        hours: BTreeMap<i64, f64>,
    }
    let mut sums = BTreeMap::<&str, Sum>::new();
    for Judged { claim, real } in judged {
        for (sensor, share) in &claim.shares {
            let sum = sums.entry(sensor).or_default();
            sum.confidence += share * claim.confidence;
            if *real {
                sum.real += share;
            } else {
                sum.nuisance += share;
                *sum.hours.entry(hour(claim.raised)).or_default() += share;
            }
        }
    }
    let mut ranked: Vec<SensorWorth> = sums
        .into_iter()
        .map(|(sensor, sum)| SensorWorth {
            sensor: sensor.to_owned(),
            nuisance: sum.nuisance,
            real: sum.real,
            with_weather: correlations(&sum.hours, weather),
            false_alarm_factor: factor(sum.nuisance, sum.real, sum.confidence),
            change: None,
        })
        .collect();
    ranked.sort_by(|a, b| b.nuisance.total_cmp(&a.nuisance).then_with(|| a.sensor.cmp(&b.sensor)));
    ranked
}

/// The odds that were claimed, over the odds that came true: a report's evidence is inverse to the sensor's rate of false
/// alarms, so with a rate so many times higher the claim would have been right.
fn factor(nuisance: f64, real: f64, confidence: f64) -> Option<f64> {
    let all = nuisance + real;
    if nuisance < SUGGEST_FROM {
        return None;
    }
    let claimed = (confidence / all).clamp(0.01, 0.99);
    let (claimed, came_true) = (claimed / (1.0 - claimed), (real + 0.5) / (nuisance + 0.5));
    (claimed > 1.25 * came_true).then_some(claimed / came_true)
}

fn correlations(hours: &BTreeMap<i64, f64>, weather: &[Weather]) -> Option<(f64, f64)> {
    if weather.len() < HOURS_FROM {
        return None;
    }
    let counts = |at: &Weather| hours.get(&hour(at.at)).copied().unwrap_or(0.0);
    let with = |value: fn(&Weather) -> f64| correlation(weather.iter().map(|at| (counts(at), value(at))));
    Some((with(|at| at.wind_mps), with(|at| at.rain_mm)))
}

/// Pearson's correlation; 0 when one side does not vary.
fn correlation(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let n = pairs.clone().map(|_| 1.0).sum::<f64>();
    let (x, y) = pairs.clone().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / n, y + pair.1 / n));
    let (xx, yy, xy) = pairs.fold((0.0, 0.0, 0.0), |(xx, yy, xy), pair| {
        let (dx, dy) = (pair.0 - x, pair.1 - y);
        (xx + dx * dx, yy + dy * dy, xy + dx * dy)
    });
    if xx > 0.0 && yy > 0.0 { xy / libm::sqrt(xx * yy) } else { 0.0 }
}

fn hour(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(HOUR_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(hour: f64, real: bool, sensor: &str) -> Judged {
        let raised = Timestamp::from_micros(0).plus_seconds(3_600.0 * hour + 60.0);
        let shares = vec![(sensor.to_owned(), 0.75), ("radar".to_owned(), 0.25)];
        Judged { claim: Claim { raised, confidence: 0.8, shares }, real }
    }

    #[test]
    fn the_worst_comes_first_with_the_wind_behind_it_and_what_would_help() {
        let mut judged: Vec<Judged> = (0..8).map(|hour| alert(f64::from(hour), false, "seismic")).collect();
        judged.extend((0..8).map(|hour| alert(f64::from(hour), true, "pir")));
        let weather: Vec<Weather> = (0..24)
            .map(|hour| Weather {
                at: Timestamp::from_micros(0).plus_seconds(3_600.0 * f64::from(hour)),
                wind_mps: if hour < 8 { 11.0 } else { 2.0 },
                rain_mm: f64::from(hour % 2),
            })
            .collect();
        let ranked = rank(&judged, &weather);
        assert_eq!(ranked.iter().map(|worth| worth.sensor.as_str()).collect::<Vec<_>>(), ["seismic", "radar", "pir"]);
        let worst = &ranked[0];
        assert!((worst.nuisance - 6.0).abs() < 1e-12 && worst.real.abs() < 1e-12);
        let (wind, rain) = worst.with_weather.unwrap();
        assert!(wind > 0.99 && rain.abs() < 0.01, "{wind} {rain}");
        // Claimed 4 to 1, came true 0.5 to 6.5.
        assert!((worst.false_alarm_factor.unwrap() - 52.0).abs() < 1e-9, "{worst:?}");
        assert_eq!(ranked[2].false_alarm_factor, None);
    }

    #[test]
    fn a_change_is_a_line_that_can_be_typed() {
        let judged: Vec<Judged> = (0..8).map(|hour| alert(f64::from(hour), false, "seismic")).collect();
        let line = |clutter| rank(&judged, &[]).remove(0).configured(clutter).change;
        assert_eq!(line(Clutter::PerHour(2.0)).as_deref(), Some("false_alarms_per_hour = 104.0"));
        assert_eq!(line(Clutter::PerScan(0.001)).as_deref(), Some("clutter_per_scan = 0.052"));
        assert_eq!(line(Clutter::PerScan(90_000.0)).as_deref(), Some("clutter_per_scan = 100000.0"));
        assert_eq!(line(Clutter::PerHour(0.0)), None);
    }

    #[test]
    fn without_weather_nothing_is_said_of_it() {
        assert_eq!(rank(&[alert(1.0, false, "pir")], &[])[0].with_weather, None);
        assert_eq!(rank(&[], &[]), []);
    }
}
