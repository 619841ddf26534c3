//! Messages that other programs post over HTTP: the body of each POST is one message.
//!
//! Only what a program on the same network needs is spoken: HTTP/1.1 requests with a length, one after another on a
//! connection, answered without content. Everything is bounded: connections, header, body and the time they take.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use vedette_engine::{Frame, FrameContent, Input};

use super::{Backoff, Surroundings};
use crate::config::HttpSource;
use crate::intake::{Port, Taken};

/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 16;
/// Longest header, all lines together.
const MAX_HEADER_BYTES: u64 = 16_384;
/// Longest body.
const MAX_BODY_BYTES: usize = 1 << 20;
/// A request must be complete within this time, and follow the last one within it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Listens for as long as the daemon runs.
pub async fn run(source: HttpSource, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(&source.name);
    loop {
        match TcpListener::bind(source.listen).await {
            Ok(listener) => {
                surroundings.links.set(&source.name, Ok(()));
                accept(listener, &source, port, &surroundings).await;
            }
            Err(error) => surroundings.links.set(&source.name, Err(format!("{}: {error}", source.listen))),
        }
        tokio::time::sleep(backoff.pause()).await;
    }
}

async fn accept(listener: TcpListener, source: &HttpSource, port: Port, surroundings: &Surroundings) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(source = source.name, "{error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (source, surroundings) = (source.clone(), surroundings.clone());
        tokio::spawn(async move {
            serve(stream, &source, port, &surroundings).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, source: &HttpSource, port: Port, surroundings: &Surroundings) {
    let mut stream = BufReader::new(stream);
    loop {
        let request = tokio::time::timeout(PATIENCE, read_request(&mut stream)).await;
        let (status, goes_on) = match request {
            Ok(Ok(Some(body))) => {
                take(body, source, port, surroundings);
                ("204 No Content", true)
            }
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(refusal)) => {
                surroundings.rejects.count(&source.name, "http", &refusal.0);
                (refusal.0, false)
            }
        };
        let connection = if goes_on { "keep-alive" } else { "close" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: {connection}\r\n\r\n");
        if stream.get_mut().write_all(answer.as_bytes()).await.is_err() || !goes_on {
            return;
        }
    }
}

/// The status line of a refusal.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(&'static str);

/// The body of the next request; nothing when the other side is done.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut header = (&mut *stream).take(MAX_HEADER_BYTES);
    let (mut line, mut length, mut first) = (Vec::new(), None, true);
    loop {
        line.clear();
        match header.read_until(b'\n', &mut line).await {
            Ok(0) if first => return Ok(None),
            Ok(_) if line.ends_with(b"\n") => {}
            Ok(_) => return Err(Refusal("431 Request Header Fields Too Large")),
            Err(_) => return Ok(None),
        }
        let text = line.trim_ascii();
        if std::mem::take(&mut first) {
            if !text.starts_with(b"POST ") && !text.starts_with(b"PUT ") {
                return Err(Refusal("405 Method Not Allowed"));
            }
            continue;
        }
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len()));
        if name.eq_ignore_ascii_case(b"content-length") {
            let value = std::str::from_utf8(value.get(1..).unwrap_or_default()).unwrap_or_default();
            length = value.trim().parse::<usize>().ok();
        }
    }
    let length = length.ok_or(Refusal("411 Length Required"))?;
    if length > MAX_BODY_BYTES {
        return Err(Refusal("413 Content Too Large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(|_| Refusal("400 Bad Request"))?;
    Ok(Some(body))
}

fn take(body: Vec<u8>, source: &HttpSource, port: Port, surroundings: &Surroundings) {
    let content = FrameContent::Message { codec: source.codec.clone(), topic: None, retained: false, bytes: body };
    let frame = Frame { source: source.name.clone(), received: surroundings.clock.now(), content };
    // A message queue drops its oldest itself.
    let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
}
