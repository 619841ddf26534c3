//! The page of one alert.

use std::fmt::Write;

use vedette_gateway::engine::{Timestamp, TrackStatus};

use super::chart::Chart;
use super::collect::{Judged, Story};
use super::page::{Page, escape};
use super::{clock, date_and_clock, innovation_units, kind_in_words, map, measured, span, state};

/// Rows of the table of plots; a loiterer has thousands.
const MAX_PLOTS: usize = 1000;
/// 95 % quantiles of the chi-squared distribution with one and two degrees of freedom.
const CHI_SQUARED_95: [f64; 2] = [3.841, 5.991];

/// The page.
pub(crate) fn page(story: &Story) -> String {
    let alert = story.last();
    let mut page = Page::new(&format!("Alert {} of {}", alert.id, story.site.id));
    let (severity, kind) = (format!("{:?}", alert.severity), title_of(story));
    page.raw(&format!(
        "<h1>{} <span class=\"badge {}\">{}</span></h1>",
        escape(&kind),
        severity.to_lowercase(),
        escape(&severity)
    ));
    page.paragraph("lead", &alert.text);
    page.facts(&facts(story));
    page.heading("What was said");
    revisions(&mut page, story);
    if !story.plots.is_empty() {
        page.heading("Where");
        page.raw(&map::of_story(story));
        page.paragraph(
            "faint",
            "Green: the track with its 95 % ellipses, the dot is its end. Blue: sensors that spoke, and their plots. \
             Dashed: sensors that were expected to see it and were silent.",
        );
        page.heading("When");
        page.raw(&timeline(story));
        page.paragraph(
            "faint",
            "Blue: plots. Orange: expected and silent. Red, numbered: revisions of the alert, at the edge those that came later.",
        );
    }
    if !story.steps.is_empty() {
        page.heading("Existence of the track");
        page.raw(&existence(story));
        page.heading("How well the plots fit (normalised innovation squared)");
        page.raw(&nis(story));
        page.paragraph(
            "faint",
            "A plot above the dashed line of its kind is one of the worst 5 %. Blue: two measured values, orange: one.",
        );
    }
    if !story.evidence.is_empty() {
        page.heading("Who said so, and who did not");
        evidence(&mut page, story);
    }
    page.heading("What the rules made of it");
    rules(&mut page, story);
    if !story.plots.is_empty() {
        page.heading("Plots, in order");
        plots(&mut page, story);
    }
    page.heading("Health of the sensors");
    health(&mut page, story);
    page.finish()
}

fn title_of(story: &Story) -> String {
    let alert = story.last();
    let words = kind_in_words(alert.kind);
    alert.zone.as_ref().map_or(words.clone(), |zone| format!("{words}, {zone}"))
}

pub(super) fn facts(story: &Story) -> Vec<(&'static str, String)> {
    let alert = story.last();
    let tracks: Vec<String> = story.tracks.iter().map(|track| track.0.to_string()).collect();
    let mut facts =
        vec![("alert", alert.id.clone()), ("site", story.site.id.clone()), ("cause", alert.dedup_key.clone())];
    if !tracks.is_empty() {
        facts.push(("tracks", tracks.join(", ")));
    }
    if let Some((written, first)) = story.revisions.first() {
        facts.push(("first seen", date_and_clock(alert.first_seen, &story.site)));
        let after = span(written.seconds_since(first.first_seen));
        facts.push(("first written", format!("{}, {after} after it was first seen", clock(*written, &story.site))));
    }
    facts.push(("last seen", date_and_clock(alert.last_seen, &story.site)));
    facts.push(("state at the end", state(alert.state)));
    facts.push(("confidence", format!("{:.0} %", alert.percent_sure())));
    if let Some(humanitarian) = &alert.humanitarian {
        facts.push(("possible need of help", humanitarian.reason.clone()));
    }
    if let Some(suppression) = &alert.suppressed {
        facts.push(("explained by", suppression.rule.clone()));
    }
    if let Some(rule) = &alert.lowered_by {
        facts.push(("less severe for", rule.clone()));
    }
    if !alert.members.is_empty() {
        let mut members: Vec<String> = alert.members.iter().map(|member| member.name.clone()).collect();
        if alert.members_more > 0 {
            members.push(format!("{} more", alert.members_more));
        }
        facts.push(("members", members.join(", ")));
    }
    facts
}

fn revisions(page: &mut Page, story: &Story) {
    let rows: Vec<Vec<String>> = story
        .revisions
        .iter()
        .map(|(written, alert)| {
            vec![
                alert.rev.to_string(),
                clock(*written, &story.site),
                state(alert.state),
                format!("{:?}", alert.severity).to_lowercase(),
                format!("{:.0} %", alert.percent_sure()),
                alert.text.clone(),
            ]
        })
        .collect();
    let columns =
        [("rev", true), ("written", false), ("state", false), ("severity", false), ("sure", true), ("text", false)];
    page.table(&columns, &rows);
}

/// What the charts show: the matter itself. A word that is said long after, as when an alert is closed for its age, would
/// press all else into a corner.
fn shown(story: &Story) -> (Timestamp, Timestamp) {
    /// Words that come later than this share of the matter's own length are left to the edge.
    const LATE: f64 = 0.5;
    let ends = story.steps.iter().map(|step| step.time).chain(story.plots.iter().map(|plot| plot.time));
    let Some(end) = ends.max() else { return (story.from, story.to) };
    let late = end.plus_seconds(LATE * end.seconds_since(story.from));
    let said = story.revisions.iter().map(|(written, _)| *written).filter(|written| *written <= late).max();
    (story.from, end.max(said.unwrap_or(end)).plus_seconds(5.0).min(story.to))
}

fn timeline(story: &Story) -> String {
    const ROW: f64 = 20.0;
    let rows: Vec<usize> = story.evidence.keys().copied().collect();
    let height = rows.len() as f64 * ROW + 50.0;
    let mut chart = Chart::new("time line of the sensors", height, shown(story), &story.site);
    for (place, index) in rows.iter().enumerate() {
        let y = 30.0 + place as f64 * ROW;
        chart.label(y, story.sensor(*index));
        let silent = story.steps.iter().filter(|step| step.track.silent.contains(index));
        let mut svg = String::new();
        for step in silent {
            let x = chart.x(step.time);
            let _ = write!(
                svg,
                "<line class=\"quiet\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
                x - 1.0,
                x + 1.0
            );
        }
        for plot in story.plots.iter().filter(|plot| plot.sensor == *index) {
            let x = chart.x(plot.time);
            let _ = write!(
                svg,
                "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"1.6\" height=\"12\"/>",
                x - 0.8,
                y - 6.0
            );
        }
        chart.draw(&svg);
    }
    mark_revisions(&mut chart, story);
    chart.svg()
}

fn mark_revisions(chart: &mut Chart<'_>, story: &Story) {
    let mut last_x = f64::NEG_INFINITY;
    for (written, alert) in &story.revisions {
        let x = chart.x(*written);
        // Numbers that would overlap say nothing.
        let (later, room) = if chart.holds(*written) { ("", 14.0) } else { (" →", 34.0) };
        let mark = if x - last_x > room { format!("{}{later}", alert.rev) } else { String::new() };
        if !mark.is_empty() {
            last_x = x;
        }
        chart.event(*written, &mark, &format!("{} {}", clock(*written, &story.site), alert.text));
    }
}

fn existence(story: &Story) -> String {
    const RANGE: (f64, f64) = (0.0, 1.0);
    let mut chart = Chart::new("existence of the track over time", 190.0, shown(story), &story.site);
    chart.levels(&[(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")], RANGE);
    chart.bound(story.site.rules.min_existence, RANGE, "enough for an alert");
    for id in &story.tracks {
        let steps = story.steps.iter().filter(|step| step.track.id == *id);
        chart.curve(steps.map(|step| (step.time, step.track.existence)), RANGE);
    }
    let confirmed = story.steps.iter().find(|step| step.track.status == TrackStatus::Confirmed);
    if let Some(step) = confirmed {
        let tip = format!("confirmed {}", clock(step.time, &story.site));
        chart.dot(step.time, step.track.existence, RANGE, "other", &tip);
    }
    mark_revisions(&mut chart, story);
    chart.svg()
}

fn nis(story: &Story) -> String {
    const RANGE: (f64, f64) = (0.0, 12.0);
    let mut chart = Chart::new("normalised innovation squared of each plot", 210.0, shown(story), &story.site);
    chart.levels(&[(0.0, "0"), (4.0, "4"), (8.0, "8"), (12.0, "12 or more")], RANGE);
    chart.bound(CHI_SQUARED_95[0], RANGE, "95 %, one value");
    chart.bound(CHI_SQUARED_95[1], RANGE, "95 %, two values");
    for plot in story.plots.iter().filter(|plot| plot.nis.is_finite() && !plot.innovation.is_empty()) {
        let class = if plot.innovation.len() > 1 { "dot" } else { "other" };
        let tip = format!("{} {} {:.2}", clock(plot.time, &story.site), story.sensor(plot.sensor), plot.nis);
        chart.dot(plot.time, plot.nis, RANGE, class, &tip);
    }
    chart.svg()
}

/// Sensors by their share, then those that were only expected.
pub(super) fn evidence_rows(story: &Story) -> Vec<Vec<String>> {
    let mut by_share: Vec<_> = story.evidence.iter().collect();
    by_share.sort_by(|a, b| b.1.log_likelihood.total_cmp(&a.1.log_likelihood));
    by_share
        .into_iter()
        .map(|(index, evidence)| {
            let silent = evidence.silent.map_or_else(String::new, |(first, last)| {
                let times = evidence.silent_steps;
                format!("{} to {}, at {times} looks", clock(first, &story.site), clock(last, &story.site))
            });
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let mean_nis = evidence.nis_sum / evidence.plots as f64;
            let mean_nis =
                if mean_nis.is_finite() && evidence.nis_sum > 0.0 { format!("{mean_nis:.2}") } else { String::new() };
            vec![
                story.sensor(*index).to_owned(),
                evidence.plots.to_string(),
                format!("{:+.2}", evidence.log_likelihood),
                format!("{:.0} %", story.share(evidence) * 100.0),
                format!("{:+.2}", evidence.silence),
                mean_nis,
                silent,
            ]
        })
        .collect()
}

fn evidence(page: &mut Page, story: &Story) {
    let columns = [
        ("sensor", false),
        ("plots", true),
        ("log-likelihood", true),
        ("share", true),
        ("of it by silence", true),
        ("mean NIS", true),
        ("expected and silent", false),
    ];
    page.table(&columns, &evidence_rows(story));
}

/// From when to when a rule found the same.
pub(super) fn lasted(story: &Story, judged: &Judged) -> String {
    let first = clock(judged.first, &story.site);
    if judged.first == judged.last { first } else { format!("{first} to {}", clock(judged.last, &story.site)) }
}

fn rule_rows(story: &Story) -> Vec<Vec<String>> {
    story
        .judged
        .iter()
        .map(|judged| {
            let judgement = &judged.judgement;
            let track = judgement.track.map_or_else(String::new, |track| track.0.to_string());
            vec![
                lasted(story, judged),
                judgement.rule.clone(),
                track,
                format!("{:?}", judgement.severity).to_lowercase(),
                judgement.verdict.text(),
                judged.times.to_string(),
                judgement.what.clone(),
            ]
        })
        .collect()
}

fn rules(page: &mut Page, story: &Story) {
    let columns = [
        ("when", false),
        ("rule", false),
        ("track", true),
        ("severity", false),
        ("what became of it", false),
        ("times", true),
        ("last found", false),
    ];
    page.table(&columns, &rule_rows(story));
}

pub(super) fn plot_rows(story: &Story) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = story.plots.iter().collect();
    rows.sort_by_key(|plot| plot.time);
    rows.into_iter()
        .map(|plot| {
            let units = plot.measurement.as_ref().map_or(&[][..], innovation_units);
            let innovation: Vec<String> = plot
                .innovation
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let (unit, factor) = units.get(index).copied().unwrap_or(("", 1.0));
                    let space = if unit == "°" { "" } else { " " };
                    format!("{:+.1}{space}{unit}", value * factor)
                })
                .collect();
            vec![
                clock(plot.time, &story.site),
                story.sensor(plot.sensor).to_owned(),
                plot.measurement.as_ref().map_or_else(String::new, measured),
                innovation.join(", "),
                if plot.nis.is_finite() { format!("{:.2}", plot.nis) } else { String::new() },
                format!("{:.0} %", plot.association * 100.0),
                format!("{:+.2}", plot.log_likelihood),
                span(plot.received.seconds_since(plot.time)),
            ]
        })
        .collect()
}

fn plots(page: &mut Page, story: &Story) {
    let columns = [
        ("time", false),
        ("sensor", false),
        ("measured", false),
        ("innovation", false),
        ("NIS", true),
        ("its own", true),
        ("log-likelihood", true),
        ("used after", true),
    ];
    let mut rows = plot_rows(story);
    let more = rows.len().saturating_sub(MAX_PLOTS);
    rows.truncate(MAX_PLOTS);
    page.table(&columns, &rows);
    if more > 0 {
        page.paragraph("faint", &format!("{more} later plots are not listed."));
    }
}

pub(super) fn health_rows(story: &Story) -> Vec<Vec<String>> {
    let minutes = (story.to.seconds_since(story.from) / 60.0).max(1.0 / 60.0);
    let concerned = story.evidence.keys().copied();
    let rows = concerned.map(|index| {
        let activity = &story.activity[index];
        let health = story.health.get(index);
        let gap = activity.gaps.first().map_or_else(String::new, |(from, to)| {
            format!("{} from {}", span(to.seconds_since(*from)), clock(*from, &story.site))
        });
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let rate = |count: u64| format!("{:.1}", count as f64 / minutes);
        vec![
            story.sensor(index).to_owned(),
            rate(activity.messages),
            rate(activity.plots),
            activity.mean_latency_s().map_or_else(String::new, |latency_s| format!("{latency_s:.2} s")),
            gap,
            health.and_then(|health| health.battery_mv).map_or_else(String::new, |mv| format!("{mv} mV")),
            health.and_then(|health| health.last_heard).map_or_else(|| "never".to_owned(), |at| clock(at, &story.site)),
        ]
    });
    rows.collect()
}

fn health(page: &mut Page, story: &Story) {
    if story.evidence.is_empty() {
        page.paragraph("faint", "No sensor's reports are behind this alert.");
        return;
    }
    let columns = [
        ("sensor", false),
        ("messages a minute", true),
        ("plots a minute", true),
        ("mean delay", true),
        ("longest gap", false),
        ("battery", true),
        ("last heard in the log", false),
    ];
    page.table(&columns, &health_rows(story));
}
