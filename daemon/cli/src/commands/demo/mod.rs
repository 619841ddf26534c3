//! `vedette demo`: broker, simulated sensors, gateway and centre in one process, without hardware.
//!
//! Nothing here is a model of the product: the sensors' frames go through a pseudo terminal and a broker into the daemon
//! that `vedette run` starts, and the alerts come back from the ledger that `vedette centre` keeps.

mod broker;
mod tally;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, watch};
use vedette_centre::{Announcement, Form, Printer};
use vedette_gateway::config::Config;
use vedette_gateway::daemon;
use vedette_sim::live::{self, BrokerAddress, Line, LiveEvent, LiveOptions, node_key};
use vedette_sim::scenario::Scenario;
use vedette_sim::write::write_config;

use crate::commands::replay::parse_duration;
use crate::outcome::Outcome;
use crate::{log, stop};
use tally::Tally;

const SCENARIO: &str = include_str!("../../../../../config/scenarios/demo.toml");

/// After the scenario: the engine's wait, the last commits, the way to the centre.
const AFTERMATH: Duration = Duration::from_secs(4);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long to show
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    duration: Duration,
    /// Another seed is another night
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    // The embedded broker logs every connection that ends as an error.
    log::start(log::Form::Text, "error,rumqttd=off");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("runtime")?;
    runtime.block_on(show(arguments))
}

async fn show(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut scenario = Scenario::parse(SCENARIO, Path::new("demo.toml")).context("scenario")?;
    scenario.layout.duration_s = arguments.duration.as_secs_f64();
    let folder = tempfile::tempdir().context("temporary folder")?;
    let broker = tokio::task::spawn_blocking(broker::start).await??;
    let line = Line::open().context("pseudo terminal")?;
    let gateway = gateway_config(&scenario, arguments.seed, folder.path(), line.path(), broker.port())?;
    let centre = centre_config(folder.path(), broker.port())?;
    introduce(&scenario, &gateway, &line, broker.port())?;

    let (stop_all, stopped) = watch::channel(false);
    let (announce, announced) = mpsc::unbounded_channel();
    let (happen, happened) = mpsc::channel(1024);
    let (_orders, no_orders) = mpsc::channel(1);
    let (_configurations, no_configurations) = mpsc::channel(1);
    // The printer that is gone tells why by itself.
    let tell = move |announcement: &Announcement| {
        drop(announce.send(announcement.clone()));
        Ok(())
    };
    let centre = tokio::spawn(vedette_centre::run(centre, tell, no_orders, no_configurations, until(stopped.clone())));
    let gateway = tokio::spawn(daemon::run(gateway, None, until(stopped)));
    let printer = tokio::spawn(print(announced, happened));

    let options = LiveOptions {
        gateway: scenario.layout.site.id.clone(),
        broker: Some(BrokerAddress { host: "127.0.0.1".to_owned(), port: broker.port() }),
        line: Some(line),
        events: Some(happen),
    };
    let interrupted = stop::asked().context("signals")?;
    let played = live::run(&scenario, arguments.seed, options, interrupted).await.context("simulator")?;
    tokio::time::sleep(AFTERMATH).await;
    stop_all.send_replace(true);
    let ending = gateway.await.context("gateway")?.context("gateway")?;
    centre.await.context("centre")?.context("centre")?;
    let tally = printer.await.context("printer")??;
    println!("\n{}", tally.summary(&played));
    Ok(if tally.is_whole() && ending == daemon::Ending::Whole { Outcome::Done } else { Outcome::WithLosses })
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Tells what happens, and what reaches the centre, as it comes.
async fn print(
    mut announced: mpsc::UnboundedReceiver<Announcement>,
    mut happened: mpsc::Receiver<LiveEvent>,
) -> anyhow::Result<Tally> {
    let colour = log::colour(&std::io::stdout());
    let (printer, mut tally) = (Printer::new(Form::Text { colour }), Tally::default());
    let (dim, plain) = if colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    loop {
        tokio::select! {
            announcement = announced.recv() => {
                let Some(announcement) = announcement else { return Ok(tally) };
                tally.hear(&announcement);
                let mut out = std::io::stdout().lock();
                printer.write(&announcement, &mut out)?;
                out.flush()?;
            }
            Some(event) = happened.recv() => {
                tally.happened(&event);
                if let LiveEvent::Crossing { at, crossing } = event {
                    let way = if crossing.inward { "inward" } else { "outward" };
                    let [east, north] = crossing.at_m;
                    let time = vedette_gateway::engine::time::format_rfc3339(at);
                    let what = format!("{:?}", crossing.kind).to_lowercase();
                    println!("{dim}{} truth: {what} {} crosses {way} at {east:.0} m east, {north:.0} m north{plain}",
                        &time[..time.len().min(23)], crossing.walker);
                }
            }
        }
    }
}

fn introduce(scenario: &Scenario, gateway: &Config, line: &Line, port: u16) -> anyhow::Result<()> {
    let sensors = &scenario.layout.sensors;
    let radio = sensors.iter().filter(|sensor| sensor.node.is_some()).count();
    println!(
        "{}: {}\n{radio} radio sensors through {}, {} through a broker on port {port}; gateway {} and its centre run in this process.\n",
        scenario.name,
        scenario.summary,
        line.path().display(),
        sensors.len() - radio,
        gateway.engine.site.id,
    );
    std::io::stdout().flush().context("standard output")
}

/// The gateway's configuration as a file a person could have written, read back like any other.
fn gateway_config(scenario: &Scenario, seed: u64, folder: &Path, device: &Path, port: u16) -> anyhow::Result<Config> {
    let keys = folder.join("keys");
    std::fs::create_dir(&keys).context("keys")?;
    for node in scenario.layout.sensors.iter().filter_map(|sensor| sensor.node) {
        let secret = node_key(seed, node).expose().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let text = format!("node = {node}\n[[key]]\nepoch = 0\nsecret = \"{secret}\"\n");
        std::fs::write(keys.join(format!("node-{node}.toml")), text).context("keys")?;
    }
    let mut text = Vec::new();
    write_config(&scenario.layout, &mut text)?;
    let device = device.display();
    write!(
        text,
        "\n[radio]\nkeys_dir = \"keys\"\n\n[[source.serial]]\nname = \"radio\"\ndevice = \"{device}\"\n\n\
         [[source.mqtt]]\nname = \"field\"\nbroker = {{ host = \"127.0.0.1\", port = {port} }}\n\n\
         [[sink.centre]]\nbroker = {{ host = \"127.0.0.1\", port = {port} }}\n\n\
         [store]\nfile = \"gateway.sqlite\"\n\n[status]\nsocket = \"gateway.sock\"\n",
    )?;
    let path = folder.join("gateway.toml");
    std::fs::write(&path, text).context("configuration")?;
    Ok(Config::load(&path)?)
}

fn centre_config(folder: &Path, port: u16) -> anyhow::Result<vedette_centre::Config> {
    let path = folder.join("centre.toml");
    let ledger = folder.join("centre.sqlite");
    let text = format!(
        "[centre]\nid = \"centre\"\n\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\n\n[ledger]\npath = \"{}\"\n",
        ledger.display()
    );
    std::fs::write(&path, text).context("configuration")?;
    vedette_centre::Config::read(&path).context("configuration of the centre")
}
