//! A flood of messages and of forged radio frames, each a hundred for every event: no authentic event that was received is lost.

use std::time::Duration;

use e2e::{Bench, NODE, Node, Publisher, Sources, embedded_broker, radar_message};
use vedette_engine::AlertKind;
use vedette_wire::{Direction, Key, Sealer};

const SOON: Duration = Duration::from_secs(20);
const RADAR: &str = "vedette/v1/bench/sensor/radar-1/detections";
const EVENTS: u16 = 30;
/// Messages, and forged frames, for each event.
const FLOOD: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_drowns_no_authentic_event() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: Some(port), centre: Some(port) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    let up = |status: &serde_json::Value| {
        status["sources"]["field"]["up"] == true && status["sources"]["radio"]["up"] == true
    };
    bench.await_status("both sources up", SOON, up)?;

    let mut field = Publisher::connect(port, "flood").await?;
    let mut forger = Sealer::new(&Key::new([9; 16]), Direction::Up, 0, NODE, 0, u32::MAX);
    let (mut offered, mut acknowledged) = (0_usize, Vec::new());
    for event in 0..EVENTS {
        for n in 0..FLOOD {
            let message = radar_message(n as f64, f64::from(event), 0.0);
            offered += usize::from(field.offer(RADAR, message.as_bytes())?);
            node.send(&forger.seal(b"let me in")?).await?;
        }
        let frame = node.tamper_frame()?;
        node.send(&frame).await?;
        // The oldest events are awaited while the newer ones come in.
        if event >= 3 {
            acknowledged.push(node.acknowledged(SOON).await?);
        }
    }
    while acknowledged.len() < usize::from(EVENTS) {
        acknowledged.push(node.acknowledged(SOON).await?);
    }
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (0..u32::from(EVENTS)).collect::<Vec<_>>(), "each event is acknowledged");
    assert!(offered > usize::from(EVENTS) * FLOOD / 4, "only {offered} messages were a flood");

    let forged = usize::from(EVENTS) * FLOOD;
    let all = |status: &serde_json::Value| status["sources"]["radio"]["rejected"]["forged"] == forged;
    let status = bench.await_status("every forged frame counted", SOON, all)?;
    let counters = &status["engine"]["counters"];
    assert_eq!(counters["frames{codec=\"wire\"}"], EVENTS, "{counters}");
    assert_eq!((counters.get("node_events_missed"), status["sources"]["radio"]["dropped"].as_u64()), (None, Some(0)));
    bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    Ok(())
}
