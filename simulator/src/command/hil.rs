//! `vedette-sim hil`: firmware on emulated boards, from a simulated footstep to the centre.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use vedette_sim::hil::{Process, Rig, RigReport, Site, Stage, Walker, start_concentrator};
use vedette_wire::link::ToModem;

/// The chain of each geophone settles before anybody walks.
const FIRST_WALKER_S: f64 = 20.0;
/// Time for the last walker to cross and for the alert to arrive.
const LAST_WALKER_S: f64 = 60.0;
/// Time after the run in which what is on its way may still arrive.
const GRACE: Duration = Duration::from_secs(20);
/// Bytes that the deepest stack has to leave of the RAM: what no run has met.
const SPARE_STACK: u32 = 512;
/// An alert this near to where a walker crosses is about that walker.
const PLACE_M: f64 = 30.0;
/// Time between two lines of progress.
const PROGRESS_S: f64 = 15.0;

/// Arguments of `hil`.
#[derive(Args)]
pub(crate) struct Hil {
    /// Number of nodes.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    nodes: u32,
    /// Length of the run.
    #[arg(long, default_value_t = 260, value_name = "SECONDS")]
    duration: u32,
    /// Time between walkers; those who follow closely may be told as one party.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    interval: f64,
    /// Mean wind.
    #[arg(long, default_value_t = 3.0, value_name = "M_PER_S")]
    wind: f64,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the images; built with firmware/build.sh when absent.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The daemon; taken from beside this program, and built when it is not there.
    #[arg(long, value_name = "FILE")]
    vedette: Option<PathBuf>,
    /// Folder for configurations, logs and stores; a temporary one when absent.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// An alert as the centre printed it, after committing it to its ledger.
struct Arrived {
    at: Instant,
    /// East of the line's middle, metres; none when the alert tells no point.
    east_m: Option<f64>,
    line: String,
}

impl Hil {
    /// Runs the loop and prints the summary; an error when something that was walked or said did not arrive.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let images = self.images()?;
        let vedette = self.vedette()?;
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => std::env::temp_dir().join(format!("vedette-hil-{}", std::process::id())),
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        println!("configurations and logs in {}", folder.display());
        let failures = self.play(&images, &vedette, &folder)?;
        if failures.is_empty() {
            println!("\nPASS: the centre was told of every walker, and every event arrived");
            if self.folder.is_none() {
                std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
            return Ok(());
        }
        println!("\nFAIL: {}", failures.join("; "));
        anyhow::bail!("the loop failed; its logs are in {}", folder.display())
    }

    /// Runs everything, prints what happens and the summary; what went wrong.
    fn play(&self, images: &Path, vedette: &Path, folder: &Path) -> anyhow::Result<Vec<String>> {
        let interrupted = watch_signals()?;
        let (_broker, port) = start_broker(folder)?;
        let site = Site::new(self.nodes, self.seed);
        let (process, modem, device) =
            start_concentrator::<ToModem>(&images.join("concentrator"), &folder.join("concentrator.log"))
                .context("concentrator: is qemu-system-arm installed?")?;
        println!("concentrator on {}", device.display());
        site.write(folder, &device, port).context("configurations")?;
        let (sender, arrivals) = mpsc::channel();
        let _centre = start_centre(vedette, folder, sender)?;
        let _gateway = start_daemon(vedette, folder, &["run", "--config", "gateway.toml"], "gateway.log")?;

        let walkers = (f64::from(self.duration) - FIRST_WALKER_S - LAST_WALKER_S) / self.interval;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
        let walkers = walkers.max(0.0) as u32 + 1;
        let places_m: Vec<[f64; 2]> = site.nodes.iter().map(|node| node.place_m).collect();
        let stage = Stage::new(&places_m, self.wind, self.seed, FIRST_WALKER_S, self.interval, walkers);
        let mut rig =
            Rig::new(&site, stage, &images.join("node"), folder, (process, modem), self.seed).context("nodes")?;
        println!("{} nodes run, {walkers} walkers will cross", self.nodes);
        let start = Instant::now();
        let duration = Duration::from_secs(self.duration.into());
        let mut told = Told { alerts: Vec::new(), crossed: 0, at_s: 0.0 };
        rig.run(start, |rig| {
            told.tell(rig, start, &arrivals);
            let elapsed = start.elapsed();
            let settled = rig.report().said.is_settled() || elapsed >= duration + GRACE;
            interrupted.load(Ordering::Relaxed) || elapsed >= duration && settled
        })
        .context("a board stopped")?;
        anyhow::ensure!(!interrupted.load(Ordering::Relaxed), "interrupted");
        told.tell(&rig, start, &arrivals);
        let delays_s = delays_s(rig.stage().walkers(), start, &told.alerts);
        let report = rig.report();
        summarise(&report, rig.stage().walkers().len(), &told.alerts, &delays_s);
        let mut failures = failures(&report, rig.stage().walkers().len(), delays_s.len());
        for image in ["node", "concentrator"] {
            let (deepest, room) = deepest_stack(folder, image)?;
            println!("stack of the {image:12} {deepest:6} bytes at the deepest, of {room}");
            if deepest + SPARE_STACK > room {
                failures.push(format!("the stack of the {image} leaves less than {SPARE_STACK} bytes"));
            }
        }
        Ok(failures)
    }

    fn images(&self) -> anyhow::Result<PathBuf> {
        if let Some(images) = &self.images {
            return Ok(images.clone());
        }
        let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
        let images = firmware.join("boards/mps2-an386/target/thumbv7em-none-eabihf/release");
        if !images.join("node").exists() || !images.join("concentrator").exists() {
            let built = Command::new(firmware.join("build.sh")).status().context("firmware/build.sh")?;
            anyhow::ensure!(built.success(), "firmware/build.sh failed");
        }
        Ok(images)
    }

    fn vedette(&self) -> anyhow::Result<PathBuf> {
        if let Some(vedette) = &self.vedette {
            return Ok(vedette.clone());
        }
        let own = std::env::current_exe().context("path of this program")?;
        let beside = own.with_file_name("vedette");
        if !beside.exists() {
            let mut build = Command::new("cargo");
            build.args(["build", "-p", "vedette"]).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
            if !cfg!(debug_assertions) {
                build.arg("--release");
            }
            anyhow::ensure!(build.status().context("cargo")?.success(), "cannot build vedette");
        }
        Ok(beside)
    }
}

fn start_broker(folder: &Path) -> anyhow::Result<(Process, u16)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let path = folder.join("mosquitto.conf");
    std::fs::write(&path, format!("listener {port} 127.0.0.1\nallow_anonymous true\n"))?;
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    // Debian puts it where only the administrator looks.
    let paths = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    Ok((Process::start(command.env("PATH", paths)).context("broker")?, port))
}

fn start_daemon(vedette: &Path, folder: &Path, arguments: &[&str], log: &str) -> anyhow::Result<Process> {
    let log = std::fs::File::create(folder.join(log))?;
    let mut command = Command::new(vedette);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    Process::start(&mut command).context("daemon")
}

fn start_centre(vedette: &Path, folder: &Path, sender: mpsc::Sender<Arrived>) -> anyhow::Result<Process> {
    let mut centre = start_daemon(vedette, folder, &["centre", "--config", "centre.toml", "--json"], "centre.log")?;
    let output = centre.child().stdout.take().context("centre's output")?;
    let mut copy = std::fs::File::create(folder.join("alerts.jsonl"))?;
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let at = Instant::now();
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            if value["type"] != "alert" {
                continue;
            }
            let alert = &value["alert"];
            let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
            let state = alert["state"].as_str().map_or_else(|| alert["state"].to_string(), str::to_owned);
            let shown = format!("alert {} {state}: {}", text("kind"), text("text"));
            // The file is for people; the run goes on without it.
            let _ = writeln!(copy, "{line}");
            let point = &alert["place"]["point"];
            let east_m = point["lat"].as_f64().zip(point["lon"].as_f64()).and_then(|(lat, lon)| Site::east_m(lat, lon));
            if sender.send(Arrived { at, east_m, line: shown }).is_err() {
                return;
            }
        }
    });
    Ok(centre)
}

/// What was printed so far.
struct Told {
    alerts: Vec<Arrived>,
    crossed: usize,
    at_s: f64,
}

impl Told {
    /// Prints who has crossed, what has arrived, and now and then how far things are.
    fn tell(&mut self, rig: &Rig, start: Instant, arrivals: &mpsc::Receiver<Arrived>) {
        let now_s = start.elapsed().as_secs_f64();
        let crossed = rig.stage().walkers().iter().skip(self.crossed).take_while(|walker| walker.crosses_s() <= now_s);
        for walker in crossed {
            self.crossed += 1;
            println!(
                "{:7.1} s  truth: walker {} crosses, {:.0} m east",
                walker.crosses_s(),
                self.crossed,
                walker.east_m
            );
        }
        for arrived in arrivals.try_iter() {
            println!("{:7.1} s  {}", (arrived.at - start).as_secs_f64(), arrived.line);
            self.alerts.push(arrived);
        }
        if now_s - self.at_s >= PROGRESS_S {
            self.at_s = now_s;
            let said = rig.report().said;
            println!("{now_s:7.1} s  {} events, {} frames sent", said.events, said.frames);
        }
    }
}

/// Set when this program is asked to end: its processes then end with it.
fn watch_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let seen = Arc::clone(&interrupted);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        seen.store(true, Ordering::Relaxed);
    });
    Ok(interrupted)
}

/// Delays of the first word about a walker.
#[derive(Clone, Copy)]
struct Delay {
    /// After the first step that a geophone may hear.
    since_step_s: f64,
    /// After the walker was on the line.
    since_line_s: f64,
}

/// One for each walker of whom the centre was told, by a new alert or a revision, where the walker crosses and before the next one does:
/// who follows within minutes may be told as the same party.
fn delays_s(walkers: &[Walker], start: Instant, alerts: &[Arrived]) -> Vec<Delay> {
    let delay = |(index, walker): (usize, &Walker)| {
        let until_s = walkers.get(index + 1).map_or(f64::INFINITY, Walker::crosses_s);
        let found = alerts.iter().find_map(|alert| {
            let at_s = (alert.at - start).as_secs_f64();
            let there = alert.east_m.is_none_or(|east_m| (east_m - walker.east_m).abs() <= PLACE_M);
            (there && (walker.heard_s()..until_s).contains(&at_s)).then_some(at_s)
        })?;
        Some(Delay { since_step_s: found - walker.heard_s(), since_line_s: found - walker.crosses_s() })
    };
    walkers.iter().enumerate().filter_map(delay).collect()
}

fn summarise(report: &RigReport, walkers: usize, alerts: &[Arrived], delays: &[Delay]) {
    let RigReport { air, said, port_faults, worst_lag } = report;
    let by_concentrator = air.sent - said.frames;
    println!(
        "\nframes sent            {:6}  by nodes {}, by the concentrator {by_concentrator}",
        air.sent, said.frames
    );
    println!("  retransmitted        {:6}", said.retransmitted);
    let [collided, deaf, faint] = air.missed_by_addressee;
    println!("  lost to collisions   {collided:6}  at the station they were for");
    println!("  lost otherwise       {:6}  it was sending itself {deaf}, or they were too faint {faint}", deaf + faint);
    let busiest_us = air.airtime_us.iter().max().copied().unwrap_or(0);
    println!("busiest station        {:6.1} s on the air", busiest_us as f64 / 1e6);
    println!("events                 {:6}  of which {} reached the concentrator", said.events, said.events_heard);
    println!("damaged serial frames  {port_faults:6}");
    println!("alert messages         {:6}  at the centre", alerts.len());
    println!("walkers                {walkers:6}  of which {} were told to the centre", delays.len());
    for (name, of) in [
        ("first step to centre", (|delay: &Delay| delay.since_step_s) as fn(&Delay) -> f64),
        ("line to centre", |delay| delay.since_line_s),
    ] {
        let mut delays_s: Vec<f64> = delays.iter().map(of).collect();
        delays_s.sort_by(f64::total_cmp);
        if let (Some(median_s), Some(last_s)) = (delays_s.get(delays_s.len() / 2), delays_s.last()) {
            println!("{name:22} {median_s:6.1} s median, {last_s:.1} s at most");
        }
    }
    println!("loop behind the clock  {:6} ms at most", worst_lag.as_millis());
}

/// The deepest stack that boards with this image told on their consoles, and the room for it, bytes.
fn deepest_stack(folder: &Path, image: &str) -> anyhow::Result<(u32, u32)> {
    let mut deepest = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(image) || path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        for line in std::fs::read_to_string(&path)?.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["stack", bytes, "of", room, "bytes"] = words[..] {
                deepest = deepest.max(Some((bytes.parse::<u32>()?, room.parse::<u32>()?)));
            }
        }
    }
    deepest.with_context(|| format!("no {image} told how deep its stack was"))
}

/// What must not happen, and did.
fn failures(report: &RigReport, walkers: usize, alerted: usize) -> Vec<String> {
    let said = &report.said;
    let mut failures = Vec::new();
    if alerted < walkers {
        failures.push(format!("{} of {walkers} walkers were not told to the centre", walkers - alerted));
    }
    if !said.is_settled() {
        failures.push(format!(
            "{} of {} events did not reach the concentrator",
            said.events - said.events_heard,
            said.events
        ));
    }
    if report.port_faults > 0 {
        failures.push(format!("{} frames were damaged on serial ports", report.port_faults));
    }
    failures
}
