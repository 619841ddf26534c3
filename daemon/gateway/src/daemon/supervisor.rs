//! The service manager: ready, alive, reloading, stopping.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::progress::Progress;

/// Longest time that telling takes; what is not taken by then is not told.
const PATIENCE: Duration = Duration::from_millis(50);

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
    let Some(address) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let text = states.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    if let Err(error) = send(&address, &text) {
        tracing::debug!("service manager: {error}");
    }
}

/// Sends one datagram; a service manager that does not read holds the caller up for [`PATIENCE`] at most.
fn send(address: &OsStr, text: &str) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    match address.as_encoded_bytes() {
        [b'@', name @ ..] => socket.send_to_addr(text.as_bytes(), &SocketAddr::from_abstract_name(name)?)?,
        _ => socket.send_to(text.as_bytes(), Path::new(address))?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_service_manager_that_does_not_read_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        let mut text = [0; 64];
        assert_eq!(manager.recv(&mut text).unwrap(), 7);
        let begun = Instant::now();
        let error = (0..10_000).find_map(|_| send(path.as_os_str(), "WATCHDOG=1").err()).expect("its queue is bounded");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn an_abstract_address_is_reached() {
        let name = format!("vedette-notify-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(OsStr::new(&format!("@{name}")), "STOPPING=1").unwrap();
        let mut text = [0; 64];
        assert_eq!(manager.recv(&mut text).unwrap(), 10);
    }
}
