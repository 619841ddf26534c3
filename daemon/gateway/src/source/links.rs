//! Whether the device or connection of each source, or of each sink, is there, for the engine and for the status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use vedette_engine::Fact;

/// The state of all links of sources, or of sinks.
#[derive(Debug, Default)]
pub struct Links {
    of_sinks: bool,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    links: BTreeMap<String, LinkFigures>,
    /// Changes that the engine has not been told of: which link, and whether it is there.
    untold: Vec<(String, bool)>,
}

/// The state of one link.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LinkFigures {
    /// Whether it is there.
    pub up: bool,
    /// How often it came up since the start.
    pub ups: u64,
    /// Why it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Links {
    /// Those of sinks.
    #[must_use]
    pub fn of_sinks() -> Self {
        Self { of_sinks: true, ..Self::default() }
    }

    /// The source's device or connection is there, or is not and why.
    pub fn set(&self, source: &str, state: Result<(), String>) {
        let up = state.is_ok();
        {
            let mut all = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let initial = || LinkFigures { up: !up, ups: 0, trouble: None };
            let link = all.links.entry(source.to_owned()).or_insert_with(initial);
            let moved = link.up != up;
            link.up = up;
            link.ups += u64::from(moved && up);
            link.trouble = state.err();
            if !moved {
                return;
            }
            match &link.trouble {
                None => tracing::info!(name = source, "link is up"),
                Some(trouble) => tracing::warn!(name = source, "link is down: {trouble}"),
            }
            // A link that flaps faster than the engine listens is told by its last state.
            all.untold.retain(|(other, _)| other != source);
            all.untold.push((source.to_owned(), up));
        }
        self.changed.notify_one();
    }

    /// The source is not wanted any more: it is not missed.
    pub fn forget(&self, source: &str) {
        {
            let mut all = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            all.links.remove(source);
            all.untold.retain(|(other, _)| other != source);
            all.untold.push((source.to_owned(), true));
        }
        self.changed.notify_one();
    }

    /// Waits for a change. Safe to cancel.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Changes since the last call.
    pub fn take_facts(&self) -> Vec<Fact> {
        let untold = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).untold);
        let fact = |(name, up)| {
            if self.of_sinks { Fact::SinkLink { sink: name, up } } else { Fact::SourceLink { source: name, up } }
        };
        untold.into_iter().map(fact).collect()
    }

    /// All links by source.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, LinkFigures> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).links.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_is_told_once_by_its_last_state_and_as_what_it_is() {
        let (sources, sinks) = (Links::default(), Links::of_sinks());
        for links in [&sources, &sinks] {
            links.set("one", Ok(()));
            links.set("one", Err("refused".to_owned()));
            links.set("one", Err("refused again".to_owned()));
        }
        assert_eq!(sources.take_facts(), [Fact::SourceLink { source: "one".to_owned(), up: false }]);
        assert_eq!(sinks.take_facts(), [Fact::SinkLink { sink: "one".to_owned(), up: false }]);
        assert_eq!(sinks.take_facts(), []);
        sinks.forget("one");
        assert_eq!(sinks.take_facts(), [Fact::SinkLink { sink: "one".to_owned(), up: true }]);
    }
}
