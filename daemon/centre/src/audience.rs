//! Tells people what was committed, in a thread of its own: a terminal that takes nothing stops neither the pings to the
//! broker nor the end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use vedette_delivery::ledger::Announcement;

/// Announcements that may wait to be told; while there is no room, nothing more is taken in or acknowledged.
const MAX_WAITING: usize = 256;
/// Time between two looks for room.
const LOOK_FOR_ROOM_EVERY: Duration = Duration::from_millis(20);

/// People, and what they were told.
pub(crate) struct Audience {
    queue: SyncSender<Announcement>,
    state: Arc<State>,
    ended: Receiver<()>,
}

#[derive(Default)]
struct State {
    /// The last line of the ledger that was told.
    told: AtomicU64,
    failure: OnceLock<String>,
}

/// How an announcement was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handed {
    /// There was room, after this time.
    After(Duration),
    /// There was none before the centre was to stop, or nobody can be told any more.
    No,
}

impl Audience {
    /// Tells everything with `tell`; after its first error nothing more, and `on_failure` is called.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        mut tell: impl FnMut(&Announcement) -> std::io::Result<()> + Send + 'static,
        on_failure: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel::<Announcement>(MAX_WAITING);
        let (end, ended) = sync_channel(0);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::Builder::new().name("audience".to_owned()).spawn(move || {
            // Dropped when this thread ends, which is how its end is noticed.
            let _end = end;
            for announcement in waiting {
                if let Err(error) = tell(&announcement) {
                    // Set once, by this thread.
                    drop(shared.failure.set(error.to_string()));
                    on_failure();
                    return;
                }
                if let Announcement::Alert { entry, .. } = &announcement {
                    shared.told.fetch_max(entry.n, Ordering::AcqRel);
                }
            }
        })?;
        Ok(Self { queue, state, ended })
    }

    /// Hands over an announcement, and waits for room unless `gives_up`.
    pub(crate) fn tell(&self, announcement: Announcement, gives_up: impl Fn() -> bool) -> Handed {
        let begun = Instant::now();
        let mut announcement = announcement;
        loop {
            if self.failure().is_some() {
                return Handed::No;
            }
            announcement = match self.queue.try_send(announcement) {
                Ok(()) => return Handed::After(begun.elapsed()),
                Err(TrySendError::Disconnected(_)) => return Handed::No,
                Err(TrySendError::Full(back)) => back,
            };
            if gives_up() {
                return Handed::No;
            }
            std::thread::sleep(LOOK_FOR_ROOM_EVERY);
        }
    }

    /// The last line of the ledger that people were told.
    pub(crate) fn told(&self) -> u64 {
        self.state.told.load(Ordering::Acquire)
    }

    /// Why nobody can be told anything any more.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.state.failure.get().map(String::as_str)
    }

    /// Lets everything that waits be told, for at most `limit`; the last line told, and what failed.
    pub(crate) fn finish(self, limit: Duration) -> (u64, Option<String>) {
        let Self { queue, state, ended } = self;
        drop(queue);
        // Nothing is ever sent: either the thread ends, or its time is over.
        let _ = ended.recv_timeout(limit);
        (state.told.load(Ordering::Acquire), state.failure.get().cloned())
    }
}

#[cfg(test)]
mod tests {
    use vedette_delivery::Verdict;
    use vedette_delivery::engine::Timestamp;
    use vedette_delivery::ledger::Entry;
    use vedette_delivery::{Epoch, GatewayId};

    use super::*;

    fn alert(n: u64) -> Announcement {
        let entry = Entry {
            n,
            gateway: GatewayId::new("gate-1").unwrap(),
            epoch: Epoch("e".to_owned()),
            seq: n,
            received_at: Timestamp::from_seconds(1),
            verdict: Verdict::Unsigned,
            digest: [0; 8],
            bytes: Vec::new(),
        };
        Announcement::Alert { entry, alert: None }
    }

    #[test]
    fn a_terminal_that_takes_nothing_keeps_a_bounded_number_waiting_and_stops_nobody() {
        let audience = Audience::start(
            |_| loop {
                std::thread::park();
            },
            || (),
        )
        .unwrap();
        let begun = Instant::now();
        let mut taken = 0;
        while let Handed::After(_) = audience.tell(alert(taken + 1), || true) {
            taken += 1;
        }
        // One more may be in the hand of the one who tells.
        assert!((MAX_WAITING as u64..=MAX_WAITING as u64 + 1).contains(&taken), "{taken}");
        assert_eq!(audience.finish(Duration::from_millis(50)), (0, None));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn only_what_was_told_without_an_error_counts_as_told() {
        let (failed, failure) = std::sync::mpsc::channel();
        let tell = |announcement: &Announcement| match announcement {
            Announcement::Alert { entry, .. } if entry.n == 3 => Err(std::io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        };
        let audience = Audience::start(tell, move || failed.send(()).unwrap()).unwrap();
        for n in 1..=4 {
            audience.tell(alert(n), || false);
        }
        failure.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(audience.told(), 2);
        assert!(audience.failure().is_some());
        assert_eq!(audience.tell(alert(5), || false), Handed::No);
    }
}
