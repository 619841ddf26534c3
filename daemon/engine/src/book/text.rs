//! Alerts in words: short, what, where, which way, how sure, why. Read by somebody who was asleep a minute ago.

use jiff::Timestamp as Instant;
use vedette_tracker::{ClassProbabilities, Timestamp};

use super::Lesson;
use crate::config::Site;
use crate::rules::{Finding, Subject};
use crate::{Alert, AlertState, CloseReason, Mode, Place};

/// A class is named from this probability on; below, it is "something".
const NAMED_FROM: f64 = 0.65;
/// A class is named without "probably" from this probability on.
const PLAIN_FROM: f64 = 0.8;

/// Sensors named that saw it, and that should have.
const NAMED_SENSORS: usize = 3;
/// What operators said of others is told from this shift of the log-odds on: 0.5 becomes 0.62 or 0.38.
const TOLD_FROM: f64 = 0.5;

/// The time of day at the site, `02:14:07`.
pub(crate) fn clock(time: Timestamp, site: &Site) -> String {
    Instant::from_microsecond(time.as_micros()).map_or_else(
        |_| "an unknown time".to_owned(),
        |instant| {
            let time = instant.to_zoned(site.timezone.clone()).time();
            format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
        },
    )
}

/// A duration in the unit people would use.
pub(crate) fn span(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7_200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.0} h", seconds / 3_600.0)
    }
}

/// The likeliest class in one word.
pub(super) fn class_name(class: &ClassProbabilities) -> &'static str {
    let classes = [(class.person, "person"), (class.vehicle, "vehicle"), (class.animal, "animal")];
    let (probability, name) =
        classes.into_iter().fold((0.0, ""), |best, next| if next.0 > best.0 { next } else { best });
    if probability >= NAMED_FROM { name } else { "" }
}

/// The whole text of an alert.
pub(super) fn describe(finding: &Finding, alert: &Alert, site: &Site) -> String {
    let mut text = String::new();
    if alert.mode == Mode::Exercise {
        text.push_str("EXERCISE: ");
    }
    if let Some(need) = &finding.help {
        text.push_str("Possible need of help: ");
        text.push_str(&need.reason);
        text.push_str(". ");
    }
    match &finding.subject {
        Subject::Track(_) => {
            let when = clock(alert.last_seen, site);
            text.push_str(&format!("{} {}, {when}", who(alert), finding.what));
            text.push_str(&place(alert));
            text.push_str(&movement(alert));
            text.push_str(". ");
            text.push_str(&why(alert, finding, site));
        }
        Subject::Spot { .. } => {
            text.push_str(&capitalised(&finding.what));
            text.push_str(&place(alert));
            text.push('.');
            // That somebody calls is as sure as it gets; who hears it stands in the reason.
            if finding.help.is_none() {
                text.push(' ');
                text.push_str(&why(alert, finding, site));
            }
        }
        Subject::Sensor(_) | Subject::Gateway => {
            text.push_str(&capitalised(&finding.what));
            text.push('.');
        }
    }
    if !finding.note.is_empty() {
        text.push(' ');
        text.push_str(&finding.note);
    }
    if alert.is_held_as_unsure() {
        let why = lesson(finding, site)
            .map_or_else(|| "Too unsure to wake anybody".to_owned(), |told| format!("Unsure, {told}"));
        text.push_str(&format!(" {why}: kept for the record."));
    }
    if finding.released {
        text.push(' ');
        text.push_str(RELEASED);
    }
    text
}

/// Said of a need that somebody has seen and that lasts.
pub(super) fn lasts(acknowledged_at: Timestamp, site: &Site) -> String {
    format!(" Acknowledged {}, and it lasts.", clock(acknowledged_at, site))
}

/// Said of what an operator has released from a rule or a storm.
pub(super) const RELEASED: &str = "Released by an operator.";

/// The text of a storm whose members stand on their own.
pub(super) fn dissolved(alert: &Alert, now: Timestamp, site: &Site) -> String {
    format!("Over, its members are told one by one ({}). Was: {}", clock(now, site), alert.text)
}

/// The text of an alert that is over.
pub(super) fn over(alert: &Alert, now: Timestamp, site: &Site) -> String {
    let how = match alert.state {
        AlertState::Closed { reason: CloseReason::Retracted } => "Taken back, later data do not bear it out",
        AlertState::Expired => "Over, nothing more was seen",
        _ => "Over",
    };
    format!("{how} ({}). Was: {}", clock(now, site), alert.text)
}

/// "Person", "Probably 2 to 3 people", "Something".
fn who(alert: &Alert) -> String {
    let Some(class) = &alert.class else { return "Something".to_owned() };
    let sure = f64::max(class.person, f64::max(class.animal, class.vehicle)) >= PLAIN_FROM;
    let (one, many) = match class_name(class) {
        "person" => ("person", "people"),
        "animal" => ("animal", "animals"),
        "vehicle" => ("vehicle", "vehicles"),
        _ => {
            return match alert.count {
                Some((low, high)) if high > 1 => format!("{} moving things", number_range(low, high)),
                _ => "Something".to_owned(),
            };
        }
    };
    let named = match alert.count {
        Some((low, high)) if high > 1 => format!("{} {many}", number_range(low, high)),
        _ => one.to_owned(),
    };
    if sure { capitalised(&named) } else { format!("Probably {}{named}", if named == one { article(one) } else { "" }) }
}

fn article(word: &str) -> &'static str {
    if word.starts_with('a') { "an " } else { "a " }
}

fn number_range(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

/// ", at 52.00123 N 23.60012 E (within 12 m)".
fn place(alert: &Alert) -> String {
    match &alert.place {
        Some(Place::Point { lat, lon, ellipse }) => {
            format!(", at {} (within {:.0} m)", coordinates(*lat, *lon), ellipse.major_m)
        }
        Some(Place::Area { name }) => format!(", somewhere near {name}"),
        None => String::new(),
    }
}

/// "52.00123 N 23.60012 E".
pub(crate) fn coordinates(lat: f64, lon: f64) -> String {
    let (ns, ew) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
    format!("{:.5} {ns} {:.5} {ew}", lat.abs(), lon.abs())
}

/// ", going south-west at 1.4 m/s".
fn movement(alert: &Alert) -> String {
    const POINTS: [&str; 8] =
        ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    match (alert.heading_deg, alert.speed_mps) {
        (Some(heading_deg), Some(speed_mps)) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8 after the division")]
            let point = libm::round(heading_deg.clamp(0.0, 360.0) / 45.0) as usize % POINTS.len();
            format!(", going {} at {speed_mps:.1} m/s", POINTS[point])
        }
        (None, Some(_)) => ", standing".to_owned(),
        (_, None) => String::new(),
    }
}

/// "94 % sure: seen by radar-7 and pir-3, not by cam-2." Who bears how much of it stands in the alert's contributors.
fn why(alert: &Alert, finding: &Finding, site: &Site) -> String {
    let named = |seen: bool| -> Vec<&str> {
        let parts = alert.contributors.iter().filter(|part| part.share.is_some() == seen);
        parts.map(|part| part.sensor.as_str()).take(NAMED_SENSORS).collect()
    };
    let mut text = format!("{:.0} % sure", alert.percent_sure());
    for (link, sensors) in [(": seen by ", named(true)), (", not by ", named(false))] {
        if let Some((last, others)) = sensors.split_last() {
            let and = if others.is_empty() { "" } else { " and " };
            text.push_str(&format!("{link}{}{and}{last}", others.join(", ")));
        }
    }
    text.push('.');
    if let Some(told) = lesson(finding, site).filter(|_| !alert.is_held_as_unsure()) {
        text.push_str(&format!(" {}.", capitalised(&told)));
    }
    text
}

/// "3 of 14 like it were real", where that makes a difference.
fn lesson(finding: &Finding, site: &Site) -> Option<String> {
    let Lesson { shift, judged, real } = finding.lesson;
    let counts = site.rules.learn_from_operators && shift.abs() >= TOLD_FROM;
    counts.then(|| format!("{real} of {judged} like it {} real", if real == 1 { "was" } else { "were" }))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
