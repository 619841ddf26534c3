//! `vedette audit`: read the audit log, and check that nobody changed it.

use std::io::Write;
use std::path::{Path, PathBuf};

use vedette_gateway::config::Config;
use vedette_gateway::engine::AuditRecord;
use vedette_gateway::store::{hexadecimal, read_audit, verify_audit};

use crate::clock_time::to_the_second;
use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Check the chain of hashes from the first line to the last, also while the daemon runs
    Verify {
        /// The gateway's configuration, which names the store
        #[arg(long)]
        config: PathBuf,
        /// The last line known to have been written, from a copy kept elsewhere: a log that ends before it was cut
        #[arg(long, value_name = "N", default_value_t = 0)]
        lines: u64,
    },
    /// Print the log: line, time, who, what, and to what
    Show {
        /// The gateway's configuration, which names the store
        #[arg(long)]
        config: PathBuf,
        /// Only the lines after this one
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
    },
}

/// Lines read at once.
const PAGE: usize = 1000;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    match &arguments.act {
        Act::Verify { config, lines } => verify(config, *lines),
        Act::Show { config, after } => show(config, *after),
    }
}

fn verify(config: &Path, lines: u64) -> anyhow::Result<Outcome> {
    let file = Config::load(config)?.store.file;
    match verify_audit(&file, lines)? {
        Some(last) => {
            let hash = hexadecimal(&last.hash);
            println!("{}: {} lines, all as written; the last hash is {hash}", file.display(), last.n);
        }
        None => println!("{}: no lines", file.display()),
    }
    Ok(Outcome::Done)
}

fn show(config: &Path, mut after: u64) -> anyhow::Result<Outcome> {
    let file = Config::load(config)?.store.file;
    let mut out = std::io::stdout().lock();
    loop {
        let page = read_audit(&file, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(Outcome::Done) };
        after = last.n;
        for entry in &page {
            let AuditRecord { at, by, act, detail } = serde_json::from_slice(&entry.record)?;
            writeln!(out, "{:>6} {} {by} {act} {detail}", entry.n, to_the_second(at))?;
        }
    }
}
