//! Pure engine of a gateway: inputs in; detections, tracks and alerts out.
//!
//! The stages, in the order of the data: `codec` (bytes to readings), `geo` (readings to detections in the site
//! frame), `align` (detections to scans in time order), the tracker, `rules` (tracks to alerts). [`Engine`] runs them.
//! Live daemon, replay and simulation drive it with the same four calls.

mod alert;
mod alert_kind;
mod align;
mod book;
pub mod budget;
mod calls;
pub mod camera;
pub mod codec;
pub mod config;
mod crossing;
pub mod digest;
mod engine;
pub mod geo;
mod grade;
mod input;
mod inspect;
mod output;
mod pace;
mod refusals;
mod rules;
mod status;
pub mod surge;
pub mod time;
mod units;
mod weather;

pub use alert::{
    Alert, AlertState, CloseReason, Contributor, Ellipse, Eta, Headline, Humanitarian, Member, Mode, Place, Severity,
    Suppression,
};
pub use alert_kind::AlertKind;
pub use book::Learned;
pub use crossing::crossing_reports;
pub use engine::{Engine, EngineError, Picture, PictureRate, Snapshot};
pub use grade::{Grade, GradeError};
pub use input::{Act, Command, Fact, Frame, FrameContent, Input, MAX_SHELVED_S, MAX_WORDS, RadioFrame};
pub use inspect::{Judgement, Seen, Verdict};
pub use output::{AuditRecord, Durable, Output, Transmit, Volatile};
pub use rules::{EVIDENCE_NAMES, EVIDENCE_RETIRED, EVIDENCE_TERMS, Evidence, certificate_expiry};
pub use status::{Counters, SensorStatus, Shelved, Status, UnknownSensor};
pub use vedette_tracker::metric;
pub use vedette_tracker::{
    ClassProbabilities, Coverage, Direction, Measurement, Scan, SensorKind, Timestamp, Track, TrackId, TrackStatus,
    TrackerConfig,
};
pub use weather::{WeatherNow, WeatherThen};
