//! `/metrics`: what a monitoring system should keep of a gateway.

use vedette_engine::CloseReason;
use vedette_engine::budget::Load;

use super::prometheus::{Kind, Text};
use super::{Observation, Page};
use crate::status::{CostReport, OutboxReport, Report, StoreReport};
use Kind::{Counter, Gauge};

pub(super) fn page(observation: &Observation) -> Page {
    let mut text = Text::default();
    let report = &observation.report;
    text.family("vedette_info", Gauge, "Version and site.")
        .sample(&[("version", &report.version), ("site", &report.site)], 1.0);
    text.single("vedette_up_seconds", Gauge, "Time since the start.", report.up_s);
    if let Some(bytes) = resident_bytes() {
        text.single("vedette_resident_bytes", Gauge, "Memory in use.", bytes);
    }
    progress(report, &mut text);
    outbox(&report.outbox, &mut text);
    store(&report.store, &mut text);
    sources(report, &mut text);
    sinks(report, &mut text);
    sensors(report, &mut text);
    tracker(observation, &mut text);
    attention(report, &mut text);
    engine_counters(report, &mut text);
    Page { media_type: "text/plain; version=0.0.4; charset=utf-8", ..Page::text("200 OK", text.finish()) }
}

fn progress(report: &Report, text: &mut Text) {
    text.family(
        "vedette_progress_age_seconds",
        Gauge,
        "Time since a stage's last sign of life; at 20 s the watchdog is no longer fed.",
    );
    for (stage, age_s) in &report.progress_s {
        text.sample(&[("stage", stage)], *age_s);
    }
}

fn outbox(outbox: &OutboxReport, text: &mut Text) {
    text.single("vedette_uplink_up", Gauge, "Whether the centre acknowledges.", f64::from(outbox.centre_up));
    text.single("vedette_outbox_waiting", Gauge, "Alerts the centre has not acknowledged.", number(outbox.waiting));
    text.single("vedette_outbox_waiting_bytes", Gauge, "Their size.", number(outbox.waiting_bytes));
    let oldest_s = outbox.oldest_s.unwrap_or(0.0);
    text.single("vedette_outbox_oldest_seconds", Gauge, "Age of the oldest of them, 0 without any.", oldest_s);
    text.single("vedette_outbox_sequence", Gauge, "The greatest number given in this epoch.", number(outbox.last_seq));
    text.single("vedette_outbox_dropped", Gauge, "Alerts dropped in this epoch.", number(outbox.dropped));
}

fn store(store: &StoreReport, text: &mut Text) {
    text.single("vedette_store_durable", Gauge, "1 on the file, 0 in memory only.", f64::from(store.durable));
    text.single("vedette_store_bytes", Gauge, "Size of the store's file and log.", number(store.bytes));
}

fn sources(report: &Report, text: &mut Text) {
    type Figure = fn(&crate::status::SourceReport) -> f64;
    let families: [(&str, Kind, &str, Figure); 5] = [
        ("vedette_source_up", Gauge, "Whether a source's device or connection is there.", |s| f64::from(s.up)),
        ("vedette_source_ups_total", Counter, "How often it came up.", |s| number(s.ups)),
        ("vedette_source_frames_total", Counter, "Frames taken.", |s| number(s.accepted)),
        ("vedette_source_dropped_total", Counter, "Frames dropped, the engine being too slow.", |s| number(s.dropped)),
        ("vedette_source_waiting", Gauge, "Frames waiting for the engine.", |s| number(s.waiting as u64)),
    ];
    for (name, kind, help, figure) in families {
        text.family(name, kind, help);
        for (source, report) in &report.sources {
            text.sample(&[("source", source)], figure(report));
        }
    }
    text.family("vedette_source_rejected_total", Counter, "Frames refused before the engine, by reason.");
    for (source, report) in &report.sources {
        for (reason, count) in &report.rejected {
            text.sample(&[("source", source), ("reason", reason)], number(*count));
        }
    }
}

fn sinks(report: &Report, text: &mut Text) {
    text.family("vedette_sink_up", Gauge, "Whether a sink's connection is there.");
    for (sink, figures) in &report.sinks {
        text.sample(&[("sink", sink)], f64::from(figures.up));
    }
    text.family("vedette_sink_ups_total", Counter, "How often it came up.");
    for (sink, figures) in &report.sinks {
        text.sample(&[("sink", sink)], number(figures.ups));
    }
}

fn sensors(report: &Report, text: &mut Text) {
    let (now, sensors) = (report.engine.now, &report.engine.sensors);
    text.family("vedette_sensor_silent_seconds", Gauge, "Time since a sensor was heard; absent when it never was.");
    for sensor in sensors {
        if let Some(heard) = sensor.last_heard {
            text.sample(&[("sensor", &sensor.id)], now.seconds_since(heard));
        }
    }
    text.family("vedette_sensor_messages_total", Counter, "Messages used.");
    for sensor in sensors {
        text.sample(&[("sensor", &sensor.id)], number(sensor.messages));
    }
    text.family("vedette_sensor_plots_total", Counter, "Plots used.");
    for sensor in sensors {
        text.sample(&[("sensor", &sensor.id)], number(sensor.plots));
    }
    let learned = || sensors.iter().filter_map(|sensor| Some((&sensor.id, sensor.estimate?)));
    text.family(
        "vedette_sensor_clock_offset_seconds",
        Gauge,
        "How far a sensor's clock is ahead of the others', estimated.",
    );
    for (id, estimate) in learned() {
        text.sample(&[("sensor", id)], estimate.clock_offset_s);
    }
    text.family("vedette_sensor_detection_probability", Gauge, "Probability of detection, estimated.");
    for (id, estimate) in learned() {
        text.sample(&[("sensor", id)], estimate.detection_probability);
    }
    text.family("vedette_sensor_battery_volts", Gauge, "Battery, where it tells.");
    for sensor in sensors {
        if let Some(millivolts) = sensor.battery_mv {
            text.sample(&[("sensor", &sensor.id)], f64::from(millivolts) / 1000.0);
        }
    }
    text.family("vedette_sensor_battery_low", Gauge, "Whether the node says that its battery is low.");
    for sensor in sensors.iter().filter(|sensor| sensor.battery_mv.is_some() || sensor.battery_low) {
        text.sample(&[("sensor", &sensor.id)], f64::from(sensor.battery_low));
    }
}

fn tracker(observation: &Observation, text: &mut Text) {
    let engine = &observation.report.engine;
    let CostReport { scans, scan_s, longest_scan_s } = observation.report.cost;
    text.single("vedette_tracks", Gauge, "Tracks, tentative ones included.", number(observation.track_count as u64));
    text.single("vedette_tracks_confirmed", Gauge, "Confirmed tracks.", number(engine.confirmed_tracks as u64));
    text.single("vedette_alerts_open", Gauge, "Open alerts.", number(engine.open_alerts as u64));
    text.single("vedette_scans_total", Counter, "Scans the tracker has taken.", number(scans));
    text.single("vedette_scan_seconds_total", Counter, "Time the engine spent on inputs that brought scans.", scan_s);
    text.single("vedette_scan_seconds_max", Gauge, "The longest of those times.", longest_scan_s);
}

/// What alerts cost the operators, and what those said they were worth.
fn attention(report: &Report, text: &mut Text) {
    let engine = &report.engine;
    let Load { alerts, floods, last, .. } = engine.load;
    text.single("vedette_attention_alerts", Gauge, "Alerts for operators in ten minutes.", number(last.into()));
    text.single("vedette_attention_day_alerts", Gauge, "The same in a day.", number(alerts));
    text.single("vedette_attention_day_floods", Gauge, "Ten minutes with more than ten, in a day.", number(floods));
    text.single("vedette_alerts_shelved", Gauge, "Open alerts that are shelved.", number(engine.shelved.len() as u64));
    text.single("vedette_alerts_unjudged", Gauge, "Alerts nobody said the worth of.", number(engine.unjudged));
    text.family("vedette_alerts_judged_total", Counter, "Alerts by what operators closed them as.");
    let worth = &engine.worth;
    let closed = [
        (CloseReason::Real, worth.real),
        (CloseReason::Nuisance, worth.nuisance),
        (CloseReason::False, worth.wrong),
        (CloseReason::Exercise, worth.exercise),
    ];
    for (reason, count) in closed {
        text.sample(&[("reason", reason.name())], number(count as u64));
    }
    text.family("vedette_sensor_nuisance_alerts", Gauge, "Worthless alerts by a sensor's share, the worst sensors.");
    for sensor in &engine.nuisance {
        text.sample(&[("sensor", &sensor.sensor)], sensor.nuisance);
    }
}

/// The engine's counters are called `name` or `name{label="value"}`, one label at most.
fn engine_counters(report: &Report, text: &mut Text) {
    let mut family = String::new();
    for (counter, count) in report.engine.counters.iter() {
        let (name, label) = counter.split_once('{').unwrap_or((counter, ""));
        if name != family {
            let full = format!("vedette_engine_{name}_total");
            text.family(&full, Counter, "A counter of the engine, see `vedette status --json`.");
            name.clone_into(&mut family);
        }
        match label.trim_end_matches('}').split_once('=') {
            Some((label, value)) => text.sample(&[(label, value.trim_matches('"'))], number(count)),
            None => text.sample(&[], number(count)),
        };
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows doubles only")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Resident memory from `/proc/self/statm`, in pages of 4 KiB; nothing on other systems.
fn resident_bytes() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(number(pages * 4096))
}
