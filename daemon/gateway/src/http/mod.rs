//! The local HTTP endpoint: pages that only read, one line each in `PAGES`.
//!
//! A page is a function from an [`Observation`], which the engine's task makes for each request, to a [`Page`]. HTTP is as
//! much of it as a scraper or a browser needs: GET and HEAD, one request a connection, everything bounded.

mod geojson;
mod health;
mod metrics;
mod prometheus;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::sink::View;
use crate::status::Report;

/// Makes a page of what was observed.
type Maker = fn(&Observation) -> Page;

/// Paths, and what makes their pages. A new page is one line here.
const PAGES: &[(&str, Maker)] =
    &[("/metrics", metrics::page), ("/healthz", health::page), ("/tracks.geojson", geojson::page)];

/// Longest request, bytes.
const MAX_REQUEST: usize = 8192;
/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 64;
/// Time given to a client for its request, and to read the answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(2);
/// Time given to the engine's task for an observation.
const ENGINE_PATIENCE: Duration = Duration::from_secs(5);

/// The daemon at one time, as pages see it.
#[derive(Debug)]
pub struct Observation {
    /// Status.
    pub report: Report,
    /// Confirmed tracks, and sensors.
    pub view: View,
    /// All tracks, tentative ones included.
    pub track_count: usize,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// HTTP status, as `200 OK`.
    pub status: &'static str,
    /// Media type.
    pub media_type: &'static str,
    /// Body.
    pub body: String,
}

impl Page {
    fn text(status: &'static str, body: impl Into<String>) -> Self {
        Self { status, media_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Where observations come from.
pub type Observe = mpsc::Sender<oneshot::Sender<Box<Observation>>>;

/// A bound endpoint.
#[derive(Debug)]
pub struct Endpoint(TcpListener);

impl Endpoint {
    /// Opens the port.
    ///
    /// # Errors
    /// When it is taken, or may not be opened.
    pub fn bind(listen: SocketAddr) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self)
    }

    /// Answers for as long as the daemon runs.
    pub async fn run(self, observe: Observe) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let observe = observe.clone();
                    tokio::spawn(async move {
                        if let Err(error) = serve(stream, &observe).await {
                            tracing::debug!("http: {error}");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!("http: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn serve(mut stream: TcpStream, observe: &Observe) -> std::io::Result<()> {
    let late = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let head = tokio::time::timeout(CLIENT_PATIENCE, read_head(&mut stream)).await.map_err(late)??;
    let (page, with_body) = match target(&head) {
        Ok((path, with_body)) => (answer(path, observe).await, with_body),
        Err(page) => (page, true),
    };
    let Page { status, media_type, body } = page;
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if with_body {
        answer.push_str(&body);
    }
    let written = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    tokio::time::timeout(CLIENT_PATIENCE, written).await.map_err(late)?
}

/// Everything up to the empty line.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < MAX_REQUEST {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(head)
}

/// The path of a request, without its query, and whether the body is wanted.
fn target(head: &[u8]) -> Result<(&str, bool), Page> {
    let bad = || Page::text("400 Bad Request", "expected `GET /path HTTP/1.1`\n");
    let line = head.split(|&byte| byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok());
    let mut words = line.ok_or_else(bad)?.split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some("HTTP/1.0" | "HTTP/1.1")) = (method, target, version) else {
        return Err(bad());
    };
    let path = target.split('?').next().unwrap_or_default();
    match method {
        "GET" => Ok((path, true)),
        "HEAD" => Ok((path, false)),
        _ => Err(Page::text("405 Method Not Allowed", "only GET and HEAD\n")),
    }
}

async fn answer(path: &str, observe: &Observe) -> Page {
    let Some((_, page)) = PAGES.iter().find(|(known, _)| *known == path) else {
        let known: Vec<&str> = PAGES.iter().map(|(path, _)| *path).collect();
        return Page::text("404 Not Found", format!("known: {}\n", known.join(" ")));
    };
    let (tell, told) = oneshot::channel();
    let asked = async {
        observe.send(tell).await.ok()?;
        told.await.ok()
    };
    match tokio::time::timeout(ENGINE_PATIENCE, asked).await {
        Ok(Some(observation)) => page(&observation),
        _ => Page::text("503 Service Unavailable", "the engine does not answer\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reading_requests_are_understood() {
        assert_eq!(target(b"GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(("/metrics", true)));
        assert_eq!(target(b"HEAD /healthz HTTP/1.0\r\n\r\n"), Ok(("/healthz", false)));
        for (head, status) in [
            (&b"POST /metrics HTTP/1.1\r\n\r\n"[..], "405 Method Not Allowed"),
            (b"", "400 Bad Request"),
            (b"GET /metrics\r\n\r\n", "400 Bad Request"),
            (b"\xff\xfe / HTTP/1.1\r\n\r\n", "400 Bad Request"),
            (b"GET / HTTP/9\r\n\r\n", "400 Bad Request"),
        ] {
            assert_eq!(target(head).map_err(|page| page.status), Err(status), "{head:?}");
        }
    }
}
