//! A file that grows line by line, each line a message: read from its end, and followed when it is replaced or cut.

use std::io::SeekFrom;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use vedette_engine::{Frame, FrameContent, Input};

use super::{Surroundings, lines::Lines};
use crate::config::FileSource;
use crate::intake::{Port, Taken};

/// Time between two looks at the file.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Most bytes read at once.
const READ_BYTES: usize = 65_536;

/// A file while it is followed.
struct Followed {
    file: File,
    /// Device and number of the file, which a new file under the same name has not.
    identity: (u64, u64),
    read: u64,
}

/// Follows the file for as long as the daemon runs.
pub async fn run(source: FileSource, port: Port, surroundings: Surroundings) {
    let mut followed: Option<Followed> = None;
    let mut lines = Lines::default();
    let mut first = true;
    loop {
        match look(&source, &mut followed, &mut lines, std::mem::take(&mut first), port, &surroundings).await {
            Ok(()) => surroundings.links.set(&source.name, Ok(())),
            Err(error) => {
                followed = None;
                surroundings.links.set(&source.name, Err(format!("{}: {error}", source.path.display())));
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn look(
    source: &FileSource,
    followed: &mut Option<Followed>,
    lines: &mut Lines,
    from_end: bool,
    port: Port,
    surroundings: &Surroundings,
) -> std::io::Result<()> {
    let found = tokio::fs::metadata(&source.path).await?;
    let identity = (found.dev(), found.ino());
    let same = followed.as_ref().is_some_and(|open| open.identity == identity && open.read <= found.len());
    if !same {
        let mut file = File::open(&source.path).await?;
        // What was there before this program is no news; what is in a file that took its place is.
        let read = if from_end { file.seek(SeekFrom::End(0)).await? } else { 0 };
        *lines = Lines::default();
        *followed = Some(Followed { file, identity, read });
    }
    let Some(open) = followed.as_mut() else { return Ok(()) };
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = open.file.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        open.read += count as u64;
        lines.feed(&buffer[..count], |line| take(line, source, port, surroundings));
        let cut = lines.take_cut();
        if cut > 0 {
            surroundings.rejects.count(&source.name, "line_too_long", &"a line of more than a mebibyte");
        }
    }
}

fn take(line: &[u8], source: &FileSource, port: Port, surroundings: &Surroundings) {
    let codec = source.codec.clone();
    let content = FrameContent::Message { codec, topic: None, retained: false, bytes: line.to_vec() };
    let frame = Frame { source: source.name.clone(), received: surroundings.clock.now(), content };
    // A message queue drops its oldest itself.
    let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
}
