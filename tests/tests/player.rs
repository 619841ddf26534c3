//! Recorded logs, played live to a broker.

use std::fmt::Write;

use e2e::embedded_broker;
use vedette_sim::live::{BrokerAddress, PlayOptions, play};

/// A broker ends the connection of a client when another comes with the same id.
#[tokio::test(flavor = "multi_thread")]
async fn two_logs_are_played_at_a_time() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log.jsonl");
    let lines = (0..20).fold(String::new(), |mut lines, tenth| {
        let time = format!("2026-03-01T02:14:{:02}.{}00Z", tenth / 10, tenth % 10);
        let _ = writeln!(lines, r#"{{"v":1,"sensor":"radar-7","t":"{time}","received":"{time}","plots":[]}}"#);
        lines
    });
    std::fs::write(&log, lines)?;
    let broker = BrokerAddress { host: "127.0.0.1".to_owned(), port: embedded_broker()? };
    let options = PlayOptions { log, broker, gateway: "gate-1".to_owned(), rate: 1.0, exercise: false };
    let (one, other) = tokio::join!(play(&options), play(&options));
    assert_eq!((one?.messages, other?.messages), (20, 20));
    Ok(())
}
