//! The two ends of a recording: the engine's task hands over, a thread of its own writes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vedette_engine::config::EngineConfig;
use vedette_engine::geo::SiteFrame;
use vedette_engine::{Alert, Engine, Input, Picture, Timestamp};

use super::file::{RecordingFile, encoded, enforce_quota};
use super::{topic, viewer};
use crate::config::Record;

/// Messages that may wait for the disk.
const QUEUE: usize = 16_384;
/// Time until a new file is tried after one failed.
const RETRY: Duration = Duration::from_secs(30);

/// A file that has been written for so long is as good as any.
const PROVEN: Duration = Duration::from_secs(5);

/// A message for the file, or the beginning of the next file.
#[derive(Debug)]
enum Item {
    Begin { now: Timestamp, snapshot: Vec<u8>, config: String },
    Message { topic: &'static str, now: Timestamp, data: Vec<u8> },
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes of the present file.
    bytes: AtomicU64,
    /// Why the present file cannot be written, until the engine's end has seen it.
    fault: Mutex<Option<String>>,
    /// Recordings deleted for the quota, until somebody asks.
    deleted: Mutex<Vec<String>>,
}

/// The engine's end.
#[derive(Debug)]
pub struct Recorder {
    items: SyncSender<Item>,
    shared: Arc<Shared>,
    rotate_bytes: u64,
    rotate_after: Duration,
    begun: Option<Instant>,
    retry_at: Option<Instant>,
    /// Why nothing is recorded, until a new file has been written for a while.
    trouble: Option<String>,
}

/// The disk's end.
#[derive(Debug)]
pub struct Writer {
    items: Receiver<Item>,
    shared: Arc<Shared>,
    dir: PathBuf,
    site: String,
    quota_bytes: u64,
    rotate_bytes: u64,
    flush_after: Duration,
}

/// A recorder and its writer, to be run on a thread of its own.
#[must_use]
pub fn pair(record: &Record, site: &str) -> (Recorder, Writer) {
    let (give, take) = sync_channel(QUEUE);
    let shared = Arc::<Shared>::default();
    let recorder = Recorder {
        items: give,
        shared: Arc::clone(&shared),
        rotate_bytes: record.rotate_mib << 20,
        rotate_after: Duration::from_secs(record.rotate_s),
        begun: None,
        retry_at: None,
        trouble: None,
    };
    let writer = Writer {
        items: take,
        shared,
        dir: record.dir.clone(),
        site: site.to_owned(),
        quota_bytes: record.quota_mib << 20,
        rotate_bytes: record.rotate_mib << 20,
        flush_after: Duration::from_secs(record.flush_s),
    };
    (recorder, writer)
}

impl Recorder {
    /// Records what `engine` is about to be told, beginning a new file first when it is time.
    ///
    /// # Errors
    /// Why the recording has just been given up for a while.
    pub fn tell(
        &mut self,
        engine: &Engine,
        config: &EngineConfig,
        now: Timestamp,
        input: &Input,
    ) -> Result<(), String> {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let due = self.begun.is_none_or(|begun| begun.elapsed() >= self.rotate_after)
            || self.shared.bytes.load(Ordering::Relaxed) >= self.rotate_bytes;
        let begun = if due { self.begin(engine, config, now) } else { Ok(()) };
        let told = begun.and_then(|()| {
            let data = encoded(now, input).map_err(|error| error.to_string())?;
            let taken = self.offer(Item::Message { topic: topic::INPUT, now, data });
            taken.then_some(()).ok_or_else(|| "the disk is too slow".to_owned())
        });
        if let Err(error) = &told {
            tracing::error!("recording: {error}");
        }
        let fault = self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(why) = fault.or(told.err()) {
            self.begun = None;
            self.retry_at = Some(Instant::now() + RETRY);
            self.trouble = Some(why.clone());
            return Err(why);
        }
        if self.begun.is_some_and(|begun| begun.elapsed() >= PROVEN) {
            self.trouble = None;
        }
        Ok(())
    }

    /// Why nothing is recorded at present.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Recordings deleted for the quota since the last call.
    #[must_use]
    pub fn take_deleted(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.deleted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an alert the engine raised.
    pub fn alert(&mut self, now: Timestamp, alert: &Alert) {
        self.aside(now, || viewer::alert(alert));
    }

    /// Records a picture for viewers.
    pub fn picture(&mut self, now: Timestamp, picture: &Picture, frame: &SiteFrame) {
        self.aside(now, || viewer::picture(picture, frame));
    }

    /// What replay does not need may be left out when the disk is slow.
    fn aside(&mut self, now: Timestamp, messages: impl FnOnce() -> Vec<(&'static str, Vec<u8>)>) {
        if self.begun.is_some() {
            for (topic, data) in messages() {
                let _ = self.items.try_send(Item::Message { topic, now, data });
            }
        }
    }

    fn begin(&mut self, engine: &Engine, config: &EngineConfig, now: Timestamp) -> Result<(), String> {
        let snapshot = engine.snapshot_bytes().map_err(|error| error.to_string())?;
        let config = serde_json::to_string(config).map_err(|error| error.to_string())?;
        self.shared.bytes.store(0, Ordering::Relaxed);
        if !self.offer(Item::Begin { now, snapshot, config }) {
            return Err("the disk is too slow".to_owned());
        }
        self.begun = Some(Instant::now());
        self.retry_at = None;
        Ok(())
    }

    fn offer(&self, item: Item) -> bool {
        match self.items.try_send(item) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

impl Writer {
    /// Writes until the recorder is gone; then closes the last file.
    pub fn run(self) {
        let mut file: Option<RecordingFile> = None;
        let mut flushed = Instant::now();
        loop {
            let item = match self.items.recv_timeout(self.flush_after.saturating_sub(flushed.elapsed())) {
                Ok(item) => Some(item),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let done = match item {
                Some(Item::Begin { now, snapshot, config }) => self.begin(&mut file, now, &snapshot, config),
                Some(Item::Message { topic, now, data }) => {
                    file.as_mut().map_or(Ok(()), |file| file.write(topic, now, &data))
                }
                None => Ok(()),
            };
            let done = done.and_then(|()| {
                if flushed.elapsed() >= self.flush_after {
                    flushed = Instant::now();
                    file.as_mut().map_or(Ok(()), RecordingFile::flush)?;
                }
                Ok(())
            });
            match done {
                Ok(()) => self.shared.bytes.store(file.as_ref().map_or(0, RecordingFile::bytes), Ordering::Relaxed),
                Err(error) => {
                    // Libraries in between name neither the file nor the cause.
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    let told = format!("{}: {}", self.dir.display(), cause.unwrap_or_else(|| error.to_string()));
                    tracing::error!("recording: {told}");
                    file = None;
                    *self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
                }
            }
        }
        if let Some(Err(error)) = file.map(RecordingFile::finish) {
            tracing::error!("recording: {error}");
        }
    }

    fn begin(
        &self,
        file: &mut Option<RecordingFile>,
        now: Timestamp,
        snapshot: &[u8],
        config: String,
    ) -> mcap::McapResult<()> {
        if let Some(last) = file.take() {
            last.finish()?;
        }
        // Room for the file that begins, so that the folder never holds more than the quota.
        let deleted = enforce_quota(&self.dir, self.quota_bytes.saturating_sub(self.rotate_bytes))?;
        self.shared.deleted.lock().unwrap_or_else(PoisonError::into_inner).extend(deleted);
        *file = Some(RecordingFile::create(&self.dir, &self.site, now, snapshot, config)?);
        Ok(())
    }
}
