//! Reports as lines of native detections.

use std::fmt::{self, Display};
use std::io::{self, Write};

use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};
use vedette_engine::Timestamp;

use crate::Scene;
use crate::report::{Plot, Report};

/// One line or message of the native format, version 1.
#[derive(Serialize)]
struct Line<'a> {
    v: u32,
    sensor: &'a str,
    #[serde(serialize_with = "rfc3339")]
    t: Timestamp,
    #[serde(serialize_with = "rfc3339")]
    received: Timestamp,
    seq: u32,
    plots: &'a [Plot],
}

/// Writes every report in order of arrival.
///
/// # Errors
/// When the output fails.
pub fn write_detections(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    for report in &scene.reports {
        write_line(&scene.layout.sensors[report.sensor].id, report, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes one report as a line without its end.
///
/// # Errors
/// When the output fails.
pub fn write_line(sensor: &str, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let line =
        Line { v: 1, sensor, t: report.stamped, received: report.received, seq: report.seq, plots: &report.plots };
    if !report.damaged {
        return serde_json::to_writer(out, &line).map_err(io::Error::from);
    }
    let mut bytes = serde_json::to_vec(&line)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x04;
    out.write_all(&bytes)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Rfc3339(*time))
}

/// The time as RFC 3339 text in UTC with microseconds; a time beyond the year 9999 becomes empty text.
#[must_use]
pub(crate) fn rfc3339_text(time: Timestamp) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    if write!(text, "{}", Rfc3339(time)).is_err() {
        text.clear();
    }
    text
}

struct Rfc3339(Timestamp);

impl Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        let time = jiff::Timestamp::from_microsecond(self.0.as_micros()).map_err(|_| fmt::Error)?;
        PRINTER.print_timestamp(&time, jiff::fmt::StdFmtWrite(f)).map_err(|_| fmt::Error)
    }
}
