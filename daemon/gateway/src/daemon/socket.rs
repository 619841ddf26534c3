//! The local status socket: one request a line, one answer a line.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::status::{Answer, Request};

/// Longest request.
const MAX_REQUEST_BYTES: u64 = 4096;
/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 16;
/// A connection that has asked and asks nothing more for this long is closed ..
const IDLE: Duration = Duration::from_secs(60);
/// .. and one that never asked, so soon that idle ones keep nobody waiting for long.
const FIRST: Duration = Duration::from_secs(2);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) use crate::sink::Asked;

/// A socket file that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens the socket, in the place of one that a killed daemon left behind.
    pub(super) fn bind(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, "another daemon answers there")),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        Ok(Self { listener, path: path.to_path_buf() })
    }

    /// Answers for as long as the daemon runs.
    pub(super) async fn run(self, asked: mpsc::Sender<Asked>) {
        let places = std::sync::Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = std::sync::Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let asked = asked.clone();
                    tokio::spawn(async move {
                        if let Err(error) = serve(stream, asked).await {
                            tracing::debug!("status socket: {error}");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!("status socket: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(stream: UnixStream, asked: mpsc::Sender<Asked>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut patience = FIRST;
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reader).take(MAX_REQUEST_BYTES);
        let read = tokio::time::timeout(patience, limited.read_until(b'\n', &mut line)).await;
        if !matches!(read, Ok(Ok(1..))) {
            return Ok(());
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => ask(request, &asked).await,
            Err(error) => Answer::Refused { reason: error.to_string() },
        };
        let mut text = serde_json::to_vec(&answer)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
        patience = IDLE;
        if !line.ends_with(b"\n") {
            return Ok(());
        }
    }
}

async fn ask(request: Request, asked: &mpsc::Sender<Asked>) -> Answer {
    let (tell, told) = oneshot::channel();
    if asked.send((request, tell)).await.is_err() {
        return Answer::Refused { reason: "the daemon is stopping".to_owned() };
    }
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(answer)) => answer,
        _ => Answer::Refused { reason: format!("no answer within {PATIENCE:?}") },
    }
}
