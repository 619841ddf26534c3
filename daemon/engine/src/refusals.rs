//! Reports that cannot be used for the time they are stamped with: whose clock is wrong, and how.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use crate::book::text;

/// So many refused in a row, over so long, are a wrong clock. Fewer were on their way for too long.
const WRONG_FROM: u32 = 3;
const WRONG_OVER_S: f64 = 60.0;
/// Nothing is known any more of a clock that stamped nothing for so long.
const FORGOTTEN_AFTER_S: f64 = 86_400.0;
/// A clock this far behind has begun anew, five years.
const NEVER_SET_S: f64 = 157_680_000.0;

/// Reports of one sender that were refused for their time, with none that was used between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusals {
    count: u32,
    first: Timestamp,
    last: Timestamp,
    /// What the last one was stamped with.
    stamped: Timestamp,
}

impl Refusals {
    /// Counts one more.
    pub(crate) fn note(refusals: &mut Option<Self>, now: Timestamp, stamped: Timestamp) {
        let known = refusals.take().filter(|known| now.seconds_since(known.last) < FORGOTTEN_AFTER_S);
        let (count, first) = known.map_or((0, now), |known| (known.count, known.first));
        *refusals = Some(Self { count: count.saturating_add(1), first, last: now, stamped });
    }

    /// Since when the clock is wrong and how, for people; nothing while that may be an accident.
    pub(crate) fn wrong_clock(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        let lasting = self.count >= WRONG_FROM && self.last.seconds_since(self.first) >= WRONG_OVER_S;
        if !lasting || now.seconds_since(self.last) >= FORGOTTEN_AFTER_S {
            return None;
        }
        Some((self.first, self.how()))
    }

    /// How the clock is wrong, if nothing else explains that nothing has been heard since that time.
    pub(crate) fn since(&self, heard: Timestamp) -> Option<String> {
        (self.last > heard).then(|| self.how())
    }

    fn how(&self) -> String {
        let ahead_s = self.stamped.seconds_since(self.last);
        if ahead_s > 0.0 {
            format!("its clock is {} ahead", text::span(ahead_s))
        } else if ahead_s < -NEVER_SET_S {
            "its clock was never set".to_owned()
        } else {
            format!("it is stamped as {} old", text::span(-ahead_s))
        }
    }
}
