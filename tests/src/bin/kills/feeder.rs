//! Orders test alerts over the gateway's local socket, all the time, and remembers which were answered.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vedette_engine::Severity;
use vedette_gateway::status::{Answer, Request};

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// Time between two orders.
const PAUSE: Duration = Duration::from_millis(100);

/// An alert the gateway promised, and the number of the strike it was promised under.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) alert: String,
    pub(crate) strike: u32,
}

/// A thread that orders and remembers.
pub(crate) struct Feeder {
    answered: Arc<Mutex<Vec<Promise>>>,
    strike: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feeder {
    pub(crate) fn start(socket: PathBuf) -> Self {
        let (answered, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let strike = Arc::new(AtomicU32::new(0));
        let (promises, ends, under) = (Arc::clone(&answered), Arc::clone(&stop), Arc::clone(&strike));
        let thread = std::thread::spawn(move || {
            let mut n = 0;
            while !ends.load(Ordering::Relaxed) {
                // Whatever breaks, the gateway may be dead: try again soon.
                drop(order_until_it_breaks(&socket, &promises, &ends, &under, &mut n));
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { answered, strike, stop, thread }
    }

    /// From now on promises are given under this strike.
    pub(crate) fn under(&self, strike: u32) {
        self.strike.store(strike, Ordering::Relaxed);
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
    pub(crate) fn stop(self) -> Vec<Promise> {
        self.stop.store(true, Ordering::Relaxed);
        // A feeder that panicked has promised nothing more.
        drop(self.thread.join());
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn order_until_it_breaks(
    socket: &Path,
    answered: &Mutex<Vec<Promise>>,
    stop: &AtomicBool,
    strike: &AtomicU32,
    n: &mut usize,
) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let severity = SEVERITIES[*n % SEVERITIES.len()];
        *n += 1;
        let answer = ask(socket, &Request::TestAlert { severity, by: "kills".to_owned() })?;
        if let Answer::Done { done: true, detail } = answer
            && let Some(id) = detail.strip_prefix("test alert ").and_then(|rest| rest.strip_suffix(" raised"))
        {
            let promise = Promise { alert: id.to_owned(), strike: strike.load(Ordering::Relaxed) };
            answered.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
        }
        std::thread::sleep(PAUSE);
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
