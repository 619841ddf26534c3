//! `vedette audit`: read the audit log of a gateway or a centre, and check that nobody changed it.

use std::io::Write;
use std::path::{Path, PathBuf};

use vedette_centre::SqliteLedger;
use vedette_gateway::config::Config;
use vedette_gateway::engine::AuditRecord;
use vedette_gateway::store::{Anchor, AuditEntry, AuditVerifier, read_audit};

use crate::clock_time::to_the_second;
use crate::outcome::{Outcome, Wrong};
use crate::plain::printable;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Args)]
struct Log {
    /// The gateway's configuration, which names the store
    #[arg(long, default_value = super::GATEWAY_CONFIG)]
    config: PathBuf,
    /// The configuration of a centre, whose own log is meant
    #[arg(long, value_name = "CONFIG", conflicts_with = "config")]
    centre: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Check the chain of hashes from the first line to the last, also while the daemon runs
    Verify {
        #[command(flatten)]
        log: Log,
        /// The last line known to have been written, from a copy kept elsewhere: a log that ends before it was cut
        #[arg(long, value_name = "N", default_value_t = 0)]
        lines: u64,
        /// A line and its hash from a copy kept elsewhere, as `head` and `heads` print them: a log that does not hold it was
        /// rewritten or cut. May be repeated
        #[arg(long, value_name = "N:HASH")]
        anchor: Vec<Anchor>,
    },
    /// Print the last line and its hash, to be kept elsewhere
    Head {
        #[command(flatten)]
        log: Log,
    },
    /// Print the last line and its hash of each gateway's log, as the centre has them from their status
    Heads {
        /// The centre's configuration, which names the ledger
        #[arg(long, value_name = "CONFIG", default_value = "/etc/vedette/centre.toml")]
        centre: PathBuf,
    },
    /// Print the log: line, time, who, what, and to what
    Show {
        #[command(flatten)]
        log: Log,
        /// Only the lines after this one
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
    },
}

/// Lines read at once.
const PAGE: usize = 1000;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    match &arguments.act {
        Act::Verify { log, lines, anchor } => verify(&Source::of(log)?, *lines, anchor.clone()),
        Act::Head { log } => head(&Source::of(log)?),
        Act::Heads { centre } => heads(centre),
        Act::Show { log, after } => show(&Source::of(log)?, *after),
    }
}

/// Where the lines are.
struct Source {
    file: PathBuf,
    is_of_a_centre: bool,
}

impl Source {
    fn of(log: &Log) -> anyhow::Result<Self> {
        let (file, is_of_a_centre) = match &log.centre {
            Some(centre) => (vedette_centre::Config::read(centre)?.ledger.path, true),
            None => (Config::load(&log.config)?.store.file, false),
        };
        if !file.exists() {
            return Err(Wrong(format!("{}: there is no such file, so no audit log", file.display())).into());
        }
        Ok(Self { file, is_of_a_centre })
    }

    fn page(&self, after: u64) -> anyhow::Result<Vec<AuditEntry>> {
        Ok(if self.is_of_a_centre {
            SqliteLedger::audit(&self.file, after, PAGE)?
        } else {
            read_audit(&self.file, after, PAGE)?
        })
    }
}

fn verify(source: &Source, lines: u64, anchors: Vec<Anchor>) -> anyhow::Result<Outcome> {
    let (copies, file) = (anchors.len(), source.file.display());
    let mut verifier = AuditVerifier::against(anchors);
    let mut last: Option<AuditEntry> = None;
    loop {
        let page = source.page(last.as_ref().map_or(0, |entry| entry.n))?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            verifier.check(&entry)?;
            last = Some(entry);
        }
    }
    verifier.reaches(lines)?;
    verifier.finish()?;
    let mut out = std::io::stdout();
    match last.as_ref().map(Anchor::from) {
        Some(head) => writeln!(out, "{file}: {} lines, each follows from the one before; head {head}", head.n)?,
        None => writeln!(out, "{file}: no lines")?,
    }
    if copies == 0 {
        eprintln!(
            "nothing shows that the whole was not rewritten: give a copy of its head with --anchor (centres keep one)"
        );
    }
    Ok(Outcome::Done)
}

fn head(source: &Source) -> anyhow::Result<Outcome> {
    let (mut after, mut last) = (0, None);
    while let Some(newest) = source.page(after)?.pop() {
        after = newest.n;
        last = Some(newest);
    }
    if let Some(last) = last {
        writeln!(std::io::stdout(), "{}", Anchor::from(&last))?;
    }
    Ok(Outcome::Done)
}

fn heads(centre: &Path) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    for record in SqliteLedger::gateways(&vedette_centre::Config::read(centre)?.ledger.path)? {
        if let Some(anchor) = record.audit {
            writeln!(out, "{} {anchor}", record.gateway)?;
        }
    }
    Ok(Outcome::Done)
}

fn show(source: &Source, mut after: u64) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    loop {
        let page = source.page(after)?;
        let Some(last) = page.last() else { return Ok(Outcome::Done) };
        after = last.n;
        for entry in &page {
            let AuditRecord { at, by, act, detail } = serde_json::from_slice(&entry.record)?;
            let [by, act, detail] = [by, act, detail].map(|text| printable(&text));
            writeln!(out, "{:>6} {} {by} {act} {detail}", entry.n, to_the_second(at))?;
        }
    }
}
