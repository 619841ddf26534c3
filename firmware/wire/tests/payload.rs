//! Payload codec: what is encoded decodes to itself, and nothing else decodes.

use proptest::prelude::*;
use vedette_wire::payload::{
    Acknowledgement, Admitted, Call, Crossing, Event, EventCursor, EventKind, Events, GroundSource, Hello,
    MAX_AGE_TICKS, MAX_EVENTS, NewKey, Position, ResetCause, Sensors, TamperCause, Telemetry, TelemetryFlags, Time,
};
use vedette_wire::{Key, MAX_PAYLOAD, Payload, PayloadError};

fn kind() -> impl Strategy<Value = EventKind> {
    prop::sample::select(vec![
        EventKind::Pir,
        EventKind::Seismic(GroundSource::Unclassified),
        EventKind::Seismic(GroundSource::Footsteps),
        EventKind::Seismic(GroundSource::Vehicle),
        EventKind::Tripwire(None),
        EventKind::Tripwire(Some(Crossing::In)),
        EventKind::Tripwire(Some(Crossing::Out)),
        EventKind::Tamper(TamperCause::Opened),
        EventKind::Tamper(TamperCause::Moved),
    ])
}

fn event() -> impl Strategy<Value = Event> {
    (kind(), 0..=MAX_AGE_TICKS, any::<bool>(), any::<u8>(), any::<u16>()).prop_map(
        |(kind, age_ticks, age_at_least, strength_half_db, duration_ticks)| Event {
            kind,
            age_ticks,
            age_at_least,
            strength_half_db,
            duration_ticks,
        },
    )
}

fn events() -> impl Strategy<Value = Payload> {
    (any::<u16>(), prop::collection::vec(event(), 1..=MAX_EVENTS))
        .prop_map(|(first, events)| Payload::Events(Events { first, events: events.into_iter().collect() }))
}

fn telemetry() -> impl Strategy<Value = Payload> {
    let counters = (any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>());
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (any::<u16>(), -6_000..=15_000_i16, any::<u32>(), counters, 0..=100_u8, flags).prop_map(
        |(battery_mv, temperature_cdeg, uptime_s, counters, airtime_percent, flags)| {
            let (resets, queued, dropped, retransmitted, refused) = counters;
            let (tamper, low_battery, time_known, detector_fault) = flags;
            Payload::Telemetry(Telemetry {
                battery_mv,
                temperature_cdeg,
                uptime_s,
                resets,
                queued,
                dropped,
                retransmitted,
                refused,
                airtime_percent,
                flags: TelemetryFlags { tamper, low_battery, time_known, detector_fault },
            })
        },
    )
}

fn hello() -> impl Strategy<Value = Payload> {
    let sensors = (any::<bool>(), any::<bool>(), any::<bool>());
    let causes: Vec<ResetCause> = (0..=4).filter_map(ResetCause::of_code).collect();
    let reset = prop::sample::select(causes);
    (1..=15_u8, 1..=15_u8, any::<[u8; 2]>(), sensors, reset, any::<[u16; 2]>()).prop_map(
        |(a, b, [firmware_major, firmware_minor], (pir, seismic, tripwire), reset, [resets, next_event])| {
            Payload::Hello(Hello {
                min_version: a.min(b),
                current_version: a.max(b),
                firmware_major,
                firmware_minor,
                sensors: Sensors { pir, seismic, tripwire },
                reset,
                resets,
                next_event,
            })
        },
    )
}

fn position() -> impl Strategy<Value = Payload> {
    let place = (-900_000_000..=900_000_000_i32, -1_800_000_000..=1_800_000_000_i32, 1..=Position::MAX_SD_DM);
    let call = prop::sample::select(vec![Call::None, Call::Help, Call::CalledOff]);
    (place, any::<u16>(), call).prop_map(|((lat_e7, lon_e7, sd_dm), age_ticks, call)| {
        Payload::Position(Position { lat_e7, lon_e7, sd_dm, age_ticks, call })
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        events(),
        telemetry(),
        hello(),
        position(),
        (any::<u32>(), any::<u8>())
            .prop_map(|(counter, version)| Payload::Acknowledgement(Acknowledgement { counter, version })),
        (any::<u32>(), 0..16_u8, any::<u8>()).prop_map(|(unix_s, sixteenths, sd_ticks)| Payload::Time(Time {
            unix_s,
            sixteenths,
            sd_ticks
        })),
        (any::<u8>(), any::<[u8; 16]>()).prop_map(|(epoch, key)| Payload::NewKey(NewKey { epoch, key: Key::new(key) })),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(payload in payload()) {
        let bytes = payload.encode().unwrap();
        prop_assert_eq!(Payload::decode(&bytes), Ok(payload));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD + 4), kind in 0..9_u8) {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        if let Ok(payload) = Payload::decode(&bytes) {
            let encoded = payload.encode().unwrap();
            prop_assert_eq!(&encoded[..], &bytes[..]);
        }
    }

    #[test]
    fn every_cut_and_every_added_byte_is_refused(payload in payload(), extra: u8) {
        let bytes = payload.encode().unwrap();
        let whole_events = |len: usize| matches!(payload, Payload::Events(_)) && len > 3 && (len - 3).is_multiple_of(7);
        for len in (0..bytes.len()).filter(|&len| !whole_events(len)) {
            prop_assert!(Payload::decode(&bytes[..len]).is_err(), "cut to {} bytes", len);
        }
        prop_assert!(Payload::decode(&[&bytes[..], &[extra]].concat()).is_err());
    }

    #[test]
    fn every_event_is_taken_in_once_whatever_is_sent_again(first: u16, acknowledged in prop::collection::vec((1..=4_u16, any::<bool>()), 1..300)) {
        let (mut cursor, mut oldest, mut taken) = (EventCursor::default(), first, 0);
        for (count, acknowledgement_arrives) in acknowledged {
            for number in (0..count).map(|index| oldest.wrapping_add(index)) {
                match cursor.admit(number) {
                    Admitted::New { missed } => {
                        prop_assert_eq!((missed, number), (0, first.wrapping_add(taken)));
                        taken = taken.wrapping_add(1);
                    }
                    Admitted::Repeat => prop_assert!(number.wrapping_sub(first) < taken),
                }
            }
            if acknowledgement_arrives {
                oldest = oldest.wrapping_add(count);
            }
            prop_assert_eq!(EventCursor::starting_at(cursor.next()), cursor);
        }
    }
}

#[test]
fn bad_ranges_have_no_encoding_and_no_decoding() {
    let good = Time { unix_s: 0, sixteenths: 0, sd_ticks: 0 };
    let error = Payload::Time(Time { sixteenths: 16, ..good }).encode().unwrap_err();
    assert_eq!(error, PayloadError::Range { field: "sixteenths of a second", got: 16 });
    assert_eq!(Payload::decode(&[5, 0, 0, 0, 0, 16, 0]), Err(error));

    let empty = Payload::Events(Events { first: 0, events: heapless::Vec::new() });
    assert_eq!(empty.encode(), Err(PayloadError::EventCount { got: 0 }));
    assert_eq!(Payload::decode(&[1, 0, 0]), Err(PayloadError::EventCount { got: 0 }));

    let event = Event {
        kind: EventKind::Pir,
        age_ticks: MAX_AGE_TICKS + 1,
        age_at_least: false,
        strength_half_db: 0,
        duration_ticks: 0,
    };
    let too_old = Payload::Events(Events { first: 0, events: heapless::Vec::from_slice(&[event]).unwrap() });
    assert!(matches!(too_old.encode(), Err(PayloadError::Range { field: "age in ticks", got: 0x0100_0000 })));

    let here = Position { lat_e7: 0, lon_e7: 0, sd_dm: 50, age_ticks: 0, call: Call::None };
    for (wrong, field, got) in [
        (Position { lat_e7: 900_000_001, ..here }, "latitude in 1e-7 of a degree", 900_000_001),
        (Position { lon_e7: i32::MIN, ..here }, "longitude in 1e-7 of a degree", i64::from(i32::MIN)),
        (Position { sd_dm: 0, ..here }, "standard deviation in tenths of a metre", 0),
        (Position { sd_dm: 10_001, ..here }, "standard deviation in tenths of a metre", 10_001),
    ] {
        assert_eq!(Payload::Position(wrong).encode(), Err(PayloadError::Range { field, got }));
    }
    let unsure = [7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3];
    assert_eq!(Payload::decode(&unsure), Err(PayloadError::Range { field: "call", got: 3 }));

    for code in [0x00, 0x11, 0x32, 0x33, 0x24, 0x05, 0x7F] {
        let bytes = [1, 0, 0, code, 0, 0, 0, 0, 0, 0];
        assert!(matches!(Payload::decode(&bytes), Err(PayloadError::Range { field: "event kind", .. })), "{code:#x}");
    }
}

#[test]
fn unknown_kinds_are_refused() {
    assert_eq!(Payload::decode(&[]), Err(PayloadError::Empty));
    for kind in (8..=255).chain([0]) {
        assert_eq!(Payload::decode(&[kind, 0, 0]), Err(PayloadError::Kind { got: kind }));
    }
}

#[test]
fn a_gap_counts_lost_events_and_a_wiped_node_begins_anew() {
    let mut cursor = EventCursor::default();
    assert_eq!(cursor.admit(65_530), Admitted::New { missed: 0 });
    assert_eq!(cursor.admit(4), Admitted::New { missed: 9 });
    assert_eq!(cursor.admit(4), Admitted::Repeat);
    let mut old = EventCursor::starting_at(Some(20_000));
    assert_eq!(old.admit(0), Admitted::New { missed: 0 });
    assert_eq!(old.next(), Some(1));
}
