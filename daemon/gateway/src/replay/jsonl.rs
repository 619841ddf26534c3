//! Logs of native detections, one JSON object a line, in the order of arrival.

use std::io::{BufRead, Read};

use serde::Deserialize;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{Frame, FrameContent, Input, Timestamp};

/// Longest line taken; a longer one is passed over and counted.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;

/// One thing a gateway was told, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The engine's time of it.
    pub now: Timestamp,
    /// What it was told.
    pub input: Input,
}

/// A log that cannot be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The system could not read it.
    #[error("line {line}: {error}")]
    Read {
        /// The line, from 1.
        line: u64,
        /// The system's error.
        error: std::io::Error,
    },
}

/// Reads a log line by line; a line's time is the greatest `received` so far.
#[derive(Debug)]
pub struct JsonLines<R> {
    reader: R,
    line: u64,
    now: Timestamp,
    oversize: u64,
    untimed: u64,
}

/// The one key the reader looks at; the codec reads the rest.
#[derive(Deserialize)]
struct Stamp<'a> {
    #[serde(borrow, default)]
    received: Option<std::borrow::Cow<'a, str>>,
}

impl<R: BufRead> JsonLines<R> {
    /// A log that is read from its first line.
    pub fn new(reader: R) -> Self {
        Self { reader, line: 0, now: Timestamp::MIN, oversize: 0, untimed: 0 }
    }

    /// Lines longer than 1 MiB, passed over.
    #[must_use]
    pub fn oversize(&self) -> u64 {
        self.oversize
    }

    /// Lines without a readable `received`, which took the time of the line before, and those before the first time, which
    /// were passed over.
    #[must_use]
    pub fn untimed(&self) -> u64 {
        self.untimed
    }

    /// The next line, without its end; nothing at the end of the log.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, LogError> {
        loop {
            let mut bytes = Vec::with_capacity(512);
            self.line += 1;
            if !self.read_bounded(&mut bytes).map_err(|error| LogError::Read { line: self.line, error })? {
                return Ok(None);
            }
            if bytes.len() > MAX_LINE_BYTES {
                self.oversize += 1;
            } else if !bytes.trim_ascii().is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    /// Appends a line without its end, at most one byte more than the bound, and leaves the reader after the line's end.
    /// False at the end of the log.
    fn read_bounded(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
        let read = self.reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', bytes)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if read > MAX_LINE_BYTES {
            self.reader.skip_until(b'\n')?;
        }
        Ok(read > 0)
    }
}

impl<R: BufRead> Iterator for JsonLines<R> {
    type Item = Result<Told, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = match self.next_line() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let stamp: Option<Stamp<'_>> = serde_json::from_slice(&bytes).ok();
            let received = stamp.and_then(|stamp| stamp.received).and_then(|text| parse_rfc3339(&text));
            if received.is_none() {
                self.untimed += 1;
                if self.now == Timestamp::MIN {
                    continue;
                }
            }
            let received = received.unwrap_or(self.now);
            self.now = self.now.max(received);
            let content = FrameContent::Message { codec: "native".to_owned(), topic: None, retained: false, bytes };
            let frame = Frame { source: "log".to_owned(), received, content };
            return Some(Ok(Told { now: self.now, input: Input::Frame(frame) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (Vec<i64>, u64, u64) {
        let mut lines = JsonLines::new(text);
        let nows = lines.by_ref().map(|told| told.expect("memory is readable").now.as_micros()).collect();
        (nows, lines.oversize(), lines.untimed())
    }

    #[test]
    fn time_never_runs_backwards() {
        let log = b"{\"received\":\"1970-01-01T00:00:02Z\"}\n\n{\"received\":\"1970-01-01T00:00:01Z\"}\n";
        assert_eq!(read(log), (vec![2_000_000, 2_000_000], 0, 0));
    }

    #[test]
    fn a_line_without_time_takes_the_time_of_the_line_before() {
        let log = b"no json\n{\"received\":\"1970-01-01T00:00:02Z\"}\nno json\n{\"received\":7}";
        assert_eq!(read(log), (vec![2_000_000; 3], 0, 3));
    }

    #[test]
    fn a_torn_line_has_no_time() {
        let log =
            b"{\"received\":\"1970-01-01T00:00:02Z\"}\n{\"v\":1,\"received\":\"1970-01-01T00:00:03Z\",\"plots\":[{\"ki";
        assert_eq!(read(log), (vec![2_000_000; 2], 0, 1));
    }

    /// Bytes that changed in the middle of a line are lost data, too, although its time can be read.
    #[test]
    fn a_line_that_is_broken_inside_has_no_time() {
        let log = b"{\"received\":\"1970-01-01T00:00:02Z\"}\n{\"received\":\"1970-01-01T00:00:03Z\",\"plots\":[Na#]}";
        assert_eq!(read(log), (vec![2_000_000; 2], 0, 1));
    }

    #[test]
    fn an_oversize_line_is_passed_over() {
        let mut log = vec![b'x'; MAX_LINE_BYTES + 1];
        log.extend_from_slice(b"\n{\"received\":\"1970-01-01T00:00:02Z\"}\r\n");
        assert_eq!(read(&log), (vec![2_000_000], 1, 0));
    }
}
