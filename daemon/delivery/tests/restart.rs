//! A gateway that dies comes back as the engine it was: from snapshot and journal, and without a snapshot for every alert.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use proptest::prelude::*;
use vedette_delivery::engine::config::EngineConfig;
use vedette_delivery::engine::time::format_rfc3339;
use vedette_delivery::engine::{
    Act, Command, Engine, Fact, Frame, FrameContent, Input, PictureRate, RadioFrame, Severity, Timestamp,
};
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::recovery::{RecoveryFault, recover};
use vedette_delivery::store::Changes;
use vedette_delivery::{Epoch, Limits, Outbox, Store, Trail, Window, Work};

const SITE: &str = r#"
[site]
id = "gate"
origin = { lat = 52.0, lon = 23.6 }

[[sensor]]
id = "radar-1"
kind = "radar"
position = { east_m = 0.0, north_m = 0.0 }
coverage = { shape = "circle", radius_m = 150.0 }
scan_period_s = 4.0
position_sd_m = 5.0

[[sensor]]
id = "trip-1"
kind = "tripwire"
node = 1
coverage = { shape = "line", from_m = [180.0, 0.0], to_m = [200.0, 0.0] }

[[zone]]
name = "depot"
kind = "alert"
points_m = [[-150.0, 30.0], [150.0, 30.0], [150.0, 90.0], [-150.0, 90.0]]
severity = "critical"
"#;

fn config(text: &str) -> EngineConfig {
    toml::from_str(text).unwrap()
}

/// What a commit tells the store of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Whole,
    RadioOnly,
    AsBefore,
}

struct Gateway {
    config: EngineConfig,
    engine: Engine,
    now: Timestamp,
    work: Work,
    trail: Trail,
    outbox: Outbox,
    snapshots: usize,
    alerts: usize,
}

impl Gateway {
    fn start(config: EngineConfig, store: &mut MemoryStore) -> (Self, Vec<RecoveryFault>) {
        let (outbox, restart) = Outbox::start(Limits::default(), store).unwrap();
        let recovered = recover(&config, &restart).unwrap();
        let now = recovered.now.max(Timestamp::from_seconds(1_772_000_000));
        let engine = recovered.engine.with_pictures(PictureRate::OnRequest);
        let (work, trail) = (recovered.work, recovered.trail);
        (Self { config, engine, now, work, trail, outbox, snapshots: 0, alerts: 0 }, recovered.faults)
    }

    fn handle(&mut self, input: Input) {
        self.now = self.now.plus_seconds(0.5);
        self.trail.told(self.now, &input).unwrap();
        let mut out = Vec::new();
        self.engine.handle(self.now, input, &mut out);
        out.into_iter().for_each(|output| self.work.take(output));
    }

    fn order(&mut self) {
        let act = Act::TestAlert { severity: Severity::Low };
        self.handle(Input::Command(Command {
            id: format!("{:?}", self.now),
            by: "test".to_owned(),
            expires_at: None,
            act,
        }));
    }

    fn message(&mut self, bytes: Vec<u8>) {
        let content = FrameContent::Message { codec: "native".to_owned(), topic: None, retained: false, bytes };
        self.handle(Input::Frame(Frame { source: "radar".to_owned(), received: self.now, content }));
    }

    fn plot(&mut self, north_m: f64) {
        let t = format_rfc3339(self.now);
        let plots = format!(r#"[{{"kind":"position","east_m":3.0,"north_m":{north_m:.1}}}]"#);
        self.message(format!(r#"{{"v":1,"sensor":"radar-1","t":"{t}","plots":{plots}}}"#).into_bytes());
    }

    fn radio(&mut self, counter: u32) {
        self.work.replace_window(Window { node: 1, state: counter.to_be_bytes().to_vec() });
        let frame = RadioFrame { node: 1, counter, exercise: false, payload: vec![0; 4], rssi_dbm: -90, snr_qdb: 4 };
        let content = FrameContent::Radio(frame);
        self.handle(Input::Frame(Frame { source: "radio".to_owned(), received: self.now, content }));
    }

    fn commit(&mut self, store: &mut MemoryStore, due: bool) -> Known {
        let mut work = std::mem::take(&mut self.work);
        self.trail.complete(&mut work, &self.engine, self.now, due).unwrap();
        let batch = &work.batch;
        let known = match (&batch.snapshot, batch.journal.last()) {
            (Some(_), _) => Known::Whole,
            (None, Some(entry)) if entry.whole => Known::Whole,
            (None, Some(_)) => Known::RadioOnly,
            (None, None) => Known::AsBefore,
        };
        self.snapshots += usize::from(batch.snapshot.is_some());
        self.alerts += batch.alerts.len();
        let sealed = self.outbox.seal(work.batch);
        self.outbox.commit(self.now, store, &sealed).unwrap();
        known
    }

    fn state(&self) -> Vec<u8> {
        let bytes = self.engine.snapshot_bytes().unwrap();
        assert!(bytes == self.engine.snapshot().to_bytes().unwrap());
        bytes
    }
}

fn store() -> MemoryStore {
    MemoryStore::new(Epoch("epoch".to_owned()))
}

#[derive(Clone, Debug)]
enum Step {
    Plot(f64),
    /// A message as large as a journal may become.
    Large,
    Tick,
    Order,
    Fault,
    Radio,
    Commit {
        due: bool,
    },
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-100.0..100.0).prop_map(Step::Plot),
        1 => Just(Step::Large),
        2 => Just(Step::Tick),
        2 => Just(Step::Order),
        1 => Just(Step::Fault),
        2 => Just(Step::Radio),
        6 => prop::bool::weighted(0.1).prop_map(|due| Step::Commit { due }),
        2 => Just(Step::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_leads_to_the_engine_of_the_last_commit(steps in prop::collection::vec(step(), 1..60)) {
        let mut store = store();
        let (mut gateway, _) = Gateway::start(config(SITE), &mut store);
        let mut committed = None;
        for (step, counter) in steps.into_iter().zip(1..) {
            match step {
                Step::Plot(north_m) => gateway.plot(north_m),
                Step::Large => gateway.message(vec![b'x'; 70_000]),
                Step::Tick => gateway.handle(Input::Tick),
                Step::Order => gateway.order(),
                Step::Fault => gateway.handle(Input::Fact(Fact::OutboxDropped { count: 1 })),
                Step::Radio => gateway.radio(counter),
                Step::Commit { due } => {
                    let said = gateway.work.batch.alerts.len() + gateway.work.batch.audit.len() > 0;
                    let known = gateway.commit(&mut store, due);
                    prop_assert!(known == Known::Whole || !said, "a restart would not know what was said");
                    match known {
                        Known::Whole => committed = Some(gateway.state()),
                        Known::RadioOnly => committed = None,
                        Known::AsBefore => {}
                    }
                }
                Step::Kill => {
                    let (next, faults) = Gateway::start(config(SITE), &mut store);
                    prop_assert!(faults.is_empty(), "{faults:?}");
                    if let Some(committed) = &committed {
                        prop_assert!(next.state() == *committed, "another engine came back");
                        prop_assert!(next.work.is_empty(), "{:?}", next.work);
                    }
                    gateway = Gateway { alerts: gateway.alerts, ..next };
                }
            }
        }
    }
}

#[test]
fn alerts_bring_a_journal_and_seldom_a_snapshot() {
    let mut store = store();
    let (mut gateway, _) = Gateway::start(config(SITE), &mut store);
    for _ in 0..200 {
        gateway.order();
        gateway.commit(&mut store, false);
    }
    assert!(gateway.alerts >= 200, "{} alerts", gateway.alerts);
    assert!(gateway.snapshots <= 3, "{} snapshots for 200 alerts", gateway.snapshots);
    let (next, _) = Gateway::start(config(SITE), &mut store);
    assert!(next.state() == gateway.state());
    assert!(next.work.is_empty(), "what was committed is not said again");
}

#[test]
fn a_configuration_that_changed_while_nothing_ran_changes_the_engine_that_comes_back() {
    let mut store = store();
    let (mut gateway, _) = Gateway::start(config(SITE), &mut store);
    gateway.order();
    gateway.commit(&mut store, false);
    gateway.order();
    gateway.commit(&mut store, false);
    let ids = |gateway: &Gateway| gateway.engine.open_alerts().map(|alert| alert.id.clone()).collect::<Vec<_>>();
    let before = ids(&gateway);
    let more = format!(
        "{SITE}\n[[sensor]]\nid = \"pir-2\"\nkind = \"pir\"\nnode = 2\nposition = {{ east_m = 9.0, north_m = 9.0 }}\n\
         coverage = {{ shape = \"circle\", radius_m = 15.0 }}\n"
    );
    let (next, faults) = Gateway::start(config(&more), &mut store);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!((ids(&next), before.len()), (before, 2), "another set of sensors does not cost the open alerts");
    assert_eq!(next.engine.site().sensors.len(), 3);
    assert!(next.work.batch.audit.iter().any(|record| record.act == "reconfigure"));
    assert_eq!(next.work.batch.alerts, []);
    assert_eq!(next.config.sensor.len(), 3);
}

#[test]
fn ids_do_not_come_again_when_a_snapshot_or_a_store_is_lost() {
    let mut store = store();
    let mut ids = std::collections::BTreeSet::new();
    let mut raise = |store: &mut MemoryStore| {
        let (mut gateway, _) = Gateway::start(config(SITE), store);
        for _ in 0..3 {
            gateway.order();
        }
        gateway.commit(store, false);
        let raised: Vec<String> = gateway.engine.open_alerts().map(|alert| alert.id.clone()).collect();
        ids.extend(raised);
        ids.len()
    };
    assert_eq!(raise(&mut store), 3);
    store.commit(&Changes { snapshot: Some(b"damaged".to_vec()), ..Changes::default() }).unwrap();
    assert_eq!(raise(&mut store), 6, "the snapshot was lost");
    assert_eq!(raise(&mut MemoryStore::new(Epoch("another".to_owned()))), 9, "the store was lost");
}

#[test]
fn a_journal_of_an_earlier_version_is_read() {
    let input = Input::Fact(Fact::OutboxDropped { count: 7 });
    for input in [input, Input::Tick] {
        assert_eq!(Input::from_bytes(&serde_json::to_vec(&input).unwrap()).unwrap(), input);
        assert_eq!(Input::from_bytes(&input.to_bytes().unwrap()).unwrap(), input);
    }
    assert!(Input::from_bytes(b"").is_err());
}
