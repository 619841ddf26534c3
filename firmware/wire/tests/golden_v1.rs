//! The bytes of version 1, as released. Nodes in the field speak them: when a test here fails, revert the change that made it
//! fail; do not edit the test. New layouts get new kinds, a new version and a golden file of their own.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use vedette_wire::link::{
    Configure, Downward, Message, Outcome, Received, Started, Status, Transmit, Transmitted, Upward,
};
use vedette_wire::payload::{
    Acknowledgement, Crossing, Event, EventKind, Events, GroundSource, Hello, NewKey, Payload, ResetCause, Sensors,
    TamperCause, Telemetry, TelemetryFlags, Time,
};
use vedette_wire::{Direction, Key, Opener, ReplayWindow, SealedFrame, Sealer};

const KEY: [u8; 16] = [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    vec![
        (Payload::Events(events()), "01 feff 01 050000 00 1000 12 701101 25 2c01 23 010000 00 0000 94 ffffff 00 0000"),
        (Payload::Telemetry(telemetry), "02 1a0e 1efb 80510100 0300 0c00 0100 2c00 0200 11 06"),
        (Payload::Hello(hello), "03 01 01 00 01 03 02 0300 0102"),
        (Payload::Acknowledgement(Acknowledgement { counter: 0x0102_0304, version: 1 }), "04 04030201 01"),
        (Payload::Time(Time { unix_s: 1_772_331_247, sixteenths: 4, sd_ticks: 1 }), "05 efa0a369 04 01"),
        (Payload::NewKey(NewKey { epoch: 2, key: Key::new(KEY) }), "06 02 2b7e151628aed2a6abf7158809cf4f3c"),
    ]
}

fn sealed() -> SealedFrame {
    let mut sealer = Sealer::new(&Key::new(KEY), Direction::Up, 1, 0x0000_0011, 41, 42);
    sealer.seal(&Payload::Events(events()).encode().unwrap()).unwrap()
}

#[test]
fn payloads_keep_their_bytes() {
    for (payload, expected) in payload_vectors() {
        assert_eq!(hex(&payload.encode().unwrap()), hex(&bytes(expected)));
        assert_eq!(Payload::decode(&bytes(expected)).unwrap(), payload);
    }
}

#[test]
fn sealed_frames_keep_their_bytes() {
    let expected = SEALED;
    assert_eq!(hex(&sealed()), hex(&bytes(expected)));
    let mut opener = Opener::new(17, Direction::Up);
    opener.add_key(1, &Key::new(KEY), ReplayWindow::new()).unwrap();
    let opened = opener.open(&bytes(expected)).unwrap();
    assert_eq!(opened.header.counter, 41);
    assert_eq!(Payload::decode(&opened.payload).unwrap(), Payload::Events(events()));
}

const SEALED: &str =
    "10011100000029000000 ca5f76cae54efd67b3ae671531f9dc449a911fefe88cd76e617ff499689923 f48c4b8726ac3141";

fn check_link<M: Message + PartialEq + core::fmt::Debug>(message: &M, expected: &str) {
    let line = message.encode().unwrap();
    assert_eq!(hex(&line), hex(&bytes(expected)), "{message:?}");
    let mut stuffed = bytes(expected);
    assert_eq!(stuffed.pop(), Some(0));
    assert_eq!(M::decode(&mut stuffed).as_ref(), Ok(message));
}

#[test]
fn upward_link_messages_keep_their_bytes() {
    let frame = SealedFrame::from_slice(&[0xA5; 19]).unwrap();
    let received = Received { ticks: 0x0001_0203, rssi_dbm: -117, snr_qdb: -30, frame };
    check_link(&Upward::Received(received), "0601010302011c8bffe2ffa5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5b64b9fa000");
    let transmitted = Transmitted { id: 7, ticks: 5_000, outcome: Outcome::DutyCycle };
    check_link(&Upward::Transmitted(transmitted), "04010207038813010602105bc45b00");
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
    check_link(
        &Upward::Status(status),
        "05010360ea0102640101020301010202010102620101020101010101010102040202051cf6b05a00",
    );
    let started = Started {
        ticks: 12,
        min_version: 1,
        current_version: 1,
        firmware_major: 0,
        firmware_minor: 1,
        reset: ResetCause::PowerOn,
    };
    check_link(&Upward::Started(started), "0401040c0101030101020105d64211d900");
}

#[test]
fn downward_link_messages_keep_their_bytes() {
    let frame = SealedFrame::from_slice(&[0x5A; 19]).unwrap();
    check_link(
        &Downward::Transmit(Transmit { id: 7, at_ticks: None, frame: frame.clone() }),
        "040181070101010101185a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a881175f000",
    );
    check_link(
        &Downward::Transmit(Transmit { id: 8, at_ticks: Some(70_000), frame }),
        "040181080501701101185a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ace1ce2db00",
    );
    let configure = Configure {
        frequency_khz: 868_100,
        spreading_factor: 7,
        bandwidth_khz: 125,
        power_dbm: 14,
        duty_permille: 10,
        status_period_s: 60,
    };
    check_link(&Downward::Configure(configure), "060182043f0d03077d030e0a023c05f098ece500");
    let time = Time { unix_s: 1_772_331_247, sixteenths: 4, sd_ticks: 1 };
    check_link(&Downward::Time(time), "0d0183efa0a36904018faaf08c00");
}
