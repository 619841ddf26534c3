//! Cursor on Target over real connections: what receivers get, and that one which takes nothing delays no other.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use vedette_gateway::clock::{Clock, SharedClock};
use vedette_gateway::config::{Config, CotSink};
use vedette_gateway::engine::config::LatLon;
use vedette_gateway::engine::time::parse_rfc3339;
use vedette_gateway::engine::{Alert, ClassProbabilities, Timestamp};
use vedette_gateway::sink::outbox::{Ask, Query, Reader, Row, Rows};
use vedette_gateway::sink::{Asked, Feed, SeenTrack, View, cot};
use vedette_gateway::source::Links;

/// More alerts than any socket's buffers hold.
const MANY: u64 = 20_000;

fn now() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:07.25Z").expect("a time")
}

fn alert(number: u64, state: &str) -> Alert {
    let expires = now().plus_seconds(600.0).as_micros();
    let padding = "x".repeat(400);
    let text = format!(
        r#"{{"id":"{number:016x}","rev":1,"dedup_key":"zone/z/track-{number}","mode":"actual","severity":"high","kind":"crossing",
"state":{state},"place":{{"point":{{"lat":54.93,"lon":23.95,"ellipse":{{"major_m":8.0,"minor_m":4.0,"orientation_deg":0.0}}}}}},
"confidence":0.9,"first_seen":0,"last_seen":0,"expires_at":{expires},"erase_at":0,"text":"somebody crossed {padding}"}}"#
    );
    serde_json::from_str(&text).expect("an alert")
}

fn view(tracks: &[u64]) -> View {
    let track = |id: &u64| SeenTrack {
        id: *id,
        place: LatLon { lat: 54.93, lon: 23.95 },
        covariance_m2: [4.0, 0.0, 4.0],
        localised: true,
        coasting: false,
        speed_mps: 1.0,
        course_deg: 90.0,
        velocity_mps: [1.0, 0.0],
        existence: 0.99,
        class: ClassProbabilities { person: 0.9, animal: 0.05, vehicle: 0.05 },
        count: (1, 1),
        first_seen: now(),
        last_seen: now(),
        seen_by: vec![("radar-1".to_owned(), now())],
    };
    View {
        site: "gw".to_owned(),
        origin: LatLon { lat: 54.9, lon: 23.9 },
        at: now(),
        tracks: tracks.iter().map(track).collect(),
        sensors: Vec::new(),
    }
}

/// A store that answers with these alerts.
struct Store {
    feed: Feed,
    views: watch::Sender<Option<Arc<View>>>,
    _newest: watch::Sender<u64>,
    _ordered: mpsc::Receiver<Asked>,
}

fn store(folder: &Path, alerts: Arc<Vec<Alert>>) -> Store {
    let last = alerts.len() as u64;
    let (newest, seen) = watch::channel(last);
    let ask: Ask = Arc::new(move |query: Query| {
        let from = usize::try_from(query.after).unwrap_or(usize::MAX).min(alerts.len());
        let rows: Vec<Row> = alerts[from..]
            .iter()
            .take(query.limit)
            .zip(query.after + 1..)
            .map(|(alert, seq)| Row { seq, alert: alert.clone() })
            .collect();
        let upto = rows.last().map_or(last, |row| row.seq);
        query.answer.send(Ok(Rows { epoch: "e".to_owned(), rows, upto, anew: false })).is_ok()
    });
    let (views, pictures) = watch::channel(Some(Arc::new(view(&[7]))));
    let clock = Clock::new(Instant::now(), SystemTime::now(), Timestamp::MIN);
    let (orders, ordered) = mpsc::channel(4);
    let feed = Feed {
        views: pictures,
        alerts: Reader::new(ask, seen, folder),
        links: Arc::new(Links::of_sinks()),
        clock: Arc::new(SharedClock::new(clock)),
        orders,
    };
    Store { feed, views, _newest: newest, _ordered: ordered }
}

fn sink(name: &str, to: &str) -> CotSink {
    let text = format!(
        "[site]\nid = \"gw\"\norigin = {{ lat = 54.9, lon = 23.9 }}\n[[sink.cot]]\nname = \"{name}\"\n{to}\ntracks_interval_s = 0.1\n"
    );
    Config::parse(Path::new("x.toml"), &text).expect("a configuration").sink.cot.remove(0)
}

fn tcp(listener: &TcpListener) -> String {
    format!("to = {{ host = \"127.0.0.1\", port = {} }}", listener.local_addr().expect("bound").port())
}

/// Reads until the text holds this so often.
async fn read_until(stream: &mut TcpStream, what: &str, count: usize) -> String {
    let mut text = Vec::new();
    let mut buffer = vec![0; 65_536];
    let read = async {
        loop {
            let read = stream.read(&mut buffer).await.expect("a connection");
            assert!(read > 0, "closed after {}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&buffer[..read]);
            if String::from_utf8_lossy(&text[text.len().saturating_sub(read + what.len())..]).contains(what)
                && String::from_utf8_lossy(&text).matches(what).count() >= count
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap_or_else(|_| panic!("no {what}"));
    String::from_utf8(text).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_takes_nothing_delays_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let alerts: Vec<Alert> = (1..=MANY).map(|number| alert(number, "\"raised\"")).collect();
    let store = store(folder.path(), Arc::new(alerts));
    let (stuck, well) = (
        TcpListener::bind("127.0.0.1:0").await.expect("a port"),
        TcpListener::bind("127.0.0.1:0").await.expect("a port"),
    );
    let dead = "to = { host = \"127.0.0.1\", port = 1 }";
    let tasks = [("stuck", tcp(&stuck)), ("dead", dead.to_owned()), ("well", tcp(&well))]
        .map(|(name, to)| tokio::spawn(cot::run(sink(name, &to), store.feed.clone())));
    let (_silent, _) = stuck.accept().await.expect("a connection");
    let (mut stream, _) = well.accept().await.expect("a connection");
    read_until(&mut stream, &format!("uid=\"gw.alert.{MANY:016x}\""), 1).await;
    assert!(!store.feed.links.figures()["dead"].up);
    tasks.into_iter().for_each(|task| task.abort());
}

#[tokio::test]
async fn a_new_connection_hears_of_open_alerts_again_and_of_cancellations_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let closed = r#"{"closed":{"reason":"cleared"}}"#;
    let alerts = vec![alert(1, "\"raised\""), alert(2, "\"raised\""), alert(1, closed)];
    let store = store(folder.path(), Arc::new(alerts));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let task = tokio::spawn(cot::run(sink("tak", &tcp(&listener)), store.feed.clone()));
    let (mut first, _) = listener.accept().await.expect("a connection");
    let text = read_until(&mut first, "type=\"b-a-o-can\"", 1).await;
    assert_eq!(text.matches("<emergency type=\"911 Alert\">").count(), 2);
    // What a server says is read and dropped.
    first.write_all(b"<event uid=\"x\"/>").await.expect("taken");
    drop(first);
    let (mut second, _) = listener.accept().await.expect("another connection");
    let text = read_until(&mut second, "type=\"a-u-G\"", 2).await;
    assert!(text.contains("gw.alert.0000000000000002") && !text.contains("gw.alert.0000000000000001"), "{text}");
    store.views.send_replace(Some(Arc::new(view(&[]))));
    let ended = read_until(&mut second, "stale=\"2026-03-01T02:14:07.250Z\"", 1).await;
    assert!(ended.contains("uid=\"gw.track.7\""), "{ended}");
    task.abort();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("sink-tak.cursor")).expect("a cursor"),
        r#"{"epoch":"e","seq":3}"#
    );
}

#[tokio::test]
async fn a_group_gets_one_datagram_for_each_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path(), Arc::new(vec![alert(1, "\"raised\"")]));
    let receiver = UdpSocket::bind("0.0.0.0:0").await.expect("a port");
    let port = receiver.local_addr().expect("bound").port();
    receiver.join_multicast_v4([239, 2, 3, 1].into(), [0, 0, 0, 0].into()).expect("an interface for multicast");
    let task = tokio::spawn(cot::run(sink("group", &format!("multicast = \"239.2.3.1:{port}\"")), store.feed.clone()));
    let mut buffer = vec![0; 65_536];
    let received = async {
        let (mut tracks, mut alerts) = (0, 0);
        while tracks == 0 || alerts == 0 {
            let count = receiver.recv(&mut buffer).await.expect("a datagram");
            let text = String::from_utf8_lossy(&buffer[..count]);
            assert!(text.starts_with("<event ") && text.ends_with("</event>\n"), "{text}");
            tracks += usize::from(text.contains("gw.track.7"));
            alerts += usize::from(text.contains("gw.alert.0000000000000001"));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), received).await.expect("both events");
    task.abort();
}
