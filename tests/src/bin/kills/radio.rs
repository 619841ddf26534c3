//! A radio node on a pseudo terminal that is unplugged now and then: it tells of one event after the other, each until it
//! is acknowledged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use e2e::Node;
use vedette_wire::Key;

/// Time between two events.
const PAUSE: Duration = Duration::from_millis(250);
/// Time after which an event is sent again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Shared {
    replug: AtomicBool,
    stop: AtomicBool,
    acknowledged: AtomicU64,
}

/// The thread that is the node.
pub(crate) struct Radio {
    shared: Arc<Shared>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Radio {
    /// Starts the node; the gateway finds its device under `link`, as it would under `/dev/serial/by-id`.
    pub(crate) fn start(number: u32, key: Key, link: PathBuf) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut node = Node::new(number, &key)?;
                point(&link, node.path())?;
                let _ = ready.send(());
                tell(&mut node, &link, &theirs).await
            })
        });
        is_ready.recv().context("the radio node did not start")?;
        Ok(Self { shared, thread })
    }

    /// Pulls the plug and plugs it in again; the device has another path then.
    pub(crate) fn replug(&self) {
        self.shared.replug.store(true, Ordering::Relaxed);
    }

    /// Events that were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Ends once the last event is acknowledged; how many were.
    pub(crate) fn stop(self) -> anyhow::Result<u64> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the radio node panicked"))??;
        Ok(self.shared.acknowledged.load(Ordering::Relaxed))
    }
}

fn point(link: &Path, device: &Path) -> anyhow::Result<()> {
    let new = link.with_extension("new");
    std::os::unix::fs::symlink(device, &new)?;
    Ok(std::fs::rename(new, link)?)
}

async fn tell(node: &mut Node, link: &Path, shared: &Shared) -> anyhow::Result<()> {
    let (mut event, mut sent) = (0_u16, 0_u32);
    while !shared.stop.load(Ordering::Relaxed) {
        let first = sent;
        loop {
            if shared.replug.swap(false, Ordering::Relaxed) {
                node.replug()?;
                point(link, node.path())?;
            }
            let frame = node.tamper_frame_again(event)?;
            sent += 1;
            // A line nobody reads fills up, and an acknowledgement of an earlier event may still be on its way.
            let written = tokio::time::timeout(RETRY, node.send(&frame)).await;
            if matches!(written, Ok(Ok(()))) && node.acknowledged(RETRY).await.is_ok_and(|counter| counter >= first) {
                break;
            }
        }
        event = event.wrapping_add(1);
        shared.acknowledged.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
