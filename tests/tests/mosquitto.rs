//! Delivery through Debian's mosquitto, killed and started again, with and without its persistence.
//!
//! Ignored by default because mosquitto must be installed: `cargo test -p e2e --test mosquitto -- --ignored`.

use std::process::Command;
use std::time::Duration;

use e2e::{Authority, Bench, Mosquitto, NODE, Node, Publisher, Sources, free_port, radar_message};
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

/// A centre on a plain listener and a gateway that has to show its certificate.
struct Guarded {
    bench: Bench,
    broker: Mosquitto,
    authority: Authority,
    /// Port of the guarded listener.
    guarded: u16,
}

const SERVER: &str = "subjectAltName=DNS:localhost";
const CLIENT: &str = "extendedKeyUsage=clientAuth";

impl Guarded {
    /// With a certificate of the gateway that is valid for so many days.
    fn start(days: u32) -> anyhow::Result<Self> {
        let mut bench = Bench::new()?;
        let folder = bench.folder().to_path_buf();
        let authority = Authority::new(&folder.join("authority"))?;
        std::fs::copy(authority.certificate(), folder.join("ca.pem"))?;
        authority.issue(&folder, "broker", 400, SERVER)?;
        authority.issue(&folder, "bench", days, CLIENT)?;
        let (guarded, place) = (free_port()?, folder.display());
        let root = if std::env::var_os("USER").is_none_or(|user| user == "root") { "user root\n" } else { "" };
        let broker = Mosquitto::start_with(
            &folder,
            &format!(
                "{root}listener {guarded} 127.0.0.1\nallow_anonymous true\n\
                 require_certificate true\nuse_identity_as_username true\ncafile {place}/ca.pem\n\
                 certfile {place}/broker.pem\nkeyfile {place}/broker.key\n"
            ),
        )?;
        bench.configure(&Sources { device: None, sensors: None, centre: Some(broker.port()) })?;
        bench.edit(
            &format!("{{ host = \"127.0.0.1\", port = {}, keep_alive_s = 2 }}", broker.port()),
            &format!(
                "{{ host = \"localhost\", port = {guarded}, keep_alive_s = 2, \
                 tls = {{ ca_file = \"ca.pem\", cert_file = \"bench.pem\", key_file = \"bench.key\" }} }}"
            ),
        )?;
        bench.start_centre()?;
        bench.start_gateway()?;
        Ok(Self { bench, broker, authority, guarded })
    }

    fn await_centre(&self, up: bool) -> anyhow::Result<()> {
        let what = if up { "centre" } else { "no centre" };
        self.bench.await_status(what, SOON, |status| status["outbox"]["centre_up"] == up).map(drop)
    }

    fn await_log(&self, wanted: &str) -> anyhow::Result<()> {
        let begun = std::time::Instant::now();
        while !self.bench.log().contains(wanted) {
            anyhow::ensure!(begun.elapsed() < SOON, "no {wanted:?} in\n{}", self.bench.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn a_certificate_about_to_end_is_an_alert_and_its_renewal_takes_effect_by_itself() -> anyhow::Result<()> {
    let guarded = Guarded::start(5)?;
    guarded.await_centre(true)?;
    let alerts = guarded.bench.await_alerts(AlertKind::CertificateExpiry, 1, SOON)?;
    assert!(alerts[0].text.contains("bench.pem"), "{}", alerts[0].text);
    guarded.authority.issue(guarded.bench.folder(), "bench", 400, CLIENT)?;
    guarded.await_log("certificates were renewed; connecting to the centre anew")?;
    guarded.await_centre(true)?;
    // The end of the new one is far: the alert is over.
    let begun = std::time::Instant::now();
    loop {
        let ledger = guarded.bench.ledger()?;
        let last = ledger.iter().rev().find(|(_, alert)| alert.kind == AlertKind::CertificateExpiry);
        if last.is_some_and(|(_, alert)| matches!(alert.state, vedette_engine::AlertState::Closed { .. })) {
            break;
        }
        anyhow::ensure!(begun.elapsed() < 2 * SOON, "still open: {last:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
    guarded.bench.test_alert()?;
    guarded.bench.await_alerts(AlertKind::Test, 1, SOON)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn a_broker_of_another_name_is_told_nothing_and_a_new_authority_needs_no_restart() -> anyhow::Result<()> {
    let mut guarded = Guarded::start(400)?;
    guarded.await_centre(true)?;
    let folder = guarded.bench.folder().to_path_buf();

    // Somebody with a certificate of the same authority, for another host, sits where the broker was.
    guarded.authority.issue(&folder, "broker", 400, "subjectAltName=DNS:other.example")?;
    guarded.broker.kill()?;
    guarded.broker.restart()?;
    guarded.await_log("not valid for name")?;
    guarded.bench.test_alert()?;
    guarded.await_centre(false)?;
    let tests = |bench: &Bench| anyhow::Ok(bench.ledger()?.iter().filter(|(_, a)| a.kind == AlertKind::Test).count());
    assert_eq!(tests(&guarded.bench)?, 0, "told to a stranger");

    // Another authority for everybody, the gateway's files last: it goes on by itself, and what waited arrives.
    let next = Authority::new(&folder.join("next"))?;
    next.issue(&folder, "broker", 400, SERVER)?;
    std::fs::copy(next.certificate(), folder.join("ca.pem"))?;
    guarded.broker.kill()?;
    guarded.broker.restart()?;
    next.issue(&folder, "bench", 400, CLIENT)?;
    guarded.bench.await_alerts(AlertKind::Test, 1, 2 * SOON)?;
    guarded.await_centre(true)?;
    assert_eq!(tests(&guarded.bench)?, 1);
    Ok(())
}

/// A broker whose rules mean another centre grants its subscriptions and delivers nothing: the centre must not call that
/// listening.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn a_centre_that_the_broker_takes_for_somebody_else_says_so() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let rules = bench.folder().join("acl");
    // The bench's centre has no certificate, so it has no name for the rules.
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/mosquitto.acl"), &rules)?;
    Command::new("chmod").args(["a+rx"]).arg(bench.folder()).status()?;
    let broker = Mosquitto::start_with(bench.folder(), &format!("acl_file {}\n", rules.display()))?;
    bench.configure(&Sources { device: None, sensors: None, centre: Some(broker.port()) })?;
    bench.start_centre()?;
    let alerts = bench.await_alerts(AlertKind::LinkLost, 1, Duration::from_secs(20))?;
    assert!(alerts[0].text.contains("acknowledge nothing"), "{}", alerts[0].text);
    assert!(!bench.log().contains("listening"), "{}", bench.log());
    std::fs::write(&rules, "topic readwrite vedette/#\n")?;
    let hangup = Command::new("kill").args(["-HUP", &broker.id().expect("it runs").to_string()]).status()?;
    assert!(hangup.success());
    let cleared = bench.await_alerts(AlertKind::LinkLost, 2, Duration::from_secs(40))?;
    assert!(matches!(cleared[1].state, vedette_engine::AlertState::Closed { .. }), "{:?}", cleared[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mosquitto"]
async fn a_centre_whose_certificate_has_ended_takes_the_renewed_one_by_itself() -> anyhow::Result<()> {
    let mut guarded = Guarded::start(400)?;
    let folder = guarded.bench.folder().to_path_buf();
    guarded.bench.centre()?.kill()?;
    guarded.authority.issue(&folder, "centre", 0, CLIENT)?;
    let (port, place) = (guarded.guarded, folder.display());
    let text = format!(
        "[centre]\nid = \"centre\"\n[broker]\nhost = \"localhost\"\nport = {port}\nkeep_alive_s = 2\n\
         authority_file = \"{place}/ca.pem\"\ncertificate_file = \"{place}/centre.pem\"\n\
         key_file = \"{place}/centre.key\"\n[ledger]\npath = \"{place}/centre.sqlite\"\n"
    );
    std::fs::write(folder.join("centre.toml"), text)?;
    guarded.bench.start_centre()?;
    let told = guarded.bench.await_alerts(AlertKind::CertificateExpiry, 1, SOON)?;
    assert!(told[0].text.contains("centre.pem of centre expired"), "{}", told[0].text);
    guarded.bench.test_alert()?;
    guarded.authority.issue(&folder, "centre", 400, CLIENT)?;
    guarded.bench.await_alerts(AlertKind::Test, 1, SOON)?;
    let told = guarded.bench.await_alerts(AlertKind::CertificateExpiry, 2, 2 * SOON)?;
    assert!(matches!(told[1].state, vedette_engine::AlertState::Closed { .. }), "{:?}", told[1]);
    Ok(())
}
