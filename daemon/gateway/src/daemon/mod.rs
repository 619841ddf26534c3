//! `vedette run`: sources, engine, store and uplink as tasks, from start to graceful stop.
//!
//! One task owns the engine and takes everything in one order; one thread owns the store and the uplink; each source and
//! the status socket have a task of their own. Frames come through the bounded [`crate::intake::Intake`]; outputs go to the
//! store in groups, and what depends on them comes back once they are durable.

mod core;
mod keeper;
mod peers;
mod socket;
mod supervisor;
mod transport;

pub(crate) use peers::{lanes, start_sources};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use vedette_delivery::message::{self, Status};
use vedette_delivery::{Channel, GatewayId, Limits, Store, StoreError, Uplink, UplinkConfig, recovery};
use vedette_engine::{EngineError, PictureRate, Timestamp};
use vedette_mqtt::LastWill;
use vedette_wire::link::Configure;

use crate::clock::{Clock, SharedClock};
use crate::config::{Config, Radio};
use crate::intake::{Class, Intake};
use crate::radio::{KeyFileError, KeyRing, Nodes, WindowStateError, read_ring};
use crate::record::{self, Recorder};
use crate::rejects::Rejects;
use crate::signing::{self, SigningError};
use crate::source::serial::Serial;
use crate::source::{Links, Surroundings, mqtt};
use crate::status::OutboxFigures;
use crate::store::{SqliteStore, StoreLimits};
use keeper::Keeper;
use supervisor::Supervisor;
use transport::Transport;

/// Acknowledgements that may wait for a serial line.
const DOWNLINK_QUEUE: usize = 64;
/// Requests that may wait for the engine's task.
const REQUEST_QUEUE: usize = 16;

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The store cannot be opened.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The engine cannot be made.
    #[error("engine: {0}")]
    Engine(#[from] EngineError),
    /// The node keys cannot be read.
    #[error("keys: {0}")]
    Keys(#[from] KeyFileError),
    /// The stored replay windows cannot be used.
    #[error("replay windows: {0}")]
    Windows(#[from] WindowStateError),
    /// A key that signs, or whose orders are obeyed, cannot be used.
    #[error("signatures: {0}")]
    Signing(#[from] SigningError),
    /// The site's name cannot be a gateway's.
    #[error("{0}")]
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

/// Runs until `stop`, then ends within two seconds with nothing lost.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
    let system = |what: String| move |error| DaemonError::System { what, error };
    if let Some(folder) = config.store.file.parent() {
        std::fs::create_dir_all(folder).map_err(system(folder.display().to_string()))?;
    }
    let store = open_store(&config)?;
    let socket = socket::Socket::bind(&config.status.socket);
    let socket = socket.map_err(system(config.status.socket.display().to_string()))?;
    let (asked, asked_by) = mpsc::channel(REQUEST_QUEUE);
    let Started { core, keeper, mut tasks, heartbeat, recording } = start(&config, store, asked.clone())?;
    tasks.spawn(socket.run(asked));
    let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || keeper.run());
    let thread = thread.map_err(system("thread".to_owned()))?;
    let mut supervisor = Supervisor::new(heartbeat);
    supervisor.ready(&config.engine.site.id);
    core(asked_by).run(stop, || supervisor.beat()).await;
    supervisor.stopping();
    tasks.abort_all();
    // The keeper ends by itself: its last commit was waited for, and its goodbye is bounded.
    // The recording closes its last file when the engine's task is gone.
    let ends = tokio::task::spawn_blocking(move || (thread.join(), recording.map(JoinHandle::join)));
    if tokio::time::timeout(Duration::from_secs(1), ends).await.is_err() {
        tracing::error!("stopping although store or recording have not ended");
    }
    Ok(())
}

struct Started<S, C> {
    core: C,
    keeper: Keeper<S>,
    tasks: JoinSet<()>,
    heartbeat: Arc<AtomicU64>,
    recording: Option<JoinHandle<()>>,
}

/// The store; a damaged file is put aside, for tracking and new alerts must go on.
fn open_store(config: &Config) -> Result<SqliteStore, StoreError> {
    let max_file_bytes = u64::from(config.store.max_size_mib) << 20;
    let mut store = SqliteStore::new(&config.store.file, StoreLimits { max_file_bytes, ..StoreLimits::default() });
    if let Err(error @ StoreError::Damaged { .. }) = store.restart() {
        let aside = store.set_aside()?;
        tracing::error!("the store is damaged and was put aside as {}: {error}", aside.display());
    }
    Ok(store)
}

/// Restores engine, windows and outbox from the store, and starts the sources.
fn start<S: Store>(
    config: &Config,
    mut store: S,
    orders: mpsc::Sender<socket::Asked>,
) -> Result<Started<S, impl FnOnce(mpsc::Receiver<socket::Asked>) -> core::Core>, DaemonError> {
    let (started, wall) = (Instant::now(), SystemTime::now());
    let gateway = GatewayId::new(config.engine.site.id.as_str())?;
    let now = Clock::new(started, wall, Timestamp::MIN).now(started);
    let uplink_config = uplink_config(config, gateway.clone())?;
    let queue = uplink_config.in_flight() + 16;
    let (uplink, restart) = Uplink::start(uplink_config, now, &mut store)?;
    let recovered = recovery::recover(&config.engine, restart.snapshot.as_deref(), &restart.journal)?;
    for fault in &recovered.faults {
        tracing::error!("{fault}");
    }
    let clock = Arc::new(SharedClock::new(Clock::new(started, wall, recovered.now)));

    let ring = config.radio.as_ref().map_or(Ok(KeyRing::new()), |radio| read_ring(&radio.keys_dir))?;
    let windows = restart.windows.iter().map(|window| (window.node, window.state.as_slice()));
    let nodes = Arc::new(Nodes::new(&ring, windows)?);

    let (jobs, jobs_taken) = std::sync::mpsc::channel();
    let (notes, notes_taken) = mpsc::unbounded_channel();
    let (newest, newest_seen) = watch::channel(uplink.outbox().last_seq());
    let (figures, heartbeat) = (Arc::new(OutboxFigures::default()), Arc::new(AtomicU64::new(0)));
    figures.set(uplink.outbox(), false, 0);
    let transport = config.sink.centre.first().map(|sink| {
        let (topic, payload) = (Channel::Status.topic(&gateway), message::write(&Status::offline()));
        let will = LastWill { topic, payload, retain: true };
        Transport::new(sink.broker.clone(), will, queue, tokio::runtime::Handle::current(), jobs.clone())
    });
    let keeper = Keeper {
        store,
        uplink,
        transport,
        clock: Arc::clone(&clock),
        jobs: jobs_taken,
        notes,
        figures: Arc::clone(&figures),
        heartbeat: Arc::clone(&heartbeat),
        newest,
    };

    let (surroundings, mut tasks, downlinks) = start_all_sources(config, &nodes, clock);
    let (views, seen) = watch::channel(None);
    let feed = peers::feed(config, jobs.clone(), newest_seen, seen, &surroundings, orders);
    peers::start_sinks(config, &feed, &mut tasks);
    let recorder = config.record.as_ref().map(|record| start_recorder(record, &config.engine.site.id)).transpose()?;
    let (recorder, recording) = recorder.unzip();
    let (pace, engine_config) = (pace(config), config.engine.clone());
    let core = move |asked| core::Core {
        engine: recovered.engine.with_pictures(PictureRate::OnRequest),
        surroundings,
        nodes,
        downlinks,
        jobs,
        notes: notes_taken,
        asked,
        outbox: figures,
        config: engine_config,
        recorder,
        views,
        pace,
        work: recovered.work,
        state: core::State::new(&pace),
    };
    Ok(Started { core, keeper, tasks, heartbeat, recording })
}

fn start_recorder(table: &crate::config::Record, site: &str) -> Result<(Recorder, JoinHandle<()>), DaemonError> {
    let (recorder, writer) = record::pair(table, site);
    let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run());
    let thread = thread.map_err(|error| DaemonError::System { what: "thread".to_owned(), error })?;
    Ok((recorder, thread))
}

type Downlinks = BTreeMap<String, mpsc::Sender<vedette_wire::SealedFrame>>;

fn start_all_sources(
    config: &Config,
    nodes: &Arc<Nodes>,
    clock: Arc<SharedClock>,
) -> (Surroundings, JoinSet<()>, Downlinks) {
    let serial = config.source.serial.iter().map(|source| (source.name.clone(), Class::Radio, source.queue_frames));
    let brokers = config.source.mqtt.iter().map(|source| (source.name.clone(), Class::Message, source.queue_frames));
    let (intake, ports) = Intake::new(serial.chain(brokers).chain(lanes(config)));
    let surroundings = Surroundings {
        clock,
        intake: Arc::new(intake),
        rejects: Arc::new(Rejects::default()),
        links: Arc::new(Links::default()),
        gnss: Arc::default(),
    };
    let mut ports = ports.into_iter();
    let (mut tasks, mut downlinks) = (JoinSet::new(), BTreeMap::new());
    let settings = config.radio.as_ref().map_or(Configure::DEFAULT, Radio::settings);
    for (source, port) in config.source.serial.iter().zip(ports.by_ref()) {
        let (down, line) = mpsc::channel(DOWNLINK_QUEUE);
        downlinks.insert(source.name.clone(), down);
        let serial = Serial::new(source.clone(), settings, port, Arc::clone(nodes), surroundings.clone(), line);
        tasks.spawn(serial.run());
    }
    for (source, port) in config.source.mqtt.iter().zip(ports.by_ref()) {
        tasks.spawn(mqtt::run(source.clone(), port, surroundings.clone()));
    }
    start_sources(config, ports, &surroundings, &mut tasks);
    (surroundings, tasks, downlinks)
}

fn uplink_config(config: &Config, gateway: GatewayId) -> Result<UplinkConfig, DaemonError> {
    let mut uplink = UplinkConfig::new(gateway);
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
