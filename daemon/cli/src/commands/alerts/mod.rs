//! `vedette alerts`: what operators at a centre do with alerts.

mod act;
mod budget;
mod ledger;
mod list;
mod weather;

use std::path::PathBuf;

use clap::Subcommand;
use vedette_centre::Config;

use crate::outcome::Outcome;
use ledger::History;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The centre's configuration, which names the ledger
    #[arg(long, global = true, default_value = "/etc/vedette/centre.toml")]
    config: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List alerts, newest last: those that are open, unless told otherwise
    List(list::List),
    /// Show all that is known of one alert
    Show(list::Show),
    /// Say that an alert was seen
    Acknowledge(act::Acknowledge),
    /// Say who works on an alert
    Assign(act::Assign),
    /// Close an alert, with the reason
    Close(act::Close),
    /// Hear no more of an alert until later
    Shelve(act::Shelve),
    /// Hear again of an alert that is shelved
    Unshelve(act::Unshelve),
    /// Let an alert stand on its own that a rule holds back or makes less severe, or members of a storm
    Release(act::Release),
    /// Remark something about an alert
    Comment(act::Comment),
    /// Say how far source and content of an alert are to be trusted
    Grade(act::Grade),
    /// How many alerts operators get, what they were worth, and which sensors are behind those worth nothing
    Budget(budget::Budget),
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let config = Config::read(&arguments.config)?;
    let path = config.ledger.path;
    let mut history = History::read(&path)?;
    history.gateways.insert(config.centre.id);
    history.gateways.extend(config.gateway.iter().map(|gateway| gateway.id.clone()));
    match &arguments.what {
        What::List(list) => list.run(&history),
        What::Show(show) => show.run(&history),
        What::Acknowledge(order) => act::run(order, &history, &path),
        What::Assign(order) => act::run(order, &history, &path),
        What::Close(order) => act::run(order, &history, &path),
        What::Shelve(order) => act::run(order, &history, &path),
        What::Unshelve(order) => act::run(order, &history, &path),
        What::Release(order) => act::run(order, &history, &path),
        What::Comment(order) => act::run(order, &history, &path),
        What::Grade(order) => act::run(order, &history, &path),
        What::Budget(budget) => budget.run(&history),
    }
}
