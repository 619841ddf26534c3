//! Recordings: everything the engine was told, as MCAP files that replay alone.
//!
//! ```text
//! /snapshot   msgpack   the engine before the first input of this file; always the first message
//! /input      msgpack   (now, Input), exactly what the engine was handed, in order
//! /alert      json      vedette.Alert: each revision of an alert, as it goes to the centre
//! /alert/map  json      foxglove.GeoJSON: its place with the 95 % ellipse
//! /alert/fix  json      foxglove.LocationFix: its place with the covariance
//! /track/map  json      foxglove.GeoJSON: the confirmed tracks about once a second
//! /track/fix  json      foxglove.LocationFix: each of them with its covariance
//! metadata "vedette"    format, version of the program, site, configuration as JSON
//! ```
//!
//! A full or failed disk never stops tracking: what cannot be written is given up, told to the engine as a fact, and after
//! a while a new file is begun with a new snapshot. A file that has a gap would not replay, so none has one.

mod export;
mod file;
mod info;
mod messages;
mod reader;
mod recorder;
mod recover;
mod schema;
mod viewer;

pub use export::{ExportError, Exported, Form, Table, export};
pub use file::RecordingFile;
pub use info::{Info, Topic};
pub use messages::{Entry, Message, Messages};
pub use reader::{Inputs, ReadError, Recording};
pub use recorder::{Recorder, Writer, pair};
pub use recover::{Recovered, recover};

/// Topics of a recording.
pub(crate) mod topic {
    pub(crate) const SNAPSHOT: &str = "/snapshot";
    pub(crate) const INPUT: &str = "/input";
    pub(crate) const ALERT: &str = "/alert";
    pub(crate) const ALERT_MAP: &str = "/alert/map";
    pub(crate) const ALERT_FIX: &str = "/alert/fix";
    pub(crate) const TRACK_MAP: &str = "/track/map";
    pub(crate) const TRACK_FIX: &str = "/track/fix";
}
