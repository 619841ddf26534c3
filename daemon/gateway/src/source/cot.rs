//! Cursor on Target from a server or a multicast group: where own units say they are.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncReadExt;
use tokio::net::UdpSocket;
use vedette_engine::codec::cot;
use vedette_engine::{Frame, FrameContent, Input};

use super::{Backoff, Surroundings};
use crate::config::CotSource;
use crate::intake::{Port, Taken};
use crate::net::{self, NetError};

/// Longest event.
const MAX_BYTES: usize = 65_536;
/// What ends an event on a stream.
const END: &[u8] = b"</event>";

/// Listens for as long as the daemon runs.
pub async fn run(source: CotSource, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(&source.name);
    loop {
        let trouble = match (&source.from, source.multicast) {
            (Some(peer), _) => match net::connect(peer).await {
                Ok(stream) => {
                    surroundings.links.set(&source.name, Ok(()));
                    read_stream(stream, &source, port, &surroundings, &mut backoff).await
                }
                Err(error) => error,
            },
            (None, Some(group)) => match join(group).await {
                Ok(socket) => {
                    surroundings.links.set(&source.name, Ok(()));
                    read_datagrams(socket, &source, port, &surroundings).await
                }
                Err(error) => error.into(),
            },
            (None, None) => return,
        };
        surroundings.links.set(&source.name, Err(trouble.to_string()));
        tokio::time::sleep(backoff.pause()).await;
    }
}

async fn join(group: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr = match group {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, group.port()).into(),
        SocketAddr::V6(_) => ([0_u16; 8], group.port()).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    match group {
        SocketAddr::V4(group) => socket.join_multicast_v4(*group.ip(), Ipv4Addr::UNSPECIFIED)?,
        SocketAddr::V6(group) => socket.join_multicast_v6(group.ip(), group.scope_id())?,
    }
    Ok(socket)
}

async fn read_datagrams(socket: UdpSocket, source: &CotSource, port: Port, surroundings: &Surroundings) -> NetError {
    let mut buffer = vec![0; MAX_BYTES];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(count) => take(&buffer[..count], source, port, surroundings),
            Err(error) => return error.into(),
        }
    }
}

async fn read_stream(
    mut stream: Box<dyn net::Duplex>,
    source: &CotSource,
    port: Port,
    surroundings: &Surroundings,
    backoff: &mut Backoff,
) -> NetError {
    let (mut held, mut buffer) = (Vec::new(), vec![0; 16_384]);
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return NetError::Closed,
            Ok(count) => held.extend_from_slice(&buffer[..count]),
            Err(error) => return error.into(),
        }
        backoff.reset();
        split_events(&mut held, |event| take(event, source, port, surroundings));
        if held.len() > MAX_BYTES {
            return NetError::Refused(format!("more than {MAX_BYTES} bytes without the end of an event"));
        }
    }
}

/// Tells of each whole event and keeps the rest.
fn split_events(held: &mut Vec<u8>, mut tell: impl FnMut(&[u8])) {
    let mut at = 0;
    while let Some(end) = held[at..].windows(END.len()).position(|window| window == END) {
        let end = at + end + END.len();
        tell(held[at..end].trim_ascii());
        at = end;
    }
    held.drain(..at);
}

/// The uid of a friend whom the configuration does not name. What is no event, or about nobody of ours, is the codec's to
/// tell.
fn stranger(event: &[u8], source: &CotSource) -> Option<String> {
    let trusted = source.trust.as_ref()?;
    cot::claimant(event).ok().flatten().filter(|uid| !trusted.contains(uid))
}

fn take(event: &[u8], source: &CotSource, port: Port, surroundings: &Surroundings) {
    if let Some(uid) = stranger(event, source) {
        return surroundings.rejects.count(&source.name, "untrusted", &format!("uid {}", uid.escape_debug()));
    }
    let content =
        FrameContent::Message { codec: "cot".to_owned(), topic: None, retained: false, bytes: event.to_vec() };
    let frame = Frame { source: source.name.clone(), received: surroundings.clock.now(), content };
    // A message queue drops its oldest itself.
    let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn events_are_the_same_however_they_are_split(count in 0_usize..6, size in 1_usize..50, declared in any::<bool>()) {
            let start = if declared { "<?xml version=\"1.0\"?>" } else { "" };
            let event = |number: usize| format!("{start}<event uid=\"{number}\"><point/></event>");
            let text: String = (0..count).map(|number| event(number) + "\n").collect();
            let (mut held, mut seen) = (Vec::new(), Vec::new());
            for part in text.as_bytes().chunks(size) {
                held.extend_from_slice(part);
                split_events(&mut held, |event| seen.push(String::from_utf8_lossy(event).into_owned()));
            }
            prop_assert_eq!(seen, (0..count).map(event).collect::<Vec<_>>());
            prop_assert!(held.len() <= 1);
        }
    }

    #[test]
    fn friends_who_are_not_named_are_strangers_whatever_they_call_themselves() {
        let source = |trust: &str| -> CotSource {
            toml::from_str(&format!("name = \"x\"\nmulticast = \"239.2.3.1:6969\"\n{trust}")).expect("a table")
        };
        let event = |uid: &str, kind: &str| {
            format!(
                r#"<event uid="{uid}" type="{kind}" time="t" stale="t"><detail><contact callsign="Wolf 3"/></detail></event>"#
            )
        };
        let named = source("trust = [\"A-1\"]");
        for (uid, kind, is_stranger) in
            [("A-1", "a-f-G-U-C", false), ("A-2", "a-f-G-U-C", true), ("A-1 ", "a-f-G", true), ("A-2", "a-h-G", false)]
        {
            let expected = is_stranger.then(|| uid.to_owned());
            assert_eq!(stranger(event(uid, kind).as_bytes(), &named), expected, "{uid} {kind}");
            assert_eq!(stranger(event(uid, kind).as_bytes(), &source("")), None, "the server has let it in");
        }
    }
}
