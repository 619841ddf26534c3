//! `vedette status`: one screen of a running daemon.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use vedette_gateway::engine::{SensorStatus, Status, WeatherNow};
use vedette_gateway::status::{Answer, Report, Request};

use crate::clock_time::to_the_second;
use crate::nuisance;
use crate::outcome::Outcome;
use crate::plain::{printable, wrapped};
use crate::socket;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: socket::Place,
    /// Print the whole answer as JSON
    #[arg(long)]
    json: bool,
    /// Ask again every second until interrupted
    #[arg(long)]
    watch: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let path: PathBuf = arguments.place.path()?;
    let mut line = socket::Line::connect(&path)?;
    let mut out = std::io::stdout().lock();
    let clear = arguments.watch && !arguments.json && out.is_terminal();
    loop {
        let report = match line.ask(&Request::Status)? {
            Answer::Status(report) => report,
            Answer::Refused { reason } => anyhow::bail!("{reason}"),
            Answer::Done { .. } => anyhow::bail!("the daemon gave an answer to another question"),
        };
        if arguments.json {
            serde_json::to_writer(&mut out, &report)?;
            writeln!(out)?;
        } else {
            if clear {
                write!(out, "\x1b[2J\x1b[H")?;
            }
            for line in screen(&report).lines() {
                // Names and faulty messages are as somebody sent them.
                writeln!(out, "{}", printable(line))?;
            }
        }
        out.flush()?;
        if !arguments.watch {
            return Ok(Outcome::Done);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The report for people.
fn screen(report: &Report) -> String {
    let mut text = String::new();
    let Report { version, site, up_s, sources, engine, outbox, store, nodes, gnss, cost, stalled, .. } = report;
    let up = jiff::SignedDuration::from_secs_f64(up_s.floor());
    let _ = writeln!(text, "{site}: vedette {version}, up {up:#}");
    let scan_ms = if cost.scans > 0 { 1e3 * cost.scan_s / cost.scans as f64 } else { 0.0 };
    let _ = writeln!(
        text,
        "tracks {} confirmed, {} alerts open; {scan_ms:.2} ms a scan",
        engine.confirmed_tracks, engine.open_alerts
    );
    for stage in stalled {
        let _ = writeln!(text, "NO PROGRESS of {stage}");
    }
    text.push_str(&attention(engine));
    let centre = match (outbox.has_centre, outbox.centre_up) {
        (false, _) => "no centre in the configuration",
        (true, true) => "centre answers",
        (true, false) => "the centre does not acknowledge",
    };
    let _ = writeln!(
        text,
        "outbox {} waiting of {}, {} dropped; {centre}{}",
        outbox.waiting,
        outbox.last_seq,
        outbox.dropped,
        if outbox.commits_fail_s.is_some() { "; COMMITS FAIL" } else { "" },
    );
    if let Some(heard) = gnss {
        let age_s = engine.now.seconds_since(heard.at);
        let place = heard.fix.place.map_or_else(
            || "no place".to_owned(),
            |place| format!("{:.6} N {:.6} E within {:.0} m", place.lat, place.lon, place.sd_m),
        );
        let time = heard.fix.time.map_or_else(|| "no time".to_owned(), |(_, sd_s)| format!("time within {sd_s:.1} s"));
        let _ = writeln!(text, "GNSS {age_s:.0} s ago: {place}, {time}");
    }
    if let Some(trouble) = &store.trouble {
        let told = format!("NO USABLE STORE, all is in memory, radio is not acknowledged: {trouble}");
        text.push_str(&wrapped("", "    ", &told));
    }
    let _ = writeln!(text, "\nsources ({nodes} radio nodes)");
    for (name, source) in sources {
        let state = if source.up { "up" } else { "down" };
        let _ = write!(text, "  {name:<16} {state:<5} {:>10} frames", source.accepted);
        if source.dropped > 0 {
            let _ = write!(text, ", {} DROPPED", source.dropped);
        }
        for (reason, count) in &source.rejected {
            let _ = write!(text, ", {count} {reason}");
        }
        text.push('\n');
        if let Some(trouble) = &source.trouble {
            text.push_str(&wrapped("      ", "      ", trouble));
        }
    }
    text.push_str(&sinks(report));
    text.push_str(&sensors(report));
    text.push_str(&not_configured(report));
    if !engine.recent_faults.is_empty() {
        let _ = writeln!(text, "\nlast faulty messages");
        for (_, codec, fault) in engine.recent_faults.iter().rev().take(5) {
            text.push_str(&wrapped("  ", "      ", &format!("{codec}: {fault}")));
        }
    }
    text
}

/// What alerts cost the operators, and what those said they were worth.
fn attention(status: &Status) -> String {
    let mut text = String::new();
    let Status { load, worth, unjudged, shelved, nuisance, weather, .. } = status;
    if load.windows > 0 {
        let _ = writeln!(
            text,
            "attention {} alerts in the last 10 min; last day {}, worst 10 min {}, {} floods,\n          \
             {:.0} % of 10 min with at most one",
            load.last,
            load.alerts,
            load.worst,
            load.floods,
            100.0 * load.manageable_share(),
        );
    }
    let closed =
        [(worth.real, "real"), (worth.nuisance, "nuisance"), (worth.wrong, "false"), (worth.exercise, "exercise")];
    let all = closed.iter().map(|(count, _)| count).sum::<usize>();
    if all > 0 {
        let share = |count: usize| 100.0 * count as f64 / all as f64;
        let shares: Vec<String> =
            closed.iter().map(|&(count, name)| format!("{name} {count} ({:.0} %)", share(count))).collect();
        text.push_str(&wrapped("", "    ", &format!("closed as {}; {unjudged} not judged", shares.join(", "))));
    }
    if let Some((precision, (low, high))) = worth.precision() {
        let [precision, low, high] = [precision, low, high].map(|share| 100.0 * share);
        let _ = writeln!(text, "{precision:.0} % of those judged were real (95 % interval {low:.0} to {high:.0} %)");
    }
    for shelved in shelved {
        let until = shelved.until.map_or_else(|| "?".to_owned(), to_the_second);
        let id = shelved.id.get(..8).unwrap_or(&shelved.id);
        text.push_str(&wrapped("", "    ", &format!("shelved until {until}: {id} {}", shelved.text)));
    }
    if let Some(WeatherNow { wind_mps, rain_mm, temperature_c }) = weather {
        let parts = [
            wind_mps.map(|mps| format!("wind {mps:.0} m/s")),
            rain_mm.map(|mm| format!("rain {mm:.1} mm in the last hour")),
            temperature_c.map(|c| format!("{c:.0} °C")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let _ = writeln!(text, "weather {}", parts.join(", "));
    }
    let nuisance = nuisance::told(nuisance);
    if !nuisance.is_empty() {
        text.push_str(&format!("{}\n", nuisance.trim_start()));
    }
    text
}

/// What is told beside the centre, where something is.
fn sinks(report: &Report) -> String {
    let mut text = String::new();
    for (name, sink) in &report.sinks {
        let state = if sink.up { "up" } else { "down" };
        let _ = writeln!(text, "  {name:<16} {state}");
        if let Some(trouble) = &sink.trouble {
            text.push_str(&wrapped("      ", "      ", trouble));
        }
    }
    if text.is_empty() { text } else { format!("\nsinks\n{text}") }
}

/// The sensors, on a large site only those that were not heard for longest: one screen shows what is amiss.
fn sensors(report: &Report) -> String {
    const MOST: usize = 20;
    let engine = &report.engine;
    let mut sensors: Vec<_> = engine.sensors.iter().collect();
    if sensors.len() > MOST {
        // Those never heard come first: none is before some.
        sensors.sort_by_key(|sensor| sensor.last_heard);
    }
    let mut text = "\nsensors\n".to_owned();
    for sensor in sensors.iter().take(MOST) {
        let heard = sensor.last_heard.map(|heard| format!("{:.0} s ago", engine.now.seconds_since(heard)));
        let heard = heard.unwrap_or_else(|| "never".to_owned());
        let _ = writeln!(
            text,
            "  {:<16} {:>8} messages {:>8} plots, heard {heard}",
            sensor.id, sensor.messages, sensor.plots
        );
        text.push_str(&clock(sensor));
    }
    if let Some(heard) = sensors.get(MOST).and_then(|sensor| sensor.last_heard) {
        let (more, age_s) = (sensors.len() - MOST, engine.now.seconds_since(heard));
        let _ = writeln!(text, "  and {more} more, all heard within {age_s:.0} s; --json lists them");
    } else if sensors.len() > MOST {
        let _ = writeln!(text, "  and {} more, some never heard; --json lists them", sensors.len() - MOST);
    }
    text
}

/// How far the sensor's clock is off the others', once that is known to be more than it is unsure.
fn clock(sensor: &SensorStatus) -> String {
    let Some(estimate) = sensor.estimate else { return String::new() };
    let (offset_s, sd_s) = (estimate.clock_offset_s, estimate.clock_offset_sd_s);
    if offset_s.abs() < 2.0 * sd_s {
        return String::new();
    }
    let way = if offset_s > 0.0 { "ahead of" } else { "behind" };
    format!("      its clock is {:.2} s {way} the others' (within {:.2} s)\n", offset_s.abs(), 2.0 * sd_s)
}

/// Sensors that send but are not configured, each with the lines that would admit it.
fn not_configured(report: &Report) -> String {
    let unknown = &report.engine.unknown_sensors;
    let mut text = String::new();
    for sensor in unknown {
        let _ = writeln!(text, "  {:<16} {:>8} messages, NOT CONFIGURED", sensor.id, sensor.messages);
    }
    if !unknown.is_empty() {
        let _ = writeln!(text, "\nlines for the configuration that would admit them");
        for sensor in unknown {
            for line in sensor.configuration().lines() {
                let _ = writeln!(text, "  {line}");
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use vedette_gateway::engine::budget::{Load, SensorWorth, Worth};
    use vedette_gateway::engine::config::EngineConfig;
    use vedette_gateway::engine::{Engine, Shelved, Timestamp};

    use super::*;

    #[test]
    fn all_of_the_alarm_budget_is_on_the_screen() {
        let site = r#"{"site":{"id":"gate-1","origin":{"lat":52.0,"lon":23.6}}}"#;
        let config: EngineConfig = serde_json::from_str(site).expect("tables");
        let mut status = Engine::new(&config).expect("valid configuration").status();
        assert_eq!(attention(&status), "", "nothing has happened");
        status.load = Load { alerts: 30, windows: 144, manageable: 140, floods: 1, worst: 12, last: 2 };
        status.worth = Worth { real: 14, nuisance: 4, wrong: 1, exercise: 1 };
        status.unjudged = 7;
        let text = "Probably a person crossed border inward.".to_owned();
        let until = Some(Timestamp::from_seconds(1_772_331_247));
        status.shelved = vec![Shelved { id: "0123456789abcdef".to_owned(), until, text }];
        status.nuisance = vec![SensorWorth {
            sensor: "pir-3".to_owned(),
            nuisance: 3.5,
            real: 1.0,
            with_weather: Some((0.71, 0.1)),
            false_alarm_factor: Some(4.0),
            change: Some("false_alarms_per_hour = 2.0".to_owned()),
        }];
        assert_eq!(
            attention(&status),
            "attention 2 alerts in the last 10 min; last day 30, worst 10 min 12, 1 floods,\n          \
             97 % of 10 min with at most one\n\
             closed as real 14 (70 %), nuisance 4 (20 %), false 1 (5 %), exercise 1 (5 %); 7\n    not judged\n\
             74 % of those judged were real (95 % interval 49 to 91 %)\n\
             shelved until 2026-03-01T02:14:07Z: 01234567 Probably a person crossed border\n    inward.\n\
             sensor           nuisance   real   (alerts, each shared among its sensors)\n\
             pir-3                 3.5    1.0   comes with wind (correlation 0.71)\n\
             pir-3: claimed more than came true; in its [[sensor]] table write\n    \
             false_alarms_per_hour = 2.0, 4.0 times as high as it is\n\n"
        );
    }
}
