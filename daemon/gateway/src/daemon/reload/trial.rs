//! A new configuration on trial: whether it does harm.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// How long a new configuration is watched.
pub(super) const WATCH: Duration = Duration::from_secs(60);
/// A new trouble that lasts this long is of the new configuration's making.
const LASTING: Duration = Duration::from_secs(15);

/// A configuration on trial.
pub(super) struct Trial {
    until: Instant,
    /// The configuration's text.
    pub(super) text: String,
    /// Troubles that were there before it.
    before: BTreeSet<String>,
    bad_since: Option<Instant>,
}

/// What a look at a configuration on trial comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is too early to say.
    Waits,
    /// It has stood.
    Stood,
    /// It did harm: these troubles are new.
    Harm(String),
}

impl Trial {
    /// Begins with the troubles there are. When another configuration was on trial until now, the troubles before that one
    /// count: those that it made are no excuse for its successor.
    pub(super) fn new(now: Instant, text: String, troubles: BTreeSet<String>, former: Option<Self>) -> Self {
        let before = former.map_or(troubles, |former| former.before);
        Self { until: now + WATCH, text, before, bad_since: None }
    }

    /// Looks at the troubles there are. One that has come late is given its time to pass or to last.
    pub(super) fn look(&mut self, now: Instant, troubles: &BTreeSet<String>) -> Verdict {
        let new: Vec<&str> = troubles.difference(&self.before).map(String::as_str).collect();
        if new.is_empty() {
            self.bad_since = None;
            return if now >= self.until { Verdict::Stood } else { Verdict::Waits };
        }
        let since = *self.bad_since.get_or_insert(now);
        if now.duration_since(since) >= LASTING { Verdict::Harm(new.join(", ")) } else { Verdict::Waits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn troubles(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Looks each second at the troubles of that second; when it came to something, and to what.
    fn outcome(trial: &mut Trial, begun: Instant, at: impl Fn(u64) -> BTreeSet<String>) -> (u64, Verdict) {
        for second in 0..200 {
            let verdict = trial.look(begun + Duration::from_secs(second), &at(second));
            if verdict != Verdict::Waits {
                return (second, verdict);
            }
        }
        (200, Verdict::Waits)
    }

    #[test]
    fn a_new_trouble_that_lasts_is_harm_and_one_that_passes_or_was_there_is_not() {
        let now = Instant::now();
        let trial = || Trial::new(now, String::new(), troubles(&["source/east"]), None);
        assert_eq!(outcome(&mut trial(), now, |_| troubles(&["source/east"])), (60, Verdict::Stood));
        assert_eq!(outcome(&mut trial(), now, |_| troubles(&["uplink"])), (15, Verdict::Harm("uplink".to_owned())));
        let passes = |second| if second < 10 { troubles(&["uplink"]) } else { troubles(&[]) };
        assert_eq!(outcome(&mut trial(), now, passes), (60, Verdict::Stood));
    }

    /// A connection that hangs is noticed after three keep-alives: near the end of the minute.
    #[test]
    fn a_trouble_of_the_last_seconds_is_not_passed_over() {
        let now = Instant::now();
        let mut trial = Trial::new(now, String::new(), troubles(&[]), None);
        let late = |second| if second < 55 { troubles(&[]) } else { troubles(&["uplink"]) };
        assert_eq!(outcome(&mut trial, now, late), (70, Verdict::Harm("uplink".to_owned())));
    }

    #[test]
    fn what_a_configuration_on_trial_has_broken_is_held_against_the_next_one_too() {
        let now = Instant::now();
        let first = Trial::new(now, String::new(), troubles(&[]), None);
        let mut again = Trial::new(now, String::new(), troubles(&["uplink"]), Some(first));
        assert_eq!(outcome(&mut again, now, |_| troubles(&["uplink"])), (15, Verdict::Harm("uplink".to_owned())));
    }
}
