//! A progress bar on standard error, when that is a terminal.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vedette_gateway::engine::Timestamp;
use vedette_gateway::engine::time::format_rfc3339;

/// A bar over `total` of something, counted as `counts` says; invisible when standard error is no terminal.
pub(crate) fn bar(total: u64, counts: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template = format!("{{wide_bar}} {{msg}} {counts} {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// A file whose reading moves a bar.
pub(crate) struct Metered {
    file: File,
    bar: ProgressBar,
}

impl Metered {
    pub(crate) fn new(file: File, bar: ProgressBar) -> Self {
        Self { file, bar }
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bar.inc(count as u64);
        Ok(count)
    }
}

/// Tells on a bar which time of a log is reached, and how many times faster than life.
pub(crate) struct Clock {
    bar: ProgressBar,
    begun: Option<(Instant, Timestamp)>,
    told_s: i64,
}

impl Clock {
    pub(crate) fn new(bar: ProgressBar) -> Self {
        Self { bar, begun: None, told_s: i64::MIN }
    }

    pub(crate) fn reach(&mut self, now: Timestamp) {
        // Once for each second of the log is more often than anybody can read.
        if self.bar.is_hidden() || now.whole_seconds() == self.told_s {
            return;
        }
        self.told_s = now.whole_seconds();
        let (wall, log) = *self.begun.get_or_insert_with(|| (Instant::now(), now));
        let rate = now.seconds_since(log) / wall.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{:.19} {rate:.0}x", format_rfc3339(now)));
    }
}
