//! Recordings: everything the engine was told, as MCAP files that replay alone.
//!
//! ```text
//! /snapshot  msgpack   the engine before the first input of this file; always the first message
//! /input     msgpack   (now, Input), exactly what the engine was handed, in order
//! /alert     json      each revision of an alert, as it goes to the centre
//! /track     json      foxglove.GeoJSON: the confirmed tracks about once a second, for the ecosystem's viewers
//! metadata "vedette"   version of the program, configuration as JSON
//! ```
//!
//! A full or failed disk never stops tracking: what cannot be written is given up, told to the engine as a fact, and after
//! a while a new file is begun with a new snapshot. A file that has a gap would not replay, so none has one.

mod file;
mod geojson;
mod reader;
mod recorder;

pub use geojson::geo_json;
pub use reader::{ReadError, Recording};
pub use recorder::{Recorder, Writer, pair};

/// Topics of a recording.
pub(crate) mod topic {
    pub(crate) const SNAPSHOT: &str = "/snapshot";
    pub(crate) const INPUT: &str = "/input";
    pub(crate) const ALERT: &str = "/alert";
    pub(crate) const TRACK: &str = "/track";
}
