//! The logs that commands replay: recordings, and native detections one JSON object a line.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use vedette_gateway::config::Config;
use vedette_gateway::engine::{Engine, Input};
use vedette_gateway::record::{Inputs, Recording};
use vedette_gateway::replay::{JsonLines, Ticks, Told};

use crate::progress::{self, Metered};
use crate::text_file;

/// Which log, and how the engine is configured for it.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArguments {
    /// The log: a recording (.mcap), or native detections, one JSON object a line
    #[arg(value_name = "LOG")]
    pub(crate) path: PathBuf,
    /// The configuration to replay with; without it a recording's own, and its recorded changes
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

/// A log that is ready to be replayed.
pub(crate) struct Log {
    /// The engine as it was before the first input.
    pub(crate) engine: Engine,
    /// What it was told.
    pub(crate) told: Lines,
    /// Where its ticks come from.
    pub(crate) ticks: Ticks,
    /// Moves while the log is read.
    pub(crate) bar: ProgressBar,
}

/// The inputs of either kind of log.
pub(crate) struct Lines {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Text(JsonLines<BufReader<Metered>>),
    Recorded { inputs: Box<Inputs<BufReader<Metered>>>, keep_configuration: bool },
}

impl Log {
    /// Opens a log by the ending of its name.
    pub(crate) fn open(arguments: &LogArguments) -> anyhow::Result<Self> {
        let config = arguments.config.as_deref().map(Config::load).transpose()?;
        let path = &arguments.path;
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let bar = progress::bar(file.metadata().map_or(0, |metadata| metadata.len()), "{bytes}/{total_bytes}");
        let mut source = BufReader::with_capacity(1 << 16, Metered::new(file, bar.clone()));
        if path.extension().is_some_and(|extension| extension == "mcap") {
            return Self::recorded(path, config, source, bar);
        }
        text_file::begin(&mut source).with_context(|| path.display().to_string())?;
        let Some(config) = config else { bail!("a log of detections needs --config") };
        let told = Lines { path: path.clone(), kind: Kind::Text(JsonLines::new(source)) };
        Ok(Self { engine: Engine::new(&config.engine)?, told, ticks: Ticks::Made, bar })
    }

    fn recorded(
        path: &Path,
        config: Option<Config>,
        source: BufReader<Metered>,
        bar: ProgressBar,
    ) -> anyhow::Result<Self> {
        let Recording { config: recorded, snapshot, inputs, version } = Recording::open(path, source)?;
        if version != env!("CARGO_PKG_VERSION") {
            eprintln!("recorded by vedette {version}: this one may come to other conclusions");
        }
        let keep_configuration = config.is_some();
        let (engine, ticks) = match config {
            // What the engine knew of the recorded sensors means nothing for others.
            Some(config) => {
                let same = config.engine.sensor == recorded.sensor && config.engine.tracker == recorded.tracker;
                let restored = if same { Engine::restore(&config.engine, snapshot).ok() } else { None };
                (restored.map_or_else(|| Engine::new(&config.engine), Ok)?, Ticks::Mended)
            }
            None => (Engine::restore(&recorded, snapshot)?, Ticks::Recorded),
        };
        let told =
            Lines { path: path.to_path_buf(), kind: Kind::Recorded { inputs: Box::new(inputs), keep_configuration } };
        Ok(Self { engine, told, ticks, bar })
    }
}

impl Lines {
    /// Lines that could not be used.
    pub(crate) fn passed_over(&self) -> u64 {
        match &self.kind {
            Kind::Text(lines) => lines.oversize() + lines.untimed(),
            Kind::Recorded { .. } => 0,
        }
    }

    /// Why the rest of a recording could not be read; known at the end.
    pub(crate) fn torn(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(_) => None,
            Kind::Recorded { inputs, .. } => inputs.torn(),
        }
    }
}

impl Iterator for Lines {
    type Item = anyhow::Result<Told>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.kind {
            Kind::Text(lines) => lines.next().map(|told| told.with_context(|| self.path.display().to_string())),
            Kind::Recorded { inputs, keep_configuration } => loop {
                match inputs.next()? {
                    Ok(told) if *keep_configuration && matches!(told.input, Input::Reconfigure(_)) => {}
                    told => return Some(told.map_err(anyhow::Error::from)),
                }
            },
        }
    }
}
