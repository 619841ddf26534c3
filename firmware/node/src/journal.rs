//! The flash journal: a ring of pages that keeps events, keys and counters over any reset, and wears all pages alike.
//!
//! Records are only appended. When a page is full, the next one round the ring, the oldest, is erased; a *checkpoint* (state and
//! keys) is written to it from its second slot on, and last its first slot, the header, which makes it count. So at every
//! moment one page with a complete checkpoint is the newest, and state lives in it and behind it. Events that wait in the page
//! being erased are dropped and counted: the newest are worth more.
//!
//! A record torn by a reset fails its checksum and is skipped. An append that returned is kept.

use heapless::Vec;
use thiserror::Error;
use vedette_wire::Key;
use vedette_wire::payload::MAX_EVENTS;

use crate::board::{Board, FlashError, UNIT};
use crate::record::{KeyRole, RECORD_LEN, Record, Slot, State, StoredEvent};

/// Attempts to write a record before the flash counts as broken.
const ATTEMPTS: usize = 4;

/// Who a node is; written once, in the workshop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The node's id.
    pub node: u32,
    /// Epoch of its key.
    pub epoch: u8,
    /// Its key.
    pub key: Key,
    /// Epoch and key for frames to all nodes of the site.
    pub broadcast: Option<(u8, Key)>,
}

/// Why a journal was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// No page holds a complete checkpoint: the node was never provisioned, or its flash is gone.
    #[error("no identity in flash: provision the node")]
    NotProvisioned,
    /// The flash failed.
    #[error(transparent)]
    Flash(#[from] FlashError),
}

/// A slot of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    page: usize,
    slot: usize,
}

/// The open journal.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Sequence number of the newest page: one more than the erasures of all pages together since the format.
    sequence: u32,
    /// Next slot to write.
    end: Place,
    /// Where the search for the oldest waiting event begins.
    oldest: Place,
    state: State,
    keys: [Option<(u8, Key)>; 2],
    broadcast: Option<(u8, Key)>,
}

/// Whether event number `a` lies before `b`, on the circle of 2^16.
fn before(a: u16, b: u16) -> bool {
    a.wrapping_sub(b) >= 0x8000
}

fn slots<B: Board>() -> usize {
    B::PAGE_LEN / RECORD_LEN
}

fn read<B: Board>(board: &B, place: Place) -> Slot {
    let mut bytes = [0; RECORD_LEN];
    board.flash_read(place.page, place.slot * RECORD_LEN, &mut bytes);
    Slot::of_bytes(&bytes)
}

/// Writes a record and reads it back; false when it did not hold.
fn write<B: Board>(board: &mut B, place: Place, record: Record) -> Result<bool, FlashError> {
    let bytes = record.to_bytes();
    let offset = place.slot * RECORD_LEN;
    for (index, unit) in bytes.chunks_exact(UNIT).enumerate() {
        let mut copy = [0; UNIT];
        copy.copy_from_slice(unit);
        board.flash_write(place.page, offset + index * UNIT, copy)?;
    }
    Ok(read(board, place) == Slot::Record(record))
}

/// The sequence number of a page with a complete checkpoint.
fn page_sequence<B: Board>(board: &B, page: usize) -> Option<u32> {
    match read(board, Place { page, slot: 0 }) {
        Slot::Record(Record::Header { sequence, .. }) => Some(sequence),
        _ => None,
    }
}

impl Journal {
    /// Erases everything and makes the node `identity`, with its counters at `first_counter`.
    ///
    /// A node that is provisioned again under a key it had before must go on counting where it stopped; with a new key it may
    /// begin at 0.
    ///
    /// # Errors
    /// [`FlashError`].
    pub fn provision<B: Board>(board: &mut B, identity: &Identity, first_counter: u32) -> Result<Self, FlashError> {
        for page in 0..B::FLASH_PAGES {
            board.flash_erase(page)?;
        }
        let state = State {
            node: identity.node,
            resets: 0,
            counter_limit: first_counter,
            epoch: identity.epoch,
            tail: 0,
            head: 0,
            dropped: 0,
        };
        let place = Place { page: 0, slot: 1 };
        let keys = [Some((identity.epoch, identity.key)), None];
        let mut journal = Self { sequence: 0, end: place, oldest: place, state, keys, broadcast: identity.broadcast };
        journal.write_checkpoint(board, 0)?;
        Ok(journal)
    }

    /// Finds what the flash holds after a reset.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open<B: Board>(board: &B) -> Result<Self, OpenError> {
        let newest = (0..B::FLASH_PAGES).filter_map(|page| Some((page_sequence(board, page)?, page))).max();
        let (sequence, page) = newest.ok_or(OpenError::NotProvisioned)?;
        let state = State { node: 0, resets: 0, counter_limit: 0, epoch: 0, tail: 0, head: 0, dropped: 0 };
        let end = Place { page, slot: 1 };
        let mut journal = Self { sequence, end, oldest: end, state, keys: [None; 2], broadcast: None };
        let mut has_state = false;
        while journal.end.slot < slots::<B>() {
            match read(board, journal.end) {
                Slot::Erased => break,
                Slot::Record(Record::State(state)) => {
                    has_state = true;
                    journal.state = state;
                }
                Slot::Record(Record::Key(role, key)) => journal.set_key(role, key),
                Slot::Record(Record::Event(event)) => journal.state.head = event.number.wrapping_add(1),
                Slot::Record(Record::Header { .. }) | Slot::Damaged => {}
            }
            journal.end.slot += 1;
        }
        if !has_state {
            return Err(OpenError::NotProvisioned);
        }
        journal.find_oldest(board);
        Ok(journal)
    }

    /// What the node remembers.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Events that wait for their acknowledgement.
    #[must_use]
    pub const fn waiting(&self) -> u16 {
        self.state.head.wrapping_sub(self.state.tail)
    }

    /// Erasures of each page since the format, give or take one: the ring wears all alike.
    #[must_use]
    pub const fn erasures_per_page<B: Board>(&self) -> u32 {
        self.sequence / B::FLASH_PAGES as u32
    }

    /// The node's key of this epoch.
    #[must_use]
    pub fn key(&self, epoch: u8) -> Option<Key> {
        self.keys.iter().flatten().find(|(of, _)| *of == epoch).map(|(_, key)| *key)
    }

    /// A key of the node that is not the one in use: the next one, or the one before.
    #[must_use]
    pub fn other_key(&self) -> Option<(u8, Key)> {
        self.keys.iter().flatten().find(|(epoch, _)| *epoch != self.state.epoch).copied()
    }

    /// Epoch and key for frames to all nodes.
    #[must_use]
    pub const fn broadcast(&self) -> Option<(u8, Key)> {
        self.broadcast
    }

    /// Appends an event under the next number, which it returns with the event.
    ///
    /// # Errors
    /// [`FlashError`]; the event is then not kept.
    pub fn append_event<B: Board>(&mut self, board: &mut B, event: StoredEvent) -> Result<StoredEvent, FlashError> {
        // The page turn may drop events and so write a state with this head; the number is settled before.
        let event = StoredEvent { number: self.state.head, ..event };
        self.append(board, Record::Event(event))?;
        self.state.head = event.number.wrapping_add(1);
        Ok(event)
    }

    /// Replaces the state by what `change` makes of it, once that is durable.
    ///
    /// # Errors
    /// [`FlashError`]; the state is then unchanged.
    pub fn update<B: Board>(&mut self, board: &mut B, change: impl Fn(&mut State)) -> Result<(), FlashError> {
        let before = self.state;
        change(&mut self.state);
        let record = Record::State(self.state);
        self.append(board, record).inspect_err(|_| self.state = before)
    }

    /// Keeps a new key of the node beside the one in use.
    ///
    /// # Errors
    /// [`FlashError`].
    pub fn add_key<B: Board>(&mut self, board: &mut B, epoch: u8, key: Key) -> Result<(), FlashError> {
        self.append(board, Record::Key(KeyRole::Own(epoch), key))?;
        self.set_key(KeyRole::Own(epoch), key);
        Ok(())
    }

    /// The oldest events that wait, with consecutive numbers, up to a frame's worth.
    pub fn oldest_events<B: Board>(&mut self, board: &B) -> Vec<StoredEvent, MAX_EVENTS> {
        let mut events = Vec::new();
        let mut place = self.oldest;
        while place != self.end && !events.is_full() {
            if let Slot::Record(Record::Event(event)) = read(board, place)
                && !before(event.number, self.state.tail)
            {
                // A hole is what a page erased in part leaves.
                let next = events.last().map(|last: &StoredEvent| last.number.wrapping_add(1));
                if next.is_some_and(|next| next != event.number) {
                    break;
                }
                if events.is_empty() {
                    self.oldest = place;
                }
                // Cannot fail: checked not full.
                let _ = events.push(event);
            }
            place = self.after::<B>(place);
        }
        if events.is_empty() {
            self.oldest = self.end;
        }
        events
    }

    /// The events before number `upto` are acknowledged.
    ///
    /// # Errors
    /// [`FlashError`]; the events then stay.
    pub fn acknowledge<B: Board>(&mut self, board: &mut B, upto: u16) -> Result<(), FlashError> {
        if before(self.state.tail, upto) { self.update(board, |state| state.tail = upto) } else { Ok(()) }
    }

    fn set_key(&mut self, role: KeyRole, key: Key) {
        match role {
            KeyRole::Broadcast(epoch) => self.broadcast = Some((epoch, key)),
            KeyRole::Own(epoch) => {
                let active = self.state.epoch;
                let place = self.keys.iter_mut().find(|entry| entry.is_none_or(|(of, _)| of == epoch));
                if let Some(entry) = place {
                    *entry = Some((epoch, key));
                } else if let Some(entry) = self.keys.iter_mut().find(|entry| entry.is_some_and(|(of, _)| of != active))
                {
                    *entry = Some((epoch, key));
                }
            }
        }
    }

    fn after<B: Board>(&self, place: Place) -> Place {
        if place.slot + 1 < slots::<B>() || place.page == self.end.page {
            Place { slot: place.slot + 1, ..place }
        } else {
            Place { page: (place.page + 1) % B::FLASH_PAGES, slot: 1 }
        }
    }

    /// Sets `oldest` to the first page of the ring and the tail behind what a page turn cut short by a reset erased.
    fn find_oldest<B: Board>(&mut self, board: &B) {
        let first = (1..=B::FLASH_PAGES)
            .map(|ahead| (self.end.page + ahead) % B::FLASH_PAGES)
            .find(|&page| page_sequence(board, page).is_some_and(|sequence| sequence <= self.sequence));
        self.oldest = Place { page: first.unwrap_or(self.end.page), slot: 1 };
        let found = self.oldest_events(board).first().map_or(self.state.head, |event| event.number);
        self.drop_before(found);
    }

    fn drop_before(&mut self, number: u16) {
        if before(self.state.tail, number) {
            let lost = number.wrapping_sub(self.state.tail);
            self.state.dropped = self.state.dropped.wrapping_add(lost);
            self.state.tail = number;
        }
    }

    fn append<B: Board>(&mut self, board: &mut B, record: Record) -> Result<(), FlashError> {
        for _ in 0..ATTEMPTS {
            if self.end.slot >= slots::<B>() {
                self.turn_page(board)?;
            }
            let place = self.end;
            self.end.slot += 1;
            if write(board, place, record)? {
                return Ok(());
            }
        }
        Err(FlashError { page: self.end.page, offset: self.end.slot * RECORD_LEN })
    }

    /// Makes the oldest page the newest.
    fn turn_page<B: Board>(&mut self, board: &mut B) -> Result<(), FlashError> {
        let page = (self.end.page + 1) % B::FLASH_PAGES;
        if self.oldest.page == page {
            let next = Place { page: (page + 1) % B::FLASH_PAGES, slot: 1 };
            self.oldest = next;
            let survivor = self.oldest_events(board).first().map_or(self.state.head, |event| event.number);
            self.drop_before(survivor);
            self.oldest = next;
        }
        self.write_checkpoint(board, page)
    }

    fn write_checkpoint<B: Board>(&mut self, board: &mut B, page: usize) -> Result<(), FlashError> {
        board.flash_erase(page)?;
        let sequence = self.sequence + 1;
        let own = self.keys.iter().flatten().map(|(epoch, key)| Record::Key(KeyRole::Own(*epoch), *key));
        let broadcast = self.broadcast.iter().map(|(epoch, key)| Record::Key(KeyRole::Broadcast(*epoch), *key));
        let records: Vec<Record, 4> = core::iter::once(Record::State(self.state)).chain(own).chain(broadcast).collect();
        for (index, record) in records.iter().enumerate() {
            let place = Place { page, slot: index + 1 };
            if !write(board, place, *record)? {
                return Err(FlashError { page, offset: place.slot * RECORD_LEN });
            }
        }
        let header = Record::Header { sequence, records: records.len() as u8 };
        if !write(board, Place { page, slot: 0 }, header)? {
            return Err(FlashError { page, offset: 0 });
        }
        self.sequence = sequence;
        if self.oldest == self.end {
            self.oldest = Place { page, slot: 1 };
        }
        self.end = Place { page, slot: records.len() + 1 };
        Ok(())
    }
}
