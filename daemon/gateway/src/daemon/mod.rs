//! `vedette run`: sources, engine, store and uplink as tasks, from start to graceful stop.
//!
//! One task owns the engine and takes everything in one order; one thread owns the store and the uplink; each source and
//! the status socket have a task of their own. Frames come through the bounded [`crate::intake::Intake`]; outputs go to the
//! store in groups, and what depends on them comes back once they are durable.

mod certificates;
mod core;
mod keeper;
mod outlets;
mod past;
mod peers;
mod reload;
mod shelf;
mod socket;
mod sources;
mod supervisor;
mod transport;

pub use past::Past;
pub(crate) use peers::peers;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use vedette_delivery::{GatewayId, Limits, StoreError, Trail, UplinkConfig, Work, recovery};
use vedette_engine::{EngineError, Fact, PictureRate, Timestamp};

use crate::clock::{Clock, SharedClock, UNSET_BEFORE_S};
use crate::config::Config;
use crate::http::{Observation, Observe};
use crate::progress::Progress;
use crate::radio::{KeyFileError, Nodes, WindowStateError, ring_of};
use crate::retention::Rules;
use crate::signing::{self, SigningError};
use crate::source::Surroundings;
use crate::status::OutboxFigures;
use crate::store::{SqliteStore, StoreLimits};
use certificates::Certificates;
use keeper::{Keeper, Note};
use outlets::{Outlets, Recordings};
use reload::{Parts, Reloader};
use shelf::Shelf;
use sources::{Downlinks, SourceTasks};
use supervisor::Supervisor;
use transport::Terminal;

/// Requests that may wait for the engine's task.
const REQUEST_QUEUE: usize = 16;

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// Not even memory can be used as a store.
    #[error("store")]
    Store(#[from] StoreError),
    /// The engine cannot be made.
    #[error("engine")]
    Engine(#[from] EngineError),
    /// The node keys cannot be read.
    #[error("keys")]
    Keys(#[from] KeyFileError),
    /// The stored replay windows cannot be used.
    #[error("replay windows")]
    Windows(#[from] WindowStateError),
    /// A key that signs, or whose orders are obeyed, cannot be used.
    #[error("signatures")]
    Signing(#[from] SigningError),
    /// The site's name cannot be a gateway's.
    #[error("site.id")]
    Name(#[from] vedette_delivery::topic::TopicError),
    /// The system refused something.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: String,
        /// The system's error.
        error: std::io::Error,
    },
}

impl DaemonError {
    /// Whether the configuration is to blame, or a file that it names.
    #[must_use]
    pub const fn is_of_configuration(&self) -> bool {
        matches!(self, Self::Engine(_) | Self::Keys(_) | Self::Signing(_) | Self::Name(_))
    }

    /// The error with its causes, on one line.
    pub(crate) fn in_full(&self) -> String {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |told, cause| format!("{told}: {cause}"))
    }
}

/// Whether the daemon could work with a configuration here and now: keys stand in files of their own, and are read only
/// when they are used.
///
/// # Errors
/// When a key cannot be used.
pub fn check(config: &Config) -> Result<(), DaemonError> {
    uplink_config(config)?;
    ring_of(config.radio.as_ref(), config.engine.site.exercise)?;
    Ok(())
}

/// Where a configuration came from, so that it can be read again.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Its text.
    pub text: String,
    /// What is kept of earlier ones.
    pub past: Option<Past>,
    /// It is the last good one, for the file that should be used is wrong.
    pub fallback: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ending {
    /// What the centre has not acknowledged is on the disk.
    Whole,
    /// There was no usable store, and so many alerts were in memory only.
    Lost {
        /// How many.
        alerts: u64,
    },
    /// The disk did not answer in time: what was to be written last may be lost.
    Unknown,
}

/// Runs until `stop`, then ends within two seconds, with nothing lost where the store can be used. With an origin, a
/// hang-up signal reloads the configuration.
///
/// # Errors
/// When it cannot start.
pub async fn run(
    config: Config,
    origin: Option<Origin>,
    stop: impl Future<Output = ()>,
) -> Result<Ending, DaemonError> {
    let system = |what: String| move |error| DaemonError::System { what, error };
    let socket = socket::Socket::bind(&config.status.socket);
    let socket = socket.map_err(system(format!("status socket {}", config.status.socket.display())))?;
    let (asked, asked_by) = mpsc::channel(REQUEST_QUEUE);
    let (observe, observers) = mpsc::channel(REQUEST_QUEUE);
    let recordings = Recordings::default();
    let Started { core, keeper, parts } =
        start(&config, (asked.clone(), asked_by), (observe, observers), recordings.clone())?;
    let mut tasks = JoinSet::new();
    tasks.spawn(socket.run(asked));
    let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || keeper.run());
    let thread = thread.map_err(system("thread".to_owned()))?;
    let mut supervisor = Supervisor::new(Arc::clone(&parts.progress));
    supervisor.ready(&config.engine.site.id);
    if let Some(origin) = origin {
        let hangup = signal(SignalKind::hangup()).map_err(system("signals".to_owned()))?;
        tasks.spawn(Reloader::new(parts, origin, config).run(hangup));
        core.run(stop, || supervisor.beat()).await;
    } else {
        core.run(stop, || supervisor.beat()).await;
        // Until now its sources had to run.
        drop(parts);
    }
    supervisor.stopping();
    tasks.abort_all();
    // The keeper ends by itself: its last commit was waited for, and its goodbye is bounded.
    // The recording closes its last file when the engine's task is gone.
    let kept = tokio::task::spawn_blocking(move || thread.join());
    let recorded = tokio::task::spawn_blocking(move || recordings.join());
    let patience = tokio::time::Instant::now() + Duration::from_secs(1);
    let kept = tokio::time::timeout_at(patience, kept).await;
    if tokio::time::timeout_at(patience, recorded).await.is_err() {
        tracing::error!("stopping although the recording is not closed; `vedette record recover` makes it whole");
    }
    Ok(match kept {
        Ok(Ok(Ok(0))) => Ending::Whole,
        Ok(Ok(Ok(alerts))) => Ending::Lost { alerts },
        // A thread that panicked has said so.
        Ok(_) => Ending::Unknown,
        Err(_) => {
            tracing::error!("stopping although the store has not ended: what was to be written last may be lost");
            Ending::Unknown
        }
    })
}

struct Started {
    core: core::Core,
    keeper: Keeper,
    parts: Parts,
}

/// Restores engine, windows and outbox from the store, and starts the sources.
fn start(
    config: &Config,
    (orders, asked): (mpsc::Sender<socket::Asked>, mpsc::Receiver<socket::Asked>),
    (observe, observers): (Observe, mpsc::Receiver<oneshot::Sender<Box<Observation>>>),
    recordings: Recordings,
) -> Result<Started, DaemonError> {
    let (started, wall) = (Instant::now(), SystemTime::now());
    let now = Clock::new(started, wall, Timestamp::MIN).now(started);
    let uplink_config = uplink_config(config)?;
    let gateway = uplink_config.gateway.clone();
    let (mut store, uplink, restart) =
        Shelf::open(store(config), config.store.file.clone(), uplink_config.clone(), now)?;
    let recovered = recovery::recover(&config.engine, &restart)?;
    for fault in &recovered.faults {
        tracing::error!("{fault}");
    }
    let clock = Arc::new(SharedClock::new(Clock::new(started, wall, recovered.now)));

    let ring = ring_of(config.radio.as_ref(), config.engine.site.exercise)?;
    let windows = restart.windows.iter().map(|window| (window.node, window.state.as_slice()));
    let nodes = Arc::new(Nodes::new(&ring, windows, first_down(wall))?);

    let (jobs, jobs_taken) = std::sync::mpsc::channel();
    let (notes, notes_taken) = mpsc::unbounded_channel();
    let (newest, newest_seen) = watch::channel(uplink.outbox().last_seq());
    let figures = Arc::new(OutboxFigures::default());
    let has_centre = !config.sink.centre.is_empty();
    figures.set(&uplink, &store.report(), (0, None), has_centre, recovered.now);
    let trouble = store.trouble().map(|error| Fact::StoreState { usable: false, error: error.to_owned() });
    let nonce = crate::random::bytes().map(u64::from_le_bytes);
    let nonce = nonce.map_err(|error| DaemonError::System { what: "/dev/urandom".to_owned(), error })?;
    for fact in [Some(Fact::Started { nonce }), store.take_fault(), trouble].into_iter().flatten() {
        // Its receiver is about to be handed over.
        let _ = notes.send(Note::Fact(fact));
    }
    let to_transport = Terminal { gateway, runtime: tokio::runtime::Handle::current(), jobs: jobs.clone() };
    let transport = config.sink.centre.first().map(|sink| to_transport.open(&uplink_config, sink.broker.clone()));
    let mut work = Work { batch: store.take_owed(), ..Work::default() };
    let owed = !work.batch.is_empty();
    work.batch.alerts.extend(recovered.work.batch.alerts);
    work.batch.audit.extend(recovered.work.batch.audit);
    let progress = Arc::new(Progress::default());
    let keeper = Keeper {
        store,
        uplink,
        transport,
        to_transport,
        clock: Arc::clone(&clock),
        jobs: jobs_taken,
        notes: notes.clone(),
        figures: Arc::clone(&figures),
        newest,
        committing: progress.stage("commit"),
        sending: progress.stage("uplink"),
        damage: None,
    };

    let surroundings = Surroundings {
        clock: Arc::clone(&clock),
        intake: Arc::default(),
        rejects: Arc::default(),
        links: Arc::default(),
        gnss: Arc::default(),
        progress: Arc::clone(&progress),
    };
    let downlinks = Arc::new(Downlinks::default());
    let mut sources = SourceTasks::new(surroundings.clone(), Arc::clone(&nodes), Arc::clone(&downlinks));
    sources.apply(config);
    let (views, seen) = watch::channel(None);
    let feed = peers::feed(config, jobs.clone(), newest_seen, seen, Arc::clone(&clock), orders);
    let sinks = Arc::clone(&feed.links);
    let mut outlets = Outlets::new(feed, observe.clone(), recordings);
    outlets.apply(config);
    let recorder = outlets.recorder(config)?.flatten();
    let pace = pace(config);
    let core = core::Core {
        engine: recovered.engine.with_pictures(PictureRate::OnRequest),
        surroundings,
        sinks,
        nodes: Arc::clone(&nodes),
        downlinks,
        jobs: jobs.clone(),
        notes: notes_taken,
        asked,
        observers,
        outbox: figures,
        config: config.engine.clone(),
        recorder,
        views,
        pace,
        work,
        trail: if owed { Trail::new(&config.engine) } else { recovered.trail },
        state: core::State::new(&pace, owed),
        fusion: progress.stage("fusion"),
        retention: Rules::new(config),
        certificates: Certificates::new(config),
    };
    let parts = Parts { sources, outlets, nodes, notes, jobs, observe, clock, progress };
    Ok(Started { core, keeper, parts })
}

fn store(config: &Config) -> SqliteStore {
    let max_file_bytes = u64::from(config.store.max_size_mib) << 20;
    SqliteStore::new(&config.store.file, StoreLimits { max_file_bytes, ..StoreLimits::default() })
}

/// The first counter towards a node of which the store knows nothing: the seconds since 2024. An earlier store that is
/// gone has used smaller ones, for it acknowledged less than one frame a second, and no nonce may be used twice.
fn first_down(wall: SystemTime) -> u32 {
    let since_1970 = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    u32::try_from(since_1970.saturating_sub(UNSET_BEFORE_S)).unwrap_or(0)
}

fn uplink_config(config: &Config) -> Result<UplinkConfig, DaemonError> {
    let mut uplink = UplinkConfig::new(GatewayId::new(config.engine.site.id.as_str())?);
    let table = &config.uplink;
    uplink.window = usize::try_from(table.window).unwrap_or(usize::MAX);
    uplink.rate_limit_bps = table.rate_limit_bps;
    uplink.retry_min_s = table.retry_s;
    uplink.retry_max_s = uplink.retry_max_s.max(table.retry_s);
    uplink.status_every_s = table.status_interval_s;
    uplink.tracks_every_s = table.tracks_interval_s;
    // The file holds snapshot, journal and audit log beside the envelopes.
    let max_bytes = u64::from(config.store.max_size_mib) << 19;
    uplink.limits = Limits { max_bytes, ..Limits::default() };
    if let Some(sink) = config.sink.centre.first() {
        uplink.stall_s = 3.0 * f64::from(sink.broker.keep_alive_s);
        uplink.signer = sink.signing.as_ref().map(signing::signer).transpose()?;
        uplink.orders = signing::keyring(&sink.order_key)?;
    }
    let seed =
        crate::random::bytes().map_err(|error| DaemonError::System { what: "/dev/urandom".to_owned(), error })?;
    uplink.seed = u64::from_le_bytes(seed);
    Ok(uplink)
}

fn pace(config: &Config) -> core::Pace {
    let tracks =
        Some(config.uplink.tracks_interval_s).filter(|&interval| interval > 0.0 && !config.sink.centre.is_empty());
    core::Pace {
        commit_interval: Duration::from_millis(config.store.commit_interval_ms),
        snapshot_interval: Duration::from_secs(config.store.snapshot_interval_s),
        tracks_interval: tracks.map(Duration::from_secs_f64),
    }
}
