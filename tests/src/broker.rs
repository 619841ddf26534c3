//! Brokers: one inside this process, and Debian's mosquitto.

#[path = "../../daemon/cli/src/commands/demo/broker.rs"]
mod embedded;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;

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
    Ok(embedded::start()?.port())
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
