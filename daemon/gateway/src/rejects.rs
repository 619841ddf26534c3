//! Counts what sources refuse, by reason, and logs it at a bounded rate.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vedette_engine::Fact;

/// Most messages about refusals written to the log in one period; the counts go on.
const LOGGED_PER_PERIOD: u32 = 10;

/// Source and reason.
type Key = (String, &'static str);

/// Counters of refused frames, shared by all sources.
#[derive(Debug, Default)]
pub struct Rejects {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: BTreeMap<Key, u64>,
    untold: BTreeMap<Key, u64>,
    logged: u32,
}

impl Rejects {
    /// Counts one refused frame and logs why, unless much was logged in this period already.
    pub fn count(&self, source: &str, reason: &'static str, detail: &dyn std::fmt::Display) {
        let mut state = self.lock();
        let key = (source.to_owned(), reason);
        *state.untold.entry(key.clone()).or_default() += 1;
        *state.total.entry(key).or_default() += 1;
        state.logged += 1;
        match state.logged {
            1..=LOGGED_PER_PERIOD => tracing::warn!(source, reason, "frame refused: {detail}"),
            _ if state.logged == LOGGED_PER_PERIOD + 1 => tracing::warn!("more frames refused; only counted for now"),
            _ => {}
        }
    }

    /// Ends a period: what was refused in it, as facts for the engine.
    pub fn end_period(&self) -> Vec<Fact> {
        let mut state = self.lock();
        state.logged = 0;
        let untold = std::mem::take(&mut state.untold);
        let fact =
            |((source, reason), count): (Key, u64)| Fact::FramesRejected { source, reason: reason.to_owned(), count };
        untold.into_iter().map(fact).collect()
    }

    /// Counts since the start, by source, then by reason.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<String, BTreeMap<&'static str, u64>> {
        let mut totals: BTreeMap<String, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for ((source, reason), count) in &self.lock().total {
            totals.entry(source.clone()).or_default().insert(reason, *count);
        }
        totals
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_told_once_and_counted_for_ever() {
        let rejects = Rejects::default();
        for _ in 0..50 {
            rejects.count("radio", "forged", &"test");
        }
        let count = 50;
        assert_eq!(
            rejects.end_period(),
            [Fact::FramesRejected { source: "radio".to_owned(), reason: "forged".to_owned(), count }]
        );
        assert_eq!(rejects.end_period(), []);
        assert_eq!(rejects.totals()["radio"]["forged"], 50);
    }
}
