//! `vedette keys`: make and list the keys of radio nodes, and make the key a gateway or a centre signs with.

use std::io::Write;
use std::path::PathBuf;

use vedette_gateway::config::Config;
use vedette_gateway::radio::{NewKey, NodeKeys, read_ring};

use crate::outcome::{Outcome, Wrong};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
    /// The gateway's configuration, which names the folder of the keys [default: /etc/vedette/gateway.toml, if it is there]
    #[arg(long, global = true, conflicts_with = "dir")]
    config: Option<PathBuf>,
    /// The folder of the keys
    #[arg(long, global = true)]
    dir: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a key for a new node, in a file of its own that only its owner can read
    New {
        /// The node's number
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        node: u32,
        /// The node is simulated or takes part in an exercise: only a gateway with `[site] exercise = true` takes it
        #[arg(long)]
        exercise: bool,
    },
    /// Make the next key of a node; the present one stays valid
    Rotate {
        /// The node's number
        node: u32,
    },
    /// Make a key that signs messages, in a file that only its owner can read, and print its public half
    Signing {
        /// The file to make
        file: PathBuf,
    },
    /// List nodes and the epochs of their keys, without the keys
    List,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout();
    match &arguments.act {
        Act::Signing { file } => writeln!(out, "{}", vedette_gateway::signing::create(file)?)?,
        Act::New { node, exercise } => {
            create(&dir(arguments)?, *node, if *exercise { NewKey::Exercise } else { NewKey::Actual })?;
        }
        Act::Rotate { node } => create(&dir(arguments)?, *node, NewKey::Rotated)?,
        Act::List => {
            for (node, keys) in read_ring(&dir(arguments)?)? {
                let epochs: Vec<String> = keys.keys.iter().map(|(epoch, _)| epoch.to_string()).collect();
                let kind = if keys.exercise { ", of an exercise" } else { "" };
                writeln!(out, "node {node}: key epochs {}{kind}", epochs.join(", "))?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn create(dir: &std::path::Path, node: u32, new: NewKey) -> anyhow::Result<()> {
    let (path, epoch) = NodeKeys::create(dir, node, new)?;
    writeln!(std::io::stdout(), "{}: key epoch {epoch} of node {node}", path.display())?;
    Ok(())
}

fn dir(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    if let Some(dir) = &arguments.dir {
        return Ok(dir.clone());
    }
    let installed = PathBuf::from(super::GATEWAY_CONFIG);
    let config = arguments.config.clone().or_else(|| installed.exists().then_some(installed));
    let Some(path) = &config else {
        let wanted = "give the folder of the keys with --dir, or the gateway's configuration with --config";
        return Err(Wrong(wanted.to_owned()).into());
    };
    let radio = Config::load(path)?.radio;
    let missing = || Wrong(format!("{}: there is no [radio] table", path.display()));
    Ok(radio.map(|radio| radio.keys_dir).ok_or_else(missing)?)
}
