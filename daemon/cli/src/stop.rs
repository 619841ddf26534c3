//! The wish to stop: SIGTERM or SIGINT.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves with the first of both signals.
///
/// # Errors
/// When they cannot be listened for.
pub(crate) fn asked() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
