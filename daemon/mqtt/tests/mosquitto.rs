//! The connection against a real mosquitto: reason codes, access control, mutual TLS and what its handshake costs.
//!
//! Ignored by default because mosquitto and openssl must be installed: `cargo test -p vedette-mqtt --test mosquitto -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what prepares it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use vedette_mqtt::{CloseReason, Connection, Event, Options, Publication, Quality, Receipt, Tls};

struct Mosquitto {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a broker with these lines of configuration, in which `{dir}` is its own folder, after `prepare` filled it.
fn start(lines: &str, prepare: impl FnOnce(&Path)) -> Mosquitto {
    start_with(lines, &[], prepare)
}

fn start_with(lines: &str, environment: &[(&str, &Path)], prepare: impl FnOnce(&Path)) -> Mosquitto {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let port = free_port();
    let text = format!("listener {port} 127.0.0.1\n{}\n", lines.replace("{dir}", folder.path().to_str().unwrap()));
    let config = folder.path().join("mosquitto.conf");
    std::fs::write(&config, text).unwrap();
    let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let mut command = Command::new(program);
    command.arg("-c").arg(&config).envs(environment.iter().copied()).stderr(Stdio::null()).stdout(Stdio::null());
    let broker = Mosquitto { process: command.spawn().expect("mosquitto is installed"), port, folder };
    let answers = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(answers, "mosquitto did not start with {}", config.display());
    broker
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An authority and identities signed by it (`broker`, `gate-1`, `centre-1`), all on the curve P-256.
fn make_certificates(folder: &Path) {
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let mut authority = vec!["req", "-x509", "-days", "2", "-subj", "/CN=authority"];
    authority.extend(curve);
    authority.extend(["-keyout", "authority.key", "-out", "authority.pem"]);
    openssl(folder, &authority);
    let client = "extendedKeyUsage=clientAuth";
    for (name, extension) in [("broker", "subjectAltName=DNS:localhost"), ("gate-1", client), ("centre-1", client)] {
        std::fs::write(folder.join("extension"), format!("basicConstraints=CA:FALSE\n{extension}\n")).unwrap();
        let (key, request, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let mut ask = vec!["req", "-new", "-subj", &subject];
        ask.extend(curve);
        ask.extend(["-keyout", &key, "-out", &request]);
        openssl(folder, &ask);
        let sign = ["x509", "-req", "-days", "2", "-in", &request, "-CA", "authority.pem", "-CAkey", "authority.key"];
        openssl(folder, &[&sign[..], &["-CAcreateserial", "-extfile", "extension", "-out", &pem]].concat());
    }
    Command::new("chmod").args(["-R", "a+rX"]).arg(folder).status().unwrap();
}

fn open(options: &Options) -> (Connection, mpsc::UnboundedReceiver<Event>) {
    let (sender, events) = mpsc::unbounded_channel();
    let connection = Connection::open(options, move |event| drop(sender.send(event))).unwrap();
    (connection, events)
}

async fn next(events: &mut mpsc::UnboundedReceiver<Event>) -> Event {
    tokio::time::timeout(Duration::from_secs(20), events.recv())
        .await
        .expect("an event in time")
        .expect("an open channel")
}

fn publication(topic: &str) -> Publication {
    Publication {
        topic: topic.to_owned(),
        payload: b"x".to_vec(),
        quality: Quality::AtLeastOnce,
        retain: false,
        properties: Vec::new(),
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn nobody_listening_is_not_taken_for_delivery() {
    let broker = start("allow_anonymous true", |_| ());
    let (connection, mut events) = open(&Options::new("127.0.0.1", broker.port, "gate-1"));
    assert_eq!(next(&mut events).await, Event::Connected);
    let token = connection.publish(publication("vedette/v1/gate-1/alert")).unwrap();
    assert_eq!(next(&mut events).await, Event::Receipt { token, receipt: Receipt::NoSubscriber });
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_gateway_can_write_only_its_own_topics() {
    let rules = "allow_anonymous true\nacl_file {dir}/acl";
    let broker = start(rules, |folder| {
        std::fs::write(folder.join("acl"), "pattern write vedette/v1/%c/#\npattern read vedette/v1/%c/#\n").unwrap();
        Command::new("chmod").args(["-R", "a+rX"]).arg(folder).status().unwrap();
    });
    let (connection, mut events) = open(&Options::new("127.0.0.1", broker.port, "gate-1"));
    assert_eq!(next(&mut events).await, Event::Connected);
    let foreign = connection.publish(publication("vedette/v1/gate-2/alert")).unwrap();
    assert_eq!(next(&mut events).await, Event::Receipt { token: foreign, receipt: Receipt::NotAuthorised });
    let own = connection.publish(publication("vedette/v1/gate-1/alert")).unwrap();
    assert_eq!(next(&mut events).await, Event::Receipt { token: own, receipt: Receipt::NoSubscriber });
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_killed_broker_ends_the_connection() {
    let mut broker = start("allow_anonymous true", |_| ());
    let (_connection, mut events) = open(&Options::new("127.0.0.1", broker.port, "gate-1"));
    assert_eq!(next(&mut events).await, Event::Connected);
    broker.process.kill().unwrap();
    assert!(matches!(next(&mut events).await, Event::Closed(CloseReason::Lost(_))));
}

const TLS_LINES: &str = "allow_anonymous true\nrequire_certificate true\nuse_identity_as_username true\n\
     cafile {dir}/authority.pem\ncertfile {dir}/broker.pem\nkeyfile {dir}/broker.key";

fn tls(folder: &Path, identity: Option<&str>) -> Tls {
    let read = |name: String| std::fs::read(folder.join(name)).unwrap();
    Tls {
        authority_pem: read("authority.pem".to_owned()),
        identity_pem: identity.map(|name| (read(format!("{name}.pem")), read(format!("{name}.key")))),
    }
}

/// Forwards one connection to `port` and counts the bytes of both directions.
fn counting_proxy(port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let (near, _) = listener.accept().unwrap();
        let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
        for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut buffer = [0_u8; 4096];
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    counted.fetch_add(length, Ordering::SeqCst);
                    if to.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (own, count)
}

/// Bytes of both directions from the first SYN to CONNACK, TLS records included.
async fn connecting_bytes(broker: &Mosquitto) -> usize {
    let (port, bytes) = counting_proxy(broker.port);
    let mut options = Options::new("localhost", port, "gate-1");
    options.tls = Some(tls(broker.folder.path(), Some("gate-1")));
    let (_connection, mut events) = open(&options);
    assert_eq!(next(&mut events).await, Event::Connected);
    bytes.load(Ordering::SeqCst)
}

fn in_config(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "config", name].iter().collect()
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn mutual_tls_connects_within_3_kb() {
    let plain = start(TLS_LINES, make_certificates);
    let slim = start_with(TLS_LINES, &[("OPENSSL_CONF", &in_config("broker-openssl.cnf"))], make_certificates);
    let (plain, slim) = (connecting_bytes(&plain).await, connecting_bytes(&slim).await);
    println!("TLS handshake, CONNECT and CONNACK: {slim} bytes; with OpenSSL's default tickets {plain}");
    assert!(slim <= 3_000, "{slim} bytes");
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn without_a_certificate_nobody_is_let_in() {
    let broker = start(TLS_LINES, make_certificates);
    let mut options = Options::new("localhost", broker.port, "gate-1");
    options.tls = Some(tls(broker.folder.path(), None));
    let (_connection, mut events) = open(&options);
    assert!(matches!(next(&mut events).await, Event::Closed(CloseReason::Lost(_))));
}

/// With the example rules alone, whatever client id somebody takes: what counts is whose certificate it is.
#[tokio::test]
#[ignore = "needs mosquitto"]
async fn the_name_in_the_certificate_says_whose_topics_are_written() {
    let broker = start(&format!("{TLS_LINES}\nacl_file {{dir}}/acl"), |folder| {
        std::fs::copy(in_config("mosquitto.acl"), folder.join("acl")).unwrap();
        make_certificates(folder);
    });
    let mut options = Options::new("localhost", broker.port, "gate-2");
    options.tls = Some(tls(broker.folder.path(), Some("gate-1")));
    let (connection, mut events) = open(&options);
    assert_eq!(next(&mut events).await, Event::Connected);
    let foreign = connection.publish(publication("vedette/v1/gate-2/alert")).unwrap();
    assert_eq!(next(&mut events).await, Event::Receipt { token: foreign, receipt: Receipt::NotAuthorised });
    let own = connection.publish(publication("vedette/v1/gate-1/alert")).unwrap();
    assert_eq!(next(&mut events).await, Event::Receipt { token: own, receipt: Receipt::NoSubscriber });
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_broker_of_another_authority_is_refused() {
    let broker = start(TLS_LINES, make_certificates);
    let other = tempfile::tempdir().unwrap();
    make_certificates(other.path());
    let mut options = Options::new("localhost", broker.port, "gate-1");
    options.tls = Some(tls(other.path(), Some("gate-1")));
    let (_connection, mut events) = open(&options);
    let Event::Closed(CloseReason::Lost(reason)) = next(&mut events).await else { panic!("expected a refusal") };
    assert!(reason.contains("certificate"), "{reason}");
}

#[test]
#[ignore = "needs mosquitto"]
fn the_example_access_rules_parse() {
    let text = std::fs::read_to_string(in_config("mosquitto.acl")).unwrap();
    drop(start("allow_anonymous true\nacl_file {dir}/acl", |folder| {
        std::fs::write(folder.join("acl"), text).unwrap();
        Command::new("chmod").args(["-R", "a+rX"]).arg(folder).status().unwrap();
    }));
}

/// A broker with the example configuration and the example access rules.
fn start_as_in_the_example() -> Mosquitto {
    let text = std::fs::read_to_string(in_config("mosquitto.conf")).unwrap();
    let names =
        [("ca.pem", "authority.pem"), ("broker.pem", "broker.pem"), ("broker.key", "broker.key"), ("acl", "acl")];
    let lines = names.iter().fold(text.replace("listener 8883\n", ""), |lines, (installed, here)| {
        lines.replace(&format!("/etc/mosquitto/vedette/{installed}\n"), &format!("{{dir}}/{here}\n"))
    });
    start(&lines, |folder| {
        std::fs::copy(in_config("mosquitto.acl"), folder.join("acl")).unwrap();
        make_certificates(folder);
    })
}

/// One stolen certificate of a gateway must not silence the centre by taking its client id.
#[tokio::test]
#[ignore = "needs mosquitto"]
async fn nobody_takes_anothers_client_id() {
    let broker = start_as_in_the_example();
    let identified = |name: &str| {
        let mut options = Options::new("localhost", broker.port, "centre-1");
        options.tls = Some(tls(broker.folder.path(), Some(name)));
        options
    };
    let (centre, mut heard) = open(&identified("centre-1"));
    assert_eq!(next(&mut heard).await, Event::Connected);
    centre.subscribe(&["vedette/v1/+/alert".to_owned()], Quality::AtLeastOnce).unwrap();
    assert_eq!(next(&mut heard).await, Event::Subscribed { granted: true });
    let (thief, mut events) = open(&identified("gate-1"));
    assert_eq!(next(&mut events).await, Event::Connected);
    thief.publish(publication("vedette/v1/gate-1/alert")).unwrap();
    let event = next(&mut heard).await;
    assert!(matches!(&event, Event::Message(message) if message.topic == "vedette/v1/gate-1/alert"), "{event:?}");
}
