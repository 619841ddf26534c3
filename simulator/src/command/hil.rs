//! `vedette-sim hil`: firmware on emulated boards, from a simulated footstep to the centre.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use vedette_sim::hil::{Process, Rig, RigReport, Site, Stage, Walker, start_concentrator};
use vedette_wire::link::ToModem;

/// The chain of each geophone settles before anybody walks.
const FIRST_WALKER_S: f64 = 20.0;
/// Time for the last walker to cross and for the alert to arrive.
const LAST_WALKER_S: f64 = 60.0;

/// Arguments of `hil`.
#[derive(Args)]
pub(crate) struct Hil {
    /// Number of nodes.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    nodes: u32,
    /// Length of the run.
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    duration: u32,
    /// Time between walkers.
    #[arg(long, default_value_t = 45.0, value_name = "SECONDS")]
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

/// An alert as the centre printed it.
struct Arrived {
    at: Instant,
    id: String,
    line: String,
}

impl Hil {
    /// Runs the loop and prints the summary.
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

        let (_broker, port) = start_broker(&folder)?;
        let site = Site::new(self.nodes, self.seed);
        let (process, modem, device) =
            start_concentrator::<ToModem>(&images.join("concentrator")).context("concentrator")?;
        println!("concentrator on {}", device.display());
        site.write(&folder, &device, port).context("configurations")?;
        let (sender, arrivals) = mpsc::channel();
        let _centre = start_centre(&vedette, &folder, sender)?;
        let _gateway = start_daemon(&vedette, &folder, &["run", "--config", "gateway.toml"], "gateway.log")?;

        let walkers = (f64::from(self.duration) - FIRST_WALKER_S - LAST_WALKER_S) / self.interval;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
        let walkers = walkers.max(0.0) as u32 + 1;
        let places_m: Vec<[f64; 2]> = site.nodes.iter().map(|node| node.place_m).collect();
        let stage = Stage::new(&places_m, self.wind, self.seed, FIRST_WALKER_S, self.interval, walkers);
        let mut rig = Rig::new(&site, stage, &images.join("node"), &folder, (process, modem), self.seed)
            .context("nodes: is qemu-system-arm installed?")?;
        println!("{} nodes run, {walkers} walkers will cross", self.nodes);
        let start = Instant::now();
        let mut alerts = Vec::new();
        let mut told_s = 0.0;
        let duration = Duration::from_secs(self.duration.into());
        rig.run(start, duration, |said, now_s| {
            for arrived in arrivals.try_iter() {
                println!("{:7.1} s  {}", (arrived.at - start).as_secs_f64(), arrived.line);
                alerts.push(arrived);
            }
            if now_s - told_s >= 15.0 {
                told_s = now_s;
                println!("{now_s:7.1} s  {} events, {} frames sent", said.events, said.frames);
            }
        })
        .context("a board stopped")?;
        summarise(&rig.report(), rig.stage().walkers(), start, &alerts);
        Ok(())
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
            if sender.send(Arrived { at, id: text("id"), line: shown }).is_err() {
                return;
            }
        }
    });
    Ok(centre)
}

/// Time from each walker's first step to the first new alert after it.
fn delays_s(walkers: &[Walker], start: Instant, alerts: &[Arrived]) -> Vec<f64> {
    let mut seen = std::collections::BTreeSet::new();
    let first: Vec<f64> =
        alerts.iter().filter(|alert| seen.insert(&alert.id)).map(|alert| (alert.at - start).as_secs_f64()).collect();
    let next = |index: usize| walkers.get(index + 1).map_or(f64::INFINITY, |walker| walker.starts_s);
    let delay = |(index, walker): (usize, &Walker)| {
        let found = first.iter().find(|&&at_s| at_s >= walker.starts_s && at_s < next(index));
        found.map(|at_s| at_s - walker.starts_s)
    };
    walkers.iter().enumerate().filter_map(delay).collect()
}

fn summarise(report: &RigReport, walkers: &[Walker], start: Instant, alerts: &[Arrived]) {
    let RigReport { air, said, port_faults, worst_lag } = report;
    let mut delays_s = delays_s(walkers, start, alerts);
    delays_s.sort_by(f64::total_cmp);
    println!(
        "\nframes sent            {:6}  by nodes {}, by the concentrator {}",
        air.sent,
        said.frames,
        air.sent - said.frames
    );
    println!("  retransmitted        {:6}", said.retransmitted);
    println!("  lost to collisions   {:6}  receptions, at any station", air.collided);
    println!("  lost while sending   {:6}  receptions, at any station", air.deaf);
    let busiest_us = air.airtime_us.iter().max().copied().unwrap_or(0);
    println!("busiest station        {:6.1} s on the air", busiest_us as f64 / 1e6);
    println!("events                 {:6}  of which {} reached the concentrator", said.events, said.events_heard);
    println!("damaged serial frames  {port_faults:6}");
    println!("alert messages         {:6}  at the centre", alerts.len());
    println!("walkers                {:6}  of which {} raised an alert", walkers.len(), delays_s.len());
    if let (Some(median), Some(last)) = (delays_s.get(delays_s.len() / 2), delays_s.last()) {
        println!("first step to centre   {median:6.1} s median, {last:.1} s at most");
    }
    println!("loop behind the clock  {:6} ms at most", worst_lag.as_millis());
}
