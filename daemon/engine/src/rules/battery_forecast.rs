//! A battery will be low before anybody plans to visit: told days ahead, from the fall of its daily lowest voltage.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Certainty, Finding, Rule, Situation};
use crate::{AlertKind, Severity};

const DAY_MICROS: i64 = 86_400_000_000;
/// Days remembered of each sensor.
const MAX_DAYS: usize = 30;
/// A slope from fewer days than this says more about the weather than about the battery.
const MIN_DAYS: usize = 5;
/// A forecast is kept until it is this many times farther off than what raises it.
const KEEP_FACTOR: f64 = 1.5;

/// The lowest voltage of each day, by sensor: nights decide, and nights compare with nights.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BatteryForecast {
    lowest: BTreeMap<usize, VecDeque<(i64, u16)>>,
}

impl Rule for BatteryForecast {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let within_days = situation.site.rules.battery_forecast_days;
        if within_days <= 0.0 {
            return;
        }
        let today = situation.now.as_micros().div_euclid(DAY_MICROS);
        for (index, status) in situation.sensors.iter().enumerate() {
            let Some(mv) = status.battery_mv else { continue };
            let days = self.lowest.entry(index).or_default();
            note(days, today, mv);
            let limit_mv = situation.site.sensors[index].battery_low_mv.unwrap_or(situation.site.rules.battery_low_mv);
            let Some([earliest, latest]) = days_left(days, f64::from(limit_mv)) else { continue };
            if earliest > KEEP_FACTOR * within_days || earliest <= 0.0 {
                continue;
            }
            let limit = f64::from(limit_mv) / 1_000.0;
            let what = format!("battery of {} will be below {limit:.2} V in {}", status.id, range(earliest, latest));
            let mut finding = situation.sensor_finding("battery_forecast", AlertKind::SensorBattery, index, what);
            finding.severity = Severity::Info;
            if earliest > within_days {
                finding.certainty = Certainty::Holds;
            }
            finding.note = "Take a battery along on the next visit.".to_owned();
            findings.push(finding);
        }
    }
}

fn note(days: &mut VecDeque<(i64, u16)>, today: i64, mv: u16) {
    match days.back_mut() {
        Some((day, lowest)) if *day == today => *lowest = (*lowest).min(mv),
        _ => days.push_back((today, mv)),
    }
    // A new battery begins a new life.
    if let Some(&(_, before)) = days.len().checked_sub(2).and_then(|index| days.get(index))
        && mv > before.saturating_add(200)
    {
        days.drain(..days.len() - 1);
    }
    while days.len() > MAX_DAYS {
        days.pop_front();
    }
}

/// Days from the last one until the limit is reached, at the earliest and at the latest: the least-squares line through the days, its slope
/// one standard error up and down.
#[expect(clippy::cast_precision_loss, reason = "days")]
fn days_left(days: &VecDeque<(i64, u16)>, limit_mv: f64) -> Option<[f64; 2]> {
    let &(last, _) = days.back()?;
    if days.len() < MIN_DAYS {
        return None;
    }
    let count = days.len() as f64;
    let points = || days.iter().map(|&(day, mv)| ((day - last) as f64, f64::from(mv)));
    let (sum_x, sum_y) = points().fold((0.0, 0.0), |(sum_x, sum_y), (x, y)| (sum_x + x, sum_y + y));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let spread: f64 = points().map(|(x, _)| (x - mean_x) * (x - mean_x)).sum();
    let slope = points().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let now_mv = mean_y - slope * mean_x;
    let residual: f64 = points().map(|(x, y)| y - now_mv - slope * x).map(|off| off * off).sum();
    let error = libm::sqrt(residual / (count - 2.0) / spread);
    // A fall that could as well be none is no forecast.
    if slope + 2.0 * error >= 0.0 || now_mv <= limit_mv {
        return None;
    }
    let left = |slope: f64| (now_mv - limit_mv) / -slope;
    Some([left(slope - error), left(slope + error)])
}

/// "about 9 days", "9 to 14 days".
fn range(earliest: f64, latest: f64) -> String {
    let (low, high) = (libm::floor(earliest).max(1.0), libm::ceil(latest).max(1.0));
    if high - low <= 1.0 { format!("about {high:.0} days") } else { format!("{low:.0} to {high:.0} days") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(volts: impl Iterator<Item = u16>) -> VecDeque<(i64, u16)> {
        let mut days = VecDeque::new();
        for (day, mv) in volts.enumerate() {
            note(&mut days, day as i64, mv + 40);
            note(&mut days, day as i64, mv);
        }
        days
    }

    #[test]
    fn an_even_fall_is_a_forecast() {
        let [earliest, latest] = days_left(&days((0..10).map(|day| 3_600 - 10 * day)), 3_300.0).expect("a fall");
        assert!((earliest - 21.0).abs() < 0.01 && (latest - 21.0).abs() < 0.01, "{earliest} {latest}");
    }

    #[test]
    fn weather_is_no_fall_and_a_cold_night_widens_the_forecast() {
        assert_eq!(days_left(&days([3_600, 3_590, 3_605, 3_595, 3_600, 3_598].into_iter()), 3_300.0), None);
        let uneven = days((0..12).map(|day| 3_600 - 10 * day - if day % 3 == 0 { 25 } else { 0 }));
        let [earliest, latest] = days_left(&uneven, 3_300.0).expect("a fall");
        assert!(earliest < 18.0 && latest > earliest + 1.0, "{earliest} {latest}");
    }

    #[test]
    fn a_new_battery_starts_again() {
        let changed = days((0..10).map(|day| 3_500 - 20 * day).chain((0..3).map(|_| 3_900)));
        assert_eq!(changed.len(), 3);
        assert_eq!(days_left(&changed, 3_300.0), None);
    }
}
