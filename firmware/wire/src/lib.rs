//! Radio and serial link messages between sensor nodes, concentrator and gateway: framing, sealing and opening.
//!
//! Both ends of each link are built from this crate: node and concentrator firmware (no operating system, no allocator), the
//! gateway, and the simulator. Nothing in it panics on any input; every refusal is a typed error with a stable word for
//! counters (`reason`).
//!
//! All numbers are little-endian. Versions and how they grow: [`version`].
//!
//! # Radio frame, 19 to 51 bytes
//!
//! | offset | bytes | field |
//! |-------:|------:|-------|
//! | 0 | 1 | version in the high nibble; low nibble 0 upward, 1 downward |
//! | 1 | 1 | key epoch |
//! | 2 | 4 | node id: sender when upward, receiver when downward, 0 for all nodes |
//! | 6 | 4 | frame counter of the sender, for that direction and key |
//! | 10 | 1 to 33 | payload, encrypted |
//! | end - 8 | 8 | tag |
//!
//! AES-128-CCM (RFC 3610, 8-byte tag, 13-byte nonce). The first ten bytes are the associated data and, padded with three zero
//! bytes, the nonce. It cannot repeat for a key: the counter only rises ([`Sealer`] refuses to wrap and to pass what its owner
//! reserved in durable storage), the two directions differ in the first byte, and each node has its own key. The broadcast key
//! (node 0) is sealed with by the gateway only.
//!
//! # Payloads
//!
//! | kind | payload | fields behind the kind byte |
//! |-----:|---------|-----------------------------|
//! | 1 | [`Events`](payload::Events) up | first event's number u16, then 1 to 4 events of 7 bytes |
//! | 2 | [`Telemetry`](payload::Telemetry) up | battery mV u16, temperature 0.01 degC i16, uptime s u32, resets u16, queued u16, dropped u16, retransmitted u16, refused u16, airtime % u8, flags u8 (1 tamper, 2 low battery, 4 time known, 8 detector fault) |
//! | 3 | [`Hello`](payload::Hello) up | oldest and newest version u8 u8, firmware major and minor u8 u8, sensors u8 (1 PIR, 2 seismic, 4 tripwire), reset cause u8, resets u16, next event's number u16 |
//! | 4 | [`Acknowledgement`](payload::Acknowledgement) down | acknowledged counter u32, newest version of the gateway u8 |
//! | 5 | [`Time`](payload::Time) down | Unix seconds u32, sixteenths u8, standard deviation in 1/16 s u8 |
//! | 6 | [`NewKey`](payload::NewKey) down | epoch u8, key 16 bytes |
//! | 7 | [`Position`](payload::Position) up, from version 2 on | latitude and longitude 1e-7 deg i32 i32, standard deviation 0.1 m u16, age in 1/16 s u16, call u8 (0 none, 1 for help, 2 called off) |
//!
//! An event: kind u8 (low nibble 1 PIR, 2 seismic, 3 tripwire, 4 tamper; bits 4 to 6 the detail; bit 7: age is a lower bound), age
//! in 1/16 s u24, strength in half decibels u8, duration in 1/16 s u16. Details: seismic 1 footsteps, 2 vehicle; tripwire 1 in,
//! 2 out; tamper 1 moved.
//!
//! # Serial link
//!
//! Each message is `version u8, kind u8, fields, CRC-32 (ISO HDLC) of all that`, stuffed with COBS and ended by a zero byte. A
//! sender writes one zero byte when it opens the line. The concentrator's clock counts milliseconds in 32 bits and is unwrapped
//! by [`link::TickClock`].
//!
//! | kind | message | fields |
//! |-----:|---------|--------|
//! | 0x01 | [`Received`](link::Received) up | ticks u32, RSSI dBm i16, SNR 0.25 dB i16, radio frame |
//! | 0x02 | [`Transmitted`](link::Transmitted) up | id u16, ticks u32, outcome u8 (0 sent, 1 late, 2 duty cycle, 3 queue full, 4 radio) |
//! | 0x03 | [`Status`](link::Status) up | ticks, received, duplicates, damaged, transmitted, refused, link errors u32 each; duty per mille u16, queued u16 |
//! | 0x04 | [`Started`](link::Started) up | ticks u32, oldest and newest version u8 u8, firmware u8 u8, reset cause u8 |
//! | 0x81 | [`Transmit`](link::Transmit) down | id u16, timed u8 (0, 1), ticks u32, radio frame |
//! | 0x82 | [`Configure`](link::Configure) down | kHz u32, spreading factor u8, bandwidth kHz u16, power dBm i8, duty per mille u16, status period s u16 |
//! | 0x83 | [`Time`](payload::Time) down | as the payload |
//!
//! The same frames carry two more conversations:
//!
//! | kind | message | fields |
//! |-----:|---------|--------|
//! | 0x21 | [`FromModem::Heard`](link::FromModem) | RSSI dBm i16, SNR 0.25 dB i16, radio frame |
//! | 0x22 | [`FromModem::Carrier`](link::FromModem) | busy u8 (0, 1) |
//! | 0x23 | [`FromModem::Sent`](link::FromModem) | airtime ms u16 |
//! | 0xA1 | [`ToModem::Send`](link::ToModem) | radio frame |
//! | 0xA2 | [`ToModem::Tune`](link::ToModem) | as 0x82 |
//! | 0xB1 | [`Bench::Provision`](link::Bench) | node u32, epoch u8, key 16 bytes, site key's epoch u8, site key 16 bytes, first counter u32 |
//! | 0xB2 | [`Bench::Stimulus`](link::Bench) | levels u8 (1 PIR, 2 tamper, 4 and 8 beams left and right), up to 25 samples i16 |
//!
//! # A frame from node to engine
//!
//! ```
//! use vedette_wire::{Direction, Key, Opener, ReplayWindow, Sealer, payload::{Acknowledgement, Payload}};
//! let key = Key::from_hex("000102030405060708090a0b0c0d0e0f")?;
//! let payload = Payload::Acknowledgement(Acknowledgement { counter: 9, version: 1 });
//!
//! let mut sealer = Sealer::new(&key, Direction::Down, 0, 17, 0, 1000);
//! let frame = sealer.seal(&payload.encode()?)?;
//!
//! let mut opener = Opener::new(17, Direction::Down);
//! opener.add_key(0, &key, ReplayWindow::new())?;
//! let opened = opener.open(&frame)?;
//! assert_eq!(Payload::decode(&opened.payload)?, payload);
//! opener.accept(&opened);
//! assert!(opener.open(&frame)?.repeat);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

mod airtime;
mod bytes;
mod frame;
mod key;
pub mod link;
mod open;
pub mod payload;
mod seal;
pub mod version;
mod window;

pub use self::airtime::LoRa;
pub use self::frame::{
    BROADCAST, Direction, HEADER_LEN, Header, MAX_FRAME, MAX_PAYLOAD, PayloadBytes, SealedFrame, TAG_LEN,
};
pub use self::key::{Key, KeyError};
pub use self::open::{MAX_EPOCHS, OpenError, Opened, Opener, TooManyEpochs};
pub use self::payload::{Payload, PayloadError};
pub use self::seal::{SealError, Sealer};
pub use self::window::{ReplayWindow, Standing, WINDOW, WindowError};
