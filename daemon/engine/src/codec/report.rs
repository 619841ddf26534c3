//! What a codec says about a message beside its readings: faulty items with evidence, and counts.

use serde::{Deserialize, Serialize};

/// Why something in a message was not used. The names are the counters' labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// No codec has this name.
    UnknownCodec,
    /// More bytes than a message may have.
    TooLarge,
    /// Not UTF-8 where text was expected.
    InvalidText,
    /// Not of the format at all.
    Malformed,
    /// A version this program does not read.
    UnknownVersion,
    /// A needed field is absent.
    MissingField,
    /// A field of another type.
    WrongType,
    /// A number that is not finite.
    NotFinite,
    /// A value that cannot be.
    OutOfRange,
    /// More plots than a message may have; the first ones were used.
    TooManyPlots,
    /// No sensor of this name or number is configured.
    UnknownSensor,
    /// No own unit of this name is configured.
    UnknownUnit,
    /// Such a plot cannot come from this sensor as configured.
    WrongSensor,
    /// Stamped more than a second after its reception.
    TimeInFuture,
    /// Stamped so long before its reception that no track can still use it.
    TimeTooOld,
    /// Stamped before this program existed: the sensor's clock was never set.
    ClockNotSet,
    /// Nobody can say when it happened.
    TimeUnknown,
    /// The same message was here before.
    Duplicate,
    /// A state kept by the broker, where an event was expected.
    Retained,
    /// Simulated where actual inputs are taken, or the other way round.
    WrongMode,
    /// The topic belongs to another sensor than the message names.
    WrongTopic,
    /// It came a way on which others can put words into who is named.
    Untrusted,
}

impl Reason {
    /// The label of the counter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownCodec => "unknown_codec",
            Self::TooLarge => "too_large",
            Self::InvalidText => "invalid_text",
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::NotFinite => "not_finite",
            Self::OutOfRange => "out_of_range",
            Self::TooManyPlots => "too_many_plots",
            Self::UnknownSensor => "unknown_sensor",
            Self::UnknownUnit => "unknown_unit",
            Self::WrongSensor => "wrong_sensor",
            Self::TimeInFuture => "time_in_future",
            Self::TimeTooOld => "time_too_old",
            Self::ClockNotSet => "clock_not_set",
            Self::TimeUnknown => "time_unknown",
            Self::Duplicate => "duplicate",
            Self::Retained => "retained",
            Self::WrongMode => "wrong_mode",
            Self::WrongTopic => "wrong_topic",
            Self::Untrusted => "untrusted",
        }
    }
}

/// Whose clock stamped what cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamper {
    /// A sensor's, or that of what receives it, by index of the sensor.
    Sensor(usize),
    /// An own unit's, or that of what receives it, by index.
    Unit(usize),
}

/// One thing in a message that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}{field}: expected {expected}, got {got}", .plot.map(|index| format!("plot {index}, ")).unwrap_or_default())]
pub struct Fault {
    /// Why.
    pub reason: Reason,
    /// Number of the plot it concerns, from 0; none when it concerns the message.
    pub plot: Option<usize>,
    /// The field.
    pub field: String,
    /// What would be right.
    pub expected: String,
    /// What was there, shortened.
    pub got: String,
    /// Whose time it is, where that is what cannot be right.
    #[serde(skip)]
    pub stamper: Option<Stamper>,
}

impl Fault {
    /// A fault of the message.
    #[must_use]
    pub fn new(reason: Reason, field: &str, expected: &str, got: &str) -> Self {
        // What a stranger sends is shown, but never at length.
        let got = match got.char_indices().nth(60) {
            Some((end, _)) => format!("{}..", &got[..end]),
            None => got.to_owned(),
        };
        Self { reason, plot: None, field: field.to_owned(), expected: expected.to_owned(), got, stamper: None }
    }

    /// The same, about one plot of the message.
    #[must_use]
    pub fn of_plot(self, index: usize) -> Self {
        Self { plot: Some(index), ..self }
    }

    /// The same, about a time that this one stamped.
    pub(super) fn stamped_by(self, stamper: Stamper) -> Self {
        Self { stamper: Some(stamper), ..self }
    }
}

/// What a codec says about one message beside its readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The faults; after [`Self::MAX_FAULTS`] only counted.
    pub faults: Vec<Fault>,
    /// Faults that were not listed any more.
    pub faults_not_listed: u64,
    /// Fields nobody asked for, dropped.
    pub ignored_fields: u64,
    /// Name of a sensor that is not configured.
    pub unknown_sensor: Option<String>,
    /// Events that a node sent and nobody received.
    pub missed_events: u64,
}

impl Report {
    /// Faults listed for one message.
    pub const MAX_FAULTS: usize = 32;

    /// Lists the fault, or counts it when there are many.
    pub fn fault(&mut self, fault: Fault) {
        if self.faults.len() < Self::MAX_FAULTS {
            self.faults.push(fault);
        } else {
            self.faults_not_listed += 1;
        }
    }

    /// Lists a fault that ends the reading of a message. When it is that a sensor is not configured, it is listed by name.
    pub(super) fn refuse(&mut self, fault: Fault) {
        if fault.reason == Reason::UnknownSensor {
            self.unknown_sensor = Some(fault.got.clone());
        }
        self.fault(fault);
    }

    /// The report of a decoder that notes the faults of single items and ends at a fault of the whole message.
    pub(super) fn gathered(read: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Self {
        let mut report = Self::default();
        if let Err(fault) = read(&mut report) {
            report.refuse(fault);
        }
        report
    }

    /// A report of one fault, see [`Self::refuse`].
    pub(super) fn of(fault: Fault) -> Self {
        let mut report = Self::default();
        report.refuse(fault);
        report
    }

    /// A report of one fault.
    #[must_use]
    pub fn refused(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }
}
