//! The client's side of a daemon's status socket.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use vedette_gateway::config::Config;
use vedette_gateway::status::{Answer, Request};

/// Where the daemon answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The daemon's configuration, which names the socket
    #[arg(long, conflicts_with = "socket")]
    config: Option<PathBuf>,
    /// The daemon's socket
    #[arg(long, default_value = "/run/vedette/vedette.sock")]
    socket: PathBuf,
}

impl Place {
    /// The socket's path.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.config {
            Some(config) => Ok(Config::load(config)?.status.socket),
            None => Ok(self.socket.clone()),
        }
    }
}

/// Longest wait for an answer; the daemon itself gives up after 10 s.
const PATIENCE: Duration = Duration::from_secs(12);

/// A connection to a daemon.
pub(crate) struct Line {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

impl Line {
    /// Connects to the daemon that answers at `path`.
    pub(crate) fn connect(path: &Path) -> anyhow::Result<Self> {
        let connect = || {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            std::io::Result::Ok(stream)
        };
        let stream = connect().with_context(|| format!("no daemon answers at {}", path.display()))?;
        Ok(Self { stream: BufReader::new(stream), path: path.to_path_buf() })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let mut exchange = || {
            let mut line = serde_json::to_string(request)?;
            line.push('\n');
            self.stream.get_mut().write_all(line.as_bytes())?;
            line.clear();
            self.stream.read_line(&mut line)?;
            anyhow::Ok(serde_json::from_str(&line)?)
        };
        exchange().with_context(|| self.path.display().to_string())
    }
}
