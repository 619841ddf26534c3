//! Kills gateway, broker and centre at random moments, and does worse; then counts what was lost.
//!
//! Real processes: `vedette run`, mosquitto without persistence, `vedette centre`, and a radio node on a pseudo terminal.
//! Test alerts are ordered all the time; each counts once the gateway has answered that it is durable, and a radio event
//! once it was acknowledged. In the end everything runs in peace until the outbox is empty; then the ledger is compared
//! with the answers and with the gateway's own numbers.
//!
//! `cargo run --release -p e2e --bin kills -- --kills 300`

mod arrivals;
mod clock;
mod feeder;
mod processes;
mod radio;
mod strike;
mod verdict;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use vedette_sim::random::Random;

use arrivals::Arrivals;
use feeder::{Feeder, Promise};
use processes::{NODE, Share, Site, Who};
use radio::Radio;
use strike::{Scene, Strike};
use verdict::Verdict;

/// Kills gateway, broker and centre at random moments, and does worse; then counts what was lost.
#[derive(Parser)]
struct Arguments {
    /// How many times something is killed, stopped, filled up, unplugged or stepped.
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

/// What came of all strikes of one kind.
#[derive(Default)]
struct Row {
    count: u32,
    alerts: u64,
    lost: u64,
    double: u64,
    longest_silence: Duration,
    longest_recovery: Duration,
    /// The gateway's share of the processors in the longest recovery.
    share: Share,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().context("temporary folder")?;
    let mut random = Random::stream(arguments.seed, "kills");
    let mut site = Site::build(folder.path(), arguments.vedette.as_deref())?;
    let radio = Radio::start(NODE, site.key, site.device.clone())?;
    for who in Who::ALL {
        site.start(who)?;
    }
    let feeder = Feeder::start(site.socket.clone());
    ensure!(feeder.answered_within(Duration::from_secs(30)), "the gateway answers nothing; see {}", site.logs());
    let arrivals = Arrivals::watch(site.ledger.clone());
    let (mut strikes, mut recoveries) = (Vec::new(), Vec::new());
    let mut rows: BTreeMap<Strike, Row> = BTreeMap::new();
    for n in 0..arguments.kills {
        // Each kind in turn, so that few strikes meet all of them; the moments are random.
        let strike = Strike::ALL[n as usize % Strike::ALL.len()];
        std::thread::sleep(Duration::from_secs_f64(random.uniform(0.05, 2.0)));
        feeder.under(n);
        strikes.push(strike);
        let mut scene = Scene { site: &mut site, feeder: &feeder, radio: &radio, arrivals: &arrivals };
        let came = scene.carry_out(strike, &mut random)?;
        let row = rows.entry(strike).or_default();
        row.count += 1;
        if came.recovery > row.longest_recovery {
            (row.longest_recovery, row.share) = (came.recovery, came.share);
        }
        recoveries.extend((!came.recovery.is_zero()).then_some(came.recovery));
        row.longest_silence = row.longest_silence.max(came.silence);
        let (recovery_s, silence_s) = (came.recovery.as_secs_f64(), came.silence.as_secs_f64());
        let (of, name, had_s) = (arguments.kills, strike.name(), came.share.had.as_secs_f64());
        let waited_s = came.share.waited.as_secs_f64();
        eprintln!(
            "{:>4}/{of} {name}: answers after {recovery_s:.2} s ({had_s:.2} s on a processor, {waited_s:.2} s waiting for \
             one), silence {silence_s:.1} s",
            n + 1
        );
    }
    let promises = feeder.stop();
    let events = radio.stop()?;
    let drained = site.drain(Duration::from_secs(180));
    drop(arrivals);
    site.end()?;
    let mut verdict = Verdict::reach(&site, &promises)?;
    if let Ok(report) = &drained {
        let missed = report.engine.counters.get("node_events_missed");
        verdict.lost.extend((0..missed).map(|_| "a radio event that was acknowledged".to_owned()));
    }
    attribute(&mut rows, &strikes, &promises, &verdict);
    recoveries.sort_unstable();
    print(&rows, &arguments, &promises, events, &verdict, &recoveries);
    if arguments.keep || !verdict.is_clean() || drained.is_err() {
        eprintln!("files are kept in {}", folder.keep().display());
    }
    drained?;
    ensure!(verdict.is_clean(), "lost: {:?}, double: {:?}", verdict.lost, verdict.double);
    Ok(())
}

/// Puts every promised alert, and what became of it, down to the strike it was promised under.
fn attribute(rows: &mut BTreeMap<Strike, Row>, strikes: &[Strike], promises: &[Promise], verdict: &Verdict) {
    for promise in promises {
        let Some(row) = strikes.get(promise.strike as usize).and_then(|strike| rows.get_mut(strike)) else { continue };
        row.alerts += 1;
        row.lost += u64::from(verdict.lost.contains(&promise.alert));
        row.double += u64::from(verdict.double.contains(&promise.alert));
    }
}

fn print(
    rows: &BTreeMap<Strike, Row>,
    arguments: &Arguments,
    promises: &[Promise],
    events: u64,
    verdict: &Verdict,
    recoveries: &[Duration],
) {
    println!(
        "{:<20} {:>6} {:>8} {:>6} {:>7} {:>18} {:>11} {:>16} {:>14}",
        "fault",
        "count",
        "alerts",
        "lost",
        "double",
        "longest silence s",
        "recovery s",
        "on a processor s",
        "awaiting one s"
    );
    for (strike, row) in rows {
        println!(
            "{:<20} {:>6} {:>8} {:>6} {:>7} {:>18.1} {:>11.2} {:>16.2} {:>14.2}",
            strike.name(),
            row.count,
            row.alerts,
            row.lost,
            row.double,
            row.longest_silence.as_secs_f64(),
            row.longest_recovery.as_secs_f64(),
            row.share.had.as_secs_f64(),
            row.share.waited.as_secs_f64()
        );
    }
    let median = recoveries.get(recoveries.len() / 2).copied().unwrap_or_default();
    let longest = recoveries.last().copied().unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    println!("radio events acknowledged: {events}; alerts of the gateway in the ledger: {}", verdict.entries);
    println!("load of the machine at the end, over 1, 5 and 15 minutes: {}", load.join(" "));
    println!(
        "kills={} alerts={} lost={} double={} unreported={} recovery_median_s={:.2} recovery_max_s={:.2}",
        arguments.kills,
        promises.len(),
        verdict.lost.len(),
        verdict.double.len(),
        verdict.unreported,
        median.as_secs_f64(),
        longest.as_secs_f64()
    );
}
