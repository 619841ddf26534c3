//! `vedette retention`: delete what has had its time, or say what would go.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use vedette_gateway::config::Config;
use vedette_gateway::engine::Timestamp;
use vedette_gateway::retention::{KEEP_ACKNOWLEDGED, Rules};
use vedette_gateway::status::{Answer, Request};
use vedette_gateway::store::{acknowledged_before, append_audit};

use crate::outcome::Outcome;
use crate::plain::name;
use crate::socket;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's configuration
    #[arg(long, default_value = super::GATEWAY_CONFIG)]
    config: PathBuf,
    /// Print what would go, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Who deletes, for the audit log
    #[arg(long, default_value_t = super::whoami(), value_parser = name)]
    by: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let (rules, now) = (Rules::new(&config), SystemTime::now());
    if arguments.dry_run {
        return dry_run(&config, &rules, now);
    }
    let mut out = std::io::stdout();
    if let Ok(mut line) = socket::Line::connect(&config.status.socket) {
        return match line.ask(&Request::Retention { by: arguments.by.clone() })? {
            Answer::Done { detail, .. } => {
                writeln!(out, "{detail}")?;
                Ok(Outcome::Done)
            }
            Answer::Refused { reason } => anyhow::bail!("{reason}"),
            Answer::Status(_) => anyhow::bail!("the daemon gave an answer to another question"),
        };
    }
    let at = timestamp(now);
    let records = rules.delete(now, at, &arguments.by)?;
    for record in &records {
        writeln!(out, "{} {}", record.act, record.detail)?;
    }
    if records.is_empty() {
        writeln!(out, "nothing has had its time")?;
    } else {
        append_audit(&config.store.file, at, records)?;
    }
    Ok(Outcome::Done)
}

fn dry_run(config: &Config, rules: &Rules, now: SystemTime) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let due = rules.due(now)?;
    for file in &due {
        writeln!(
            out,
            "{:<12} {:>12} bytes {:>7.1} days  {}",
            file.class.name(),
            file.bytes,
            file.days(),
            file.path.display()
        )?;
    }
    if config.store.file.exists() {
        let (count, bytes) = acknowledged_before(&config.store.file, timestamp(now - KEEP_ACKNOWLEDGED))?;
        if count > 0 {
            writeln!(out, "{:<12} {bytes:>12} bytes          {count} alerts, deleted by the daemon", "acknowledged")?;
        }
    }
    let bytes: u64 = due.iter().map(|due| due.bytes).sum();
    let files = if due.len() == 1 { "file" } else { "files" };
    writeln!(out, "{} {files}, {bytes} bytes would be deleted", due.len())?;
    Ok(Outcome::Done)
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
