//! What operators do with alerts, from the centre's command line to the gateway and back.

use std::time::Duration;

use e2e::{Bench, Relay, Sources, embedded_broker};
use vedette_engine::{Alert, AlertKind, AlertState, CloseReason};

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(30);

/// The newest revision of the only alert.
fn newest(bench: &Bench) -> anyhow::Result<Alert> {
    let alerts = bench.ledger()?.into_iter().map(|(_, alert)| alert);
    alerts.max_by_key(|alert| alert.rev).ok_or_else(|| anyhow::anyhow!("the ledger is empty"))
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_reach_the_gateway_are_answered_and_come_back_as_revisions() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let relay = Relay::start(embedded_broker()?)?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(relay.port()) })?;
    bench.start_centre()?;
    bench.start_gateway()?;
    bench.test_alert()?;
    let id = bench.await_alerts(AlertKind::Test, 1, SOON)?.remove(0).id;
    let short = &id[..6];

    let listed = bench.operate(&["list"])?;
    assert!(listed.contains(&id[..8]) && listed.contains("TEST"), "{listed}");
    let answer = bench.operate(&["acknowledge", short, "--by", "anna"])?;
    assert_eq!(answer.trim(), format!("alert {id} acknowledged"));
    bench.operate(&["assign", short, "--to", "patrol 3"])?;
    bench.operate(&["grade", short, "B2"])?;
    bench.operate(&["comment", short, "seen on the ford"])?;
    let refused = bench.operate(&["shelve", short, "--until", "2020-01-01T00:00:00Z"]).unwrap_err();
    assert!(refused.to_string().contains("the time to shelve until has passed"), "{refused}");

    // The link is down: the order stands, and is carried out when it is back.
    relay.cut();
    let waiting = bench.operate(&["close", short, "--reason", "real", "--wait", "0.5"])?;
    assert!(waiting.contains("the order stands until"), "{waiting}");
    relay.mend();
    let deadline = std::time::Instant::now() + SOON;
    let closed = AlertState::Closed { reason: CloseReason::Real };
    while newest(&bench)?.state != closed {
        anyhow::ensure!(std::time::Instant::now() < deadline, "not closed: {:?}", newest(&bench)?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let alert = newest(&bench)?;
    assert_eq!(alert.assigned_to.as_deref(), Some("patrol 3"));
    assert_eq!(alert.grade.map(|grade| grade.to_string()).as_deref(), Some("B2"));
    assert_eq!(bench.operate(&["list"])?, "", "nothing is open");
    let shown = bench.operate(&["show", short])?;
    for line in ["acknowledge by anna: alert", "comment by", "assigned to patrol 3", "graded B2"] {
        assert!(shown.contains(line), "no {line:?} in {shown}");
    }
    assert!(bench.operate(&["show", "ffffffffffff"]).is_err());
    assert_eq!(bench.operate(&["budget"])?, "no alerts\n", "a test asks for nobody's attention");
    Ok(())
}
