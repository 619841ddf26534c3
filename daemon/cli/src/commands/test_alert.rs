//! `vedette test-alert`: an alert that tests the whole way to the centre.

use std::io::Write;

use vedette_gateway::engine::Severity;
use vedette_gateway::status::{Answer, Request};

use crate::outcome::Outcome;
use crate::plain::{name, printable};
use crate::socket;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: socket::Place,
    /// Its severity: info, low, medium, high or critical
    #[arg(long, default_value = "low", value_parser = parse_severity)]
    severity: Severity,
    /// Who tests
    #[arg(long, default_value_t = super::whoami(), value_parser = name)]
    by: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let mut line = socket::Line::connect(&arguments.place.path()?)?;
    match line.ask(&Request::TestAlert { severity: arguments.severity, by: arguments.by.clone() })? {
        Answer::Done { done: true, detail } => {
            writeln!(std::io::stdout(), "{}", printable(&detail))?;
            Ok(Outcome::Done)
        }
        Answer::Done { done: false, detail: reason } | Answer::Refused { reason } => anyhow::bail!("{reason}"),
        Answer::Status(_) => anyhow::bail!("the daemon gave an answer to another question"),
    }
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    let quoted = serde_json::Value::String(text.to_ascii_lowercase());
    serde_json::from_value(quoted).map_err(|_| "expected info, low, medium, high or critical".to_owned())
}
