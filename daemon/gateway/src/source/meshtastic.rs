//! A Meshtastic node on a serial line: frames of its stream protocol in, signs of life out.
//!
//! The node streams only to a client that has asked for its configuration, forgets it when it restarts, and drops one that
//! sends nothing for 15 minutes. So the line asks at the start and after each restart, and tells the node regularly that it
//! is there. Between frames a node may print debugging text, which is skipped.

mod frame;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use vedette_engine::codec::meshtastic::Said;
use vedette_engine::{Frame, FrameContent, Input};

use self::frame::{Accumulator, Fed};
use super::{Backoff, Surroundings};
use crate::config::MeshtasticSource;
use crate::intake::{Port, Taken};

/// Most bytes read at once.
const READ_BYTES: usize = 4_096;
/// The number the configuration is asked with; any will do.
const CONFIGURATION_ID: u8 = 77;
/// Wakes a node that sleeps on its line: more start bytes than a frame can hold back.
const WAKE: [u8; 32] = [0xc3; 32];

/// Keeps the line open for as long as the daemon runs.
pub async fn run(source: MeshtasticSource, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(&source.name);
    loop {
        let line = tokio_serial::new(source.device.to_string_lossy(), source.baud).open_native_async();
        let trouble = match line {
            Ok(line) => {
                surroundings.links.set(&source.name, Ok(()));
                serve(line, &source, port, &surroundings, &mut backoff).await.to_string()
            }
            Err(error) => error.to_string(),
        };
        surroundings.links.set(&source.name, Err(format!("{}: {trouble}", source.device.display())));
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// Reads and writes until the device goes away; why it went.
async fn serve(
    line: SerialStream,
    source: &MeshtasticSource,
    port: Port,
    surroundings: &Surroundings,
    backoff: &mut Backoff,
) -> std::io::Error {
    let (mut reader, mut writer) = tokio::io::split(line);
    let mut accumulator = Accumulator::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut heartbeat = tokio::time::interval(Duration::from_secs_f64(source.heartbeat_s));
    let mut asks = true;
    loop {
        if std::mem::take(&mut asks)
            && let Err(error) = writer.write_all(&[&WAKE[..], &ask_for_configuration()].concat()).await
        {
            return error;
        }
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) => return std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "device is unplugged"),
                Ok(count) => {
                    backoff.reset();
                    accumulator.feed(&buffer[..count], |fed| match fed {
                        Fed::Frame { said: Said::Rebooted, .. } => asks = true,
                        Fed::Frame { said: Said::Packet, bytes } => take(bytes, source, port, surroundings),
                        Fed::Frame { .. } => {}
                        Fed::NoFrame => {
                            let detail = "bytes that began like a frame and were none";
                            surroundings.rejects.count(&source.name, "framing", &detail);
                        }
                    });
                }
                Err(error) => return error,
            },
            _ = heartbeat.tick() => {
                if let Err(error) = writer.write_all(&sign_of_life()).await {
                    return error;
                }
            }
        }
    }
}

fn take(bytes: &[u8], source: &MeshtasticSource, port: Port, surroundings: &Surroundings) {
    let codec = "meshtastic_serial".to_owned();
    let content = FrameContent::Message { codec, topic: None, retained: false, bytes: bytes.to_vec() };
    let frame = Frame { source: source.name.clone(), received: surroundings.clock.now(), content };
    // A message queue drops its oldest itself.
    let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
}

/// `ToRadio { want_config_id }`.
fn ask_for_configuration() -> Vec<u8> {
    frame::framed(&[3 << 3, CONFIGURATION_ID])
}

/// `ToRadio { heartbeat {} }`.
fn sign_of_life() -> Vec<u8> {
    frame::framed(&[7 << 3 | 2, 0])
}
