//! What the uplink reports: for the engine, for the log, or a store that is an old copy.

use vedette_delivery::uplink::{Report, Uplink};
use vedette_delivery::{Epoch, StoreError};
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
            Fact::AlertRefused { code: *code }
        }
        Report::Store(error) => return Some(store_fault(error)),
        other => {
            tracing::warn!("uplink: {}", in_words(other));
            return None;
        }
    };
    Some(Note::Fact(fact))
}

/// The outbox could not be read or written.
pub(super) fn store_fault(error: &StoreError) -> Note {
    tracing::error!("store: {error}");
    Note::Fact(Fact::StorageFault { what: "outbox".to_owned(), error: error.to_string() })
}

fn in_words(report: &Report) -> String {
    match report {
        Report::NoSubscriber { topic } => format!("the broker lives, and no centre listens to {topic}"),
        Report::NotAuthorised { topic } => format!("the broker does not allow {topic} to this gateway"),
        Report::Unacknowledged { waiting } => {
            format!(
                "the centre answers and acknowledges none of {waiting} waiting alerts: it may refuse them, or its disk is full"
            )
        }
        Report::Stalled => "no answer of the broker for three keep-alives; connecting anew".to_owned(),
        Report::Isolated { seq } => {
            format!("connections broke with alert {seq} again and again; it is sent alone and last")
        }
        Report::Refused { topic, reason } => format!("a message on {topic} was refused: {reason}"),
        Report::Forgotten { numbers } => format!("the centre has forgotten {numbers} alerts; they are sent again"),
        Report::StoreIsOld => "the centre knows more than this store: it is an old copy".to_owned(),
        other => format!("{other:?}"),
    }
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
