//! The weather that a station at the site tells: as it is now, how wet the last hour was, and how it was hour by hour.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use crate::budget::Weather;

/// A station that was not heard for so long says nothing of now.
const STALE_S: f64 = 1_800.0;
const HOUR_S: f64 = 3_600.0;
const HOUR_MICROS: i64 = 3_600_000_000;
/// Hours kept: alerts, which they are set against, are kept no longer by default.
const HOURS: usize = 31 * 24;
/// Rain within this time is kept as one fall.
const FALL_S: f64 = 60.0;
/// More between two messages is no rain but another counter.
const MOST_RAIN_MM: f64 = 100.0;

/// What a station says at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeatherReport {
    /// Mean wind.
    pub wind_mps: Option<f64>,
    /// Rain since the station was started; it begins anew when that is started again.
    pub rain_total_mm: Option<f64>,
    /// Temperature of the air.
    pub temperature_c: Option<f64>,
}

/// The weather now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeatherNow {
    /// Mean wind, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wind_mps: Option<f64>,
    /// Rain in the last hour, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rain_mm: Option<f64>,
    /// Temperature of the air, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
}

/// The weather at one time, as an alert carries it: what nuisance comes with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeatherThen {
    /// When.
    pub at: Timestamp,
    /// Mean wind, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wind_mps: Option<f64>,
    /// Rain in the hour before, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rain_mm: Option<f64>,
}

impl WeatherThen {
    /// Wind and rain, to one decimal; none where neither is told.
    pub(crate) fn of(now: WeatherNow, at: Timestamp) -> Option<Self> {
        let [wind_mps, rain_mm] =
            [now.wind_mps, now.rain_mm].map(|value| value.map(|value| libm::round(10.0 * value) / 10.0));
        (wind_mps.is_some() || rain_mm.is_some()).then_some(Self { at, wind_mps, rain_mm })
    }
}

/// What was heard of the weather.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sky {
    heard: Option<Timestamp>,
    wind_mps: Option<f64>,
    temperature_c: Option<f64>,
    total_mm: Option<f64>,
    /// The rain of the last hour.
    falls: VecDeque<(Timestamp, f64)>,
    hours: VecDeque<Hour>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hour {
    at: Timestamp,
    wind_sum_mps: f64,
    winds: f64,
    rain_mm: f64,
}

impl Sky {
    pub(crate) fn take(&mut self, report: WeatherReport, now: Timestamp) {
        let fell_mm = self.fell_mm(report, now);
        self.heard = Some(now);
        self.wind_mps = report.wind_mps.or(self.wind_mps);
        self.temperature_c = report.temperature_c.or(self.temperature_c);
        self.total_mm = report.rain_total_mm.or(self.total_mm);
        self.falls.retain(|(at, _)| now.seconds_since(*at) <= HOUR_S);
        if fell_mm > 0.0 {
            match self.falls.back_mut().filter(|(at, _)| now.seconds_since(*at) < FALL_S) {
                Some((_, sum_mm)) => *sum_mm += fell_mm,
                None => self.falls.push_back((now, fell_mm)),
            }
        }
        let at = Timestamp::from_micros(now.as_micros().div_euclid(HOUR_MICROS) * HOUR_MICROS);
        if self.hours.back().is_none_or(|hour| hour.at != at) {
            self.hours.push_back(Hour { at, wind_sum_mps: 0.0, winds: 0.0, rain_mm: 0.0 });
            if self.hours.len() > HOURS {
                self.hours.pop_front();
            }
        }
        if let Some(hour) = self.hours.back_mut() {
            hour.rain_mm += fell_mm;
            hour.wind_sum_mps += report.wind_mps.unwrap_or(0.0);
            hour.winds += f64::from(u8::from(report.wind_mps.is_some()));
        }
    }

    /// Rain since the last message. After a pause nobody can say when it fell.
    fn fell_mm(&self, report: WeatherReport, now: Timestamp) -> f64 {
        let recent = self.heard.is_some_and(|heard| now.seconds_since(heard) <= STALE_S);
        let fell_mm = self.total_mm.zip(report.rain_total_mm).map(|(before_mm, after_mm)| after_mm - before_mm);
        fell_mm.filter(|mm| recent && (0.0..=MOST_RAIN_MM).contains(mm)).unwrap_or(0.0)
    }

    /// The weather now, while the station is heard.
    pub(crate) fn now(&self, now: Timestamp) -> Option<WeatherNow> {
        self.heard.filter(|heard| now.seconds_since(*heard) <= STALE_S)?;
        let recent = self.falls.iter().filter(|(at, _)| now.seconds_since(*at) <= HOUR_S);
        let rain_mm = self.total_mm.map(|_| recent.map(|(_, mm)| mm).sum());
        Some(WeatherNow { wind_mps: self.wind_mps, rain_mm, temperature_c: self.temperature_c })
    }

    /// The hours that were told of, oldest first.
    pub(crate) fn hours(&self) -> Vec<Weather> {
        let mean = |hour: &Hour| if hour.winds > 0.0 { hour.wind_sum_mps / hour.winds } else { 0.0 };
        self.hours.iter().map(|hour| Weather { at: hour.at, wind_mps: mean(hour), rain_mm: hour.rain_mm }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: f64) -> Timestamp {
        Timestamp::from_seconds(1_772_323_200).plus_seconds(60.0 * minute)
    }

    fn told(sky: &mut Sky, minute: f64, wind_mps: f64, total_mm: f64) {
        let report = WeatherReport { wind_mps: Some(wind_mps), rain_total_mm: Some(total_mm), temperature_c: None };
        sky.take(report, at(minute));
    }

    #[test]
    fn rain_is_what_the_counter_gained_in_the_last_hour_whatever_it_began_with() {
        let mut sky = Sky::default();
        let rain_mm = |sky: &Sky, minute: f64| sky.now(at(minute)).and_then(|now| now.rain_mm);
        assert_eq!(rain_mm(&sky, 0.0), None);
        told(&mut sky, 0.0, 3.0, 812.4);
        assert_eq!(rain_mm(&sky, 0.0), Some(0.0));
        told(&mut sky, 10.0, 3.0, 813.4);
        told(&mut sky, 20.0, 3.0, 815.4);
        assert_eq!(rain_mm(&sky, 25.0), Some(3.0));
        // A new battery: the counter begins anew, and rain goes on.
        told(&mut sky, 30.0, 3.0, 0.0);
        told(&mut sky, 40.0, 3.0, 0.5);
        assert_eq!(rain_mm(&sky, 40.0), Some(3.5));
        told(&mut sky, 60.0, 3.0, 0.5);
        told(&mut sky, 75.0, 3.0, 0.5);
        assert_eq!(rain_mm(&sky, 75.0), Some(2.5), "the first fall is more than an hour ago");
        assert_eq!(rain_mm(&sky, 110.0), None, "not heard for half an hour");
        // What fell meanwhile fell at some time.
        told(&mut sky, 200.0, 3.0, 40.5);
        assert_eq!(rain_mm(&sky, 200.0), Some(0.0));
    }

    #[test]
    fn hours_have_their_mean_wind_and_their_rain() {
        let mut sky = Sky::default();
        for (minute, wind_mps, total_mm) in [(0.0, 2.0, 1.0), (20.0, 4.0, 2.0), (40.0, 3.0, 2.5), (61.0, 9.0, 4.0)] {
            told(&mut sky, minute, wind_mps, total_mm);
        }
        let hours = sky.hours();
        assert_eq!(hours.len(), 2);
        assert_eq!((hours[0].at, hours[0].wind_mps, hours[0].rain_mm), (at(0.0), 3.0, 1.5));
        assert_eq!((hours[1].at, hours[1].wind_mps, hours[1].rain_mm), (at(60.0), 9.0, 1.5));
        for hour in 0..2_000 {
            told(&mut sky, 61.0 + 60.0 * f64::from(hour), 1.0, 4.0);
        }
        assert_eq!(sky.hours().len(), HOURS);
    }
}
