//! What alerts can be about.

use serde::{Deserialize, Serialize};

/// What happened. Of two that are equally severe and have one cause the greater is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlertKind {
    /// A track moves towards a border line and will reach it soon.
    Approach,
    /// Many people together.
    Group,
    /// A track crossed a border line.
    Crossing,
    /// A track that crossed a border line went back over it.
    Returned,
    /// A track entered a zone.
    Entry,
    /// A track stays in a zone.
    Loitering,
    /// A sensor's housing was opened or moved.
    SensorTamper,
    /// A sensor has not been heard for longer than it may be silent.
    SensorSilent,
    /// A sensor's battery is low.
    SensorBattery,
    /// A source or the uplink was lost.
    LinkLost,
    /// Data were dropped.
    DataLoss,
    /// Something could not be written or read.
    StorageFault,
    /// A certificate of the gateway expires soon, or has expired.
    CertificateExpiry,
    /// A sensor reports far more often than it can have reason to.
    SensorChattering,
    /// A sensor repeats itself.
    SensorStuck,
    /// A camera or radar misses what others see in its ground.
    SensorBlinded,
    /// Many radio nodes fell silent together.
    Jammed,
    /// A stretch of a border is seen by no sensor any more.
    CoverageGap,
    /// A track was lost while it was nearing a border.
    TrackLost,
    /// A vehicle stands near a border or in a zone.
    VehicleStop,
    /// Somebody got out of a vehicle there.
    DropOff,
    /// An own unit's position cannot be.
    PositionDoubt,
    /// More is going on in a zone than the time of day and the past explain.
    Surge,
    /// Somebody may need help.
    PossibleNeed,
    /// The way to the centre is being tested.
    Test,
}

impl AlertKind {
    /// Whether it says that somebody moves or stays where it matters.
    #[must_use]
    pub const fn is_movement(self) -> bool {
        matches!(self, Self::Approach | Self::Group | Self::Crossing | Self::Returned | Self::Entry | Self::Loitering)
    }

    /// Whether it says that somebody is there, moving or not, in sight or lost.
    #[must_use]
    pub const fn is_about_somebody(self) -> bool {
        self.is_movement() || matches!(self, Self::TrackLost | Self::VehicleStop | Self::DropOff)
    }

    /// Whether it speaks of what has not happened: who may cross, and has not.
    #[must_use]
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::Approach | Self::Group | Self::TrackLost)
    }
}
