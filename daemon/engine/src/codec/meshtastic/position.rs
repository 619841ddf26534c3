//! Places of own units whose radio is a node of the mesh.
//!
//! Used: latitude and longitude (1e-7 degrees), the time of the fix (`timestamp`), else that of the sender (`time`), dilution of
//! precision (hundredths), and the bits that the channel's settings leave of a place.

use serde::Deserialize;
use vedette_tracker::Timestamp;

use super::super::{CodecState, Context, Fault, OwnPosition, Reading, Reason, Spot, Stamper, clock, foreign};
use crate::units::VAGUE_SD_M;

/// Standard deviation of a place that tells nothing of its precision: a handheld receiver under trees.
const USUAL_SD_M: f64 = 10.0;
/// Standard deviation of a receiver's place for each unit of dilution.
const SD_OF_DILUTION_M: f64 = 5.0;
/// Metres of one step of a latitude.
const STEP_M: f64 = 0.011_132;
/// A place of which nothing was cut off.
const ALL_BITS: u32 = 32;
/// How the place was found: somebody typed it in.
const TYPED_IN: i32 = 1;

/// A place as a node sends it, in JSON and in protobuf.
#[derive(Clone, PartialEq, Deserialize, prost::Message)]
#[serde(default)]
pub(super) struct Place {
    #[prost(sfixed32, optional, tag = "1")]
    latitude_i: Option<i32>,
    #[prost(sfixed32, optional, tag = "2")]
    longitude_i: Option<i32>,
    /// By the sender's clock when it was sent, seconds since 1970; 0 when it knew none.
    #[prost(fixed32, tag = "4")]
    time: u32,
    #[serde(skip)]
    #[prost(int32, tag = "5")]
    location_source: i32,
    /// Of the fix, seconds since 1970; 0 when it is not told.
    #[prost(fixed32, tag = "7")]
    timestamp: u32,
    #[serde(rename = "PDOP")]
    #[prost(uint32, tag = "11")]
    dilution: u32,
    #[serde(rename = "HDOP")]
    #[prost(uint32, tag = "12")]
    dilution_horizontal: u32,
    #[prost(uint32, tag = "23")]
    precision_bits: u32,
}

/// Who sent a place, and when it was received.
pub(super) struct Sender {
    /// Index of the unit.
    pub(super) unit: usize,
    /// The packet's number.
    pub(super) id: u32,
    /// Receiver's clock, seconds since 1970; 0 when it has none.
    pub(super) seconds: Option<f64>,
}

/// Index of the unit whose radio this node is. Of all others nobody wants to know where they are.
pub(super) fn unit_of(node: u32, context: &Context<'_>) -> Option<usize> {
    context.site.units.iter().position(|unit| unit.mesh_node() == Some(node))
}

impl Sender {
    /// Takes in a place of the unit; a packet that only tells the time has none.
    pub(super) fn take(
        &self,
        place: &Place,
        context: &Context<'_>,
        state: &mut CodecState,
        readings: &mut Vec<Reading>,
    ) -> Result<(), Fault> {
        let Some(spot) = place.spot() else { return Ok(()) };
        let time = self.time(place, context)?;
        // Nodes and gateways bring one packet several times, and who recorded it may send it again.
        if state.is_duplicate_of_unit(self.unit, self.id) {
            return Err(Fault::new(Reason::Duplicate, "id", "a new packet", &self.id.to_string()));
        }
        if place.location_source == TYPED_IN {
            let expected = "a place from a receiver; switch the node's fixed position off";
            return Err(Fault::new(Reason::OutOfRange, "location_source", expected, "one that was typed in"));
        }
        let sd_m = place.sd_m();
        if sd_m > VAGUE_SD_M {
            return Err(place.too_vague(sd_m));
        }
        readings.push(Reading::OwnPosition(OwnPosition { unit: self.unit, time, spot, sd_m, distress: None }));
        Ok(())
    }

    /// When the unit was there: when the fix was made, else when it was sent, else when the mesh brought it.
    fn time(&self, place: &Place, context: &Context<'_>) -> Result<Timestamp, Fault> {
        let told = [("timestamp", f64::from(place.timestamp)), ("time", f64::from(place.time))];
        let received = ("rx_time", self.seconds.unwrap_or(0.0));
        for (field, seconds) in told.into_iter().chain([received]).filter(|(_, seconds)| *seconds > 0.0) {
            let stamped = foreign::epoch_seconds(seconds)
                .ok_or_else(|| Fault::new(Reason::OutOfRange, field, "seconds since 1970", &seconds.to_string()))?;
            match clock::plausible(field, stamped, Stamper::Unit(self.unit), context) {
                // A clock that was never set says nothing; the next one may.
                Err(fault) if fault.reason == Reason::ClockNotSet => {}
                // Whole seconds: the second that has begun is not the future.
                Ok(time) => return Ok(time.min(context.received)),
                other => return other,
            }
        }
        Ok(context.received)
    }
}

impl Place {
    /// A node that has no fix sends no place, or zeros.
    fn spot(&self) -> Option<Spot> {
        let (latitude, longitude) = self.latitude_i.zip(self.longitude_i).filter(|place| *place != (0, 0))?;
        Some(Spot::Wgs84 { lat: f64::from(latitude) / 1e7, lon: f64::from(longitude) / 1e7 })
    }

    /// Standard deviation per axis: of the receiver, and of the square that the channel's settings leave.
    fn sd_m(&self) -> f64 {
        let dilution = if self.dilution_horizontal > 0 { self.dilution_horizontal } else { self.dilution };
        let receiver_m = f64::max(USUAL_SD_M, SD_OF_DILUTION_M * f64::from(dilution) / 100.0);
        // The place is the middle of the square, and the node is anywhere in it.
        let square_sd_m = self.side_m() / libm::sqrt(12.0);
        libm::hypot(receiver_m, square_sd_m)
    }

    /// Side of the square that a place of so few bits stands for.
    fn side_m(&self) -> f64 {
        // A node that does not know of this setting sends none, and cuts nothing off.
        let bits = if self.precision_bits == 0 { ALL_BITS } else { self.precision_bits.min(ALL_BITS) };
        if bits == ALL_BITS { 0.0 } else { STEP_M * libm::exp2(f64::from(ALL_BITS - bits)) }
    }

    fn too_vague(&self, sd_m: f64) -> Fault {
        let got = format!("one to {sd_m:.0} m");
        let wanted = |how: &str| format!("a place to {VAGUE_SD_M} m: {how}");
        if self.side_m() > sd_m {
            let expected = wanted("18 bits or more in the channel's settings");
            return Fault::new(
                Reason::OutOfRange,
                "precision_bits",
                &expected,
                &format!("{}, {got}", self.precision_bits),
            );
        }
        Fault::new(Reason::OutOfRange, "PDOP", &wanted("more satellites"), &got)
    }
}
