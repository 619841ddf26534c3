//! Records of the flash journal: 24 bytes each, with a checksum, so that a torn write is seen as one.

use vedette_wire::Key;
use vedette_wire::payload::EventKind;

use crate::board::UNIT;

/// Bytes of a record: three flash units.
pub(crate) const RECORD_LEN: usize = 3 * UNIT;
const CHECKSUM_AT: usize = RECORD_LEN - 2;

const HEADER: u8 = 0x11;
const STATE: u8 = 0x12;
const KEY: u8 = 0x13;
const EVENT: u8 = 0x14;

/// An event as it waits in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number, counted for life modulo 2^16.
    pub number: u16,
    /// What was seen.
    pub kind: EventKind,
    /// Level above the detector's floor, half decibels.
    pub strength_half_db: u8,
    /// How long it went on, ticks of 1/16 s.
    pub duration_ticks: u16,
    /// Number of the reset after which it began.
    pub resets: u16,
    /// When it began, ticks of 1/16 s since that reset.
    pub uptime_ticks: u32,
    /// When it began, ticks of 1/16 s since 1970, where the node knew.
    pub unix_ticks: Option<u64>,
}

/// Everything a node remembers besides its events and keys; each record replaces the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The node's id.
    pub node: u32,
    /// Resets in the node's life, modulo 2^16.
    pub resets: u16,
    /// Frame counters below this may have been used.
    pub counter_limit: u32,
    /// Epoch of the key in use.
    pub epoch: u8,
    /// Number of the oldest event that is not acknowledged.
    pub tail: u16,
    /// Number of the next event, when this record was written.
    pub head: u16,
    /// Events dropped because the flash was full, modulo 2^16.
    pub dropped: u16,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRole {
    /// The node's own key of this epoch.
    Own(u8),
    /// The site's key for frames to all nodes.
    Broadcast(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// First slot of a page, written last: the checkpoint behind it, `records` long, is complete.
    Header {
        sequence: u32,
        records: u8,
    },
    State(State),
    Key(KeyRole, Key),
    Event(StoredEvent),
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Erased,
    Record(Record),
    /// Torn or worn; nothing can be known of it.
    Damaged,
}

/// Fills a record's fields from the left.
struct Fields {
    bytes: [u8; RECORD_LEN],
    at: usize,
}

impl Fields {
    fn put<const N: usize>(mut self, bytes: [u8; N]) -> Self {
        for byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.at) {
                *place = byte;
            }
            self.at += 1;
        }
        self
    }
}

impl Record {
    pub(crate) fn to_bytes(self) -> [u8; RECORD_LEN] {
        let fields = |kind: u8| Fields { bytes: [0; RECORD_LEN], at: 0 }.put([kind]);
        let filled = match self {
            Self::Header { sequence, records } => fields(HEADER).put(sequence.to_le_bytes()).put([records]),
            Self::State(state) => fields(STATE)
                .put(state.node.to_le_bytes())
                .put(state.resets.to_le_bytes())
                .put(state.counter_limit.to_le_bytes())
                .put([state.epoch])
                .put(state.tail.to_le_bytes())
                .put(state.head.to_le_bytes())
                .put(state.dropped.to_le_bytes()),
            Self::Key(role, key) => {
                let (role, epoch) = match role {
                    KeyRole::Own(epoch) => (0, epoch),
                    KeyRole::Broadcast(epoch) => (1, epoch),
                };
                fields(KEY).put([role, epoch]).put(*key.expose())
            }
            Self::Event(event) => {
                // Zero stands for an unknown time: no node was out in 1970.
                let [u0, u1, u2, u3, u4, ..] = event.unix_ticks.unwrap_or(0).to_le_bytes();
                fields(EVENT)
                    .put(event.number.to_le_bytes())
                    .put([event.kind.code(), event.strength_half_db])
                    .put(event.duration_ticks.to_le_bytes())
                    .put(event.resets.to_le_bytes())
                    .put(event.uptime_ticks.to_le_bytes())
                    .put([u0, u1, u2, u3, u4])
            }
        };
        let mut bytes = filled.bytes;
        let checksum = checksum(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

impl Slot {
    pub(crate) fn of_bytes(bytes: &[u8; RECORD_LEN]) -> Self {
        if bytes.iter().all(|&byte| byte == 0xFF) {
            return Self::Erased;
        }
        let [fields @ .., c0, c1] = bytes;
        if checksum(fields) != u16::from_le_bytes([*c0, *c1]) {
            return Self::Damaged;
        }
        record(fields).map_or(Self::Damaged, Self::Record)
    }
}

fn record(fields: &[u8; CHECKSUM_AT]) -> Option<Record> {
    match *fields {
        [HEADER, s0, s1, s2, s3, records, ..] => {
            Some(Record::Header { sequence: u32::from_le_bytes([s0, s1, s2, s3]), records })
        }
        [STATE, n0, n1, n2, n3, r0, r1, l0, l1, l2, l3, epoch, t0, t1, h0, h1, d0, d1, ..] => {
            Some(Record::State(State {
                node: u32::from_le_bytes([n0, n1, n2, n3]),
                resets: u16::from_le_bytes([r0, r1]),
                counter_limit: u32::from_le_bytes([l0, l1, l2, l3]),
                epoch,
                tail: u16::from_le_bytes([t0, t1]),
                head: u16::from_le_bytes([h0, h1]),
                dropped: u16::from_le_bytes([d0, d1]),
            }))
        }
        [KEY, role, epoch, ..] => {
            let role = match role {
                0 => KeyRole::Own(epoch),
                1 => KeyRole::Broadcast(epoch),
                _ => return None,
            };
            let key = fields.get(3..19)?.try_into().ok()?;
            Some(Record::Key(role, Key::new(key)))
        }
        [EVENT, n0, n1, code, strength_half_db, d0, d1, r0, r1, u0, u1, u2, u3, t0, t1, t2, t3, t4, ..] => {
            let unix_ticks = u64::from_le_bytes([t0, t1, t2, t3, t4, 0, 0, 0]);
            Some(Record::Event(StoredEvent {
                number: u16::from_le_bytes([n0, n1]),
                kind: EventKind::of_code(code).ok()?,
                strength_half_db,
                duration_ticks: u16::from_le_bytes([d0, d1]),
                resets: u16::from_le_bytes([r0, r1]),
                uptime_ticks: u32::from_le_bytes([u0, u1, u2, u3]),
                unix_ticks: (unix_ticks != 0).then_some(unix_ticks),
            }))
        }
        _ => None,
    }
}

/// CRC-16 with the CCITT polynomial, bit by bit: a record is written a few times a minute, a table would cost flash.
fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, &byte| {
        (0..8)
            .fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    })
}
