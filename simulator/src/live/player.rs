//! Playing a recorded native log to a broker with its own timing.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};
use vedette_engine::Timestamp;

use super::publisher::{BrokerAddress, Publisher};
use super::{LiveError, wall_clock};
use crate::write::rfc3339_text;

/// What is played where.
#[derive(Clone, Debug)]
pub struct PlayOptions {
    /// The log: native detections, one a line, in order of `received`.
    pub log: PathBuf,
    /// The broker.
    pub broker: BrokerAddress,
    /// The gateway's site id, for topics.
    pub gateway: String,
    /// How many times faster than recorded.
    pub rate: f64,
    /// Every message says that it is part of an exercise.
    pub exercise: bool,
}

/// What was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaySummary {
    /// Messages published and taken by the broker.
    pub messages: usize,
    /// How long it took.
    pub seconds: f64,
    /// How late the latest message was against the log's timing.
    pub latest_s: f64,
}

struct Entry {
    line: Map<String, Value>,
    sensor: String,
    received: Timestamp,
}

/// Publishes the log; all its times are shifted by one constant, so that the last message is of the moment it is
/// published. At the recorded rate that makes every message one of its moment; at higher rates earlier ones look late.
///
/// # Errors
/// When a line is not a native detection, or the broker fails.
pub async fn play(options: &PlayOptions) -> Result<PlaySummary, LiveError> {
    let entries = read(options)?;
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(PlaySummary { messages: 0, seconds: 0.0, latest_s: 0.0 });
    };
    let first_received = first.received;
    let duration_s = last.received.seconds_since(first_received);
    // A broker lets go of who has the same id: two logs may be played at a time.
    let client_id = format!("vedette-sim-play-{:x}-{:x}", std::process::id(), wall_clock().as_micros());
    let mut publisher = Publisher::connect(&options.broker, &client_id).await?;
    let started = Instant::now();
    let shift_s = wall_clock().seconds_since(last.received) + duration_s / options.rate;
    let mut latest_s: f64 = 0.0;
    let messages = entries.len();
    for mut entry in entries {
        let due_s = (entry.received.seconds_since(first_received) / options.rate).max(0.0);
        sleep_until(started + Duration::from_secs_f64(due_s)).await;
        latest_s = latest_s.max(started.elapsed().as_secs_f64() - due_s);
        for key in ["t", "received"] {
            let Some(time) = entry.line.get(key).and_then(time_of) else { continue };
            entry.line.insert(key.to_owned(), Value::String(rfc3339_text(time.plus_seconds(shift_s))));
        }
        if options.exercise {
            entry.line.insert("mode".to_owned(), Value::String("exercise".to_owned()));
        }
        let payload = serde_json::to_vec(&entry.line).map_err(std::io::Error::from)?;
        let topic = format!("vedette/v1/{}/sensor/{}/detections", options.gateway, entry.sensor);
        publisher.publish(topic, payload).await?;
    }
    publisher.flush().await?;
    let seconds = started.elapsed().as_secs_f64();
    publisher.close().await;
    Ok(PlaySummary { messages, seconds, latest_s })
}

fn time_of(value: &Value) -> Option<Timestamp> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

fn read(options: &PlayOptions) -> Result<Vec<Entry>, LiveError> {
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(File::open(&options.log)?).lines()) {
        let text = text?;
        if text.trim().is_empty() {
            continue;
        }
        let fault = |expected| LiveError::Log { path: options.log.clone(), line, expected };
        let object: Map<String, Value> =
            serde_json::from_str(&text).map_err(|_| fault("a JSON object, one native detection message"))?;
        let sensor = object.get("sensor").and_then(Value::as_str).ok_or_else(|| fault("\"sensor\" with a name"))?;
        let time = object.get("received").or_else(|| object.get("t")).and_then(time_of);
        let received = time.ok_or_else(|| fault("\"received\" with a time in RFC 3339"))?;
        entries.push(Entry { sensor: sensor.to_owned(), received, line: object });
    }
    entries.sort_by_key(|entry| entry.received);
    Ok(entries)
}
