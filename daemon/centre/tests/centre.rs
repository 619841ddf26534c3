//! A running centre at an embedded broker: it commits, then acknowledges, once; and refuses what is not proven.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

#[path = "../../cli/src/commands/demo/broker.rs"]
mod broker;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use vedette_centre::{Announcement, CentreError, Config, ConfigError, Form, Printer, SqliteLedger, Summary, run};
use vedette_delivery::{Ack, Signer};
use vedette_mqtt::{Connection, Event, Options, Publication, Quality};

const LIMIT: Duration = Duration::from_secs(20);

struct Centre {
    announced: mpsc::UnboundedReceiver<Announcement>,
    configurations: mpsc::Sender<Result<Config, ConfigError>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Summary, CentreError>>,
}

fn start_centre(address: SocketAddr, ledger: &Path, signer: &Signer) -> Centre {
    let text = format!(
        "[centre]\nid = \"centre\"\n[broker]\nhost = \"127.0.0.1\"\nport = {}\n[ledger]\npath = {ledger:?}\n\
         [signing]\nrequired = true\n[[gateway]]\nid = \"gate-1\"\nkid = \"{}\"\npublic_key = \"{}\"\n",
        address.port(),
        signer.kid(),
        signer.public()
    );
    let file = ledger.with_extension("toml");
    std::fs::write(&file, text).unwrap();
    let config = Config::read(&file).unwrap();
    let (announce, announced) = mpsc::unbounded_channel();
    let (_, orders) = mpsc::channel(1);
    let (configurations, read) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let tell = move |announcement: &Announcement| {
        drop(announce.send(announcement.clone()));
        Ok(())
    };
    let task = tokio::spawn(async move { run(config, tell, orders, read, async { drop(stopped.await) }).await });
    Centre { announced, configurations, stop, task }
}

struct Gateway {
    connection: Connection,
    events: mpsc::UnboundedReceiver<Event>,
    signer: Signer,
}

impl Gateway {
    async fn connect(address: SocketAddr, signer: Signer) -> Self {
        let (sender, mut events) = mpsc::unbounded_channel();
        let options = Options::new("127.0.0.1", address.port(), "gate-1");
        let connection = Connection::open(&options, move |event| drop(sender.send(event))).unwrap();
        assert_eq!(tokio::time::timeout(LIMIT, events.recv()).await.unwrap(), Some(Event::Connected));
        connection.subscribe(&["vedette/v1/gate-1/ack".to_owned()], Quality::AtLeastOnce).unwrap();
        let granted = Some(Event::Subscribed { granted: true });
        assert_eq!(tokio::time::timeout(LIMIT, events.recv()).await.unwrap(), granted);
        Self { connection, events, signer }
    }

    fn publish(&self, channel: &str, payload: &str, signed: bool) {
        let topic = format!("vedette/v1/gate-1/{channel}");
        let properties = if signed { self.signer.properties(&topic, payload.as_bytes()) } else { Vec::new() };
        let quality = Quality::AtLeastOnce;
        let payload = payload.as_bytes().to_vec();
        self.connection.publish(Publication { topic, payload, quality, retain: false, properties }).unwrap();
    }

    /// The next acknowledgement; what is to be acknowledged is repeated, as a gateway does while the centre starts.
    async fn acknowledged(&mut self, channel: &str, payload: &str) -> Ack {
        for _ in 0..40 {
            self.publish(channel, payload, true);
            let wait = tokio::time::timeout(Duration::from_millis(500), async {
                loop {
                    if let Some(Event::Message(message)) = self.events.recv().await {
                        return Ack::read(&message.payload).unwrap();
                    }
                }
            });
            if let Ok(ack) = wait.await {
                return ack;
            }
        }
        panic!("no acknowledgement");
    }
}

fn envelope(seq: u64) -> String {
    format!(
        r#"{{"v":1,"epoch":"e","seq":{seq},"alert":{{"id":"a{seq}","rev":1,"dedup_key":"k","mode":"test","severity":"high",
        "kind":"test","state":"raised","confidence":1.0,"first_seen":1,"last_seen":1,"expires_at":2,"erase_at":3,
        "text":"Test of the way."}}}}"#
    )
}

async fn next_alert(centre: &mut Centre) -> (u64, String) {
    loop {
        let announcement = tokio::time::timeout(LIMIT, centre.announced.recv()).await.unwrap().unwrap();
        if let Announcement::Alert { entry, .. } = &announcement {
            let mut line = Vec::new();
            Printer::new(Form::Text { colour: false }).write(&announcement, &mut line).unwrap();
            return (entry.seq, String::from_utf8(line).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_committed_acknowledged_and_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, signer) = (folder.path().join("ledger.sqlite"), Signer::new("k1", &[3; 32]));
    let address = broker::start().unwrap();
    let mut centre = start_centre(address, &ledger, &signer);
    let mut gateway = Gateway::connect(address, signer.clone()).await;

    let ack = gateway.acknowledged("alert", &envelope(1)).await;
    assert_eq!((ack.epoch.0.as_str(), ack.upto), ("e", 1));
    let (seq, line) = next_alert(&mut centre).await;
    assert_eq!(seq, 1);
    assert!(line.contains("gate-1 HIGH     TEST Test of the way."), "{line}");

    // Unsigned, forged for another topic, and nonsense: refused, and the next good one is acknowledged as if they never were.
    gateway.publish("alert", &envelope(2), false);
    gateway.publish("alert", "nonsense", true);
    let void = r#"{"v":1,"epoch":"e","ranges":[[2,3]],"why":"folded"}"#;
    while gateway.acknowledged("void", void).await.upto < 3 {}
    centre.stop.send(()).unwrap();
    let summary = centre.task.await.unwrap().unwrap();
    assert_eq!(summary.alerts, 1);
    assert!(summary.refused >= 2, "{summary:?}");

    // A new process goes on with the old ledger: a repetition is acknowledged and not shown again.
    let mut centre = start_centre(address, &ledger, &signer);
    while gateway.acknowledged("alert", &envelope(1)).await.upto < 3 {}
    while gateway.acknowledged("alert", &envelope(4)).await.upto < 4 {}
    let (seq, _) = next_alert(&mut centre).await;
    assert!([1, 4].contains(&seq), "at least once: a restart may repeat the last announcement, but shows {seq}");
    centre.stop.send(()).unwrap();
    centre.task.await.unwrap().unwrap();
    let entries = SqliteLedger::entries(&ledger, 1, 100).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 4]);
    assert!(entries.iter().all(|entry| entry.verdict.proven()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_is_read_again_changes_keys_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Signer::new("k1", &[3; 32]), Signer::new("k2", &[4; 32]));
    let (ledger, address) = (folder.path().join("ledger.sqlite"), broker::start().unwrap());
    let mut centre = start_centre(address, &ledger, &old);
    let mut gateway = Gateway::connect(address, old.clone()).await;
    gateway.acknowledged("alert", &envelope(1)).await;

    let file = ledger.with_extension("toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let renamed = text.replace("id = \"centre\"", "id = \"other\"");
    let keyless = text.split("[[gateway]]").next().unwrap().to_owned();
    for wrong in [format!("{text}[nonsense]\n"), renamed, keyless, text.replace(&old.public(), "x")] {
        std::fs::write(&file, wrong).unwrap();
        centre.configurations.send(Config::read(&file)).await.unwrap();
    }
    while gateway.acknowledged("alert", &envelope(2)).await.upto < 2 {}

    let other = text.replace(&old.public(), &new.public()).replace("\"k1\"", "\"k2\"");
    std::fs::write(&file, other).unwrap();
    centre.configurations.send(Config::read(&file)).await.unwrap();
    gateway.signer = new;
    while gateway.acknowledged("alert", &envelope(3)).await.upto < 3 {}
    while centre.announced.try_recv().is_ok() {}
    gateway.signer = old;
    gateway.publish("alert", &envelope(4), true);
    let told = tokio::time::timeout(LIMIT, centre.announced.recv()).await.unwrap();
    assert!(matches!(told, Some(Announcement::Refused { .. })), "the former key still holds: {told:?}");
    centre.stop.send(()).unwrap();
    centre.task.await.unwrap().unwrap();
    let audit = SqliteLedger::audit(&ledger, 0, 100).unwrap();
    let audit: Vec<_> = audit.iter().map(|line| String::from_utf8_lossy(&line.record).into_owned()).collect();
    let count = |act: &str| audit.iter().filter(|line| line.contains(&format!("\"act\":\"{act}\""))).count();
    assert_eq!((count("configuration"), count("configuration_refused")), (2, 4), "{audit:#?}");
    assert_eq!(count("configuration_applied"), 1, "{audit:#?}");
    let reason = |what: &str| audit.iter().any(|line| line.contains(what));
    assert!(reason("unknown field `nonsense`") && reason("keeps its name"), "{audit:#?}");
}

#[test]
fn a_wrong_configuration_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("centre.toml");
    std::fs::write(&file, "[centre]\nid = \"c\"\nsilence = 5\n").unwrap();
    let error = Config::read(&file).unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("silence_s"), "{error}");
}

#[test]
fn a_file_without_certificates_of_authorities_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (file, authority) = (folder.path().join("centre.toml"), folder.path().join("ca.pem"));
    std::fs::write(&authority, "no certificate").unwrap();
    let broker = format!("[broker]\nhost = \"h\"\nport = 1\nauthority_file = {authority:?}\n");
    std::fs::write(&file, format!("[centre]\nid = \"c\"\n{broker}[ledger]\npath = \"l\"\n")).unwrap();
    let error = Config::read(&file).unwrap().broker_options().unwrap_err().to_string();
    assert!(error.ends_with("ca.pem: expected a PEM certificate: no BEGIN line"), "{error}");
}

#[test]
fn the_example_configuration_is_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/centre.toml");
    let config = Config::read(&file).unwrap();
    config.ledger_settings().unwrap();
    config.broker_options().unwrap();
}

#[test]
fn numbers_that_would_do_harm_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("centre.toml");
    let written = |silence: &str, port: &str, keep: &str| {
        let text = format!(
            "[centre]\nid = \"c\"\nsilence_s = {silence}\n[broker]\nhost = \"h\"\nport = {port}\n\
             [ledger]\npath = \"l\"\nkeep_days = {keep}\n"
        );
        std::fs::write(&file, text).unwrap();
        Config::read(&file).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(written("180", "1883", "90"), Ok(()));
    for (wrong, line, expected) in [
        (written("-5", "1883", "90"), "line 3", "seconds from 0.1"),
        (written("nan", "1883", "90"), "line 3", "seconds from 0.1"),
        (written("180", "70000", "90"), "line 6", "from 1 to 65535"),
        (written("180", "0", "90"), "line 6", "from 1 to 65535"),
        (written("180", "1883", "-1.0"), "line 9", "days from 0.042"),
        (written("180", "1883", "inf"), "line 9", "days from 0.042"),
    ] {
        let error = wrong.unwrap_err();
        assert!(error.contains(line) && error.contains(expected), "{error}");
    }
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (folder.path().join("centre.toml"), folder.path().join("key"));
    std::fs::write(&key, [7; 32]).unwrap();
    let text = format!(
        "[centre]\nid = \"c\"\n[broker]\nhost = \"h\"\nport = 1883\n[ledger]\npath = \"l\"\n\
         [signing]\nkid = \"c\"\nkey_file = {key:?}\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::read(&file).unwrap();
    for (mode, is_allowed) in [(0o644, false), (0o640, true), (0o600, true)] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(config.check().is_ok(), is_allowed, "{mode:o}: {:?}", config.check());
    }
}
