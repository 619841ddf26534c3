//! What the uplink reports: for the engine, for the log, or a store that is an old copy.

use vedette_delivery::Epoch;
use vedette_delivery::uplink::{Report, Uplink};
use vedette_engine::Fact;

use super::super::shelf::Shelf;
use super::Note;

/// What a report means for the engine; those that mean nothing to it are logged.
pub(super) fn note(report: &Report) -> Option<Note> {
    let fact = match report {
        Report::Centre { up } => {
            tracing::info!(up, "centre");
            Fact::UplinkState { up: *up }
        }
        Report::Quarantined { seq, code } => {
            tracing::error!(seq, code, "the broker refuses this alert for good");
            Fact::OutboxDropped { count: 1 }
        }
        Report::Store(error) => {
            tracing::error!("store: {error}");
            Fact::StorageFault { what: "outbox".to_owned(), error: error.to_string() }
        }
        other => {
            tracing::warn!("uplink: {other:?}");
            return None;
        }
    };
    Some(Note::Fact(fact))
}

/// The centre knows numbers this store never gave: the store is an old copy, and numbers must not be given twice.
pub(super) fn renew(uplink: &mut Uplink, store: &mut Shelf) {
    let renewed = crate::random::hex().map_err(|error| error.to_string());
    let renewed = renewed.and_then(|epoch| uplink.renew(store, Epoch(epoch)).map_err(|error| error.to_string()));
    match renewed {
        Ok(()) => tracing::warn!("the store is an old copy: a new epoch begins"),
        Err(error) => tracing::error!("the store is an old copy, and no new epoch could be begun: {error}"),
    }
}
