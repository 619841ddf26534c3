//! `vedette-sim run`: a scenario in real time against a gateway.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tokio::sync::mpsc;
use vedette_sim::live::{BrokerAddress, Line, LiveEvent, LiveOptions, node_key, run};
use vedette_sim::scenario::Scenario;

/// Arguments of `run`.
#[derive(Args)]
pub(crate) struct Run {
    /// Scenario file.
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Broker for the sensors that speak native JSON.
    #[arg(long, value_name = "HOST:PORT")]
    mqtt: Option<BrokerAddress>,
    /// Site id of the gateway, for topics; the scenario's own when absent.
    #[arg(long, value_name = "ID")]
    gateway: Option<String>,
    /// Make a pseudo terminal for the radio nodes and link it here; its own path is printed in any case.
    #[arg(long, value_name = "LINK")]
    serial: Option<PathBuf>,
    /// Write the simulated nodes' keys into this folder, for the gateway.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl Run {
    /// Runs until the scenario ends or Ctrl-C.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let scenario = Scenario::read(&self.scenario)?;
        if let Some(folder) = &self.keys {
            self.write_keys(&scenario, folder).with_context(|| format!("cannot write to {}", folder.display()))?;
        }
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.live(&scenario))
    }

    async fn live(&self, scenario: &Scenario) -> anyhow::Result<()> {
        let line = Line::open().context("cannot make a pseudo terminal")?;
        println!("serial {}", line.path().display());
        if let Some(link) = &self.serial {
            replace_link(line.path(), link).with_context(|| format!("cannot link {}", link.display()))?;
        }
        let (sender, mut events) = mpsc::channel(1024);
        let options = LiveOptions {
            gateway: self.gateway.clone().unwrap_or_else(|| scenario.layout.site.id.clone()),
            broker: self.mqtt.clone(),
            line: Some(line),
            events: Some(sender),
        };
        let printer = tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                print(&event);
            }
        });
        let stop = async {
            // Without a handler the signal ends the process, which is what it is for.
            let _ = tokio::signal::ctrl_c().await;
        };
        let summary = run(scenario, self.seed, options, stop).await?;
        printer.await?;
        let radio = summary.radio;
        println!(
            "{} crossings, {} messages published, {} radio frames arrived of {} sent ({} repeated, {} collided)",
            summary.crossings, summary.published, radio.arrived, radio.sent, radio.repeated, radio.collided
        );
        Ok(())
    }

    fn write_keys(&self, scenario: &Scenario, folder: &Path) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        for node in scenario.layout.sensors.iter().filter_map(|sensor| sensor.node) {
            let path = folder.join(format!("node-{node}.toml"));
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            let secret: String = node_key(self.seed, node).expose().iter().map(|byte| format!("{byte:02x}")).collect();
            write!(file, "node = {node}\n\n[[key]]\nepoch = 0\nsecret = \"{secret}\"\n")?;
        }
        Ok(())
    }
}

fn replace_link(target: &Path, link: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(link).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(target, link)
}

fn print(event: &LiveEvent) {
    match event {
        LiveEvent::Started { crossings, .. } => println!("started, {crossings} crossings to come"),
        LiveEvent::Crossing { crossing, .. } => println!(
            "{:7.1} s  {:?} {} crosses {} {}",
            crossing.elapsed_s,
            crossing.kind,
            crossing.walker,
            crossing.line,
            if crossing.inward { "inward" } else { "outward" }
        ),
    }
}
