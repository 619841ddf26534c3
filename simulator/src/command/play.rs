//! `vedette-sim play`: a recorded native log, published with its own timing.

use std::path::PathBuf;

use clap::Args;
use vedette_sim::live::{BrokerAddress, PlayOptions, play};

/// Arguments of `play`.
#[derive(Args)]
pub(crate) struct Play {
    /// The log: native detections, one a line.
    log: PathBuf,
    /// Broker to publish to.
    #[arg(long, value_name = "HOST:PORT")]
    mqtt: BrokerAddress,
    /// How many times faster than recorded.
    #[arg(long, default_value_t = 1.0, value_parser = rate)]
    rate: f64,
    /// Site id of the gateway, for topics; the benchmark scenes' own by default.
    #[arg(long, value_name = "ID", default_value = "bench")]
    gateway: String,
    /// Say in every message that it is part of an exercise: only a gateway with `[site] exercise = true` takes it.
    #[arg(long)]
    exercise: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("expected a number above 0".to_owned()),
    }
}

impl Play {
    /// Plays to the end.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let options = PlayOptions {
            log: self.log.clone(),
            broker: self.mqtt.clone(),
            gateway: self.gateway.clone(),
            rate: self.rate,
            exercise: self.exercise,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let summary = runtime.block_on(play(&options))?;
        println!(
            "{} messages in {:.1} s, the latest {:.0} ms behind its time",
            summary.messages,
            summary.seconds,
            summary.latest_s * 1000.0
        );
        Ok(())
    }
}
