//! Whether the device or connection of each source, or of each sink, is there, for the engine and for the status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use vedette_engine::Fact;

/// The state of all links.
#[derive(Debug, Default)]
pub struct Links {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    links: BTreeMap<String, LinkFigures>,
    untold: Vec<Fact>,
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
            all.untold.retain(|fact| !matches!(fact, Fact::SourceLink { source: other, .. } if other == source));
            all.untold.push(Fact::SourceLink { source: source.to_owned(), up });
        }
        self.changed.notify_one();
    }

    /// The source is not wanted any more: it is not missed.
    pub fn forget(&self, source: &str) {
        {
            let mut all = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            all.links.remove(source);
            all.untold.retain(|fact| !matches!(fact, Fact::SourceLink { source: other, .. } if other == source));
            all.untold.push(Fact::SourceLink { source: source.to_owned(), up: true });
        }
        self.changed.notify_one();
    }

    /// Waits for a change. Safe to cancel.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Changes since the last call.
    pub fn take_facts(&self) -> Vec<Fact> {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).untold)
    }

    /// All links by source.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, LinkFigures> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).links.clone()
    }
}
