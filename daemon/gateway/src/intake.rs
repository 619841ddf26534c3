//! The bounded queue between sources and engine: one order, radio first.
//!
//! Each source has its own bound. A full queue of messages loses its oldest one, which is counted and told to the engine
//! as a fact; a full radio queue refuses instead, because a radio frame taken in is acknowledged and must not be lost: its
//! node keeps it and sends it again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vedette_engine::Input;

/// What a source hands over.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// An input for the engine.
    Input(Input),
    /// A radio frame, fresh, with its node's replay window as it is after it.
    Radio {
        /// The input for the engine.
        input: Input,
        /// The node.
        node: u32,
        /// Its windows, as the store keeps them.
        window: Vec<u8>,
    },
    /// A radio frame that was taken in before: to be acknowledged again, once that is committed.
    Repeat {
        /// The source it came by.
        source: String,
        /// The node.
        node: u32,
        /// The counter.
        counter: u32,
    },
}

/// Which frames go first, and what happens when there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Authenticated radio frames: first; refused when full.
    Radio,
    /// Messages of brokers and streams: the oldest is dropped when full.
    Message,
}

/// A source's place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(usize);

/// The queue is full: the frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue is full")]
pub struct Full;

/// The queues of all sources.
#[derive(Debug, Default)]
pub struct Intake {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<Lane>,
    arrivals: u64,
}

#[derive(Debug)]
struct Lane {
    source: String,
    class: Class,
    bound: usize,
    open: bool,
    queue: VecDeque<(u64, Taken)>,
    accepted: u64,
    dropped: u64,
    dropped_untold: u64,
}

/// Figures of one source's queue.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LaneFigures {
    /// The source.
    pub source: String,
    /// Frames taken since the start.
    pub accepted: u64,
    /// Frames dropped since the start.
    pub dropped: u64,
    /// Frames waiting now.
    pub waiting: usize,
}

impl Intake {
    /// A queue for a source; one that was there before keeps its counts and what waits in it.
    pub fn open(&self, source: &str, class: Class, bound: usize) -> Port {
        let mut state = self.lock();
        if let Some(index) = state.lanes.iter().position(|lane| lane.source == source) {
            let lane = &mut state.lanes[index];
            (lane.class, lane.bound, lane.open) = (class, bound, true);
            return Port(index);
        }
        state.lanes.push(Lane {
            source: source.to_owned(),
            class,
            bound,
            open: true,
            queue: VecDeque::new(),
            accepted: 0,
            dropped: 0,
            dropped_untold: 0,
        });
        Port(state.lanes.len() - 1)
    }

    /// The source is gone; what waits of it is still handed on.
    pub fn close(&self, source: &str) {
        for lane in self.lock().lanes.iter_mut().filter(|lane| lane.source == source) {
            lane.open = false;
        }
    }

    /// Hands over a frame.
    ///
    /// # Errors
    /// [`Full`], for a radio source.
    pub fn push(&self, Port(port): Port, taken: Taken) -> Result<(), Full> {
        {
            let mut state = self.lock();
            state.arrivals += 1;
            let arrival = state.arrivals;
            let Some(lane) = state.lanes.get_mut(port) else { return Err(Full) };
            if lane.queue.len() >= lane.bound {
                match lane.class {
                    Class::Radio => return Err(Full),
                    Class::Message => {
                        lane.queue.pop_front();
                        lane.dropped += 1;
                        lane.dropped_untold += 1;
                    }
                }
            }
            lane.accepted += 1;
            lane.queue.push_back((arrival, taken));
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Whether a radio source may take one more frame in.
    #[must_use]
    pub fn has_room(&self, Port(port): Port) -> bool {
        self.lock().lanes.get(port).is_some_and(|lane| lane.queue.len() < lane.bound)
    }

    /// Waits until there is something that [`Self::take`] would give. Safe to cancel.
    pub async fn arrival(&self, with_radio: bool) {
        loop {
            let arrived = self.arrived.notified();
            if self.lock().lanes.iter().any(|lane| lane.offers(with_radio) && !lane.queue.is_empty()) {
                return;
            }
            arrived.await;
        }
    }

    /// Takes out at most `limit` frames: radio first, unless it is held back, then all others in the order of their arrival.
    pub fn take(&self, limit: usize, with_radio: bool, into: &mut Vec<Taken>) {
        let mut state = self.lock();
        for _ in 0..limit {
            let first = state
                .lanes
                .iter_mut()
                .filter(|lane| lane.offers(with_radio))
                .filter_map(|lane| {
                    lane.queue.front().map(|(arrival, _)| (lane.class as u8, *arrival)).map(|key| (key, lane))
                })
                .min_by_key(|(key, _)| *key);
            let Some((_, taken)) = first.and_then(|(_, lane)| lane.queue.pop_front()) else { return };
            into.push(taken);
        }
    }

    /// Drops since the last call, by source.
    pub fn take_drops(&self) -> Vec<(String, u64)> {
        let mut state = self.lock();
        let told = state.lanes.iter_mut().filter(|lane| lane.dropped_untold > 0);
        told.map(|lane| (lane.source.clone(), std::mem::take(&mut lane.dropped_untold))).collect()
    }

    /// Figures of every source.
    #[must_use]
    pub fn figures(&self) -> Vec<LaneFigures> {
        let figures = |lane: &Lane| LaneFigures {
            source: lane.source.clone(),
            accepted: lane.accepted,
            dropped: lane.dropped,
            waiting: lane.queue.len(),
        };
        self.lock().lanes.iter().filter(|lane| lane.open || !lane.queue.is_empty()).map(figures).collect()
    }

    /// No code panics with the lock held, and the queues are whole between statements in any case.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn offers(&self, with_radio: bool) -> bool {
        with_radio || self.class != Class::Radio
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(counter: u32) -> Taken {
        Taken::Repeat { source: String::new(), node: 0, counter }
    }

    fn intake() -> (Intake, Port, Port) {
        let intake = Intake::default();
        let (mqtt, radio) = (intake.open("mqtt", Class::Message, 2), intake.open("radio", Class::Radio, 2));
        (intake, mqtt, radio)
    }

    #[test]
    fn radio_goes_first_and_the_rest_in_order() {
        let (intake, mqtt, radio) = intake();
        for (port, counter) in [(mqtt, 1), (radio, 2), (mqtt, 3), (radio, 4)] {
            assert_eq!(intake.push(port, tick(counter)), Ok(()));
        }
        let mut taken = Vec::new();
        intake.take(3, true, &mut taken);
        assert_eq!(taken, [tick(2), tick(4), tick(1)]);
    }

    #[test]
    fn a_source_that_is_closed_and_opened_again_goes_on() {
        let (intake, mqtt, _) = intake();
        assert_eq!(intake.push(mqtt, tick(1)), Ok(()));
        intake.close("mqtt");
        assert_eq!(intake.figures().len(), 2, "something of it still waits");
        let mut taken = Vec::new();
        intake.take(9, true, &mut taken);
        assert_eq!(taken, [tick(1)]);
        assert_eq!(intake.figures().len(), 1);
        assert_eq!(intake.open("mqtt", Class::Message, 5), mqtt);
        assert_eq!(intake.figures()[0].accepted, 1);
    }

    #[test]
    fn a_full_message_queue_loses_its_oldest_and_says_so_once() {
        let (intake, mqtt, _) = intake();
        for counter in 1..=5 {
            assert_eq!(intake.push(mqtt, tick(counter)), Ok(()));
        }
        let mut taken = Vec::new();
        intake.take(9, true, &mut taken);
        assert_eq!(taken, [tick(4), tick(5)]);
        assert_eq!(intake.take_drops(), [("mqtt".to_owned(), 3)]);
        assert_eq!(intake.take_drops(), []);
        assert_eq!(intake.figures()[0].dropped, 3);
    }

    #[test]
    fn a_full_radio_queue_refuses() {
        let (intake, _, radio) = intake();
        assert_eq!([1, 2, 3].map(|counter| intake.push(radio, tick(counter))), [Ok(()), Ok(()), Err(Full)]);
        assert!(!intake.has_room(radio));
        let mut taken = Vec::new();
        intake.take(9, false, &mut taken);
        assert_eq!(taken, [], "radio is held back");
        assert_eq!(intake.take_drops(), []);
    }

    #[tokio::test]
    async fn waiting_ends_with_an_arrival() {
        let (intake, mqtt, _) = intake();
        let intake = std::sync::Arc::new(intake);
        let waiter = tokio::spawn({
            let intake = intake.clone();
            async move { intake.arrival(true).await }
        });
        tokio::task::yield_now().await;
        intake.push(mqtt, tick(1)).expect("there is room");
        tokio::time::timeout(std::time::Duration::from_secs(5), waiter).await.expect("woken").expect("no panic");
    }
}
