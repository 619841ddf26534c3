//! Orders test alerts over the gateway's local socket, all the time, and remembers which were answered.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vedette_engine::Severity;
use vedette_gateway::status::{Answer, Request};

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// A thread that orders and remembers.
pub(crate) struct Feeder {
    answered: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feeder {
    pub(crate) fn start(socket: PathBuf) -> Self {
        let (answered, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (ids, ends) = (Arc::clone(&answered), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut n = 0;
            while !ends.load(Ordering::Relaxed) {
                // Whatever breaks, the gateway may be dead: try again soon.
                drop(order_until_it_breaks(&socket, &ids, &ends, &mut n));
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { answered, stop, thread }
    }

    pub(crate) fn count(&self) -> usize {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn answered_within(&self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.count() == 0 && start.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.count() > 0
    }

    /// The alerts the gateway promised.
    pub(crate) fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        // A feeder that panicked has promised nothing more.
        drop(self.thread.join());
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn order_until_it_breaks(
    socket: &Path,
    answered: &Mutex<Vec<String>>,
    stop: &AtomicBool,
    n: &mut usize,
) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let severity = SEVERITIES[*n % SEVERITIES.len()];
        *n += 1;
        let answer = ask(socket, &Request::TestAlert { severity, by: "kills".to_owned() })?;
        if let Answer::Done { done: true, detail } = answer
            && let Some(id) = detail.strip_prefix("test alert ").and_then(|rest| rest.strip_suffix(" raised"))
        {
            answered.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// One question to a gateway's local socket.
pub(crate) fn ask(socket: &Path, request: &Request) -> anyhow::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    line.clear();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
