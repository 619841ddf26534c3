//! `vedette alerts list` and `show`.

use std::io::Write;

use vedette_centre::Verdict;
use vedette_gateway::engine::{Alert, AlertState, Member, Mode, Timestamp};

use super::ledger::{History, Known, Revision};
use crate::clock_time::{now, to_the_second};
use crate::outcome::{Outcome, Wrong};
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
        if let Some(gateway) = self.gateway.as_ref().filter(|gateway| !history.gateways.contains(*gateway)) {
            let known: Vec<&str> = history.gateways.iter().map(String::as_str).collect();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            return Err(Wrong(format!("--gateway: expected one that is known ({known}), got {gateway:?}")).into());
        }
        let now = now();
        let mut out = std::io::stdout().lock();
        for (known, alert) in self.shown(history, now) {
            if self.json {
                let mut object = serde_json::to_value(alert)?;
                object["signature"] = serde_json::to_value(known.newest_revision().map(|revision| &revision.verdict))?;
                writeln!(out, "{object}")?;
            } else {
                writeln!(out, "{}", line(known, alert, now))?;
            }
        }
        if history.unreadable > 0 {
            eprintln!("{} entries are of a newer version of the protocol and not shown", history.unreadable);
        }
        Ok(Outcome::Done)
    }

    fn shown<'a>(&self, history: &'a History, now: Timestamp) -> Vec<(&'a Known, &'a Alert)> {
        let mut shown: Vec<(&Known, &Alert)> = history
            .alerts
            .values()
            .filter(|known| self.all || known.is_open())
            .filter(|known| self.gateway.as_ref().is_none_or(|gateway| *gateway == known.gateway))
            .filter_map(|known| Some((known, known.newest()?)))
            .filter(|(_, alert)| !self.shelved || alert.is_shelved(now))
            .collect();
        shown.sort_by_key(|(known, _)| known.raised_at());
        shown
    }
}

fn line(known: &Known, alert: &Alert, now: Timestamp) -> String {
    let id = alert.id.get(..SHORT).unwrap_or(&alert.id);
    let raised = known.raised_at().map(to_the_second).unwrap_or_default();
    let severity = format!("{:?}", alert.severity).to_uppercase();
    let mode = match alert.mode {
        Mode::Actual => "",
        Mode::Exercise => "EXERCISE ",
        Mode::Test => "TEST ",
    };
    let (state, text, doubt) = (
        state(alert, now),
        printable(&alert.text),
        known.newest_revision().map_or("", |revision| doubt(&revision.verdict)),
    );
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

/// In one word what it is at this time.
fn state(alert: &Alert, at: Timestamp) -> String {
    if matches!(alert.state, AlertState::Raised | AlertState::Updated) && alert.is_shelved(at) {
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
            details(alert, now(), &mut out)?;
        }
        let mut revisions: Vec<&Revision> = known.revisions.iter().collect();
        revisions.sort_by_key(|revision| revision.alert.rev);
        for Revision { at, alert, verdict } in revisions {
            let (state, text) = (state(alert, *at), printable(&alert.text));
            writeln!(out, "{}  rev {} {state:<12} {text} ({verdict})", to_the_second(*at), alert.rev)?;
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

fn details(alert: &Alert, now: Timestamp, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "  {:?}, {:?}, {:.0} % sure", alert.kind, alert.severity, alert.percent_sure())?;
    for part in &alert.contributors {
        match part.share {
            Some(share) => writeln!(out, "  {:<16} {:.0} % of the evidence", part.sensor, 100.0 * share)?,
            None => writeln!(out, "  {:<16} expected, and silent", part.sensor)?,
        }
    }
    for Member { key, name, first_seen } in &alert.members {
        let (key, name) = (printable(key), printable(name));
        writeln!(out, "  member {name:<16} first seen {}, {key}", to_the_second(*first_seen))?;
    }
    if alert.members_more > 0 {
        writeln!(out, "  and {} more members", alert.members_more)?;
    }
    if let Some(suppression) = &alert.suppressed {
        writeln!(out, "  held back by {}", printable(&suppression.rule))?;
    }
    if let Some(rule) = &alert.lowered_by {
        writeln!(out, "  made less severe by {}", printable(rule))?;
    }
    if let Some(until) = alert.shelved_until.filter(|_| alert.is_shelved(now)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::alerts::ledger::stating;

    #[test]
    fn an_alert_is_shown_with_its_members_and_with_the_rule_that_holds_it_back() {
        let mut alert = stating("\"raised\"").revisions.remove(0).alert;
        let (key, name, first_seen) =
            ("zone/ford/track-3".to_owned(), "track 3".to_owned(), Timestamp::from_seconds(9));
        (alert.members, alert.members_more) = (vec![Member { key, name, first_seen }], 4);
        alert.lowered_by = Some("work in meadow".to_owned());
        let mut out = Vec::new();
        details(&alert, Timestamp::MIN, &mut out).expect("written");
        let shown = String::from_utf8(out).expect("UTF-8");
        let lines: Vec<&str> = shown.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "  member track 3          first seen 1970-01-01T00:00:09Z, zone/ford/track-3",
                "  and 4 more members",
                "  made less severe by work in meadow"
            ]
        );
    }

    #[test]
    fn an_alert_shows_again_when_its_shelving_is_over() {
        let mut known = stating("\"raised\"");
        let until = Timestamp::from_seconds(100);
        known.revisions[0].alert.shelved_until = Some(until);
        let history = History { alerts: [("cece9ee9".to_owned(), known)].into(), ..History::default() };
        let told = |second: i64| {
            let now = Timestamp::from_seconds(second);
            let list = List { all: false, shelved: true, gateway: None, json: false };
            let state = history.alerts["cece9ee9"].newest().map(|alert| state(alert, now));
            (list.shown(&history, now).len(), state.expect("a revision"))
        };
        assert_eq!(told(99), (1, "shelved".to_owned()));
        assert_eq!(told(100), (0, "raised".to_owned()));
        let (_, known) = history.find("cece").expect("there");
        let mut out = Vec::new();
        details(known.newest().expect("a revision"), until, &mut out).expect("written");
        assert!(!String::from_utf8_lossy(&out).contains("shelved"));
    }
}
