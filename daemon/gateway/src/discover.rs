//! Listens to the configured sources for a while and tells which sensors send that are not configured.
//!
//! Radio concentrators are left out: what a node sends can be read only with its key, and a line that a daemon has open is
//! not for a second reader. Brokers see a client of another name, so that a running daemon keeps its own connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;
use vedette_engine::{Engine, EngineError, Input, PictureRate, Status, Timestamp};

use crate::clock::{Clock, SharedClock};
use crate::config::Config;
use crate::daemon::peers;
use crate::intake::{Class, Taken};
use crate::source::{LinkFigures, Surroundings, mqtt};

/// Frames handled between two looks at the clock.
const BURST: usize = 256;

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    /// The engine's account: unknown sensors, counters, faults.
    pub status: Status,
    /// The sources, and whether they were there.
    pub links: BTreeMap<String, LinkFigures>,
    /// Messages by source.
    pub messages: BTreeMap<String, u64>,
}

/// Listens for `time`.
///
/// # Errors
/// When no engine can be made of the configuration.
pub async fn listen(config: &Config, time: Duration) -> Result<Heard, EngineError> {
    let mut engine = Engine::new(&config.engine)?.with_pictures(PictureRate::OnRequest);
    let surroundings = Surroundings {
        clock: Arc::new(SharedClock::new(Clock::new(Instant::now(), SystemTime::now(), Timestamp::MIN))),
        intake: Arc::default(),
        rejects: Arc::default(),
        links: Arc::default(),
        gnss: Arc::default(),
        progress: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    for mut source in config.source.mqtt.iter().cloned() {
        let port = surroundings.intake.open(&source.name, Class::Message, source.queue_frames);
        source.broker.client_id = source.broker.client_id.map(|id| format!("{id}-discover"));
        tasks.spawn(mqtt::run(source, port, surroundings.clone()));
    }
    for (name, peer) in peers(config) {
        tasks.spawn(peer.task(&name, &surroundings));
    }
    let end = tokio::time::Instant::now() + time;
    let (mut taken, mut out) = (Vec::new(), Vec::new());
    while tokio::time::timeout_at(end, surroundings.intake.arrival(true)).await.is_ok() {
        surroundings.intake.take(BURST, true, &mut taken);
        for taken in taken.drain(..) {
            if let Taken::Input(input @ Input::Frame(_)) = taken {
                engine.handle(surroundings.clock.now(), input, &mut out);
                out.clear();
            }
        }
    }
    let lanes = surroundings.intake.figures();
    let messages = lanes.into_iter().map(|lane| (lane.source, lane.accepted)).collect();
    Ok(Heard { status: engine.status(), links: surroundings.links.figures(), messages })
}
