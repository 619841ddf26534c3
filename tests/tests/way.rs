//! The whole way from a sensor's bytes to the centre's ledger, through a pseudo terminal and an embedded broker.

use std::time::Duration;

use e2e::{Bench, NODE, Node, Publisher, Relay, Sources, embedded_broker, radar_message};
use vedette_engine::AlertKind;
use vedette_wire::{Direction, Key, Sealer};

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(30);
const RADAR: &str = "vedette/v1/bench/sensor/radar-1/detections";

#[tokio::test(flavor = "multi_thread")]
async fn a_radio_frame_becomes_an_alert_in_the_ledger_and_is_acknowledged() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: Some(port) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;

    // A concentrator that was plugged in while it spoke: noise before the first frame.
    node.write(b"\x17noise\x00").await?;
    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0);
    let alerts = bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    assert!(alerts[0].text.contains("pir-7"), "{}", alerts[0].text);

    // The acknowledgement got lost on the air: the node sends the same frame again.
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "a repeat is acknowledged again");
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;
    let tampers = bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    assert_eq!(tampers.len(), 1, "a repeat is not processed again");

    let took = bench.gateway()?.terminate()?;
    assert!(took < Duration::from_secs(2), "a graceful stop took {took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_broker_become_a_track_and_an_alert() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: None, sensors: Some(port), centre: Some(port) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.await_status("subscribed", SOON, |status| status["sources"]["field"]["up"] == true)?;
    let mut radar = Publisher::connect(port, "radar").await?;
    for scan in 0..40 {
        let north_m = 230.0 - 2.0 * f64::from(scan);
        radar.publish(RADAR, radar_message(0.0, north_m, 0.0).as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let alerts = bench.await_alerts(AlertKind::Entry, 1, SOON)?;
    assert_eq!(alerts[0].zone.as_deref(), Some("depot"));
    assert!(alerts[0].contributors.iter().any(|contributor| contributor.sensor == "radar-1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_counted_by_reason_and_disturbs_nothing() -> anyhow::Result<()> {
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

    let mut field = Publisher::connect(port, "field").await?;
    let proper = radar_message(0.0, 0.0, 0.0);
    let unknown = proper.replace("radar-1", "radar-9");
    let from_1970 = r#"{"v":1,"sensor":"radar-1","t":"1970-01-01T00:00:07Z","plots":[]}"#;
    let oversize = format!(r#"{{"v":1,"sensor":"radar-1","x":"{}"}}"#, "x".repeat(200_000));
    let future = radar_message(0.0, 0.0, 7200.0);
    let truncated = &proper[..proper.len() - 9];
    for payload in ["garbage", truncated, unknown.as_str(), from_1970, future.as_str(), oversize.as_str()] {
        field.publish(RADAR, payload.as_bytes()).await?;
    }

    let proper = node.tamper_frame()?;
    let mut damaged = proper.clone();
    damaged[12] ^= 1;
    node.send(&damaged).await?;
    let forged = Sealer::new(&Key::new([9; 16]), Direction::Up, 0, NODE, 0, 9).seal(b"x")?;
    let stranger = Sealer::new(bench.key(), Direction::Up, 0, NODE + 1, 0, 9).seal(b"x")?;
    node.send(&forged).await?;
    node.send(&stranger).await?;
    node.write(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]).await?;
    node.write(&[7; 300]).await?;
    node.write(&[0]).await?;

    node.send(&proper).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "a proper frame among bad ones");
    bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    let status = bench.await_status("six messages", SOON, |status| status["sources"]["field"]["accepted"] == 6)?;
    let rejected = &status["sources"]["radio"]["rejected"];
    assert_eq!((&rejected["forged"], &rejected["unknown_node"]), (&2.into(), &1.into()), "{rejected}");
    assert_eq!(rejected["overlong"], 1, "{rejected}");
    let faults: u64 = status["engine"]["counters"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("faults{"))
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    assert!(faults >= 4, "garbage, truncated, 1970 and far future: {status:#}");
    assert_eq!(status["engine"]["unknown_sensors"][0]["id"], "radar-9");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_of_an_outage_arrive_once_after_it_even_through_a_kill() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let relay = Relay::start(embedded_broker()?)?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(relay.port()) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;

    bench.centre()?.terminate()?;
    relay.cut();
    bench.test_alert()?;
    bench.gateway()?.kill()?;
    bench.start_gateway()?;
    bench.test_alert()?;
    let status = bench.status()?;
    assert!(status["outbox"]["waiting"].as_u64() >= Some(2), "{status:#}");
    relay.mend();
    bench.start_centre()?;
    bench.await_alerts(AlertKind::Test, 3, SOON)?;
    bench.await_status("nothing waits", SOON, |status| status["outbox"]["waiting"] == 0)?;

    let alerts = bench.await_alerts(AlertKind::Test, 3, SOON)?;
    let mut revisions: Vec<(&str, u32)> = alerts.iter().map(|alert| (alert.id.as_str(), alert.rev)).collect();
    revisions.sort_unstable();
    let all = revisions.len();
    revisions.dedup();
    assert_eq!(revisions.len(), all, "each once: {revisions:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_radio_event_survives_a_kill_in_the_next_moment() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: Some(port) })?;
    bench.start_gateway()?;
    bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    node.acknowledged(SOON).await?;
    bench.gateway()?.kill()?;

    let took = bench.start_gateway()?;
    bench.start_centre()?;
    bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "the replay window was committed with the frame");
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;
    assert_eq!(bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?.len(), 1);
    assert!(took < Duration::from_secs(2), "recovery took {took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replaying_what_a_live_run_took_in_gives_its_alerts_byte_for_byte() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: Some(port), centre: Some(port) })?;
    bench.append("[record]\ndir = \"recordings\"\n")?;
    bench.start_centre()?;
    bench.start_gateway()?;
    let up = |status: &serde_json::Value| {
        status["sources"]["field"]["up"] == true && status["sources"]["radio"]["up"] == true
    };
    bench.await_status("both sources up", SOON, up)?;
    let mut radar = Publisher::connect(port, "radar").await?;
    for scan in 0..40 {
        let north_m = 230.0 - 2.0 * f64::from(scan);
        radar.publish(RADAR, radar_message(0.0, north_m, 0.0).as_bytes()).await?;
        if scan == 10 {
            let frame = node.tamper_frame()?;
            node.send(&frame).await?;
            radar.publish(RADAR, b"garbage").await?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bench.test_alert()?;
    for kind in [AlertKind::SensorTamper, AlertKind::Entry, AlertKind::Test] {
        bench.await_alerts(kind, 1, SOON)?;
    }
    bench.await_status("nothing waits", SOON, |status| status["outbox"]["waiting"] == 0)?;
    bench.gateway()?.terminate()?;

    let replayed = bench.replay()?;
    let ledger = bench.ledger()?;
    assert_eq!(ledger.len(), replayed.len(), "{replayed:#?}");
    for (entry, alert) in ledger {
        let sent = String::from_utf8_lossy(&entry.bytes).into_owned();
        assert!(
            replayed.iter().any(|line| sent.contains(line.as_str())),
            "{} {} was not replayed: {sent}",
            alert.id,
            alert.rev
        );
    }
    Ok(())
}
