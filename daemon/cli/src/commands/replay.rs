//! `vedette replay`: a log through the engine.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use vedette_gateway::config::Config;
use vedette_gateway::engine::{Durable, Engine, Timestamp};
use vedette_gateway::replay::{Driver, JsonLines, Saying, TrackWriter};

use crate::outcome::Outcome;
use crate::progress;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The log: native detections, one JSON object a line
    log: PathBuf,
    /// The configuration to replay with
    #[arg(long)]
    config: PathBuf,
    /// Write the tracks here, one JSON object for each picture
    #[arg(long, value_name = "FILE")]
    tracks: Option<PathBuf>,
    /// Write the alerts here, one JSON object for each revision
    #[arg(long, value_name = "FILE")]
    alerts: Option<PathBuf>,
    /// Write the tracks at whole UTC multiples of this time, instead of after each scan
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    every: Option<Duration>,
    /// Keep the log's pace times this; as fast as possible without
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    rate: Option<f64>,
}

/// Where the replay's results go.
struct Results {
    tracks: Option<(TrackWriter, BufWriter<File>)>,
    alerts: Option<BufWriter<File>>,
    pictures: u64,
    revisions: u64,
    failure: Option<std::io::Error>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let log = File::open(&arguments.log).with_context(|| arguments.log.display().to_string())?;
    let bar = progress::bytes(log.metadata().map_or(0, |metadata| metadata.len()));
    let engine = Engine::new(&config.engine)?;
    let mut results = Results {
        tracks: create(arguments.tracks.as_deref())?.map(|file| (TrackWriter::new(engine.site()), file)),
        alerts: create(arguments.alerts.as_deref())?,
        pictures: 0,
        revisions: 0,
        failure: None,
    };
    let every_micros = arguments.every.map(|every| i64::try_from(every.as_micros())).transpose()?;
    let mut driver = Driver::new(engine, every_micros);
    let started = Instant::now();
    let lines = feed(&mut driver, log, &bar, arguments.rate, &mut results)
        .with_context(|| arguments.log.display().to_string())?;
    driver.drain(&mut |saying| results.take(saying));
    results.finish()?;
    bar.finish_and_clear();
    let Counts { inputs, oversize, untimed } = lines;
    eprintln!(
        "{inputs} lines in {:.2} s: {} pictures, {} alert revisions; passed over: {oversize} oversize, {untimed} without time",
        started.elapsed().as_secs_f64(),
        results.pictures,
        results.revisions,
    );
    Ok(if oversize + untimed == 0 { Outcome::Done } else { Outcome::WithLosses })
}

struct Counts {
    inputs: u64,
    oversize: u64,
    untimed: u64,
}

fn feed(
    driver: &mut Driver,
    log: File,
    bar: &ProgressBar,
    rate: Option<f64>,
    results: &mut Results,
) -> anyhow::Result<Counts> {
    let mut lines = JsonLines::new(BufReader::with_capacity(1 << 16, Metered { file: log, bar }));
    let mut pace = rate.map(Pace::new);
    let mut inputs = 0;
    while let Some(told) = lines.next().transpose()? {
        if let Some(pace) = &mut pace {
            pace.wait_for(told.now);
        }
        driver.feed(told, &mut |saying| results.take(saying));
        inputs += 1;
        if results.failure.is_some() {
            break;
        }
    }
    Ok(Counts { inputs, oversize: lines.oversize(), untimed: lines.untimed() })
}

impl Results {
    fn take(&mut self, saying: Saying<'_>) {
        let written = match saying {
            Saying::Tracks(picture) => {
                self.pictures += 1;
                self.tracks.as_mut().map(|(writer, file)| writer.write(picture, file))
            }
            Saying::Durable(Durable::Alert(alert)) => {
                self.revisions += 1;
                self.alerts.as_mut().map(|file| {
                    serde_json::to_writer(&mut *file, alert)?;
                    file.write_all(b"\n")
                })
            }
            Saying::Durable(Durable::Audit(_)) => None,
        };
        if let Some(Err(error)) = written {
            self.failure.get_or_insert(error);
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if let Some(error) = self.failure.take() {
            return Err(error).context("results");
        }
        for file in [self.tracks.as_mut().map(|(_, file)| file), self.alerts.as_mut()].into_iter().flatten() {
            file.flush().context("results")?;
        }
        Ok(())
    }
}

/// A file whose reading moves the progress bar.
struct Metered<'a> {
    file: File,
    bar: &'a ProgressBar,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bar.inc(count as u64);
        Ok(count)
    }
}

/// Holds a replay to the log's own pace.
struct Pace {
    rate: f64,
    start: Option<(Instant, Timestamp)>,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self { rate, start: None }
    }

    fn wait_for(&mut self, now: Timestamp) {
        let (wall, log) = *self.start.get_or_insert_with(|| (Instant::now(), now));
        let due = Duration::try_from_secs_f64(now.seconds_since(log) / self.rate).unwrap_or(Duration::ZERO);
        std::thread::sleep(due.saturating_sub(wall.elapsed()));
    }
}

fn create(path: Option<&Path>) -> anyhow::Result<Option<BufWriter<File>>> {
    path.map(|path| File::create(path).map(BufWriter::new).with_context(|| path.display().to_string())).transpose()
}

pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    // A bare number means seconds.
    let seconds = text.parse::<f64>().ok().and_then(|seconds| jiff::SignedDuration::try_from_secs_f64(seconds).ok());
    let expected = || "expected a time such as 1s, 250ms or 2m".to_owned();
    let span = seconds.map_or_else(|| text.parse().map_err(|_| expected()), Ok)?;
    Duration::try_from(span)
        .ok()
        .filter(|span| span.as_micros() > 0)
        .ok_or_else(|| "expected a time above zero".to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.trim_end_matches('x').parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number above zero, 1 for the log's own pace".to_owned())
}
