//! `vedette record`: what recordings hold, torn ones made whole, and their tables for other tools.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use vedette_gateway::config::Config;
use vedette_gateway::engine::AuditRecord;
use vedette_gateway::engine::time::format_rfc3339;
use vedette_gateway::record::{Form, Info, Table, export, recover};
use vedette_gateway::status::{Answer, Request};
use vedette_gateway::store::append_audit;

use crate::outcome::Outcome;
use crate::plain::{name, printable};
use crate::progress::{self, Metered};
use crate::socket;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Tell what a recording holds; exit status 3 when it ends early
    Info {
        /// The recording
        file: PathBuf,
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Copy what can be read of a torn recording into a whole one
    Recover {
        /// The torn recording
        file: PathBuf,
        /// The new one; without it, FILE with `.recovered` before its ending
        #[arg(long, short, value_name = "OUT")]
        output: Option<PathBuf>,
    },
    /// Write a recording's alerts, tracks or detections as JSONL, CSV or GeoJSON
    Export {
        /// The recording
        file: PathBuf,
        /// Which part
        #[arg(long, value_enum, default_value_t = TableName::Alerts)]
        table: TableName,
        /// In which form; without it, what the ending of OUT says, else JSONL
        #[arg(long, value_enum)]
        form: Option<FormName>,
        /// Where to; standard output without
        #[arg(long, short, value_name = "OUT")]
        output: Option<PathBuf>,
        /// The configuration of the gateway whose audit log notes the export
        #[arg(long, default_value = super::GATEWAY_CONFIG)]
        config: PathBuf,
        /// Who exports, for the audit log
        #[arg(long, default_value_t = super::whoami(), value_parser = name)]
        by: String,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum TableName {
    /// What sensors said in the native format, as `vedette replay` reads it
    Detections,
    /// Each revision of each alert
    Alerts,
    /// The confirmed tracks, about once a second
    Tracks,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormName {
    /// One JSON object a line
    Jsonl,
    /// Rows with a head line
    Csv,
    /// A map
    Geojson,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    match &arguments.act {
        Act::Info { file, json } => info(file, *json),
        Act::Recover { file, output } => {
            let output = output.clone().unwrap_or_else(|| file.with_extension("recovered.mcap"));
            let recovered = recover(file, &output)?;
            eprintln!("{} messages in {}", recovered.messages, output.display());
            if let Some(torn) = recovered.torn {
                eprintln!("what followed could not be read: {torn}");
                return Ok(Outcome::WithLosses);
            }
            eprintln!("{} was whole", file.display());
            Ok(Outcome::Done)
        }
        Act::Export { file, table, form, output, config, by } => {
            let opened = open(file)?;
            note(file, *table, output.as_deref(), config, by)?;
            write(opened, *table, *form, output.as_deref())
        }
    }
}

/// The file and the bar that its reading moves.
fn open(file: &Path) -> anyhow::Result<(BufReader<Metered>, ProgressBar)> {
    let opened = File::open(file).with_context(|| file.display().to_string())?;
    let bar = progress::bar(opened.metadata().map_or(0, |metadata| metadata.len()), "{bytes}/{total_bytes}");
    Ok((BufReader::with_capacity(1 << 16, Metered::new(opened, bar.clone())), bar))
}

fn info(file: &Path, json: bool) -> anyhow::Result<Outcome> {
    let (source, bar) = open(file)?;
    let info = Info::of(source);
    bar.finish_and_clear();
    let file_bytes = std::fs::metadata(file)?.len();
    if file_bytes == 0 {
        // What a killed recorder leaves when it had just begun: torn like any other.
        writeln!(std::io::stdout(), "{}: empty; its writing ended before anything was in it", file.display())?;
        return Ok(Outcome::WithLosses);
    }
    if info.topics.is_empty() {
        let why = info.torn.as_deref().unwrap_or("it holds no channel");
        bail!("{}: expected an MCAP file, {why}", file.display());
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &info)?;
        writeln!(out)?;
    } else {
        print(&info, file_bytes, &mut out)?;
    }
    Ok(if info.torn.is_none() { Outcome::Done } else { Outcome::WithLosses })
}

fn print(info: &Info, file_bytes: u64, out: &mut impl Write) -> std::io::Result<()> {
    match (&info.site, &info.version) {
        (Some(site), Some(version)) => writeln!(out, "recording of {site} by vedette {version}")?,
        _ => writeln!(out, "no recording of a gateway")?,
    }
    if let (Some(first), Some(last)) = (info.first, info.last) {
        let span = jiff::SignedDuration::from_micros(last.as_micros() - first.as_micros());
        let span = jiff::SignedDuration::from_secs(span.as_secs());
        writeln!(out, "from {} to {}: {span:#}", format_rfc3339(first), format_rfc3339(last))?;
    }
    writeln!(out, "topic         messages        bytes  encoding schema")?;
    for (name, topic) in &info.topics {
        let line =
            format!("{name:<11} {:>10} {:>12}  {:<9}{}", topic.messages, topic.bytes, topic.encoding, topic.schema);
        writeln!(out, "{}", line.trim_end())?;
    }
    let bytes: u64 = info.topics.values().map(|topic| topic.bytes).sum();
    writeln!(out, "{file_bytes} bytes on disk for {bytes} bytes of messages")?;
    match &info.torn {
        None => writeln!(out, "complete"),
        Some(torn) => writeln!(out, "ends early ({torn}); `vedette record recover` makes it whole"),
    }
}

/// Notes the export in the gateway's audit log, before it begins; on a machine without a gateway, says that none does.
fn note(file: &Path, table: TableName, output: Option<&Path>, config: &Path, by: &str) -> anyhow::Result<()> {
    if !config.exists() {
        eprintln!("no audit log notes this export: there is no gateway here ({})", config.display());
        return Ok(());
    }
    let config = Config::load(config)?;
    let table = format!("{table:?}").to_lowercase();
    let to = output.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
    let what = printable(&format!("{table} of {} to {to}", file.display()));
    if let Ok(mut line) = socket::Line::connect(&config.status.socket) {
        return match line.ask(&Request::Exported { what, by: by.to_owned() })? {
            Answer::Done { done: true, .. } => Ok(()),
            Answer::Done { detail: reason, .. } | Answer::Refused { reason } => bail!("not exported: {reason}"),
            Answer::Status(_) => bail!("the daemon gave an answer to another question"),
        };
    }
    if !config.store.file.exists() {
        eprintln!("no audit log notes this export: there is no store ({})", config.store.file.display());
        return Ok(());
    }
    let at = crate::clock_time::now();
    let record = AuditRecord { at, by: by.to_owned(), act: "export".to_owned(), detail: what };
    append_audit(&config.store.file, at, vec![record]).context("not exported: the audit log cannot be written")
}

fn write(
    (source, bar): (BufReader<Metered>, ProgressBar),
    table: TableName,
    form: Option<FormName>,
    output: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let by_ending = || match output.and_then(Path::extension).and_then(std::ffi::OsStr::to_str) {
        Some("csv") => FormName::Csv,
        Some("geojson") => FormName::Geojson,
        _ => FormName::Jsonl,
    };
    let form = match form.unwrap_or_else(by_ending) {
        FormName::Jsonl => Form::Jsonl,
        FormName::Csv => Form::Csv,
        FormName::Geojson => Form::GeoJson,
    };
    let table = match table {
        TableName::Detections => Table::Detections,
        TableName::Alerts => Table::Alerts,
        TableName::Tracks => Table::Tracks,
    };
    let out: Box<dyn Write> = match output {
        Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(std::io::stdout().lock()),
    };
    let mut out = BufWriter::new(out);
    let exported = export(source, table, form, &mut out)?;
    out.flush()?;
    bar.finish_and_clear();
    eprintln!("{} rows", exported.rows);
    if exported.left_out > 0 {
        eprintln!("{} messages have no such form and were left out: radio frames, foreign formats", exported.left_out);
    }
    if let Some(torn) = &exported.torn {
        eprintln!("the recording ends early: {torn}");
    }
    Ok(if exported.left_out == 0 && exported.torn.is_none() { Outcome::Done } else { Outcome::WithLosses })
}
