//! What operators do with alerts, from the centre's command line to the gateway and back.

use std::io::{Read, Write};
use std::time::Duration;

use e2e::{Bench, Relay, Sources, embedded_broker, free_port};
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
    bench.edit("retry_s = 1.0", "retry_s = 1.0\nstatus_interval_s = 1.0")?;
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
    // The gateway's status carries the head of its audit log, and the centre keeps it.
    while bench.heads()?.is_empty() {
        anyhow::ensure!(std::time::Instant::now() < deadline + SOON, "no head: {}", bench.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let heads = bench.heads()?;
    let (gateway, head) = heads.trim().split_once(' ').unwrap_or_default();
    assert!(gateway == "bench" && bench.verify_audit(head).is_ok(), "{heads}: {:?}", bench.verify_audit(head));
    let other = format!("{}:{}", head.split(':').next().unwrap_or_default(), "0".repeat(64));
    assert!(bench.verify_audit(&other).is_err());
    assert_eq!(bench.operate(&["budget"])?, "no alerts\n", "a test asks for nobody's attention");
    Ok(())
}

/// Whoever opens connections and says nothing must not keep an operator, or monitoring, from an answer.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_keep_nobody_waiting_for_long() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources::default())?;
    let port = free_port()?;
    bench.append(&format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"))?;
    bench.start_gateway()?;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let socket = bench.folder().join("gateway.sock");
    let idle: Vec<_> =
        (0..20).map(|_| std::os::unix::net::UnixStream::connect(&socket)).collect::<std::io::Result<_>>()?;
    let web: Vec<_> =
        (0..40).map(|_| std::net::TcpStream::connect(("127.0.0.1", port))).collect::<std::io::Result<_>>()?;
    let begun = std::time::Instant::now();
    bench.status()?;
    let status_s = begun.elapsed().as_secs_f64();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let page_s = begun.elapsed().as_secs_f64() - status_s;
    assert!(status_s < 5.0 && page_s < 3.0, "{status_s:.1} s for the status, {page_s:.1} s for a page");
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    drop((idle, web));
    Ok(())
}

/// What a program says at the socket must not write lines of its own into the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_line_breaks_forges_no_line_of_the_audit_log() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources::default())?;
    bench.start_gateway()?;
    let mut stream = std::os::unix::net::UnixStream::connect(bench.folder().join("gateway.sock"))?;
    let request = r#"{"ask":"test_alert","severity":"low","by":"\u001b[31mx\n     9 2026-03-01T00:00:00Z root close"}"#;
    stream.write_all(format!("{request}\n").as_bytes())?;
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer)?;
    let answer = String::from_utf8_lossy(answer.get(..count).unwrap_or_default()).into_owned();
    assert!(answer.contains("raised"), "{answer}");
    let audit = bench.audit()?;
    assert!(!audit.contains('\u{1b}') && !audit.contains("\n     9 "), "{audit}");
    // Who takes records out while the daemon runs tells it, and stands in its log.
    stream.write_all(b"{\"ask\":\"exported\",\"what\":\"tracks of night.mcap\",\"by\":\"anna\"}\n")?;
    let deadline = std::time::Instant::now() + SOON;
    while !bench.audit()?.contains("anna export tracks of night.mcap") {
        anyhow::ensure!(std::time::Instant::now() < deadline, "not noted: {}", bench.audit()?);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
