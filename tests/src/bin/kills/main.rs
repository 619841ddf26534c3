//! Kills gateway, broker and centre at random moments and counts what was lost.
//!
//! Real processes: `vedette run`, mosquitto without persistence, `vedette centre`. Test alerts are ordered all the time;
//! each counts once the gateway has answered that it is durable. In the end everything runs in peace until the outbox is
//! empty; then the ledger is compared with the answers and with the gateway's own numbers.
//!
//! `cargo run --release -p e2e --bin kills -- --kills 300`

mod feeder;
mod processes;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use vedette_sim::random::Random;

use feeder::Feeder;
use processes::{Site, Who};
use verdict::Verdict;

/// Kills gateway, broker and centre at random moments and counts what was lost.
#[derive(Parser)]
struct Arguments {
    /// How many times something is killed, stopped or filled up.
    #[arg(long, default_value_t = 10)]
    kills: u32,
    /// Seed of what happens when; what the processes do in between differs from run to run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program to test; without it, it is built in the profile of this one.
    #[arg(long, value_name = "PROGRAM")]
    vedette: Option<PathBuf>,
    /// Keep the files, and say where.
    #[arg(long)]
    keep: bool,
}

/// What is done to the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strike {
    KillGateway,
    KillBroker,
    KillCentre,
    KillAll,
    KillGatewayAndBroker,
    StopBroker,
    FillDisk,
}

impl Strike {
    const ALL: [Self; 7] = [
        Self::KillGateway,
        Self::KillBroker,
        Self::KillCentre,
        Self::KillAll,
        Self::KillGatewayAndBroker,
        Self::StopBroker,
        Self::FillDisk,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::KillGateway => "gateway killed",
            Self::KillBroker => "broker killed",
            Self::KillCentre => "centre killed",
            Self::KillAll => "all killed",
            Self::KillGatewayAndBroker => "gateway and broker",
            Self::StopBroker => "broker stopped",
            Self::FillDisk => "disk full",
        }
    }
}

#[derive(Default)]
struct Row {
    count: u32,
    longest_recovery: Duration,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().context("temporary folder")?;
    let mut random = Random::stream(arguments.seed, "kills");
    let mut site = Site::build(folder.path(), arguments.vedette.as_deref())?;
    for who in Who::ALL {
        site.start(who)?;
    }
    let feeder = Feeder::start(site.socket.clone());
    ensure!(feeder.answered_within(Duration::from_secs(30)), "the gateway answers nothing; see {}", site.logs());
    let mut rows: BTreeMap<Strike, Row> = BTreeMap::new();
    for n in 0..arguments.kills {
        let strike = Strike::ALL[random.below(Strike::ALL.len())];
        std::thread::sleep(Duration::from_secs_f64(random.uniform(0.05, 2.0)));
        let recovery = carry_out(strike, &mut site, &feeder, &mut random)?;
        let row = rows.entry(strike).or_default();
        row.count += 1;
        row.longest_recovery = row.longest_recovery.max(recovery);
        eprintln!("{:>4}/{} {}, {:.1} s", n + 1, arguments.kills, strike.name(), recovery.as_secs_f64());
    }
    let answered = feeder.stop();
    let drained = site.drain(Duration::from_secs(180));
    site.end()?;
    let verdict = Verdict::reach(&site, &answered)?;
    println!("{:<20} {:>6} {:>20}", "fault", "count", "longest recovery s");
    for (strike, row) in &rows {
        println!("{:<20} {:>6} {:>20.1}", strike.name(), row.count, row.longest_recovery.as_secs_f64());
    }
    let Verdict { lost, double, unreported, entries } = &verdict;
    println!(
        "kills={} alerts={} entries={entries} lost={} double={double} unreported={unreported}",
        arguments.kills,
        answered.len(),
        lost.len()
    );
    if arguments.keep || !verdict.is_clean() || drained.is_err() {
        eprintln!("files are kept in {}", folder.keep().display());
    }
    drained?;
    ensure!(verdict.is_clean(), "lost: {lost:?}");
    Ok(())
}

/// Does it, brings the processes back, and waits until the gateway answers again.
fn carry_out(strike: Strike, site: &mut Site, feeder: &Feeder, random: &mut Random) -> anyhow::Result<Duration> {
    let pause = Duration::from_secs_f64(random.uniform(0.0, 3.0));
    let victims: &[Who] = match strike {
        Strike::KillGateway => &[Who::Gateway],
        Strike::KillBroker => &[Who::Broker],
        Strike::KillCentre => &[Who::Centre],
        Strike::KillAll => &Who::ALL,
        Strike::KillGatewayAndBroker => &[Who::Gateway, Who::Broker],
        Strike::StopBroker => {
            site.pause_broker(Duration::from_secs_f64(random.uniform(1.0, 20.0)))?;
            return Ok(Duration::ZERO);
        }
        Strike::FillDisk => {
            site.kill(Who::Gateway)?;
            site.start_gateway_without_room(random.below(64))?;
            std::thread::sleep(Duration::from_secs(3));
            &[Who::Gateway]
        }
    };
    for &who in victims {
        site.kill(who)?;
    }
    std::thread::sleep(pause);
    for &who in victims {
        site.start(who)?;
    }
    let back = Instant::now();
    let before = feeder.count();
    while feeder.count() == before {
        ensure!(back.elapsed() < Duration::from_secs(60), "the gateway does not come back; see {}", site.logs());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(back.elapsed())
}
