//! Messages that were refused, told so that they do not drown the alerts: the first of a topic at once, the others as a
//! number.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vedette_delivery::ledger::Announcement;

/// What follows the first complaint about a topic is counted for this long.
const COUNTED_FOR: Duration = Duration::from_secs(60);
/// Topics kept apart; more are counted together.
const MAX_TOPICS: usize = 32;
/// Stands for all topics beyond those.
const OTHERS: &str = "other topics";

/// What was refused lately, by topic.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    counted: BTreeMap<String, Counted>,
}

#[derive(Debug)]
struct Counted {
    until: Instant,
    more: u64,
    newest: String,
}

impl Complaints {
    /// Takes in a refusal; what there is to tell at once.
    pub(crate) fn hear(&mut self, now: Instant, topic: String, reason: String) -> Option<Announcement> {
        let is_known = self.counted.contains_key(&topic);
        let key = if is_known || self.counted.len() < MAX_TOPICS { topic.clone() } else { OTHERS.to_owned() };
        if let Some(counted) = self.counted.get_mut(&key) {
            counted.more += 1;
            counted.newest = reason;
            return None;
        }
        tracing::warn!(topic, reason, "message refused");
        self.counted.insert(key, Counted { until: now + COUNTED_FOR, more: 0, newest: String::new() });
        Some(Announcement::Refused { topic, reason })
    }

    /// The numbers that are due.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Announcement> {
        let mut due = Vec::new();
        self.counted.retain(|topic, counted| {
            if now < counted.until {
                return true;
            }
            if counted.more == 0 {
                return false;
            }
            let seconds = COUNTED_FOR.as_secs();
            let reason =
                format!("and {} more like it within {seconds} s, at last: {}", grouped(counted.more), counted.newest);
            tracing::warn!(topic, reason, "messages refused");
            due.push(Announcement::Refused { topic: topic.clone(), reason });
            (counted.until, counted.more) = (now + COUNTED_FOR, 0);
            true
        });
        due
    }
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(told: impl IntoIterator<Item = Announcement>) -> Vec<String> {
        let reason = |announcement| match announcement {
            Announcement::Refused { topic, reason } => format!("{topic}: {reason}"),
            other => panic!("{other:?}"),
        };
        told.into_iter().map(reason).collect()
    }

    #[test]
    fn three_thousand_refusals_are_two_lines() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        let mut told = Vec::new();
        for n in 0..3000 {
            told.extend(complaints.hear(start, "a/alert".to_owned(), format!("not signed {n}")));
            told.extend(complaints.due(start));
        }
        told.extend(complaints.due(start + COUNTED_FOR));
        let expected =
            ["a/alert: not signed 0", "a/alert: and 2,999 more like it within 60 s, at last: not signed 2999"];
        assert_eq!(reasons(told), expected);
        assert_eq!(reasons(complaints.due(start + 2 * COUNTED_FOR)), Vec::<String>::new());
        assert!(complaints.hear(start, "a/alert".to_owned(), "again".to_owned()).is_some());
    }

    #[test]
    fn names_without_end_fill_neither_memory_nor_screen() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        let told = (0..3000).filter_map(|n| complaints.hear(start, format!("t{n}"), "no topic".to_owned())).count();
        assert_eq!((told, complaints.counted.len()), (MAX_TOPICS + 1, MAX_TOPICS + 1));
    }
}
