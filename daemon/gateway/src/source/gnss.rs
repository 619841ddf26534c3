//! A GNSS receiver, on a serial line (NMEA 0183) or behind gpsd: what time it is, how well that is known, and where.
//!
//! The time steers the gateway's clock only while the system's own was never set; the place is shown in the status, and is
//! an own unit's position where the configuration says so.

pub mod gpsd;
pub mod nmea;

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio_serial::SerialPortBuilderExt;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Frame, FrameContent, Input, Timestamp};

use super::{Backoff, Surroundings, lines::Lines};
use crate::config::GnssSource;
use crate::intake::{Port, Taken};
use crate::net::{self, Duplex, NetError};

/// What a receiver knows at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// UTC, and its standard deviation in seconds.
    pub time: Option<(Timestamp, f64)>,
    /// Where.
    pub place: Option<Place>,
}

/// Where a receiver is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Latitude, WGS 84, degrees.
    pub lat: f64,
    /// Longitude, WGS 84, degrees.
    pub lon: f64,
    /// Standard deviation per axis.
    pub sd_m: f64,
}

/// The newest fix of the receivers, shared with the engine's task.
#[derive(Debug, Default)]
pub struct Receiver(Mutex<Option<Heard>>);

/// A fix and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// The gateway's time when it came.
    pub at: Timestamp,
    /// The fix.
    pub fix: Fix,
}

impl Receiver {
    /// The newest fix.
    #[must_use]
    pub fn newest(&self) -> Option<Heard> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, heard: Heard) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
    }
}

/// Listens for as long as the daemon runs.
pub async fn run(source: GnssSource, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(&source.name);
    loop {
        let trouble = match open(&source).await {
            Ok(stream) => {
                surroundings.links.set(&source.name, Ok(()));
                serve(stream, &source, port, &surroundings, &mut backoff).await
            }
            Err(error) => error,
        };
        surroundings.links.set(&source.name, Err(trouble.to_string()));
        tokio::time::sleep(backoff.pause()).await;
    }
}

async fn open(source: &GnssSource) -> Result<Box<dyn Duplex>, NetError> {
    if let Some(peer) = &source.gpsd {
        let mut stream = net::connect(peer).await?;
        net::write(&mut stream, gpsd::WATCH).await?;
        return Ok(stream);
    }
    let device = source.device.as_deref().map(|device| device.to_string_lossy().into_owned()).unwrap_or_default();
    let line = tokio_serial::new(&device, source.baud).open_native_async();
    Ok(Box::new(line.map_err(|error| NetError::Refused(format!("{device}: {error}")))?))
}

async fn serve(
    mut stream: Box<dyn Duplex>,
    source: &GnssSource,
    port: Port,
    surroundings: &Surroundings,
    backoff: &mut Backoff,
) -> NetError {
    let (mut lines, mut buffer, mut sentences) = (Lines::default(), vec![0; 4_096], nmea::Sentences::default());
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return NetError::Closed,
            Ok(count) => {
                backoff.reset();
                lines.feed(&buffer[..count], |line| {
                    let fix = if source.gpsd.is_some() { gpsd::fix(line) } else { sentences.take(line) };
                    match fix {
                        Ok(Some(fix)) => take(fix, source, port, surroundings),
                        Ok(None) => {}
                        Err(error) => surroundings.rejects.count(&source.name, error.reason(), &error),
                    }
                });
            }
            Err(error) => return error.into(),
        }
    }
}

fn take(fix: Fix, source: &GnssSource, port: Port, surroundings: &Surroundings) {
    surroundings.gnss.hear(Heard { at: surroundings.clock.now(), fix });
    if let Some((time, sd_s)) = fix.time.filter(|_| source.sets_clock) {
        surroundings.clock.suggest(time, sd_s);
    }
    if let (Some(unit), Some(place)) = (&source.unit, fix.place) {
        let at = surroundings.clock.now();
        let time = fix.time.map_or(at, |(time, _)| time);
        let message = serde_json::json!({
            "v": 1, "unit": unit, "t": format_rfc3339(time), "lat": place.lat, "lon": place.lon, "sd_m": place.sd_m.clamp(0.1, 1_000.0),
        });
        let bytes = message.to_string().into_bytes();
        let content = FrameContent::Message { codec: "own_position".to_owned(), topic: None, retained: false, bytes };
        let frame = Frame { source: source.name.clone(), received: at, content };
        // A message queue drops its oldest itself.
        let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
    }
}

/// What is wrong with a line of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GnssError {
    /// The checksum is missing or another one.
    #[error("checksum: expected {expected}, got {got}")]
    Checksum {
        /// What the bytes sum up to.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A field that is not what it should be.
    #[error("{field}: expected {expected}, got {got}")]
    Field {
        /// The field.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What stands there, shortened.
        got: String,
    },
}

impl GnssError {
    /// The reason, in one word.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Checksum { .. } => "checksum",
            Self::Field { .. } => "malformed",
        }
    }
}
