//! Watches the centre's ledger grow, and how long it does not.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

const EVERY: Duration = Duration::from_millis(20);

struct State {
    entries: i64,
    last: Instant,
    longest: Duration,
}

/// A thread that looks into the ledger all the time.
pub(crate) struct Arrivals {
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Arrivals {
    pub(crate) fn watch(ledger: PathBuf) -> Self {
        let state = Arc::new(Mutex::new(State { entries: 0, last: Instant::now(), longest: Duration::ZERO }));
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, ends) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut connection = None;
            while !ends.load(Ordering::Relaxed) {
                look(&ledger, &mut connection, &theirs);
                std::thread::sleep(EVERY);
            }
        });
        Self { state, stop, thread: Some(thread) }
    }

    /// A new count of silence begins.
    pub(crate) fn begin(&self) {
        let mut state = lock(&self.state);
        (state.longest, state.last) = (Duration::ZERO, Instant::now());
    }

    /// Longest time without an arrival since the count began.
    pub(crate) fn longest(&self) -> Duration {
        let state = lock(&self.state);
        state.longest.max(state.last.elapsed())
    }

    /// Entries so far.
    pub(crate) fn entries(&self) -> i64 {
        lock(&self.state).entries
    }
}

fn look(ledger: &PathBuf, connection: &mut Option<Connection>, state: &Mutex<State>) {
    if connection.is_none() {
        *connection = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).ok();
    }
    let Some(open) = connection.as_ref() else { return };
    let entries = open.query_row("SELECT coalesce(max(n), 0) FROM entry", [], |row| row.get::<_, i64>(0));
    let Ok(entries) = entries else {
        // The file is being made, or its writer was killed in the middle of something.
        *connection = None;
        return;
    };
    let mut state = lock(state);
    if entries > state.entries {
        let silence = state.last.elapsed();
        (state.longest, state.entries, state.last) = (state.longest.max(silence), entries, Instant::now());
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A watcher that panicked has nothing more to say.
            drop(thread.join());
        }
    }
}
