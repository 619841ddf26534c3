//! `vedette alerts list` and `show`.

use std::io::Write;

use vedette_centre::Verdict;
use vedette_gateway::engine::{Alert, AlertState, Mode};

use super::ledger::{History, Known, Revision};
use crate::clock_time::to_the_second;
use crate::outcome::Outcome;
use crate::plain::printable;

/// Characters of an id that are shown: enough to tell alerts apart.
const SHORT: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Those that are over as well
    #[arg(long)]
    all: bool,
    /// Only those shelved
    #[arg(long)]
    shelved: bool,
    /// Only those of this gateway
    #[arg(long)]
    gateway: Option<String>,
    /// One JSON object a line: the newest revision of each
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, history: &History) -> anyhow::Result<Outcome> {
        let mut shown: Vec<(&Known, &Alert)> = history
            .alerts
            .values()
            .filter(|known| self.all || known.is_open())
            .filter(|known| self.gateway.as_ref().is_none_or(|gateway| *gateway == known.gateway))
            .filter_map(|known| Some((known, known.newest()?)))
            .filter(|(_, alert)| !self.shelved || alert.shelved_until.is_some())
            .collect();
        shown.sort_by_key(|(known, _)| known.raised_at());
        let mut out = std::io::stdout().lock();
        for (known, alert) in shown {
            if self.json {
                let mut object = serde_json::to_value(alert)?;
                object["signature"] = serde_json::to_value(known.newest_revision().map(|revision| &revision.verdict))?;
                writeln!(out, "{object}")?;
            } else {
                writeln!(out, "{}", line(known, alert))?;
            }
        }
        if history.unreadable > 0 {
            eprintln!("{} entries are of a newer version of the protocol and not shown", history.unreadable);
        }
        Ok(Outcome::Done)
    }
}

fn line(known: &Known, alert: &Alert) -> String {
    let id = alert.id.get(..SHORT).unwrap_or(&alert.id);
    let raised = known.raised_at().map(to_the_second).unwrap_or_default();
    let severity = format!("{:?}", alert.severity).to_uppercase();
    let mode = match alert.mode {
        Mode::Actual => "",
        Mode::Exercise => "EXERCISE ",
        Mode::Test => "TEST ",
    };
    let (state, text, doubt) =
        (state(alert), printable(&alert.text), known.newest_revision().map_or("", |revision| doubt(&revision.verdict)));
    format!("{id}  {raised}  {:<12} {severity:<8} {state:<12} {mode}{text}{doubt}", known.gateway)
}

/// What is amiss with a signature, in a few words; nothing where it is right or none was to be expected.
const fn doubt(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Signed { .. } | Verdict::Unsigned => "",
        Verdict::SignatureMissing => " NOT SIGNED",
        Verdict::UnknownKey { .. } => " UNKNOWN KEY",
        Verdict::Forged { .. } => " FORGED SIGNATURE",
    }
}

fn state(alert: &Alert) -> String {
    if let (AlertState::Raised | AlertState::Updated, Some(_)) = (alert.state, alert.shelved_until) {
        return "shelved".to_owned();
    }
    match alert.state {
        AlertState::Closed { reason } => format!("{reason:?}").to_lowercase(),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The alert: its id, or the beginning of it
    alert: String,
}

impl Show {
    pub(super) fn run(&self, history: &History) -> anyhow::Result<Outcome> {
        let (id, known) = history.find(&self.alert)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "alert {id} of {}", known.gateway)?;
        if let Some(alert) = known.newest() {
            details(alert, &mut out)?;
        }
        let mut revisions: Vec<&Revision> = known.revisions.iter().collect();
        revisions.sort_by_key(|revision| revision.alert.rev);
        for Revision { at, alert, verdict } in revisions {
            let (at, text) = (to_the_second(*at), printable(&alert.text));
            writeln!(out, "{at}  rev {} {:<12} {text} ({verdict})", alert.rev, state(alert))?;
        }
        for record in history.orders.iter().filter(|record| record.order.command.act.alert() == Some(id)) {
            let answer = record.answer.as_ref().map_or("not answered yet", |answer| answer.detail.as_str());
            let act = serde_json::to_value(&record.order.command.act)?;
            let (by, answer) = (printable(&record.order.command.by), printable(answer));
            writeln!(out, "{} by {by}: {answer}", act["act"].as_str().unwrap_or("?"))?;
        }
        Ok(Outcome::Done)
    }
}

fn details(alert: &Alert, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "  {:?}, {:?}, {:.0} % sure", alert.kind, alert.severity, alert.percent_sure())?;
    for part in &alert.contributors {
        match part.share {
            Some(share) => writeln!(out, "  {:<16} {:.0} % of the evidence", part.sensor, 100.0 * share)?,
            None => writeln!(out, "  {:<16} expected, and silent", part.sensor)?,
        }
    }
    if let Some(until) = alert.shelved_until {
        writeln!(out, "  shelved until {}", to_the_second(until))?;
    }
    if let Some(name) = &alert.assigned_to {
        writeln!(out, "  assigned to {}", printable(name))?;
    }
    if let Some(grade) = alert.grade {
        writeln!(out, "  graded {grade}")?;
    }
    Ok(())
}
