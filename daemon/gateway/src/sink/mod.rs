//! Sinks: other systems that are told what the gateway sees. Each is one module with an `async fn run` that ends only when
//! the daemon does.
//!
//! What may be lost (tracks, sensors) comes as the newest [`View`] through a watch channel: who is slow sees fewer of them.
//! What may not (alerts) is read from the store by each sink at its own pace, with a cursor of its own
//! ([`outbox::Outbox`]). So a slow or dead sink delays neither the engine nor the centre nor another sink.

pub mod cot;
pub mod geojson;
pub mod outbox;
pub mod sapient;
mod view;

pub use view::{SeenSensor, SeenTrack, View};

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::SharedClock;
use crate::source::Links;
use crate::status::{Answer, Request};

/// An order with where its answer goes.
pub type Asked = (Request, oneshot::Sender<Answer>);

/// What every sink works with.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The newest picture; none before the first.
    pub views: watch::Receiver<Option<Arc<View>>>,
    /// Where alerts are read.
    pub alerts: outbox::Reader,
    /// Where it is told whether the sink's connection is there.
    pub links: Arc<Links>,
    /// What time it is.
    pub clock: Arc<SharedClock>,
    /// Where orders of other systems go, and their answers come from.
    pub orders: mpsc::Sender<Asked>,
}
