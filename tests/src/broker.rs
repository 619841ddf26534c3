//! Brokers: one inside this process, and Debian's mosquitto.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use crate::Process;

/// A port nobody listens on now.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Starts a broker that lives as long as this process, and returns its port.
///
/// # Errors
/// When it does not come up.
pub fn embedded_broker() -> anyhow::Result<u16> {
    let port = free_port()?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: 1 << 20,
        max_inflight_count: 200,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings { name: "v5".to_owned(), listen, tls: None, next_connection_delay_ms: 0, connections };
    let router = RouterConfig {
        max_connections: 32,
        max_outgoing_packet_count: 200,
        max_segment_size: 1 << 20,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    let config = Config { router, v5: Some(HashMap::from([("1".to_owned(), server)])), ..Config::default() };
    std::thread::spawn(move || drop(Broker::new(config).start()));
    wait_for(port)?;
    Ok(port)
}

fn wait_for(port: u16) -> anyhow::Result<()> {
    for _ in 0..1000 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    anyhow::bail!("the broker does not listen on port {port}")
}

/// Debian's mosquitto on a port of its own, stopped and started as a test wants.
#[derive(Debug)]
pub struct Mosquitto {
    config: PathBuf,
    log: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Mosquitto {
    /// Starts it with its files in `folder`; with `persistence` it writes its database after every change.
    ///
    /// # Errors
    /// When mosquitto is not installed or does not come up.
    pub fn start(folder: &Path, persistence: bool) -> anyhow::Result<Self> {
        let mut text = String::from("max_queued_messages 0\n");
        if persistence {
            let place = folder.display();
            text.push_str(&format!(
                "persistence true\npersistence_location {place}/\nautosave_on_changes true\nautosave_interval 1\n"
            ));
            if std::env::var_os("USER").is_none_or(|user| user == "root") {
                text.push_str("user root\n");
            }
        }
        Self::start_with(folder, &text)
    }

    /// Starts it with more lines of configuration: settings of the listener without TLS, then whatever else.
    ///
    /// # Errors
    /// When mosquitto is not installed or does not come up.
    pub fn start_with(folder: &Path, lines: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let config = folder.join("mosquitto.conf");
        std::fs::write(&config, format!("listener {port} 127.0.0.1\nallow_anonymous true\n{lines}"))?;
        let mut broker = Self { config, log: folder.join("mosquitto.log"), port, process: None };
        broker.restart()?;
        Ok(broker)
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { anyhow::bail!("mosquitto does not run") };
        process.kill()
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// When it runs already or does not come up.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "mosquitto runs already");
        let installed = Path::new("/usr/sbin/mosquitto");
        let program = if installed.exists() { installed } else { Path::new("mosquitto") };
        let config = self.config.to_string_lossy();
        self.process = Some(Process::start(program, &["-c", &config], &self.log)?);
        wait_for(self.port)
    }
}
