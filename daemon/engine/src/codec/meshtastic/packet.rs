//! The mesh's own protobuf: envelopes from a broker, with encryption off, and packets from a node's serial line.

use prost::Message as _;

use super::message::{Data, FromRadio, MeshPacket, ServiceEnvelope};
use super::{CodecState, Context, Detection, Fault, Place, Reading, Reason, Report, Sender, foreign, position};

/// Where nodes are; read of own units alone.
const POSITION_APP: i32 = 3;
/// Detections of sensors; everything else of the mesh is passed over.
const DETECTION_SENSOR_APP: i32 = 10;
/// Longest frame of the mesh's serial line; an envelope adds little.
const MAX_BYTES: usize = 1_024;

/// Decodes one envelope of a broker.
pub(in crate::codec) fn decode_envelope(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    let packet = checked(bytes, context, |bytes| ServiceEnvelope::decode(bytes).map(|envelope| envelope.packet));
    take(packet, context, state, readings)
}

/// Decodes one frame of a node's serial line.
pub(in crate::codec) fn decode_from_radio(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    let packet = checked(bytes, context, |bytes| {
        // A node hands on what it has no key for; that is the mesh's ordinary traffic.
        FromRadio::decode(bytes).map(|frame| frame.packet.filter(|packet| packet.decoded.is_some()))
    });
    take(packet, context, state, readings)
}

/// What a frame of a node's serial line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// A packet of the mesh.
    Packet,
    /// The node has told its configuration.
    Configured {
        /// The number it was asked with.
        id: u32,
    },
    /// The node has started anew.
    Rebooted,
    /// Something about itself.
    Other,
}

/// What a frame is about; none when it is no frame, but bytes that only looked like one.
#[must_use]
pub fn said_by(bytes: &[u8]) -> Option<Said> {
    let frame = FromRadio::decode(bytes).ok()?;
    Some(match frame {
        FromRadio { rebooted: true, .. } => Said::Rebooted,
        FromRadio { config_complete_id: Some(id), .. } => Said::Configured { id },
        FromRadio { packet: Some(_), .. } => Said::Packet,
        _ => Said::Other,
    })
}

fn checked(
    bytes: &[u8],
    context: &Context<'_>,
    decode: fn(&[u8]) -> Result<Option<MeshPacket>, prost::DecodeError>,
) -> Result<Option<MeshPacket>, Fault> {
    foreign::refuse_retained(context)?;
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "message", "at most 1024 bytes", &got));
    }
    decode(bytes).map_err(|error| Fault::new(Reason::Malformed, "message", "a packet in protobuf", &error.to_string()))
}

fn take(
    packet: Result<Option<MeshPacket>, Fault>,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    let taken = packet.and_then(|packet| match packet {
        Some(packet) => read(&packet, context, state, readings),
        // The node tells about itself: configuration, other nodes, its log.
        None => Ok(()),
    });
    taken.map_or_else(Report::of, |()| Report::default())
}

fn read(
    packet: &MeshPacket,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let Some(data) = &packet.decoded else {
        if packet.encrypted.is_some() {
            let expected = "an open packet; switch encryption off for this gateway node";
            return Err(Fault::new(Reason::Malformed, "encrypted", expected, "an encrypted one"));
        }
        return Ok(());
    };
    match data.portnum {
        DETECTION_SENSOR_APP => read_detection(packet, data, context, state, readings),
        POSITION_APP => read_position(packet, data, context, state, readings),
        _ => Ok(()),
    }
}

fn read_position(
    packet: &MeshPacket,
    data: &Data,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    // A unit speaks for itself alone.
    let speaks_itself = data.source == 0 || data.source == packet.from;
    let Some(unit) = position::unit_of(packet.from, context).filter(|_| speaks_itself) else { return Ok(()) };
    if packet.via_mqtt {
        let expected = "a place that came over the air all the way";
        return Err(Fault::new(Reason::Untrusted, "via_mqtt", expected, "one that went through a broker of the mesh"));
    }
    let place = Place::decode(data.payload.as_slice())
        .map_err(|error| Fault::new(Reason::Malformed, "decoded.payload", "a place in protobuf", &error.to_string()))?;
    let seconds = Some(f64::from(packet.rx_time));
    Sender { unit, id: packet.id, seconds }.take(&place, context, state, readings)
}

fn read_detection(
    packet: &MeshPacket,
    data: &Data,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let text = std::str::from_utf8(&data.payload).map_err(|error| {
        let got = format!("another byte at {}", error.valid_up_to());
        Fault::new(Reason::InvalidText, "decoded.payload", "UTF-8", &got)
    })?;
    let from = if data.source == 0 { packet.from } else { data.source };
    let seconds = Some(f64::from(packet.rx_time));
    Detection { from, id: packet.id, seconds, text, field: "decoded.payload" }.take(context, state, readings)
}
