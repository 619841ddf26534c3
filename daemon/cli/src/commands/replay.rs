//! `vedette replay`: a log through the engine.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use regex::Regex;
use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::time::format_rfc3339;
use vedette_gateway::engine::{Counters, Durable, Engine, Input, Timestamp};
use vedette_gateway::replay::{Driver, Jump, Saying, Ticks, TrackWriter, topic};

use crate::log_file::{Log, LogArguments};
use crate::outcome::Outcome;
use crate::progress::Clock;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// Leave out what is about other topics; may be given several times
    #[arg(long, value_name = "REGEX")]
    topics: Vec<Regex>,
    /// Leave out what is about these topics
    #[arg(long, value_name = "REGEX")]
    exclude: Vec<Regex>,
    /// Leave out this much at the beginning; the engine sees it as if nothing had come
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    start_offset: Option<Duration>,
    /// Stop after this much of the log's time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Write the tracks here, one JSON object for each picture; without --alerts the rules are left out
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
    let selection = Selection { topics: &arguments.topics, exclude: &arguments.exclude };
    let every_micros = arguments.every.map(|every| i64::try_from(every.as_micros())).transpose()?;
    let started = Instant::now();
    let mut log = Log::open(&arguments.log)?;
    let mut results = Results::create(arguments, log.engine.site())?;
    let mut clock = Clock::new(log.bar.clone());
    // Without some of its inputs the engine waits for others than the live one did.
    let ticks = if log.ticks == Ticks::Recorded && !selection.is_all() { Ticks::Mended } else { log.ticks };
    let before = log.engine.counters().clone();
    // Who asks for tracks alone need not wait for the rules.
    let judges = arguments.tracks.is_none() || arguments.alerts.is_some();
    let engine = if judges { log.engine } else { log.engine.without_rules() };
    let mut driver = Driver::new(engine, every_micros).with_ticks(ticks);
    let mut window = Window::new(arguments);
    let (mut inputs, mut left_out): (u64, u64) = (0, 0);
    while let Some(next) = log.told.next().transpose()? {
        match window.place(next.now) {
            Place::Before => continue,
            Place::Inside => {}
            Place::After => break,
        }
        if !selection.holds(&next.input) {
            left_out += 1;
            continue;
        }
        clock.reach(next.now);
        driver.feed(next, &mut |saying| results.take(saying));
        inputs += 1;
        if results.failure.is_some() {
            break;
        }
    }
    driver.drain(&mut |saying| results.take(saying));
    results.finish()?;
    log.bar.finish_and_clear();
    let passed_over = log.told.passed_over();
    let revisions = if judges { format!("{} alert revisions", results.revisions) } else { "no rules".to_owned() };
    eprintln!(
        "{inputs} inputs in {:.2} s: {} pictures, {revisions}; {passed_over} lines passed over",
        started.elapsed().as_secs_f64(),
        results.pictures,
    );
    if left_out > 0 {
        eprintln!("{left_out} inputs left out by their topic");
    }
    for Jump { from, to, input } in driver.jumps() {
        eprintln!("time jumps from {} to {} at input {input}", format_rfc3339(*from), format_rfc3339(*to));
    }
    tell_unused(driver.engine(), &before);
    if inputs + left_out == 0 && passed_over > 0 {
        eprintln!("no line is a JSON object that says when it was received: is this a log of detections?");
    } else if inputs > 0 && driver.engine().counters().get("plots") == before.get("plots") {
        eprintln!("not one input gave a detection");
    }
    let torn = log.told.torn();
    if let Some(torn) = torn {
        eprintln!("the recording ends early: {torn}");
    }
    Ok(if passed_over == 0 && torn.is_none() { Outcome::Done } else { Outcome::WithLosses })
}

/// Tells what of the inputs was not used, by reason.
fn tell_unused(engine: &Engine, before: &Counters) {
    let mut unused: Vec<String> = Vec::new();
    for (name, count) in engine.counters().iter() {
        let reason = name.strip_prefix("faults{reason=\"").and_then(|rest| rest.strip_suffix("\"}"));
        if let Some(reason) = reason
            && count > before.get(name)
        {
            unused.push(format!("{} {}", count - before.get(name), reason.replace('_', " ")));
        }
    }
    if !unused.is_empty() {
        eprintln!("not used, by reason: {}", unused.join(", "));
    }
    for sensor in engine.status().unknown_sensors {
        eprintln!("{} messages of {:?}, which is not configured", sensor.messages, sensor.id);
    }
}

/// Which inputs are wanted, by topic. Time passes whatever is wanted.
struct Selection<'a> {
    topics: &'a [Regex],
    exclude: &'a [Regex],
}

impl Selection<'_> {
    fn is_all(&self) -> bool {
        self.topics.is_empty() && self.exclude.is_empty()
    }

    fn holds(&self, input: &Input) -> bool {
        if self.is_all() {
            return true;
        }
        let Some(topic) = topic(input) else { return true };
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(&topic));
        (self.topics.is_empty() || any(self.topics)) && !any(self.exclude)
    }
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
            Saying::Durable(_, Durable::Alert(alert)) => {
                self.revisions += 1;
                self.alerts.as_mut().map(|file| {
                    serde_json::to_writer(&mut *file, alert)?;
                    file.write_all(b"\n")
                })
            }
            Saying::Durable(_, Durable::Audit(_)) | Saying::Seen(_) | Saying::Judged(_) => None,
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
