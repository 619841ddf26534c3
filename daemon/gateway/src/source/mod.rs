//! Sources: where frames come from. Each is one file with an `async fn run` that ends only when the daemon does.

mod backoff;
mod links;
pub mod mqtt;
pub mod serial;

pub use backoff::Backoff;
pub use links::{LinkFigures, Links};

use std::sync::Arc;

use crate::clock::SharedClock;
use crate::intake::Intake;
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
}
