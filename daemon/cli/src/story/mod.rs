//! Stories out of logs: why there was an alert, and what a night was like; as text, and as pages without network.
//!
//! ```text
//! activity  the inspected replay, and what each sensor did in it
//! collect   one alert's plots, silences and judgements
//! night     a whole log's sums
//! tell      one alert as text
//! page      HTML around everything: style, tables, escaping
//! chart     lines, bars and points over time as SVG
//! map       zones, sensors and a track's path as SVG
//! alert, log   the two pages
//! ```

mod activity;
mod alert;
mod chart;
mod collect;
mod log;
mod map;
mod night;
mod page;
mod tell;

pub(crate) use alert::page as alert_page;
pub(crate) use collect::{find_alert, story};
pub(crate) use log::page as log_page;
pub(crate) use log::summary as log_summary;
pub(crate) use night::night;
pub(crate) use tell::tell;

use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::{AlertKind, AlertState, Measurement, Timestamp};

/// The wall clock's time at the site.
fn clock(time: Timestamp, site: &Site) -> String {
    zoned(time, site, "%H:%M:%S")
}

/// Date and time at the site.
fn date_and_clock(time: Timestamp, site: &Site) -> String {
    zoned(time, site, "%Y-%m-%d %H:%M:%S %Z")
}

fn zoned(time: Timestamp, site: &Site, form: &str) -> String {
    jiff::Timestamp::from_microsecond(time.as_micros()).map_or_else(
        |_| "outside of any calendar".to_owned(),
        |time| time.to_zoned(site.timezone.clone()).strftime(form).to_string(),
    )
}

/// "29 days 22 h", "1 h 05 min", "3 min 20 s", "12.4 s".
fn span(seconds: f64) -> String {
    let whole = seconds.abs().round();
    let (hours, minutes) = ((whole / 3600.0).floor(), (whole / 60.0).floor());
    let days = (hours / 24.0).floor();
    if days >= 2.0 {
        format!("{days} days {} h", hours - days * 24.0)
    } else if hours >= 1.0 {
        format!("{hours} h {:02} min", minutes - hours * 60.0)
    } else if minutes >= 2.0 {
        format!("{minutes} min {:02} s", whole - minutes * 60.0)
    } else {
        format!("{seconds:.1} s")
    }
}

/// "SensorSilent" as two words.
fn kind_in_words(kind: AlertKind) -> String {
    let mut words = String::new();
    for letter in format!("{kind:?}").chars() {
        if !words.is_empty() && letter.is_uppercase() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn state(state: AlertState) -> String {
    match state {
        AlertState::Closed { reason } => format!("closed: {reason:?}").to_lowercase(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// What a plot says, for people.
fn measured(measurement: &Measurement) -> String {
    let degrees = |radians: f64| radians.to_degrees().rem_euclid(360.0);
    match measurement {
        Measurement::Position { position_m, .. } => {
            format!("at {:.1} m east, {:.1} m north", position_m.x, position_m.y)
        }
        Measurement::RangeBearing { range_m, azimuth_rad, range_rate_mps, .. } => {
            let rate = range_rate_mps.map_or_else(String::new, |(rate, _)| format!(", {rate:+.1} m/s away"));
            format!("{range_m:.1} m at {:.1}°{rate}", degrees(*azimuth_rad))
        }
        Measurement::Bearing { azimuth_rad, .. } => format!("towards {:.1}°", degrees(*azimuth_rad)),
        Measurement::Range { range_m, .. } => format!("{range_m:.1} m away"),
        Measurement::Presence { .. } => "something is there".to_owned(),
        Measurement::Crossing { direction: None } => "something crossed".to_owned(),
        Measurement::Crossing { direction: Some(way) } => format!("something crossed, {way:?}").to_lowercase(),
    }
}

/// Units of the innovation of such a plot, with the factor to them from the filter's own.
fn innovation_units(measurement: &Measurement) -> &'static [(&'static str, f64)] {
    const DEGREE: (&str, f64) = ("°", 180.0 / std::f64::consts::PI);
    match measurement {
        Measurement::Position { .. } => &[("m east", 1.0), ("m north", 1.0)],
        Measurement::RangeBearing { .. } => &[("m", 1.0), DEGREE, ("m/s", 1.0)],
        Measurement::Bearing { .. } => &[DEGREE],
        Measurement::Range { .. } | Measurement::Presence { .. } | Measurement::Crossing { .. } => {
            &[("m", 1.0), ("m", 1.0)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_as_people_do() {
        let told = [0.04, 12.36, 119.0, 200.0, 3599.9, 3900.0, 2_586_000.0].map(span);
        assert_eq!(told, ["0.0 s", "12.4 s", "119.0 s", "3 min 20 s", "1 h 00 min", "1 h 05 min", "29 days 22 h"]);
    }
}
