//! The service manager: ready, alive, stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The store's thread must show a sign of life within this time; a slow disk takes a while.
const KEEPER_PATIENCE: Duration = Duration::from_secs(20);

/// Tells systemd how the daemon is; without systemd it does nothing.
#[derive(Debug)]
pub(super) struct Supervisor {
    heartbeat: Arc<AtomicU64>,
    last: (u64, Instant),
}

impl Supervisor {
    /// Watches the store's thread by its heartbeat.
    pub(super) fn new(heartbeat: Arc<AtomicU64>) -> Self {
        Self { heartbeat, last: (0, Instant::now()) }
    }

    /// Everything is started.
    pub(super) fn ready(&self, site: &str) {
        tracing::info!(site, version = env!("CARGO_PKG_VERSION"), "ready");
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("watching {site}"))]);
    }

    /// Called by the engine's task about once a second. The watchdog is fed only while the store's thread lives too.
    pub(super) fn beat(&mut self) {
        let beat = self.heartbeat.load(Ordering::Relaxed);
        if beat != self.last.0 {
            self.last = (beat, Instant::now());
        }
        if self.last.1.elapsed() < KEEPER_PATIENCE {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("the store's thread shows no sign of life; the watchdog is not fed");
        }
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        tracing::info!("stopping");
        tell(&[NotifyState::Stopping]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("service manager: {error}");
    }
}
