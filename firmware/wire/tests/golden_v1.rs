//! The bytes of version 1, as released, from `golden_v1.txt`, which tests of the gateway read, too. Nodes in the field speak them: when
//! a test here fails, revert the change that made it fail; do not edit the file.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod golden;

use std::collections::BTreeMap;

use golden::hex;
use vedette_wire::link::{
    Bench, Configure, Downward, FromModem, Message, Outcome, Received, Started, Status, ToModem, Transmit, Transmitted,
    Upward,
};
use vedette_wire::payload::{
    Acknowledgement, Crossing, Event, EventKind, Events, GroundSource, Hello, NewKey, Payload, ResetCause, Sensors,
    TamperCause, Telemetry, TelemetryFlags, Time,
};
use vedette_wire::{Direction, Key, Opener, ReplayWindow, SealedFrame, Sealer};

const GOLDEN: &str = include_str!("golden_v1.txt");

fn vectors() -> BTreeMap<&'static str, Vec<u8>> {
    golden::vectors(GOLDEN)
}

fn vector(name: &str) -> Vec<u8> {
    vectors().remove(name).unwrap_or_else(|| panic!("no vector `{name}`"))
}

fn key() -> Key {
    Key::new(vector("key").try_into().unwrap())
}

fn events() -> Events {
    let event = |kind, age_ticks, strength_half_db, duration_ticks| Event {
        kind,
        age_ticks,
        age_at_least: false,
        strength_half_db,
        duration_ticks,
    };
    let mut events = heapless::Vec::new();
    events.push(event(EventKind::Pir, 5, 0, 16)).unwrap();
    events.push(event(EventKind::Seismic(GroundSource::Footsteps), 70_000, 37, 300)).unwrap();
    events.push(event(EventKind::Tripwire(Some(Crossing::Out)), 1, 0, 0)).unwrap();
    let tamper = event(EventKind::Tamper(TamperCause::Moved), 0xFF_FFFF, 0, 0);
    events.push(Event { age_at_least: true, ..tamper }).unwrap();
    Events { first: 0xFFFE, events }
}

fn payload_vectors() -> Vec<(Payload, &'static str)> {
    let telemetry = Telemetry {
        battery_mv: 3_610,
        temperature_cdeg: -1_250,
        uptime_s: 86_400,
        resets: 3,
        queued: 12,
        dropped: 1,
        retransmitted: 44,
        refused: 2,
        airtime_percent: 17,
        flags: TelemetryFlags { tamper: false, low_battery: true, time_known: true, detector_fault: false },
    };
    let hello = Hello {
        min_version: 1,
        current_version: 1,
        firmware_major: 0,
        firmware_minor: 1,
        sensors: Sensors { pir: true, seismic: true, tripwire: false },
        reset: ResetCause::Watchdog,
        resets: 3,
        next_event: 513,
    };
    let new_key = NewKey { epoch: 2, key: key() };
    vec![
        (Payload::Events(events()), "payload events"),
        (Payload::Telemetry(telemetry), "payload telemetry"),
        (Payload::Hello(hello), "payload hello"),
        (Payload::Acknowledgement(Acknowledgement { counter: 0x0102_0304, version: 1 }), "payload acknowledgement"),
        (Payload::Time(Time { unix_s: 1_772_331_247, sixteenths: 4, sd_ticks: 1 }), "payload time"),
        (Payload::NewKey(new_key), "payload new key"),
    ]
}

fn sealed() -> SealedFrame {
    let mut sealer = Sealer::new(&key(), Direction::Up, 1, 0x0000_0011, 41, 42);
    sealer.seal(&Payload::Events(events()).encode().unwrap()).unwrap()
}

#[test]
fn payloads_keep_their_bytes() {
    for (payload, name) in payload_vectors() {
        assert_eq!(hex(&payload.encode().unwrap()), hex(&vector(name)), "{name}");
        assert_eq!(Payload::decode(&vector(name)).unwrap(), payload, "{name}");
    }
}

#[test]
fn sealed_frames_keep_their_bytes() {
    let expected = vector("frame events");
    assert_eq!(hex(&sealed()), hex(&expected));
    let mut opener = Opener::new(17, Direction::Up);
    opener.add_key(1, &key(), ReplayWindow::new()).unwrap();
    let opened = opener.open(&expected).unwrap();
    assert_eq!(opened.header.counter, 41);
    assert_eq!(Payload::decode(&opened.payload).unwrap(), Payload::Events(events()));
}

fn check_link<M: Message + PartialEq + core::fmt::Debug>(message: &M, name: &str) {
    let line = message.encode().unwrap();
    assert_eq!(hex(&line), hex(&vector(name)), "{name}");
    let mut stuffed = vector(name);
    assert_eq!(stuffed.pop(), Some(0));
    assert_eq!(M::decode(&mut stuffed).as_ref(), Ok(message));
}

#[test]
fn upward_link_messages_keep_their_bytes() {
    let frame = SealedFrame::from_slice(&[0xA5; 19]).unwrap();
    let received = Received { ticks: 0x0001_0203, rssi_dbm: -117, snr_qdb: -30, frame };
    check_link(&Upward::Received(received), "line received");
    let transmitted = Transmitted { id: 7, ticks: 5_000, outcome: Outcome::DutyCycle };
    check_link(&Upward::Transmitted(transmitted), "line transmitted");
    let status = Status {
        ticks: 60_000,
        received: 100,
        duplicates: 3,
        damaged: 2,
        transmitted: 98,
        refused: 1,
        link_errors: 0,
        duty_permille: 4,
        queued: 2,
    };
    check_link(&Upward::Status(status), "line status");
    let started = Started {
        ticks: 12,
        min_version: 1,
        current_version: 1,
        firmware_major: 0,
        firmware_minor: 1,
        reset: ResetCause::PowerOn,
    };
    check_link(&Upward::Started(started), "line started");
}

#[test]
fn downward_link_messages_keep_their_bytes() {
    let frame = SealedFrame::from_slice(&[0x5A; 19]).unwrap();
    check_link(&Downward::Transmit(Transmit { id: 7, at_ticks: None, frame: frame.clone() }), "line transmit");
    check_link(&Downward::Transmit(Transmit { id: 8, at_ticks: Some(70_000), frame }), "line timed transmit");
    let configure = Configure {
        frequency_khz: 868_100,
        spreading_factor: 7,
        bandwidth_khz: 125,
        power_dbm: 14,
        duty_permille: 10,
        status_period_s: 60,
    };
    check_link(&Downward::Configure(configure), "line configure");
    let time = Time { unix_s: 1_772_331_247, sixteenths: 4, sd_ticks: 1 };
    check_link(&Downward::Time(time), "line time");
}

#[test]
fn modem_messages_keep_their_bytes() {
    let heard = SealedFrame::from_slice(&[0xA5; 19]).unwrap();
    check_link(&FromModem::Heard { rssi_dbm: -97, snr_qdb: 22, frame: heard }, "modem heard");
    check_link(&FromModem::Carrier { busy: true }, "modem carrier");
    check_link(&FromModem::Sent { airtime_ms: 67 }, "modem sent");
    check_link(&ToModem::Send { frame: SealedFrame::from_slice(&[0x5A; 19]).unwrap() }, "modem send");
    check_link(&ToModem::Tune(Configure::DEFAULT), "modem tune");
}

#[test]
fn bench_messages_keep_their_bytes() {
    let provision = Bench::Provision {
        node: 17,
        epoch: 1,
        key: key(),
        site_epoch: 0,
        site_key: Key::new(core::array::from_fn(|index| index as u8)),
        first_counter: 41,
    };
    check_link(&provision, "bench provision");
    let samples = [i16::MIN, -1, 0, i16::MAX].into_iter().collect();
    let stimulus = Bench::Stimulus { pir: true, tamper: false, beam_left: false, beam_right: true, samples };
    check_link(&stimulus, "bench stimulus");
}

/// A vector that no test reads would keep nothing.
#[test]
fn every_vector_is_of_a_known_family() {
    let families = ["payload ", "frame ", "line ", "modem ", "bench ", "key"];
    for name in vectors().keys() {
        assert!(families.iter().any(|family| name.starts_with(family)), "{name}");
    }
    assert_eq!(vectors().len(), 23);
}
