//! A live run against a gateway's end of the serial line: real pseudo terminal, real frames, acknowledgements.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vedette_sim::live::{Line, LiveEvent, LiveOptions, node_key, run};
use vedette_sim::scenario::Scenario;
use vedette_wire::link::{Accumulator, Downward, Fed, Message, Transmit, Upward};
use vedette_wire::payload::{Acknowledgement, Admitted, EventCursor};
use vedette_wire::{Direction, Header, Opener, Payload, ReplayWindow, Sealer, version};

const SEED: u64 = 9;

/// Two detectors that fire about once a second for five seconds, over a channel that loses every fifth frame.
const SCENARIO: &str = r#"
[scenario]
name = "busy"
summary = "two busy detectors and one crossing"
duration_s = 5.0
[site]
id = "gw"
origin = { lat = 52.0, lon = 23.6 }
[channel.radio]
loss = 0.2
[[zone]]
name = "border"
kind = "border"
line_m = [[-50.0, 0.0], [50.0, 0.0]]
[[sensor]]
id = "pir"
kind = "pir"
node = 1
row = { count = 2, step_m = [100.0, 0.0] }
position_m = [0.0, 0.0]
coverage = { shape = "circle", radius_m = 15.0 }
false_alarms_per_hour = 14400.0
rearm_s = 0.5
[[agent]]
kind = "person"
start_s = [0.0, 0.0]
speed_mps = [2.0, 2.0]
route_m = [[20.0, 4.0], [20.0, -10.0]]
"#;

/// Acknowledges every event frame but the first of each node; counts the events of each node.
async fn gateway(path: String) -> (BTreeMap<u32, usize>, usize) {
    let mut port = tokio_serial::SerialStream::open(&tokio_serial::new(path, 115_200).exclusive(false)).unwrap();
    port.write_all(&[0]).await.unwrap();
    let mut incoming = Accumulator::<Upward>::new();
    let mut nodes: BTreeMap<u32, (Opener, Sealer, EventCursor, usize)> = [1, 2]
        .map(|node| {
            let mut opener = Opener::new(node, Direction::Up);
            opener.add_key(0, &node_key(SEED, node), ReplayWindow::new()).unwrap();
            let sealer = Sealer::new(&node_key(SEED, node), Direction::Down, 0, node, 0, 1_000);
            (node, (opener, sealer, EventCursor::starting_at(None), 0))
        })
        .into();
    let (mut events, mut repeats) = (BTreeMap::new(), 0);
    let mut buffer = [0; 256];
    loop {
        // Nothing more for a while, or the terminal is gone: the simulation has ended.
        let Ok(Ok(read @ 1..)) = tokio::time::timeout(Duration::from_secs(3), port.read(&mut buffer)).await else {
            return (events, repeats);
        };
        let mut bytes = &buffer[..read];
        loop {
            let message = match incoming.feed(bytes) {
                Fed::Consumed => break,
                Fed::Fault { error, .. } => panic!("{error}"),
                Fed::Message { message, rest } => {
                    bytes = rest;
                    message
                }
            };
            let Upward::Received(received) = message else { continue };
            let node = Header::parse(&received.frame).unwrap().node;
            let (opener, sealer, cursor, frames) = nodes.get_mut(&node).unwrap();
            let opened = opener.open(&received.frame).unwrap();
            opener.accept(&opened);
            let Payload::Events(payload) = Payload::decode(&opened.payload).unwrap() else { continue };
            for (number, _) in payload.numbered() {
                match cursor.admit(number) {
                    Admitted::New { missed } => {
                        assert_eq!(missed, 0);
                        *events.entry(node).or_insert(0) += 1;
                    }
                    Admitted::Repeat => repeats += 1,
                }
            }
            *frames += 1;
            if *frames == 1 {
                continue;
            }
            let answer = Acknowledgement { counter: opened.header.counter, version: version::CURRENT };
            let frame = sealer.seal(&Payload::Acknowledgement(answer).encode().unwrap()).unwrap();
            let line = Downward::Transmit(Transmit { id: 0, at_ticks: None, frame }).encode().unwrap();
            port.write_all(&line).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unacknowledged_events_come_again_and_crossings_are_told() {
    let scenario = Scenario::parse(SCENARIO, Path::new("busy.toml")).unwrap();
    let line = Line::open().unwrap();
    let gateway = tokio::spawn(gateway(line.path().to_str().unwrap().to_owned()));
    let (sender, mut told) = tokio::sync::mpsc::channel(16);
    let options = LiveOptions { gateway: "gw".to_owned(), broker: None, line: Some(line), events: Some(sender) };
    let summary = run(&scenario, SEED, options, std::future::pending()).await.unwrap();
    let (events, repeats) = gateway.await.unwrap();
    assert!(events[&1] >= 2 && events[&2] >= 2, "{events:?}");
    assert!(repeats > 0, "the unacknowledged first frames must be repeated");
    assert!(summary.radio.repeated > 0 && summary.refused == 0, "{summary:?}");
    assert_eq!(summary.crossings, 1);
    assert!(matches!(told.recv().await, Some(LiveEvent::Started { crossings: 1, .. })));
    assert!(matches!(told.recv().await, Some(LiveEvent::Crossing { .. })));
}
