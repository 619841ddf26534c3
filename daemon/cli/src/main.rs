//! The command line of Vedette: sensor fusion for the green border.

mod commands;
mod outcome;
mod progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sensor fusion for the green border: fuses what ground sensors report into tracks, and tracks into few, explained alerts.
#[derive(Debug, Parser)]
#[command(name = "vedette", version, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Validate a configuration and exit
    Check(commands::check::Arguments),
    /// Replay a log of detections through the engine
    Replay(commands::replay::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Replay(arguments) => commands::replay::run(&arguments),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) => outcome::report(&error),
    }
}
