//! The command line of the simulator.

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Simulates the green border for Vedette: who walks, what sensors report, what arrives.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a scene to files: detections.jsonl, truth.csv, gateway.toml.
    Generate(command::generate::Generate),
    /// Play a scenario in real time against a gateway: radio frames through a pseudo terminal, JSON through a broker.
    Run(command::run::Run),
    /// Run scenarios through the engine in virtual time, many seeds each, and print how crossings were reported.
    Campaign(command::campaign::Campaign),
    /// Fit the confidence of alerts on some scenarios, and test on others whether it means what it says.
    Reliability(command::reliability::Reliability),
    /// Run a scenario at many gateways and print what one operator has of it.
    Load(command::load::Load),
    /// Publish a recorded native log with its own timing.
    Play(command::play::Play),
    /// Write counts of zones over years, with surges at known times.
    Counts(command::counts::Counts),
    /// Play gateway, broker and centre under faults, and count what was lost: one row for each kind of fault.
    Faults(command::faults::Faults),
    /// Firmware on emulated boards, from a simulated footstep to the centre.
    Hil(command::hil::Hil),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Generate(generate) => generate.run(),
        Command::Run(run) => run.run(),
        Command::Campaign(campaign) => campaign.run(),
        Command::Reliability(reliability) => reliability.run(),
        Command::Load(load) => load.run(),
        Command::Play(play) => play.run(),
        Command::Counts(counts) => counts.run(),
        Command::Faults(faults) => faults.run(),
        Command::Hil(hil) => hil.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vedette-sim: {error:#}");
            let wrong_input = error.is::<vedette_sim::scenario::ScenarioError>();
            ExitCode::from(if wrong_input { 2 } else { 1 })
        }
    }
}
