//! Any bytes as a message between gateway and centre: no panic; an acknowledgement never settles what was not sent, and
//! never makes the uplink lose or invent an alert.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vedette_delivery::engine::{Act, Command, Durable, Engine, Input, Output, Severity, Timestamp};
use vedette_delivery::ledger::{LedgerEvent, MemoryLedger};
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::uplink::Event;
use vedette_delivery::{
    Ack, Answer, Batch, Channel, Envelope, EnvelopeHead, Epoch, GatewayId, Ledger, LedgerConfig, Order, Status, Uplink,
    UplinkConfig, Void, message,
};

const ALERTS: u64 = 12;

/// A store with test alerts of a real engine, made once: writing them takes longer than everything else of a run.
static STORE: LazyLock<MemoryStore> = LazyLock::new(|| {
    let mut store = MemoryStore::new(Epoch("e".to_owned()));
    let (mut uplink, _) = Uplink::start(uplink_config(), now(), &mut store).expect("no fault planned");
    let sealed = uplink.seal(batch());
    uplink.commit(now(), &mut store, &sealed).expect("no fault planned");
    store
});

fn gateway() -> GatewayId {
    GatewayId::new("gate").expect("a valid name")
}

fn uplink_config() -> UplinkConfig {
    UplinkConfig::new(gateway())
}

fn batch() -> Batch {
    let site = "[site]\nid = \"gate\"\norigin = { lat = 52.0, lon = 23.6 }\ntimezone = \"Europe/Warsaw\"\n";
    let mut engine = Engine::new(&toml::from_str(site).expect("a valid text")).expect("a valid configuration");
    let mut out = Vec::new();
    for n in 0..ALERTS {
        let act = Act::TestAlert { severity: Severity::High };
        engine.handle(now(), Input::Command(Command { id: n.to_string(), by: "fuzz".to_owned(), expires_at: None, act }), &mut out);
    }
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    };
    Batch { alerts: out.into_iter().filter_map(alert).collect(), ..Batch::default() }
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_772_323_200)
}

/// A gateway with alerts that wait, told anything as an acknowledgement or an order.
fn tell_gateway(bytes: &[u8]) {
    let mut store = STORE.clone();
    let (mut uplink, _) = Uplink::start(uplink_config(), now(), &mut store).expect("no fault planned");
    let mut actions = Vec::new();
    for event in [Event::Tick, Event::Connected, Event::Subscribed { granted: true }, Event::Subscribed { granted: true }] {
        uplink.handle(now(), &mut store, event, &mut actions);
    }
    let covered = Ack::read(bytes).ok().filter(|ack| ack.epoch.0 == "e").map(|ack| ack.covered()).unwrap_or_default();
    let unknown = covered.last().is_some_and(|last| last > ALERTS);
    for channel in [Channel::Ack, Channel::Command] {
        let event = Event::Message { topic: channel.topic(&gateway()), payload: bytes.to_vec(), properties: Vec::new() };
        uplink.handle(now(), &mut store, event, &mut actions);
    }
    for seq in 1..=ALERTS {
        assert_eq!(uplink.outbox().holds(seq), unknown || !covered.contains(seq), "number {seq}");
    }
}

/// A centre told anything on every channel: what it then acknowledges can be read.
fn tell_centre(bytes: &[u8]) {
    let mut file = MemoryLedger::new();
    let config = LedgerConfig::new(GatewayId::new("centre").expect("a valid name"));
    let mut ledger = Ledger::start(config, now(), &mut file).expect("no fault planned");
    let mut actions = Vec::new();
    for channel in [Channel::Alert, Channel::Void, Channel::Status, Channel::Answer, Channel::Tracks] {
        let (topic, payload) = (channel.topic(&gateway()), bytes.to_vec());
        let event = LedgerEvent::Message { topic, payload, retained: false, properties: Vec::new() };
        ledger.handle(now(), &mut file, event, &mut actions);
        ledger.handle(now().plus_seconds(1.0), &mut file, LedgerEvent::Tick, &mut actions);
    }
}

fuzz_target!(|bytes: &[u8]| {
    macro_rules! same_again {
        ($($kind:ty),+) => {
            $(if let Ok(read) = <$kind>::read(bytes) {
                let again = <$kind>::read(&message::write(&read)).expect("what was written can be read");
                assert_eq!(again, read);
            })+
        };
    }
    same_again!(Ack, Void, Status, Order, Answer, Envelope, EnvelopeHead);
    tell_gateway(bytes);
    tell_centre(bytes);
});
