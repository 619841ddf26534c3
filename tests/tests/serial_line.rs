//! The conversation between gateway and concentrator, on a pseudo terminal with a running gateway.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Bench, NODE, Node, Sources};
use vedette_engine::{AlertKind, Mode};
use vedette_wire::Payload;
use vedette_wire::link::{
    Configure, DELIMITER, Downward, Message, Outcome, Received, Started, Transmit, Transmitted, Upward,
};
use vedette_wire::payload::{ResetCause, Time};

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(30);
/// Reading of the concentrator's clock in what the test sends.
const TICKS: u32 = 7_000;

fn ensure_now(time: Time) -> anyhow::Result<()> {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let told_s = time.ticks() as f64 / 16.0;
    // The line may be slow in a test; a wrong epoch, unit or zone is off by far more.
    anyhow::ensure!((told_s - now_s).abs() < 10.0, "told {told_s}, it is {now_s}");
    Ok(())
}

async fn greeting(node: &mut Node) -> anyhow::Result<()> {
    assert_eq!(node.message(SOON).await?, Downward::Configure(Configure::DEFAULT));
    let Downward::Time(time) = node.message(SOON).await? else { anyhow::bail!("expected the time") };
    ensure_now(time)
}

/// Passes an event on and takes its acknowledgement.
async fn acknowledged_event(node: &mut Node) -> anyhow::Result<()> {
    let frame = node.tamper_frame()?;
    node.write(&Upward::Received(Received { ticks: TICKS, rssi_dbm: -90, snr_qdb: 20, frame }).encode()?).await?;
    let transmit = transmit(node).await?;
    assert_eq!(transmit.at_ticks, None, "an acknowledgement goes at once");
    assert!(matches!(node.open(&transmit.frame)?, Payload::Acknowledgement(_)));
    Ok(())
}

/// Takes the time for the node, and says what became of it.
async fn told_time(node: &mut Node, outcome: Outcome) -> anyhow::Result<()> {
    let transmit = transmit(node).await?;
    let ahead_ms = transmit.at_ticks.map(|at| at.wrapping_sub(TICKS));
    assert!(ahead_ms.is_some_and(|ahead_ms| (100..10_000).contains(&ahead_ms)), "{ahead_ms:?} ms ahead");
    let Payload::Time(time) = node.open(&transmit.frame)? else { anyhow::bail!("expected the time") };
    ensure_now(time)?;
    let decided = Transmitted { id: transmit.id, ticks: TICKS, outcome };
    node.write(&Upward::Transmitted(decided).encode()?).await
}

async fn transmit(node: &mut Node) -> anyhow::Result<Transmit> {
    let Downward::Transmit(transmit) = node.message(SOON).await? else { anyhow::bail!("expected a frame to send") };
    Ok(transmit)
}

#[tokio::test(flavor = "multi_thread")]
async fn concentrator_and_node_are_told_what_they_need() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let mut node = Node::new(NODE, bench.key())?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: None })?;
    bench.start_gateway()?;
    assert_eq!(tokio::time::timeout(SOON, node.byte()).await??, DELIMITER);
    greeting(&mut node).await?;

    // A reset forgets the settings.
    let started = Started {
        ticks: 3,
        min_version: 1,
        current_version: 1,
        firmware_major: 0,
        firmware_minor: 1,
        reset: ResetCause::Watchdog,
    };
    node.write(&Upward::Started(started).encode()?).await?;
    greeting(&mut node).await?;

    let frame = node.hello_frame()?;
    node.write(&Upward::Received(Received { ticks: TICKS, rssi_dbm: -90, snr_qdb: 20, frame }).encode()?).await?;
    let hello = transmit(&mut node).await?;
    assert!(matches!(node.open(&hello.frame)?, Payload::Acknowledgement(_)), "the acknowledgement comes first");
    told_time(&mut node, Outcome::Late).await?;
    // The channel was busy at the time's moment: it is told behind the next acknowledgement, and then no more.
    acknowledged_event(&mut node).await?;
    told_time(&mut node, Outcome::Sent).await?;
    acknowledged_event(&mut node).await?;
    acknowledged_event(&mut node).await
}

/// What a node of an exercise says over the line is marked as such up to the centre's ledger.
#[tokio::test(flavor = "multi_thread")]
async fn radio_of_an_exercise_is_never_actual() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let key_file = bench.folder().join(format!("keys/node-{NODE}.toml"));
    let key = std::fs::read_to_string(&key_file)?;
    std::fs::write(&key_file, key.replace("\n[[key]]", "exercise = true\n\n[[key]]"))?;
    let mut node = Node::new(NODE, bench.key())?;
    let port = e2e::embedded_broker()?;
    bench.configure(&Sources { device: Some(node.path()), sensors: None, centre: Some(port) })?;
    bench.edit("[site]\n", "[site]\nexercise = true\n")?;
    bench.start_centre()?;
    bench.start_gateway()?;
    let frame = node.tamper_frame()?;
    node.send(&frame).await?;
    node.acknowledged(SOON).await?;
    let alerts = bench.await_alerts(AlertKind::SensorTamper, 1, SOON)?;
    assert!(
        alerts.iter().all(|alert| alert.mode == Mode::Exercise && alert.text.starts_with("EXERCISE: ")),
        "{alerts:?}"
    );
    let others: Vec<_> = bench.ledger()?.into_iter().filter(|(_, alert)| alert.mode != Mode::Exercise).collect();
    assert!(others.is_empty(), "{others:?}");
    Ok(())
}
