//! Delivery through Debian's mosquitto, killed and started again, with and without its persistence.
//!
//! Ignored by default because mosquitto must be installed: `cargo test -p e2e --test mosquitto -- --ignored`.

use std::time::Duration;

use e2e::{Bench, Mosquitto, NODE, Node, Publisher, Sources, radar_message};
use vedette_engine::AlertKind;

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(60);

async fn outage(persistence: bool) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut broker = Mosquitto::start(bench.folder(), persistence)?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(broker.port()) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;

    bench.centre()?.kill()?;
    bench.test_alert()?;
    broker.kill()?;
    bench.test_alert()?;
    bench.gateway()?.kill()?;
    broker.restart()?;
    bench.start_gateway()?;
    bench.start_centre()?;
    bench.await_status("nothing waits", SOON, |status| status["outbox"]["waiting"] == 0)?;

    let mut revisions: Vec<(String, u32)> = bench
        .ledger()?
        .into_iter()
        .filter(|(_, alert)| alert.kind == AlertKind::Test)
        .map(|(_, alert)| (alert.id, alert.rev))
        .collect();
    revisions.sort_unstable();
    let all = revisions.len();
    revisions.dedup();
    assert_eq!((revisions.len(), all), (3, 3), "each once: {revisions:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn nothing_is_lost_when_a_broker_with_persistence_dies() -> anyhow::Result<()> {
    outage(true).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn nothing_is_lost_when_a_broker_without_persistence_dies() -> anyhow::Result<()> {
    outage(false).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn radio_and_radar_reach_the_ledger_through_mosquitto() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let broker = Mosquitto::start(bench.folder(), false)?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = broker.port();
    bench.configure(&Sources { device: Some(node.path()), sensors: Some(port), centre: Some(port) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    let up = |status: &serde_json::Value| {
        status["sources"]["field"]["up"] == true && status["sources"]["radio"]["up"] == true
    };
    bench.await_status("both sources up", SOON, up)?;
    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    node.acknowledged(SOON).await?;
    bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    let mut radar = Publisher::connect(port, "radar").await?;
    for scan in 0..40 {
        let message = radar_message(0.0, 230.0 - 2.0 * f64::from(scan), 0.0);
        radar.publish("vedette/v1/bench/sensor/radar-1/detections", message.as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bench.await_alerts(AlertKind::Entry, 1, SOON)?;
    Ok(())
}
