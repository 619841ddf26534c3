//! The page of a whole log, and its summary as text.

use std::io::{Result, Write};

use vedette_gateway::engine::Timestamp;

use super::chart::{Chart, bars};
use super::night::{LATENCY_BINS_S, Night};
use super::page::{Column, Page};
use super::{clock, date_and_clock, kind_in_words, map, span, state, zoned};
use crate::plain::{columns, wrapped};

/// Tracks listed; the longest are.
const MAX_TRACKS: usize = 200;
/// Sensors in the nuisance ranking.
const MAX_RANKED: usize = 30;
/// Gaps listed; the longest are.
const MAX_GAPS: usize = 50;

/// Digits of an alert's id, enough for `vedette explain`.
const SHOWN_ID: usize = 8;

const ALERT_COLUMNS: [Column; 7] = [
    ("written", false),
    ("severity", false),
    ("kind", false),
    ("state", false),
    ("revs", true),
    ("id", false),
    ("text", false),
];
const SENSOR_COLUMNS: [Column; 8] = [
    ("sensor", false),
    ("messages", true),
    ("an hour", true),
    ("plots", true),
    ("plots an hour", true),
    ("in tracks", true),
    ("mean delay", true),
    ("battery", true),
];

/// The page.
pub(crate) fn page(night: &Night) -> String {
    let mut page = Page::new(&format!("{}: log of {}", night.site.id, date_and_clock(night.from, &night.site)));
    page.raw("<h1>What the sensors saw, and what was made of it</h1>");
    page.facts(&facts(night));
    page.heading("Where");
    page.raw(&map::of_night(night));
    page.paragraph(
        "faint",
        "Green: confirmed tracks. Blue: what the sensors cover. Dashed: sensors that were never heard.",
    );
    page.heading("When");
    page.raw(&activity(night));
    page.paragraph("faint", "Reports a minute. Red: alerts.");
    page.heading("Alerts");
    page.table(&ALERT_COLUMNS, &alert_rows(night));
    page.heading("Held back");
    if night.suppressed.is_empty() {
        page.paragraph("faint", "Nothing was held back.");
    } else {
        page.table(&[("rule", false), ("why", false), ("causes", true)], &suppressed_rows(night));
    }
    page.heading("Tracks");
    tracks(&mut page, night);
    page.heading("Rates of the sensors");
    page.table(&SENSOR_COLUMNS, &sensor_rows(night));
    if let Some(told) = said_nothing(night) {
        page.paragraph("faint", &told);
    }
    page.heading("Nuisance ranking: plots that belong to no confirmed track");
    page.table(
        &[("sensor", false), ("unused an hour", true), ("unused", true), ("of its plots", true)],
        &nuisance_rows(night),
    );
    page.heading("Gaps");
    let gaps = gap_rows(night);
    if gaps.is_empty() {
        page.paragraph("faint", "No sensor was silent for more than a minute and ten times its usual interval.");
    } else {
        page.table(&[("sensor", false), ("silent for", true), ("from", false), ("to", false)], &gaps);
    }
    page.heading("From the sensor to the tracker");
    page.raw(&bars("latency histogram", &latency(night)));
    page.paragraph("faint", "Messages by the time from what they measured to their use, the reorder wait included.");
    page.finish()
}

/// The essentials as text.
pub(crate) fn summary(night: &Night, out: &mut impl Write) -> Result<()> {
    for (name, value) in facts(night) {
        writeln!(out, "{name:<12} {value}")?;
    }
    let heads = |columns: &[Column]| columns.iter().map(|(head, _)| *head).collect::<Vec<_>>();
    writeln!(out, "\nAlerts")?;
    for row in alert_rows(night) {
        if let [written, severity, kind, state, revisions, id, text] = &row[..] {
            writeln!(out, "  {written} {severity} {kind}, {state}, {revisions} revisions, {id}")?;
            write!(out, "{}", wrapped("      ", "      ", text))?;
        }
    }
    if !night.suppressed.is_empty() {
        writeln!(out, "\nHeld back")?;
        columns(&["rule", "why", "causes"], &suppressed_rows(night), out)?;
    }
    writeln!(out, "\nSensors")?;
    columns(&heads(&SENSOR_COLUMNS), &sensor_rows(night), out)?;
    if let Some(told) = said_nothing(night) {
        write!(out, "{}", wrapped("  ", "  ", &told))?;
    }
    writeln!(out, "\nMost plots without a track")?;
    columns(&["sensor", "unused an hour", "unused", "of its plots"], &nuisance_rows(night), out)?;
    writeln!(out, "\nGaps")?;
    columns(&["sensor", "silent for", "from", "to"], &gap_rows(night), out)?;
    writeln!(out, "\nDelays")?;
    let rows: Vec<Vec<String>> = latency(night).into_iter().map(|(bin, count)| vec![bin, count.to_string()]).collect();
    columns(&["within", "messages"], &rows, out)
}

/// The time of day, with its date in a log that is longer than one.
fn moment(time: Timestamp, night: &Night) -> String {
    if hours(night) < 24.0 { clock(time, &night.site) } else { zoned(time, &night.site, "%d %b %H:%M:%S") }
}

fn hours(night: &Night) -> f64 {
    (night.to.seconds_since(night.from) / 3600.0).max(1.0 / 3600.0)
}

fn facts(night: &Night) -> Vec<(&'static str, String)> {
    let messages: u64 = night.activity.iter().map(|activity| activity.messages).sum();
    let plots: u64 = night.activity.iter().map(|activity| activity.plots).sum();
    let heard = night.activity.iter().filter(|activity| activity.messages > 0).count();
    vec![
        ("site", night.site.id.clone()),
        ("from", date_and_clock(night.from, &night.site)),
        ("to", format!("{}, {}", date_and_clock(night.to, &night.site), span(night.to.seconds_since(night.from)))),
        ("sensors", format!("{heard} heard of {}", night.activity.len())),
        ("reports", format!("{messages} with {plots} plots")),
        ("tracks", format!("{} confirmed", night.tracks.len())),
        ("alerts", format!("{}", night.alerts.len())),
    ]
}

fn activity(night: &Night) -> String {
    let most = night.minutes.iter().copied().max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let range = (0.0, most as f64);
    let mut chart = Chart::new("reports a minute, and alerts", 190.0, (night.from, night.to), &night.site);
    chart.levels(&[(0.0, "0"), (range.1, &most.to_string())], range);
    // Long logs have more minutes than pixels: the greatest of each bundle is shown.
    let bundle = (night.minutes.len() / 800).max(1);
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let points = night.minutes.chunks(bundle).enumerate().map(|(index, minutes)| {
        let greatest = minutes.iter().copied().max().unwrap_or(0) as f64;
        (night.from.plus_seconds((index * bundle) as f64 * 60.0 + 30.0), greatest)
    });
    chart.curve(points, range);
    for (written, _, alert) in night.alerts.values() {
        chart.event(*written, "", &alert.text);
    }
    chart.svg()
}

fn alert_rows(night: &Night) -> Vec<Vec<String>> {
    let mut alerts: Vec<_> = night.alerts.values().collect();
    alerts.sort_by_key(|(written, ..)| *written);
    let row = |(written, revisions, alert): &(Timestamp, u32, vedette_gateway::engine::Alert)| {
        vec![
            moment(*written, night),
            format!("{:?}", alert.severity).to_lowercase(),
            kind_in_words(alert.kind),
            state(alert.state),
            revisions.to_string(),
            alert.id.chars().take(SHOWN_ID).collect(),
            alert.text.clone(),
        ]
    };
    alerts.into_iter().map(row).collect()
}

fn suppressed_rows(night: &Night) -> Vec<Vec<String>> {
    let rows = night.suppressed.iter();
    rows.map(|((rule, why), count)| vec![rule.clone(), why.clone(), count.to_string()]).collect()
}

fn tracks(page: &mut Page, night: &Night) {
    let mut tracks: Vec<_> = night.tracks.iter().collect();
    tracks.sort_by(|a, b| f64::total_cmp(&b.1.plots, &a.1.plots));
    let more = tracks.len().saturating_sub(MAX_TRACKS);
    tracks.truncate(MAX_TRACKS);
    tracks.sort_by_key(|(_, track)| track.first);
    let rows: Vec<Vec<String>> = tracks
        .into_iter()
        .map(|(id, summary)| {
            let class = summary.track.class;
            let length_m: f64 =
                summary.path.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
            vec![
                id.0.to_string(),
                moment(summary.first, night),
                span(summary.last.seconds_since(summary.first)),
                format!("{:.0} m", length_m.max(0.0)),
                format!("{:.0}", summary.plots),
                format!("{:.0} %", summary.existence * 100.0),
                format!("{:.0} / {:.0} / {:.0} %", class.person * 100.0, class.animal * 100.0, class.vehicle * 100.0),
                summary.track.contributions.len().to_string(),
            ]
        })
        .collect();
    let columns = [
        ("track", true),
        ("first seen", false),
        ("lasted", true),
        ("way", true),
        ("plots", true),
        ("existence at most", true),
        ("person / animal / vehicle", true),
        ("sensors", true),
    ];
    page.table(&columns, &rows);
    if more > 0 {
        page.paragraph("faint", &format!("{more} shorter tracks are not listed."));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn sensor_rows(night: &Night) -> Vec<Vec<String>> {
    let hours = hours(night);
    let heard =
        night.activity.iter().zip(&night.site.sensors).enumerate().filter(|(_, (activity, _))| activity.messages > 0);
    let rows = heard.map(|(index, (activity, sensor))| {
        let battery = night.health.get(index).and_then(|health| health.battery_mv);
        vec![
            sensor.model.id.clone(),
            activity.messages.to_string(),
            format!("{:.1}", activity.messages as f64 / hours),
            activity.plots.to_string(),
            format!("{:.1}", activity.plots as f64 / hours),
            share(activity.used, activity.plots),
            activity.mean_latency_s().map_or_else(String::new, |latency_s| format!("{latency_s:.2} s")),
            battery.map_or_else(String::new, |mv| format!("{mv} mV")),
        ]
    });
    rows.collect()
}

/// The sensors that were never heard; none when all were.
fn said_nothing(night: &Night) -> Option<String> {
    let sensors = night.activity.iter().zip(&night.site.sensors);
    let unheard = sensors.filter(|(activity, _)| activity.messages == 0);
    let names: Vec<&str> = unheard.map(|(_, sensor)| sensor.model.id.as_str()).collect();
    let counted = if names.len() == 1 { "1 sensor".to_owned() } else { format!("{} sensors", names.len()) };
    (!names.is_empty()).then(|| format!("{counted} said nothing: {}.", names.join(", ")))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: f64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:.0} %", (part / whole as f64).clamp(0.0, 1.0) * 100.0) }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn nuisance_rows(night: &Night) -> Vec<Vec<String>> {
    let hours = hours(night);
    let mut ranked: Vec<(f64, u64, &str)> = night
        .activity
        .iter()
        .zip(&night.site.sensors)
        .map(|(activity, sensor)| {
            ((activity.plots as f64 - activity.used).max(0.0), activity.plots, sensor.model.id.as_str())
        })
        .filter(|(unused, ..)| *unused >= 1.0)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.truncate(MAX_RANKED);
    let row = |(unused, plots, name): (f64, u64, &str)| {
        vec![name.to_owned(), format!("{:.1}", unused / hours), format!("{unused:.0}"), share(unused, plots)]
    };
    ranked.into_iter().map(row).collect()
}

fn gap_rows(night: &Night) -> Vec<Vec<String>> {
    let mut gaps: Vec<(f64, Timestamp, Timestamp, &str)> = Vec::new();
    for (activity, sensor) in night.activity.iter().zip(&night.site.sensors) {
        for (from, to) in activity.gaps.iter().filter(|_| sensor.model.scan_period_s.is_some()) {
            gaps.push((to.seconds_since(*from), *from, *to, sensor.model.id.as_str()));
        }
        // A detector that triggers says nothing for days and is well.
        if activity.messages == 0 && sensor.model.scan_period_s.is_some() {
            gaps.push((night.to.seconds_since(night.from), night.from, night.to, sensor.model.id.as_str()));
        }
    }
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0));
    gaps.truncate(MAX_GAPS);
    let row = |(length_s, from, to, name): (f64, Timestamp, Timestamp, &str)| {
        vec![name.to_owned(), span(length_s), moment(from, night), moment(to, night)]
    };
    gaps.into_iter().map(row).collect()
}

fn latency(night: &Night) -> Vec<(String, u64)> {
    let labels = LATENCY_BINS_S.iter().map(|&most_s| {
        if most_s.is_infinite() {
            "more".to_owned()
        } else if most_s < 60.0 {
            format!("≤ {most_s} s")
        } else {
            format!("≤ {} min", most_s / 60.0)
        }
    });
    labels.zip(night.latency).collect()
}
