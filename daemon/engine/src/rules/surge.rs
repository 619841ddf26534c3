//! More crossings or entries in a zone, or at the whole gateway, than the time of day and the past explain.

use std::collections::BTreeMap;

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::{Certainty, Finding, Situation};
use crate::config::Site;
use crate::surge::{Observation, Settings, Warning, Watch};
use crate::{AlertKind, Severity};

/// A cause counts once, however often it is found within this time.
const ONE_CAUSE_S: f64 = 6.0 * 3_600.0;
/// Causes remembered; the oldest is forgotten first.
const MAX_CAUSES: usize = 4_096;
/// Name of the series over all zones.
const ALL: &str = "all zones";

/// Counts of the hour that runs, and the watch over the hours before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Surge {
    watch: Watch,
    hour: Option<i64>,
    counts: BTreeMap<String, u32>,
    /// Sum and number of the shares of sensors that were heard, one each time the rules looked.
    watched: (f64, u32),
    causes: BTreeMap<String, Timestamp>,
    /// The clocks' offsets from UTC at the first and the last look of this hour, seconds.
    offsets_s: Option<(i64, i64)>,
    warnings: BTreeMap<String, (Warning, Timestamp)>,
}

impl Surge {
    /// Counts what the other rules found, and appends the surges that go on.
    pub(super) fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let Some(settings) = settings(situation.site) else { return };
        let Some((hour, offset_s)) = local_hour(situation.now, situation.site) else { return };
        if let Some(ended) = self.hour.filter(|&ended| ended != hour) {
            self.close(&settings, ended, situation);
        }
        self.hour = Some(hour);
        self.watched.0 += heard(situation);
        self.watched.1 += 1;
        self.offsets_s.get_or_insert((offset_s, offset_s)).1 = offset_s;
        for finding in findings.iter() {
            self.count(finding, situation.now);
        }
        findings.extend(self.warnings.values().map(|(warning, since)| finding(warning, *since, situation)));
    }

    fn count(&mut self, finding: &Finding, now: Timestamp) {
        let counts = matches!(finding.kind, AlertKind::Crossing | AlertKind::Entry)
            && finding.certainty == Certainty::Raises
            && finding.explained.is_none();
        let Some(zone) = finding.zone.as_ref().filter(|_| counts) else { return };
        let before = self.causes.insert(finding.key.clone(), now);
        if before.is_none_or(|before| now.seconds_since(before) > ONE_CAUSE_S) {
            *self.counts.entry(zone.clone()).or_default() += 1;
        }
        if self.causes.len() > MAX_CAUSES {
            let oldest = self.causes.iter().min_by_key(|(_, seen)| **seen).map(|(key, _)| key.clone());
            oldest.map(|key| self.causes.remove(&key));
        }
    }

    /// An hour is over: its counts go to the watch.
    fn close(&mut self, settings: &Settings, hour: i64, situation: &Situation<'_>) {
        let (sum, looks) = std::mem::take(&mut self.watched);
        // When clocks are put back an hour of the day is lived twice, and counts for as much.
        let put_back_s = self.offsets_s.take().map_or(0, |(first_s, last_s)| i64::max(first_s - last_s, 0));
        #[expect(clippy::cast_precision_loss, reason = "some hours at most")]
        let lived_h = 1.0 + put_back_s as f64 / 3_600.0;
        let exposure = if looks > 0 { lived_h * sum / f64::from(looks) } else { 0.0 };
        let mut counts = std::mem::take(&mut self.counts);
        let borders = situation.site.zones.iter().filter(|zone| zone.kind.is_watched());
        for zone in borders {
            counts.entry(zone.name.clone()).or_default();
        }
        // Of a single zone the sum says the same once more.
        if counts.len() > 1 {
            let total = counts.values().sum();
            counts.insert(ALL.to_owned(), total);
        }
        let seen: Vec<Observation<'_>> =
            counts.iter().map(|(zone, &count)| Observation { zone, count, exposure }).collect();
        for warning in self.watch.observe(settings, hour, &seen) {
            self.warnings.insert(warning.zone.clone(), (warning, situation.now));
        }
        let watch = &self.watch;
        self.warnings.retain(|zone, _| counts.contains_key(zone) && watch.is_surging(zone));
        self.causes.retain(|_, seen| situation.now.seconds_since(*seen) <= ONE_CAUSE_S);
    }
}

/// How the rule is set, or nothing when it is off.
fn settings(site: &Site) -> Option<Settings> {
    let rules = &site.rules;
    (rules.surge_false_warnings_per_year > 0.0).then(|| Settings {
        expected_per_day: rules.surge_expected_per_day,
        false_warnings_per_year: rules.surge_false_warnings_per_year,
        ..Settings::default()
    })
}

/// Hours since 1970 of the clocks on the wall at the site, and their offset from UTC in seconds.
fn local_hour(now: Timestamp, site: &Site) -> Option<(i64, i64)> {
    let instant = Instant::from_microsecond(now.as_micros()).ok()?;
    let offset_s = i64::from(site.timezone.to_offset(instant).seconds());
    Some(((instant.as_second() + offset_s).div_euclid(3_600), offset_s))
}

/// Share of the sensors that are not silent.
#[expect(clippy::cast_precision_loss, reason = "some thousand sensors at most")]
fn heard(situation: &Situation<'_>) -> f64 {
    let all = situation.site.sensors.len();
    let silent = (0..all).filter(|&sensor| situation.silent_s(sensor).is_some());
    if all == 0 { 0.0 } else { 1.0 - silent.count() as f64 / all as f64 }
}

fn finding(warning: &Warning, since: Timestamp, situation: &Situation<'_>) -> Finding {
    let Warning { zone, buckets, count, expected, chance, .. } = warning;
    let hours = if *buckets == 1 { "the last hour".to_owned() } else { format!("the last {buckets} h") };
    let expected = if *expected < 0.1 { "fewer than 0.1".to_owned() } else { format!("{expected:.1}") };
    let what = format!("more going on in {zone} than usual: {count} events in {hours}, {expected} expected");
    let mut finding = situation.own_finding("surge", AlertKind::Surge, format!("surge/{zone}"), what);
    finding.severity = Severity::Medium;
    finding.zone = situation.site.zones.iter().any(|known| known.name == *zone).then(|| zone.clone());
    finding.first_seen = since;
    finding.last_seen = since;
    let years = 1.0 / (chance * 24.0 * 365.0);
    finding.note = if years < 10.0 {
        format!("Chance alone would bring as much about {:.1} times a year.", 1.0 / years)
    } else {
        "Chance alone would not bring as much in ten years.".to_owned()
    };
    finding
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::EngineConfig;
    use crate::units::Units;

    const SITE: &str = r#"
[site]
id = "post-4"
origin = { lat = 52.0, lon = 23.6 }
timezone = "Europe/Warsaw"

[[zone]]
name = "Bug line"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]

[rules]
surge_expected_per_day = 1.0
"#;

    /// Runs ten days, the rules looking every half hour; `crossings(day, half_hour)` happen anew each time.
    fn run(site: &Site, crossings: impl Fn(i64, i64) -> u32) -> Vec<(i64, i64, Finding)> {
        run_from("2026-03-01T00:00:00Z", site, crossings)
    }

    fn run_from(start: &str, site: &Site, crossings: impl Fn(i64, i64) -> u32) -> Vec<(i64, i64, Finding)> {
        let start = crate::time::parse_rfc3339(start).expect("a time");
        let (links, losses, explained) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (units, calls) = (Units::default(), crate::calls::Calls::default());
        let mut rule = Surge::default();
        let mut found = Vec::new();
        let mut number = 0;
        for half_hours in 0..10 * 48 {
            let situation = Situation {
                now: start.plus_seconds(1_800.0 * half_hours as f64),
                started: start,
                woke: start,
                site,
                tracks: &[],
                sensors: &[],
                links: &links,
                losses: &losses,
                store_lost: None,
                certificates: &BTreeMap::new(),
                units: &units,
                calls: &calls,
                weather: None,
                explained: &explained,
            };
            let (day, half_hour) = (half_hours / 48, half_hours % 48);
            let mut findings = Vec::new();
            for _ in 0..crossings(day, half_hour) {
                number += 1;
                let key = format!("zone/Bug line/track-{number}");
                let mut crossing = situation.own_finding("crossing", AlertKind::Crossing, key, String::new());
                crossing.zone = Some("Bug line".to_owned());
                findings.push(crossing);
            }
            rule.assess(&situation, &mut findings);
            findings.retain(|finding| finding.kind == AlertKind::Surge);
            found.extend(findings.into_iter().map(|finding| (day, half_hour, finding)));
        }
        found
    }

    fn site(toml: &str) -> Site {
        let config: EngineConfig = toml::from_str(toml).expect("valid TOML");
        let mut site = config.resolve().expect("valid configuration");
        // A site without sensors watches nothing: one that is never silent stands for all.
        site.sensors = with_radar().sensors;
        site
    }

    fn with_radar() -> Site {
        let radar = "[[sensor]]\nid = \"radar-7\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\n\
                     coverage = { shape = \"circle\", radius_m = 900.0 }\n";
        let config: EngineConfig = toml::from_str(&format!("{SITE}{radar}")).expect("valid TOML");
        config.resolve().expect("valid configuration")
    }

    #[test]
    fn ten_crossings_in_one_night_are_a_surge_and_one_a_night_are_not() {
        let usual = |_, half_hour| u32::from(half_hour == 2);
        assert_eq!(run(&site(SITE), usual), []);
        let found =
            run(&site(SITE), |day, half_hour| if day == 8 && half_hour < 10 { 1 } else { usual(day, half_hour) });
        let (day, half_hour, first) = found.iter().find(|(.., found)| found.zone.is_some()).expect("a surge");
        assert_eq!(*day, 8);
        assert!(*half_hour <= 10, "told at half hour {half_hour}");
        assert_eq!(first.severity, Severity::Medium);
        assert!(first.what.starts_with("more going on in Bug line than usual: "), "{}", first.what);
        assert!(found.iter().all(|(.., finding)| finding.zone.is_some()), "of a single zone the sum says nothing else");
        let other = "[[zone]]\nname = \"ford\"\nkind = \"border\"\nline_m = [[600.0, 0.0], [700.0, 0.0]]\n";
        let two = site(&SITE.replacen("[[zone]]", &format!("{other}[[zone]]"), 1));
        let of_two = run(&two, |day, half_hour| if day == 8 && half_hour < 10 { 1 } else { usual(day, half_hour) });
        assert!(of_two.iter().any(|(.., finding)| finding.zone.is_none()), "the gateway as a whole is told of too");
        let last = found.iter().map(|&(day, ..)| day).max();
        assert_eq!(last, Some(9), "it ends a day after the night");
    }

    /// Clocks go back on the ninth day, and forward in March: the hour that comes twice has twice the traffic, and is no surge.
    #[test]
    fn the_hour_that_comes_twice_is_watched_for_two() {
        let mut busy = site(SITE);
        busy.rules.surge_expected_per_day = 1_440.0;
        let told = |start: &str, crossings: fn(i64, i64) -> u32| {
            let found = run_from(start, &busy, crossings);
            found.first().map(|(day, half_hour, finding)| format!("{day} {half_hour} {}", finding.what))
        };
        let steady = |_, _| 30;
        assert_eq!(told("2026-10-17T00:00:00Z", steady), None);
        assert_eq!(told("2026-03-21T00:00:00Z", steady), None);
        let doubled = |day, half_hour| if day == 8 && (0..4).contains(&half_hour) { 60 } else { 30 };
        assert!(told("2026-10-17T00:00:00Z", doubled).is_some(), "twice as many in each of them is one");
    }

    #[test]
    fn zero_false_warnings_a_year_turn_it_off() {
        let off = format!("{SITE}surge_false_warnings_per_year = 0.0\n");
        assert_eq!(run(&site(&off), |day, _| if day == 8 { 9 } else { 0 }), []);
    }
}
