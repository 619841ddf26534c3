//! A centre at work: what it needs, what it did, and why it ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use vedette_delivery::ledger::Announcement;
use vedette_delivery::store::StoreError;
use vedette_delivery::{GatewayId, Ledger, Order};

use crate::audience::Audience;
use crate::clock::Clock;
use crate::driver::{Driver, Wake};
use crate::link::Link;
use crate::{Config, ConfigError, SqliteLedger};

/// An order of somebody at the centre.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRequest {
    /// To whom.
    pub gateway: GatewayId,
    /// What.
    pub order: Order,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Alerts entered in the ledger, its own included.
    pub alerts: u64,
    /// Messages not accepted.
    pub refused: u64,
    /// Messages dropped because the ledger did not keep up; their gateways repeated them.
    pub dropped: u64,
}

/// Why a centre could not run, or not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CentreError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The ledger could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread could not be started.
    #[error("starting a thread: {0}")]
    System(std::io::Error),
    /// Nobody can be told what comes: to acknowledge it would be to lose it.
    #[error("people can be told nothing any more: {reason}; what they were not told yet comes again at the next start")]
    Unheard {
        /// Why the telling failed.
        reason: String,
    },
    /// The ledger's thread ended unexpectedly.
    #[error("the ledger's thread ended: {0}")]
    Thread(String),
}

/// Runs a centre until `stop` completes. Whatever is committed is handed to `tell`, in a thread of its own; while it does
/// not return, messages wait and are not acknowledged. Of a configuration that comes meanwhile it takes over what a running
/// centre can, once all of it has been examined.
///
/// # Errors
/// When it cannot start, and when `tell` fails: an alert that nobody sees must not be acknowledged. Whatever else
/// fails, it goes on, and says so.
pub async fn run(
    config: Config,
    tell: impl FnMut(&Announcement) -> std::io::Result<()> + Send + 'static,
    mut orders: mpsc::Receiver<OrderRequest>,
    mut configurations: mpsc::Receiver<Result<Config, ConfigError>>,
    stop: impl Future<Output = ()>,
) -> Result<Summary, CentreError> {
    // Read again for each connection; here for the sake of whoever starts a centre that could never connect.
    config.broker_options()?;
    config.check_keys()?;
    for (path, mode) in config.exposed_secrets() {
        tracing::warn!("{}: mode {mode:03o}: others can read this secret; expected 600", path.display());
    }
    let mut clock = Clock::new();
    let mut store = SqliteLedger::new(&config.ledger.path);
    let ledger = Ledger::start(config.ledger_settings()?, clock.now(), &mut store)?;
    let (wake, woken) = channel();
    let alarm = wake.clone();
    // The driver is gone only when the centre has stopped.
    let audience = Audience::start(tell, move || drop(alarm.send(Wake::Look))).map_err(CentreError::System)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let link = Link::new(config.clone(), wake.clone());
    let mut driver = Driver::new(ledger, store, clock, link, audience, Arc::clone(&stopping), config);
    let handle = Handle::current();
    let mut worker = tokio::task::spawn_blocking(move || {
        let _runtime = handle.enter();
        driver.note_configuration(whoami());
        driver.work(&woken);
        driver.finish(&handle)
    });
    tokio::pin!(stop);
    let (mut orders_open, mut configurations_open) = (true, true);
    let ended = loop {
        tokio::select! {
            () = &mut stop => {
                stopping.store(true, Ordering::Release);
                // A thread that is gone needs no stopping; joining tells why.
                drop(wake.send(Wake::Stop));
                break worker.await;
            }
            ended = &mut worker => break ended,
            order = orders.recv(), if orders_open => match order {
                Some(order) => drop(wake.send(Wake::Order(order))),
                None => orders_open = false,
            },
            read = configurations.recv(), if configurations_open => match read {
                Some(read) => drop(wake.send(Wake::Configuration(Box::new(read)))),
                None => configurations_open = false,
            },
        }
    };
    ended.map_err(|error| CentreError::Thread(error.to_string()))?
}

/// Who runs this program, for the audit log.
pub(crate) fn whoami() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    if name.trim().is_empty() { "centre".to_owned() } else { vedette_delivery::words::printable(&name) }
}
