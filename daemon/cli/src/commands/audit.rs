//! `vedette audit`: check that nobody changed the audit log.

use std::path::PathBuf;

use vedette_gateway::config::Config;
use vedette_gateway::store::{hexadecimal, verify_audit};

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
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let Act::Verify { config, lines } = &arguments.act;
    let file = Config::load(config)?.store.file;
    match verify_audit(&file, *lines)? {
        Some(last) => {
            let hash = hexadecimal(&last.hash);
            println!("{}: {} lines, all as written; the last hash is {hash}", file.display(), last.n);
        }
        None => println!("{}: no lines", file.display()),
    }
    Ok(Outcome::Done)
}
