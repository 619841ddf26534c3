//! A gateway whose store cannot be used: it tracks, says so, and goes back to the store when it can.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use e2e::{Bench, NODE, Node, Sources, embedded_broker};
use vedette_engine::AlertKind;

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_alerts_arrive_and_radio_is_acknowledged_only_once_it_is_back() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: Some(port) })?;
    // A file stands where the store's folder should be.
    let blocked = bench.folder().join("blocked");
    std::fs::write(&blocked, "not a folder")?;
    bench.edit("file = \"gateway.sqlite\"", "file = \"blocked/gateway.sqlite\"")?;
    bench.start_centre()?;
    bench.start_gateway()?;
    let status = bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    assert_eq!(status["store"]["durable"], false, "{status:#}");
    let faults = bench.await_alerts(AlertKind::StorageFault, 1, SOON)?;
    assert!(faults[0].text.contains("No usable store"), "{}", faults[0].text);

    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    node.send(&frame).await?;
    assert!(node.acknowledged(Duration::from_secs(2)).await.is_err(), "acknowledged what a crash would lose");
    let refused = bench.test_alert().expect_err("a test alert that is not durable is not done");
    assert!(refused.to_string().contains("in memory only"), "{refused}");

    std::fs::remove_file(&blocked)?;
    bench.await_status("store in use", SOON, |status| status["store"]["durable"] == true)?;
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "what was let in without a store is known now");
    bench.test_alert()?;
    bench.gateway()?.kill()?;
    bench.start_gateway()?;
    bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "and after a restart");
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 3, SOON)?;
    assert_eq!(bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?.len(), 1, "processed once");
    let faults = bench.await_alerts(AlertKind::StorageFault, 2, Duration::from_secs(90))?;
    assert!(matches!(faults[1].state, vedette_engine::AlertState::Closed { .. }), "{faults:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_alerts_are_in_memory_only_is_told_as_a_loss() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(embedded_broker()?) })?;
    std::fs::write(bench.folder().join("blocked"), "not a folder")?;
    bench.edit("file = \"gateway.sqlite\"", "file = \"blocked/gateway.sqlite\"")?;
    bench.start_gateway()?;
    bench.test_alert().expect_err("a test alert that is not durable is not done");
    bench.await_status("waiting alerts", SOON, |status| status["outbox"]["waiting"].as_u64() > Some(0))?;
    let ended = bench.gateway()?.stop()?;
    assert_eq!(ended.code(), Some(3), "{}", bench.log());
    assert!(bench.log().contains("alerts lost, for they were in memory only"), "{}", bench.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_kept_aside_and_what_can_be_read_of_it_still_arrives() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: Some(port) })?;
    bench.start_gateway()?;
    bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0);
    bench.test_alert()?;
    bench.gateway()?.kill()?;

    // A file that can be read and contradicts itself.
    let file = bench.folder().join("gateway.sqlite");
    rusqlite::Connection::open(&file)?.execute_batch("DELETE FROM meta WHERE key = 'next_seq'")?;
    bench.start_gateway()?;
    let status = bench.await_status("serial line up", SOON, |status| status["sources"]["radio"]["up"] == true)?;
    assert_eq!(status["store"]["durable"], true, "{status:#}");
    assert!(bench.folder().join("gateway.sqlite.damaged-1").exists());
    node.send(&frame).await?;
    assert_eq!(node.acknowledged(SOON).await?, 0, "its replay window was read from the damaged file");
    bench.start_centre()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;
    assert_eq!(bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?.len(), 1, "not processed again");
    let faults = bench.await_alerts(AlertKind::StorageFault, 1, SOON)?;
    assert!(faults[0].text.contains("damaged and begun anew; waiting alerts read from it"), "{}", faults[0].text);
    let audit = bench.audit()?;
    assert!(audit.contains("test_alert") && audit.contains("store_set_aside"), "the log goes on:\n{audit}");
    Ok(())
}

/// Breaks the chain of pages that hold the end of a long row: its head can be read, and the rest cannot.
fn break_first_row(file: &Path) -> anyhow::Result<()> {
    let store = rusqlite::Connection::open(file)?;
    let (seq, mut bytes): (i64, Vec<u8>) =
        store.query_row("SELECT seq, bytes FROM outbox ORDER BY seq LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    bytes.extend([b' '; 12_000]);
    store.execute("UPDATE outbox SET bytes = ?2, priority = 4 WHERE seq = ?1", rusqlite::params![seq, bytes])?;
    drop(store);
    let mut pages = std::fs::read(file)?;
    let page = pages.chunks_mut(4096).find(|page| page[..4] != [0; 4] && page[4..].iter().all(|byte| *byte == b' '));
    page.context("a page with a part of the row")?[..4].fill(0xff);
    Ok(std::fs::write(file, pages)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_cannot_be_read_any_more_holds_up_no_other() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(port) })?;
    bench.start_gateway()?;
    for _ in 0..3 {
        bench.test_alert()?;
    }
    bench.gateway()?.kill()?;
    break_first_row(&bench.folder().join("gateway.sqlite"))?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.await_alerts(AlertKind::Test, 2, SOON)?;
    bench.await_status("a new file", SOON, |status| status["store"]["durable"] == true)?;
    let begun = std::time::Instant::now();
    let told = |alert: &vedette_engine::Alert| alert.text.contains("damaged and begun anew");
    // The first is about the row.
    while !bench.await_alerts(AlertKind::StorageFault, 1, SOON)?.iter().any(told) {
        anyhow::ensure!(begun.elapsed() < SOON, "the loss is not told\n{}", bench.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(bench.folder().join("gateway.sqlite.damaged-1").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_taken_away_while_in_use_is_told_and_what_waited_in_it_arrives() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(port) })?;
    bench.start_gateway()?;
    bench.test_alert()?;
    for part in ["", "-wal", "-shm"] {
        std::fs::remove_file(bench.folder().join(format!("gateway.sqlite{part}")))?;
    }
    // The first commit after that finds it out, and this one is in memory for a while.
    let _ = bench.test_alert();
    bench.await_status("a new file", Duration::from_secs(30), |status| {
        status["store"]["durable"] == true && bench.folder().join("gateway.sqlite").exists()
    })?;
    bench.start_centre()?;
    bench.await_alerts(AlertKind::Test, 2, SOON)?;
    let told = bench.await_alerts(AlertKind::StorageFault, 1, SOON)?;
    assert!(told.iter().any(|alert| alert.text.contains("taken away while in use")), "{told:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_never_work_on_one_store() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources { device: None, sensors: Some(embedded_broker()?), centre: None })?;
    bench.start_gateway()?;
    bench.await_status("subscribed", SOON, |status| status["sources"]["field"]["up"] == true)?;
    let text = std::fs::read_to_string(bench.folder().join("gateway.toml"))?;
    let second = bench.folder().join("second.toml");
    std::fs::write(&second, text.replace("gateway.sock", "second.sock"))?;
    let output =
        std::process::Command::new(e2e::program("vedette")?).arg("run").arg("--config").arg(&second).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("another process works on this store"), "{told}");
    Ok(())
}
