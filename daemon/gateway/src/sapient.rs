//! The link to a SAPIENT middleware, for source and sink alike: framing, introduction, and the names of things.

use std::time::Duration;

use prost::Message as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use vedette_engine::Timestamp;
use vedette_engine::codec::sapient::message::{
    Capability, ClassDefinition, ConfigurationData, Content, DetectionClassDefinition, DetectionDefinition,
    Duration as Span, EnuVelocityUnits, LocationType, ModeDefinition, NodeDefinition, RegionDefinition, Registration,
    ReportDefinition, SapientMessage, StatusDefinition, StatusReport, Task, TaskAck, TaskDefinition,
    Timestamp as Stamp, VelocityType, confidence_definition, coordinate_system, info, location_datum, mode_type,
    node_type, region_type, report_category, speed_units, system, task_status, time_units, tracking_type,
};
use vedette_engine::codec::sapient::{CROSS_TERM, MAX_BYTES};

use crate::net::{self, NetError};

/// Version of the interface that is spoken.
const INTERFACE: &str = "BSI Flex 335 v2.0";
/// Name of the only mode.
const MODE: &str = "default";
/// The middleware must answer an introduction within this time.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(10);
/// How late a report may be.
const LATENCY_S: f32 = 2.0;
/// What is told of a track beside the standard's own fields, with units or values.
const OBJECT_INFO: [(&str, &str); 4] =
    [(CROSS_TERM, "m^2"), ("count_low", "objects"), ("count_high", "objects"), ("coasting", "true, false")];
/// Classes as they are told.
pub(crate) const CLASSES: [&str; 3] = ["Human", "Animal", "Land Vehicle"];

/// Reads the next message. Not safe to cancel: a task of its own reads.
pub(crate) async fn read(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, NetError> {
    let mut length = [0; 4];
    match reader.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(NetError::Closed),
        Err(error) => return Err(error.into()),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_BYTES {
        return Err(NetError::Refused(format!("a message of {length} bytes, more than {MAX_BYTES}")));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Sends a message with its length before it.
pub(crate) async fn write(writer: &mut (impl AsyncWrite + Unpin), message: &SapientMessage) -> Result<(), NetError> {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    net::write(writer, &[&length.to_le_bytes()[..], &body].concat()).await
}

/// A message of this node at this time.
pub(crate) fn message(node_id: &str, now: Timestamp, content: Content) -> SapientMessage {
    SapientMessage {
        timestamp: Some(stamp(now)),
        node_id: Some(node_id.to_owned()),
        destination_id: None,
        content: Some(content),
    }
}

pub(crate) fn stamp(time: Timestamp) -> Stamp {
    let micros = time.as_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
    Stamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// Introduces this gateway as a fusion node and waits for the answer. Messages of others that come before it are dropped:
/// they are states and detections, which come again.
pub(crate) async fn register(
    reader: &mut (impl AsyncRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    introduction: &SapientMessage,
) -> Result<(), NetError> {
    write(writer, introduction).await?;
    let answer = tokio::time::timeout(REGISTRATION_PATIENCE, async {
        loop {
            match SapientMessage::decode(read(reader).await?.as_slice()).ok().and_then(|message| message.content) {
                Some(Content::RegistrationAck(answer)) => return Ok(answer),
                Some(Content::Error(error)) => return Err(NetError::Refused(error.error_message.join("; "))),
                _ => {}
            }
        }
    });
    let no_answer = || NetError::Refused(format!("no answer to the registration within {REGISTRATION_PATIENCE:?}"));
    let answer = answer.await.map_err(|_| no_answer())??;
    if answer.acceptance == Some(true) {
        return Ok(());
    }
    Err(NetError::Refused(format!("registration refused: {}", answer.ack_response_reason.join("; "))))
}

/// What this gateway says it is.
pub(crate) fn registration(site: &str, status_interval_s: f64) -> Content {
    let location = || {
        Some(LocationType {
            location_units: Some(coordinate_system::DEGREES),
            location_datum: Some(location_datum::ELLIPSOID),
        })
    };
    #[expect(clippy::cast_possible_truncation, reason = "a span of seconds has no use for more digits")]
    let seconds = |value: f64| Some(Span { units: Some(time_units::SECONDS), value: Some(value as f32) });
    let classes = CLASSES.map(|class| ClassDefinition { r#type: Some(class.to_owned()) }).to_vec();
    let told = OBJECT_INFO.map(|(name, units)| ReportDefinition {
        category: Some(report_category::OBJECT),
        r#type: Some(name.to_owned()),
        units: Some(units.to_owned()),
    });
    let detections = DetectionDefinition {
        location_type: location(),
        detection_report: told.to_vec(),
        detection_class_definition: vec![DetectionClassDefinition {
            confidence_definition: Some(confidence_definition::MULTI_CLASS),
            class_definition: classes,
        }],
        velocity_type: Some(VelocityType {
            enu_velocity_units: Some(EnuVelocityUnits { east_north_rate_units: Some(speed_units::METRES_A_SECOND) }),
            location_datum: Some(location_datum::ELLIPSOID),
        }),
    };
    // A task definition must be there; none is taken, and one that comes all the same is refused.
    let no_tasks = TaskDefinition {
        concurrent_tasks: Some(0),
        region_definition: Some(RegionDefinition {
            region_type: vec![region_type::AREA_OF_INTEREST],
            region_area: location().into_iter().collect(),
        }),
    };
    Content::Registration(Registration {
        node_definition: vec![NodeDefinition { node_type: Some(node_type::FUSION_NODE) }],
        icd_version: Some(INTERFACE.to_owned()),
        name: Some(format!("Vedette {site}")),
        short_name: Some(site.to_owned()),
        capabilities: vec![Capability { category: Some("fusion".to_owned()), r#type: Some("tracks".to_owned()) }],
        status_definition: Some(StatusDefinition {
            status_interval: seconds(status_interval_s),
            location_definition: location(),
        }),
        mode_definition: vec![ModeDefinition {
            mode_name: Some(MODE.to_owned()),
            mode_type: Some(mode_type::PERMANENT),
            mode_description: Some("tracks fused from the gateway's own sensors".to_owned()),
            settle_time: seconds(0.0),
            maximum_latency: Some(Span { units: Some(time_units::SECONDS), value: Some(LATENCY_S) }),
            tracking_type: Some(tracking_type::TRACK),
            detection_definition: vec![detections],
            task: Some(no_tasks),
        }],
        config_data: vec![ConfigurationData {
            manufacturer: "Vedette".to_owned(),
            model: "gateway".to_owned(),
            software_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }],
    })
}

/// The answer to a task: this gateway is told by its configuration what to do, and by nobody else.
pub(crate) fn refusal(task: &Task) -> Content {
    Content::TaskAck(TaskAck {
        task_id: task.task_id.clone(),
        task_status: Some(task_status::REJECTED),
        reason: vec!["this node takes no tasks".to_owned()],
    })
}

/// How this gateway is: it works, as before unless `first`.
pub(crate) fn status(site: &str, now: Timestamp, first: bool) -> Content {
    Content::StatusReport(StatusReport {
        report_id: Some(ulid(now, &format!("{site}/status"))),
        system: Some(system::OK),
        info: Some(if first { info::NEW } else { info::UNCHANGED }),
        mode: Some(MODE.to_owned()),
        ..StatusReport::default()
    })
}

/// A ULID for a thing with this name that began at this time: the same whenever it is asked for.
pub(crate) fn ulid(began: Timestamp, name: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::try_from(began.as_micros().max(0) / 1_000).unwrap_or(0) & ((1 << 48) - 1);
    let number = millis << 80 | hash(name) >> 48;
    (0..26)
        .rev()
        .map(|place| {
            let digit = usize::try_from(number >> (5 * place) & 31).unwrap_or(0);
            char::from(DIGITS[digit])
        })
        .collect()
}

/// A version 4 UUID for a thing with this name: the same whenever it is asked for.
pub(crate) fn uuid(name: &str) -> String {
    let number = hash(name) & !(0xf << 76) | 4 << 76;
    let number = number & !(3 << 62) | 2 << 62;
    let text = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// FNV-1a, 128 bits.
fn hash(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash: u128, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_have_the_shape_that_the_standard_asks_for(name in ".{0,30}", micros in 0_i64..4_000_000_000_000_000) {
            let ulid = ulid(Timestamp::from_micros(micros), &name);
            prop_assert!(ulid.len() == 26 && ulid.starts_with('0'), "{ulid}");
            prop_assert!(ulid.chars().all(|c| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(c)));
            let uuid = uuid(&name);
            prop_assert_eq!(uuid.len(), 36);
            prop_assert!(uuid.as_bytes()[14] == b'4' && b"89ab".contains(&uuid.as_bytes()[19]), "{}", uuid);
        }
    }

    #[test]
    fn a_ulid_begins_with_its_time() {
        // 2016-07-30T23:54:10.259Z is the example of the ULID specification.
        assert!(ulid(Timestamp::from_micros(1_469_922_850_259_000), "x").starts_with("01ARZ3NDEK"));
        assert_ne!(ulid(Timestamp::from_micros(0), "x"), ulid(Timestamp::from_micros(0), "y"));
    }

    #[tokio::test]
    async fn a_message_comes_back_and_an_endless_one_is_refused() {
        let sent = message("n", Timestamp::from_micros(1_500_000), status("s", Timestamp::from_micros(0), true));
        let (mut one, mut other) = tokio::io::duplex(4_096);
        write(&mut one, &sent).await.expect("room");
        assert_eq!(SapientMessage::decode(read(&mut other).await.expect("a message").as_slice()), Ok(sent));
        net::write(&mut one, &[0xff; 4]).await.expect("room");
        assert!(matches!(read(&mut other).await, Err(NetError::Refused(_))));
    }
}
