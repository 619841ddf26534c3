//! The service manager: ready, alive, reloading, stopping.

use std::sync::Arc;

use sd_notify::NotifyState;

use crate::progress::Progress;

/// Tells systemd how the daemon is; without systemd it does nothing.
#[derive(Debug)]
pub(super) struct Supervisor {
    progress: Arc<Progress>,
    /// The stages that hung when it was last told.
    stalled: Vec<String>,
}

impl Supervisor {
    /// Watches all stages.
    pub(super) const fn new(progress: Arc<Progress>) -> Self {
        Self { progress, stalled: Vec::new() }
    }

    /// Everything is started, or changed as asked.
    pub(super) fn ready(&self, site: &str) {
        tracing::info!(site, version = env!("CARGO_PKG_VERSION"), "ready");
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("watching {site}"))]);
    }

    /// The configuration is read again.
    pub(super) fn reloading(&self) {
        tracing::info!("reloading");
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!("service manager: {error}"),
        }
    }

    /// Called about once a second. The watchdog is fed only while every stage makes progress.
    pub(super) fn beat(&mut self) {
        let stalled = self.progress.stalled();
        if stalled.is_empty() {
            tell(&[NotifyState::Watchdog]);
        } else if stalled != self.stalled {
            tracing::error!(?stalled, "no progress; the watchdog is not fed");
            tell(&[NotifyState::Status(&format!("no progress of {}", stalled.join(", ")))]);
        }
        self.stalled = stalled;
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
