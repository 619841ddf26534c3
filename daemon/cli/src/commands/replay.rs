//! `vedette replay`: a log through the engine.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use vedette_gateway::config::Config;
use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::{Durable, Engine, Input, Timestamp};
use vedette_gateway::record::Recording;
use vedette_gateway::replay::{Driver, JsonLines, LogError, Saying, Told, TrackWriter};

use crate::outcome::Outcome;
use crate::progress;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The log: a recording (.mcap), or native detections, one JSON object a line
    log: PathBuf,
    /// The configuration to replay with; a recording's own without
    #[arg(long)]
    config: Option<PathBuf>,
    /// Leave out this much at the beginning; the engine sees it as if nothing had come
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    start_offset: Option<Duration>,
    /// Stop after this much of the log's time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,
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
    let config = arguments.config.as_deref().map(Config::load).transpose()?;
    let every_micros = arguments.every.map(|every| i64::try_from(every.as_micros())).transpose()?;
    let started = Instant::now();
    let log = open(arguments, config)?;
    let mut results = Results::create(arguments, log.engine.site())?;
    let mut driver = Driver::new(log.engine, every_micros);
    if log.ticks_recorded {
        driver = driver.with_recorded_ticks();
    }
    let mut window = Window::new(arguments);
    let mut told = log.told;
    let mut inputs: u64 = 0;
    while let Some(next) = told.next().transpose().with_context(|| arguments.log.display().to_string())? {
        match window.place(next.now) {
            Place::Before => continue,
            Place::Inside => {}
            Place::After => break,
        }
        driver.feed(next, &mut |saying| results.take(saying));
        inputs += 1;
        if results.failure.is_some() {
            break;
        }
    }
    driver.drain(&mut |saying| results.take(saying));
    results.finish()?;
    log.bar.finish_and_clear();
    let passed_over = told.passed_over();
    eprintln!(
        "{inputs} inputs in {:.2} s: {} pictures, {} alert revisions; {passed_over} lines passed over",
        started.elapsed().as_secs_f64(),
        results.pictures,
        results.revisions,
    );
    if let Some(torn) = &log.torn {
        eprintln!("the recording ends early: {torn}");
    }
    Ok(if passed_over == 0 && log.torn.is_none() { Outcome::Done } else { Outcome::WithLosses })
}

/// A log that is ready to be replayed.
struct Log {
    engine: Engine,
    told: Inputs,
    ticks_recorded: bool,
    torn: Option<String>,
    bar: ProgressBar,
}

/// The inputs of either kind of log.
enum Inputs {
    Lines(JsonLines<BufReader<Metered>>),
    Recorded { inputs: std::vec::IntoIter<Told>, bar: ProgressBar, keep_configuration: bool },
}

impl Inputs {
    /// Lines that could not be used.
    fn passed_over(&self) -> u64 {
        match self {
            Self::Lines(lines) => lines.oversize() + lines.untimed(),
            Self::Recorded { .. } => 0,
        }
    }
}

impl Iterator for Inputs {
    type Item = Result<Told, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Recorded { inputs, bar, keep_configuration } => {
                let next = inputs.find(|told| !(*keep_configuration && matches!(told.input, Input::Reconfigure(_))));
                bar.inc(1);
                next.map(Ok)
            }
        }
    }
}

fn open(arguments: &Arguments, config: Option<Config>) -> anyhow::Result<Log> {
    let path = &arguments.log;
    if path.extension().is_some_and(|extension| extension == "mcap") {
        let Recording { config: recorded, snapshot, inputs, torn } = Recording::read(path)?;
        let keep_configuration = config.is_some();
        let engine = match config {
            // Other sensors than recorded: what the engine knew of the old ones means nothing.
            Some(config) => Engine::restore(&config.engine, snapshot).or_else(|_| Engine::new(&config.engine))?,
            None => Engine::restore(&recorded, snapshot)?,
        };
        let bar = progress::bar(inputs.len() as u64, "{pos}/{len} inputs");
        let told = Inputs::Recorded { inputs: inputs.into_iter(), bar: bar.clone(), keep_configuration };
        return Ok(Log { engine, told, ticks_recorded: true, torn, bar });
    }
    let Some(config) = config else { anyhow::bail!("a log of detections needs --config") };
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let bar = progress::bar(file.metadata().map_or(0, |metadata| metadata.len()), "{bytes}/{total_bytes}");
    let engine = Engine::new(&config.engine)?;
    let told = JsonLines::new(BufReader::with_capacity(1 << 16, Metered { file, bar: bar.clone() }));
    Ok(Log { engine, told: Inputs::Lines(told), ticks_recorded: false, torn: None, bar })
}

/// Which part of the log is wanted, at which pace.
struct Window {
    start_offset_s: f64,
    duration_s: f64,
    first: Option<Timestamp>,
    pace: Option<Pace>,
}

enum Place {
    Before,
    Inside,
    After,
}

impl Window {
    fn new(arguments: &Arguments) -> Self {
        Self {
            start_offset_s: arguments.start_offset.map_or(0.0, |offset| offset.as_secs_f64()),
            duration_s: arguments.duration.map_or(f64::INFINITY, |duration| duration.as_secs_f64()),
            first: None,
            pace: arguments.rate.map(Pace::new),
        }
    }

    /// Where `now` lies; inside, it waits for its time when a pace is wanted.
    fn place(&mut self, now: Timestamp) -> Place {
        let since_s = now.seconds_since(*self.first.get_or_insert(now)) - self.start_offset_s;
        if since_s < 0.0 {
            return Place::Before;
        }
        if since_s >= self.duration_s {
            return Place::After;
        }
        if let Some(pace) = &mut self.pace {
            pace.wait_for(now);
        }
        Place::Inside
    }
}

impl Results {
    fn create(arguments: &Arguments, site: &Site) -> anyhow::Result<Self> {
        Ok(Self {
            tracks: create(arguments.tracks.as_deref())?.map(|file| (TrackWriter::new(site), file)),
            alerts: create(arguments.alerts.as_deref())?,
            pictures: 0,
            revisions: 0,
            failure: None,
        })
    }

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
struct Metered {
    file: File,
    bar: ProgressBar,
}

impl Read for Metered {
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
