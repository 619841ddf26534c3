//! Sources: where frames come from. Each is one file with an `async fn run` that ends only when the daemon does.

mod backoff;
pub mod cot;
pub mod file;
pub mod gnss;
pub mod http;
mod lines;
mod links;
pub mod meshtastic;
pub mod mqtt;
pub mod sapient;
pub mod serial;

pub use backoff::Backoff;
pub use links::{LinkFigures, Links};

use std::sync::Arc;

use crate::clock::SharedClock;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::rejects::Rejects;

/// What every source works with.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// What time it is.
    pub clock: Arc<SharedClock>,
    /// Where frames go.
    pub intake: Arc<Intake>,
    /// Where refusals are counted.
    pub rejects: Arc<Rejects>,
    /// Where it is told whether the source's device or connection is there.
    pub links: Arc<Links>,
    /// Where a GNSS receiver tells what it knows.
    pub gnss: Arc<gnss::Receiver>,
    /// Where each source shows that it lives, as the stage [`stage`] names.
    pub progress: Arc<Progress>,
}

/// The stage of [`Surroundings::progress`] that a source's task is.
#[must_use]
pub fn stage(source: &str) -> String {
    format!("ingest/{source}")
}
