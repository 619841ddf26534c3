//! Signs of life of everything that must not hang: each source, fusion, commit and uplink.
//!
//! A stage shows a sign of life whenever its loop comes round, also when nothing happened: a quiet source makes
//! progress, a task that waits for something that never comes, or has panicked, does not. The watchdog is fed only while
//! all of them do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest time between two signs of life that a stage's loop leaves.
const EVERY: Duration = Duration::from_secs(1);
/// A stage without a sign of life for this long hangs; a slow disk takes a while.
const PATIENCE: Duration = Duration::from_secs(20);

/// The stages of a daemon.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    stages: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
}

/// One stage's way to show signs of life.
#[derive(Clone, Debug)]
pub struct Beat {
    started: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { started: Instant::now(), stages: Mutex::default() }
    }
}

impl Progress {
    /// A stage that is watched from now on, in the place of a former one of that name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Beat {
        let beat = Beat { started: self.started, last_ms: Arc::default() };
        beat.beat();
        self.lock().insert(name.to_owned(), Arc::clone(&beat.last_ms));
        beat
    }

    /// A stage that ended because it was told to.
    pub fn retire(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Time since the last sign of life, by stage.
    #[must_use]
    pub fn ages(&self) -> BTreeMap<String, Duration> {
        let now_ms = since_ms(self.started);
        let age = |last: &AtomicU64| Duration::from_millis(now_ms.saturating_sub(last.load(Ordering::Relaxed)));
        self.lock().iter().map(|(name, last)| (name.clone(), age(last))).collect()
    }

    /// The stages that hang.
    #[must_use]
    pub fn stalled(&self) -> Vec<String> {
        let hangs = |(name, age): (String, Duration)| (age >= PATIENCE).then_some(name);
        self.ages().into_iter().filter_map(hangs).collect()
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<AtomicU64>>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beat {
    /// A sign of life.
    pub fn beat(&self) {
        self.last_ms.store(since_ms(self.started), Ordering::Relaxed);
    }

    /// Waits for something that may rightly take for ever.
    pub async fn while_waiting<T>(&self, something: impl Future<Output = T>) -> T {
        tokio::pin!(something);
        loop {
            self.beat();
            tokio::select! {
                biased;
                done = &mut something => return done,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

fn since_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves the start back, as if the time had passed.
    fn later(progress: &mut Progress, by: Duration) {
        progress.started = progress.started.checked_sub(by).expect("a machine that is up for longer");
    }

    #[test]
    fn any_stage_that_hangs_is_named_and_the_others_are_not() {
        let mut progress = Progress::default();
        let names = ["ingest/field", "fusion", "commit", "uplink"];
        let beats = names.map(|name| progress.stage(name));
        assert!(progress.stalled().is_empty());
        for hanging in 0..names.len() {
            later(&mut progress, PATIENCE);
            for (index, beat) in beats.iter().enumerate().filter(|(index, _)| *index != hanging) {
                Beat { started: progress.started, ..beat.clone() }.beat();
                assert!(index < names.len());
            }
            assert_eq!(progress.stalled(), [names[hanging]]);
            Beat { started: progress.started, ..beats[hanging].clone() }.beat();
        }
        later(&mut progress, PATIENCE);
        names.iter().for_each(|name| progress.retire(name));
        assert!(progress.stalled().is_empty(), "what was told to end is not watched");
    }

    #[tokio::test]
    async fn waiting_is_progress() {
        let progress = Progress::default();
        let beat = progress.stage("ingest/quiet");
        let waiting =
            tokio::time::timeout(Duration::from_millis(2500), beat.while_waiting(std::future::pending::<()>()));
        assert!(waiting.await.is_err());
        assert!(progress.ages()["ingest/quiet"] < Duration::from_millis(2000), "{:?}", progress.ages());
    }
}
