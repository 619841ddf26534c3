//! The embedded broker.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// A broker that lives as long as the process.
pub(super) struct Started {
    /// Where it listens, on this machine only.
    pub(super) port: u16,
}

/// Starts a broker on a free port and waits until it listens.
pub(super) async fn start() -> anyhow::Result<Started> {
    let listen: SocketAddr =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("free port")?;
    let server = ServerSettings {
        name: "v5".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 5_000,
            max_payload_size: 1 << 20,
            max_inflight_count: 200,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let router = RouterConfig {
        max_connections: 16,
        max_outgoing_packet_count: 200,
        max_segment_size: 1 << 20,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    let config = Config { router, v5: Some(HashMap::from([("1".to_owned(), server)])), ..Config::default() };
    // The broker offers no way to end it; the process's end is its end.
    std::thread::Builder::new().name("broker".to_owned()).spawn(move || {
        if let Err(error) = Broker::new(config).start() {
            tracing::error!("embedded broker: {error}");
        }
    })?;
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(listen).await.is_ok() {
            return Ok(Started { port: listen.port() });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("the embedded broker does not listen on {listen}")
}
