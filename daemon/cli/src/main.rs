//! The command line of Vedette: sensor fusion for the green border.

mod clock_time;
mod commands;
mod log;
mod log_file;
mod nuisance;
mod outcome;
mod plain;
mod progress;
mod socket;
mod stop;
mod story;
mod text_file;

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
    /// Show the whole way from simulated sensors to a centre's ledger; no hardware needed
    #[cfg(feature = "demo")]
    Demo(commands::demo::Arguments),
    /// Run the daemon
    Run(commands::run::Arguments),
    /// Validate a configuration and exit
    Check(commands::check::Arguments),
    /// Show how a running daemon is
    Status(commands::status::Arguments),
    /// Raise an alert that tests the whole way to the centre
    TestAlert(commands::test_alert::Arguments),
    /// Make and list the keys of radio nodes
    Keys(commands::keys::Arguments),
    /// Replay a log of detections through the engine
    Replay(commands::replay::Arguments),
    /// Look into recordings: what they hold, torn ones made whole, tables for other tools
    Record(commands::record::Arguments),
    /// Tell why there was an alert: its plots, who was silent, what the rules made of it
    Explain(commands::explain::Arguments),
    /// Tell what a whole log holds: tracks, alerts, sensors, gaps, delays
    Report(commands::report::Arguments),
    /// Score tracks against the truth
    Score(commands::score::Arguments),
    /// Compare two files of alerts or of tracks; exit status 1 when they differ, 2 when they cannot be compared
    Diff(commands::diff::Arguments),
    /// Receive, store and acknowledge the alerts of gateways
    Centre(commands::centre::Arguments),
    /// Test the early warning of surges on a series of counts
    Warn(commands::warn::Arguments),
    /// What operators at a centre do with alerts
    Alerts(commands::alerts::Arguments),
    /// Find sensors that send and are not configured
    Sensors(commands::sensors::Arguments),
    /// Calibrate cameras
    Camera(commands::camera::Arguments),
    /// Read and check the audit log
    Audit(commands::audit::Arguments),
    /// Delete what has had its time
    Retention(commands::retention::Arguments),
    /// Print completions for a shell
    #[command(hide = true)]
    Completions(commands::shell::Completions),
    /// Write the man pages
    #[command(hide = true)]
    Man(commands::shell::Man),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Status(arguments) => commands::status::run(&arguments),
        Command::TestAlert(arguments) => commands::test_alert::run(&arguments),
        Command::Keys(arguments) => commands::keys::run(&arguments),
        Command::Replay(arguments) => commands::replay::run(&arguments),
        Command::Record(arguments) => commands::record::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Score(arguments) => commands::score::run(&arguments),
        Command::Diff(arguments) => commands::diff::run(&arguments),
        Command::Centre(arguments) => commands::centre::run(&arguments),
        Command::Warn(arguments) => commands::warn::run(&arguments),
        Command::Alerts(arguments) => commands::alerts::run(&arguments),
        Command::Sensors(arguments) => commands::sensors::run(&arguments),
        Command::Camera(arguments) => commands::camera::run(&arguments),
        Command::Audit(arguments) => commands::audit::run(&arguments),
        Command::Retention(arguments) => commands::retention::run(&arguments),
        Command::Completions(arguments) => commands::shell::completions(&arguments),
        Command::Man(arguments) => commands::shell::man(&arguments),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) => outcome::report(&error),
    }
}
