//! The connection against an embedded broker, and against brokers that hang.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what prepares it")]

#[path = "../../cli/src/commands/demo/broker.rs"]
mod broker;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::sync::mpsc;
use vedette_mqtt::{CloseReason, Connection, Event, Message, Options, Publication, Quality, Receipt};

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
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

#[tokio::test]
async fn a_message_comes_back_with_its_properties_and_is_receipted() {
    let address = broker::start().unwrap();
    let (connection, mut events) = open(&Options::new("127.0.0.1", address.port(), "gate-1"));
    assert_eq!(next(&mut events).await, Event::Connected);
    connection.subscribe(&["vedette/v1/+/alert".to_owned()], Quality::AtLeastOnce).unwrap();
    assert_eq!(next(&mut events).await, Event::Subscribed { granted: true });
    let properties = vec![("kid".to_owned(), "k1".to_owned())];
    let token = connection
        .publish(Publication {
            topic: "vedette/v1/gate-1/alert".to_owned(),
            payload: b"hello".to_vec(),
            quality: Quality::AtLeastOnce,
            retain: false,
            properties: properties.clone(),
        })
        .unwrap();
    let mut seen = vec![next(&mut events).await, next(&mut events).await];
    seen.sort_by_key(|event| matches!(event, Event::Receipt { .. }));
    let topic = "vedette/v1/gate-1/alert".to_owned();
    let message = Message { topic, payload: b"hello".to_vec(), retained: false, properties };
    assert_eq!(seen, [Event::Message(message), Event::Receipt { token, receipt: Receipt::Taken }]);
    connection.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_broker_that_never_answers_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = Options::new("127.0.0.1", listener.local_addr().unwrap().port(), "gate-1");
    options.connect_timeout = Duration::from_millis(300);
    let (_connection, mut events) = open(&options);
    assert_eq!(next(&mut events).await, Event::Closed(CloseReason::ConnectTimeout(options.connect_timeout)));
}

#[tokio::test]
async fn nobody_listening_is_a_lost_connection() {
    let address = free_address();
    let (_connection, mut events) = open(&Options::new("127.0.0.1", address.port(), "gate-1"));
    assert!(matches!(next(&mut events).await, Event::Closed(CloseReason::Lost(_))));
}

#[tokio::test]
async fn a_broker_that_stops_reading_ends_the_connection_within_three_keep_alives() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connect = [0_u8; 256];
        let received = stream.read(&mut connect).unwrap();
        assert!(received > 0);
        stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
        // Holds the socket open and reads nothing more.
        let _ = stopped.recv();
    });
    let mut options = Options::new("127.0.0.1", port, "gate-1");
    options.keep_alive = Duration::from_secs(1);
    options.queue = 4_096;
    let (connection, mut events) = open(&options);
    assert_eq!(next(&mut events).await, Event::Connected);
    for _ in 0..200 {
        let publication = Publication {
            topic: "t".to_owned(),
            payload: vec![0; 100_000],
            quality: Quality::AtMostOnce,
            retain: false,
            properties: Vec::new(),
        };
        connection.publish(publication).unwrap();
    }
    let Event::Closed(reason) = next(&mut events).await else { panic!("expected the end") };
    assert!(matches!(reason, CloseReason::Stalled(_) | CloseReason::Lost(_)), "{reason:?}");
    drop(stop);
}
