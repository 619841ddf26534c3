//! Bytes to readings: one file per format, one line each in [`CODECS`].
//!
//! A codec never fails as a whole because of one bad item: it appends what is good to the readings and lists what is
//! not in its [`Report`]. Message borders belong to the source; a codec gets one whole message.

mod axis;
mod chirpstack;
mod clock;
pub mod cot;
mod foreign;
mod frigate;
mod json;
mod kraken;
pub mod meshtastic;
mod native;
mod onvif;
mod own_position;
mod report;
mod rtl_433;
pub mod sapient;
mod scalar;
mod state;
mod weather;
mod wire;
mod zigbee2mqtt;

use vedette_tracker::{ClassProbabilities, Direction, Timestamp};

pub use crate::calls::Distress;
use crate::config::Site;
use crate::rules::Tamper;
pub use crate::weather::WeatherReport;

pub use report::{Fault, Reason, Report, Stamper};
pub use state::CodecState;
pub(crate) use wire::decode as decode_radio;

/// What a codec may know beside the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The site with its sensors.
    pub site: &'a Site,
    /// Topic, where the source has topics.
    pub topic: Option<&'a str>,
    /// The broker had the message in store: it tells a state, not an event.
    pub retained: bool,
    /// Gateway's time of reception.
    pub received: Timestamp,
    /// Sensors whose clock was set while they ran, and the seconds that have to be added to what they stamp now.
    pub clocks: &'a [(usize, f64)],
}

/// One format.
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    /// Name, as sources are configured with it.
    pub name: &'static str,
    /// Decodes one message: good items are appended, bad ones reported.
    pub decode: fn(&[u8], &Context<'_>, &mut CodecState, &mut Vec<Reading>) -> Report,
    /// Whether its sensors say, too, when they see nothing.
    pub quiet: Quiet,
}

/// Whether the sensors of a format say, too, when they see nothing, or give signs of life at other times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// They do.
    Told,
    /// Scans do, and events beside them do not.
    ToldByScans,
    /// It tells of events alone.
    Untold,
}

impl Codec {
    /// Whether whoever sent this report would say, too, when it sees nothing; none when an event leaves that open.
    pub(crate) fn tells_of_quiet(&self, report: &PlotReport) -> Option<bool> {
        let is_event = |plot: &Plot| matches!(plot.measured, Measured::Presence { .. } | Measured::Crossing { .. });
        match self.quiet {
            Quiet::Told => Some(true),
            Quiet::ToldByScans => (!report.plots.iter().any(is_event)).then_some(true),
            Quiet::Untold => Some(false),
        }
    }
}

/// Every format the engine reads.
pub static CODECS: &[Codec] = &[
    Codec { name: "native", decode: native::decode, quiet: Quiet::Told },
    Codec { name: "own_position", decode: own_position::decode, quiet: Quiet::Told },
    Codec { name: "onvif", decode: onvif::decode, quiet: Quiet::ToldByScans },
    Codec { name: "axis", decode: axis::decode, quiet: Quiet::Told },
    Codec { name: "frigate", decode: frigate::decode, quiet: Quiet::Untold },
    Codec { name: "chirpstack", decode: chirpstack::decode, quiet: Quiet::Untold },
    Codec { name: "zigbee2mqtt", decode: zigbee2mqtt::decode, quiet: Quiet::Untold },
    Codec { name: "rtl_433", decode: rtl_433::decode, quiet: Quiet::Untold },
    Codec { name: "meshtastic", decode: meshtastic::decode, quiet: Quiet::Untold },
    Codec { name: "meshtastic_protobuf", decode: meshtastic::decode_envelope, quiet: Quiet::Untold },
    Codec { name: "meshtastic_serial", decode: meshtastic::decode_from_radio, quiet: Quiet::Untold },
    Codec { name: "weather", decode: weather::decode, quiet: Quiet::Told },
    Codec { name: "kraken", decode: kraken::decode_json, quiet: Quiet::Told },
    Codec { name: "kraken_csv", decode: kraken::decode_csv, quiet: Quiet::Told },
    Codec { name: "cot", decode: cot::decode, quiet: Quiet::Told },
    Codec { name: "sapient", decode: sapient::decode, quiet: Quiet::Told },
];

/// The codec with this name.
#[must_use]
pub fn codec_named(name: &str) -> Option<&'static Codec> {
    CODECS.iter().find(|codec| codec.name == name)
}

/// One thing a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// One look of one sensor with its plots; no plots means that it looked and saw nothing.
    Plots(PlotReport),
    /// What sensors say about themselves.
    Health(HealthReport),
    /// Where an own unit is.
    OwnPosition(OwnPosition),
    /// What the site's weather station says.
    Weather(WeatherReport),
}

/// Where an own unit says it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnPosition {
    /// Index of the unit.
    pub unit: usize,
    /// When.
    pub time: Timestamp,
    /// Where.
    pub spot: Spot,
    /// Standard deviation per axis.
    pub sd_m: f64,
    /// A call for help that goes with it.
    pub distress: Option<Distress>,
}

/// What a node says about itself; it counts for all sensors on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthReport {
    /// Indices of the sensors.
    pub sensors: Vec<usize>,
    /// Battery voltage.
    pub battery_mv: Option<u16>,
    /// It calls its battery low.
    pub battery_low: Option<bool>,
    /// Temperature.
    pub temperature_c: Option<f64>,
    /// Somebody was at the housing, and when.
    pub(crate) tamper: Option<(Tamper, Timestamp)>,
}

/// All plots of one sensor for one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotReport {
    /// Index of the sensor.
    pub sensor: usize,
    /// Time of the measurement.
    pub time: Timestamp,
    /// Where a mobile sensor stood.
    pub at: Option<Stand>,
    /// The plots.
    pub plots: Vec<Plot>,
}

/// A place as a message gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// In the site frame.
    Site {
        /// East, metres.
        east_m: f64,
        /// North, metres.
        north_m: f64,
    },
    /// On the globe.
    Wgs84 {
        /// Latitude, degrees.
        lat: f64,
        /// Longitude, degrees.
        lon: f64,
    },
}

/// Where a mobile sensor stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stand {
    /// The place.
    pub spot: Spot,
    /// Heading, degrees clockwise from true north.
    pub heading_deg: Option<f64>,
    /// Standard deviation of the place per axis.
    pub sd_m: Option<f64>,
}

/// One plot as its message gives it: true north, degrees, and only the standard deviations it carries itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plot {
    /// Its number in the message, for reports about it.
    pub index: usize,
    /// What was measured.
    pub measured: Measured,
    /// What the sensor thinks it is.
    pub class: Option<ClassProbabilities>,
    /// The sensor's confidence that it is real.
    pub confidence: Option<f64>,
    /// A number for the object as its sensor tells objects apart: a hint that two plots of this sensor may be of one
    /// object, never an identity. Sensors exchange and reuse these.
    pub object: Option<u64>,
}

/// What was measured, as its message gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// A position, with one standard deviation or a covariance `[ee, en, nn]`.
    Position {
        /// Where.
        spot: Spot,
        /// Standard deviation per axis.
        sd_m: Option<f64>,
        /// Covariance, east-east, east-north, north-north.
        covariance_m2: Option<[f64; 3]>,
    },
    /// Distance and direction.
    RangeBearing {
        /// Distance.
        range_m: f64,
        /// Its standard deviation.
        range_sd_m: Option<f64>,
        /// Direction, clockwise from true north.
        azimuth_deg: f64,
        /// Its standard deviation.
        azimuth_sd_deg: Option<f64>,
        /// Radial speed, positive when moving away.
        range_rate_mps: Option<f64>,
        /// Its standard deviation.
        range_rate_sd_mps: Option<f64>,
    },
    /// A direction.
    Bearing {
        /// Direction, clockwise from true north.
        azimuth_deg: f64,
        /// Its standard deviation.
        azimuth_sd_deg: Option<f64>,
    },
    /// A distance.
    Range {
        /// Distance.
        range_m: f64,
        /// Its standard deviation.
        range_sd_m: Option<f64>,
    },
    /// Something inside the sensor's coverage.
    Presence {
        /// Strength in the sensor's own units.
        strength: Option<f64>,
    },
    /// Something crossed the sensor's line.
    Crossing {
        /// Which way.
        direction: Option<Direction>,
    },
}
