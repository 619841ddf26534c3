//! A ledger's alerts with all their revisions, and the orders about them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use vedette_centre::{OrderRecord, SqliteLedger, Verdict};
use vedette_gateway::engine::budget::Weather;
use vedette_gateway::engine::{Act, Alert, AlertState, CloseReason, Timestamp, WeatherThen};

/// Entries read at once.
const CHUNK: usize = 4_096;
const HOUR_MICROS: i64 = 3_600_000_000;

/// One alert as the ledger has it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) gateway: String,
    /// Never empty.
    pub(super) revisions: Vec<Revision>,
}

/// One revision of an alert.
#[derive(Debug)]
pub(super) struct Revision {
    /// When it came.
    pub(super) at: Timestamp,
    pub(super) alert: Alert,
    /// What its signature proved.
    pub(super) verdict: Verdict,
}

impl Known {
    /// The newest revision: they may come in another order than they were made.
    pub(super) fn newest_revision(&self) -> Option<&Revision> {
        self.revisions.iter().max_by_key(|revision| revision.alert.rev)
    }

    /// What the newest revision says.
    pub(super) fn newest(&self) -> Option<&Alert> {
        self.newest_revision().map(|revision| &revision.alert)
    }

    pub(super) fn raised_at(&self) -> Option<Timestamp> {
        self.revisions.iter().map(|revision| revision.at).min()
    }

    /// The weather when it was raised, where its gateway knew of it.
    pub(super) fn first_weather(&self) -> Option<WeatherThen> {
        self.revisions.iter().min_by_key(|revision| revision.alert.rev)?.alert.weather
    }

    pub(super) fn is_open(&self) -> bool {
        self.newest().is_some_and(|alert| !alert.state.is_over())
    }
}

/// All of a ledger.
#[derive(Debug, Default)]
pub(super) struct History {
    /// By the alert's id.
    pub(super) alerts: BTreeMap<String, Known>,
    pub(super) orders: Vec<OrderRecord>,
    /// All that are known, whether they have sent alerts or not.
    pub(super) gateways: BTreeSet<String>,
    /// Entries of a newer version of the protocol.
    pub(super) unreadable: usize,
}

#[derive(Deserialize)]
struct Envelope {
    alert: Alert,
}

impl History {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut history = Self::default();
        let mut next = 1;
        loop {
            let entries = SqliteLedger::entries(path, next, CHUNK)?;
            let Some(last) = entries.last() else { break };
            next = last.n + 1;
            for entry in entries {
                let Ok(Envelope { alert }) = serde_json::from_slice(&entry.bytes) else {
                    history.unreadable += 1;
                    continue;
                };
                let gateway = entry.gateway.to_string();
                history.gateways.insert(gateway.clone());
                let known = history.alerts.entry(alert.id.clone());
                let known = known.or_insert_with(|| Known { gateway, revisions: Vec::new() });
                known.revisions.push(Revision { at: entry.received_at, alert, verdict: entry.verdict });
            }
        }
        history.orders = SqliteLedger::orders(path)?;
        history.gateways.extend(SqliteLedger::gateways(path)?.iter().map(|record| record.gateway.to_string()));
        Ok(history)
    }

    /// The alert whose id begins so.
    pub(super) fn find(&self, prefix: &str) -> anyhow::Result<(&str, &Known)> {
        let mut found = self.alerts.range(prefix.to_owned()..).take_while(|(id, _)| id.starts_with(prefix));
        let (id, known) = found.next().with_context(|| format!("no alert in the ledger begins with {prefix:?}"))?;
        if let Some((other, _)) = found.next() {
            bail!("{id} and {other} both begin with {prefix:?}: write more of it");
        }
        Ok((id, known))
    }

    /// The weather at a gateway, of the hours that its alerts tell of: mean wind, most rain.
    pub(super) fn weather_at(&self, gateway: &str) -> Vec<Weather> {
        let of_gateway = self.alerts.values().filter(|known| known.gateway == gateway);
        let told = of_gateway.flat_map(|known| known.revisions.iter().filter_map(|revision| revision.alert.weather));
        let mut hours = BTreeMap::<i64, Vec<WeatherThen>>::new();
        for weather in told {
            hours.entry(weather.at.as_micros().div_euclid(HOUR_MICROS)).or_default().push(weather);
        }
        let of_hour = |(hour, told): (i64, Vec<WeatherThen>)| {
            let winds: Vec<f64> = told.iter().filter_map(|weather| weather.wind_mps).collect();
            let wind_mps = if winds.is_empty() { 0.0 } else { winds.iter().sum::<f64>() / winds.len() as f64 };
            let rain_mm = told.iter().filter_map(|weather| weather.rain_mm).fold(0.0, f64::max);
            Weather { at: Timestamp::from_micros(hour * HOUR_MICROS), wind_mps, rain_mm }
        };
        hours.into_iter().map(of_hour).collect()
    }

    /// What operators closed alerts as: the last word that no gateway refused, even where that had ended the alert before.
    pub(super) fn verdicts(&self) -> BTreeMap<&str, CloseReason> {
        let stated = self.alerts.iter().filter_map(|(id, known)| match known.newest()?.state {
            AlertState::Closed { reason } => Some((id.as_str(), reason)),
            _ => None,
        });
        let mut verdicts: BTreeMap<&str, CloseReason> = stated.collect();
        for record in self.orders.iter().filter(|record| record.answer.as_ref().is_none_or(|answer| answer.done)) {
            if let Act::Close { alert, reason } = &record.order.command.act {
                verdicts.insert(alert, *reason);
            }
        }
        verdicts
    }
}

/// An alert of which one revision came, in this state.
#[cfg(test)]
pub(super) fn stating(state: &str) -> Known {
    let text = format!(
        r#"{{"id":"cece9ee9","rev":3,"dedup_key":"key","mode":"actual","severity":"high","kind":"crossing",
            "state":{state},"confidence":0.9,"first_seen":1,"last_seen":1,"expires_at":2,"erase_at":3,"text":""}}"#
    );
    let alert = serde_json::from_str(&text).expect("an alert");
    let revisions = vec![Revision { at: Timestamp::MIN, alert, verdict: Verdict::Unsigned }];
    Known { gateway: "gate-1".to_owned(), revisions }
}

#[cfg(test)]
mod tests {
    use vedette_centre::{Answer, GatewayId, Order};
    use vedette_gateway::engine::Command;

    use super::*;

    /// An alert that ended so, and how operators wanted it closed one after the other, each done or not or unanswered.
    fn closed(state: &str, wanted: &[(CloseReason, Option<bool>)]) -> Option<CloseReason> {
        let order = |(reason, done): &(CloseReason, Option<bool>)| {
            let act = Act::Close { alert: "cece9ee9".to_owned(), reason: *reason };
            let command = Command { id: "op-1".to_owned(), by: "anna".to_owned(), expires_at: None, act };
            let gateway = GatewayId::new("gate-1").expect("an id");
            let answer = done.map(|done| Answer { v: 1, id: "op-1".to_owned(), done, detail: String::new() });
            OrderRecord { gateway, order: Order { v: 1, command, expires_at: Timestamp::MIN }, answer }
        };
        let alerts = BTreeMap::from([("cece9ee9".to_owned(), stating(state))]);
        let history = History { alerts, orders: wanted.iter().map(order).collect(), ..History::default() };
        history.verdicts().get("cece9ee9").copied()
    }

    #[test]
    fn the_weather_of_a_gateway_is_what_its_alerts_tell_of_each_hour() {
        let told = |minute: i64, wind_mps: Option<f64>, rain_mm: Option<f64>| {
            let mut known = stating("\"raised\"");
            let at = Timestamp::from_seconds(60 * minute);
            known.revisions[0].alert.weather = Some(WeatherThen { at, wind_mps, rain_mm });
            (minute.to_string(), known)
        };
        let mut alerts = BTreeMap::from([
            told(5, Some(4.0), Some(0.5)),
            told(50, Some(8.0), Some(2.0)),
            told(70, None, Some(0.1)),
            ("none".to_owned(), stating("\"raised\"")),
        ]);
        let mut elsewhere = told(200, Some(20.0), None);
        "gate-2".clone_into(&mut elsewhere.1.gateway);
        alerts.extend([elsewhere]);
        let history = History { alerts, ..History::default() };
        let hour =
            |hour: i64, wind_mps, rain_mm| Weather { at: Timestamp::from_seconds(3_600 * hour), wind_mps, rain_mm };
        assert_eq!(history.weather_at("gate-1"), [hour(0, 6.0, 2.0), hour(1, 0.0, 0.1)]);
    }

    #[test]
    fn the_last_word_of_an_operator_counts_that_its_gateway_took() {
        let (nuisance, real, done) = (CloseReason::Nuisance, CloseReason::Real, Some(true));
        let state = r#"{"closed":{"reason":"nuisance"}}"#;
        assert_eq!(closed(state, &[(nuisance, done), (real, done)]), Some(real));
        assert_eq!(closed(state, &[(nuisance, done), (real, Some(false))]), Some(nuisance));
        assert_eq!(closed(state, &[(nuisance, None), (real, None)]), Some(real));
        // The gateway had ended it before anybody could say what it was.
        assert_eq!(closed(r#"{"closed":{"reason":"cleared"}}"#, &[(real, done)]), Some(real));
        assert_eq!(closed(r#""expired""#, &[(real, done)]), Some(real));
    }
}
