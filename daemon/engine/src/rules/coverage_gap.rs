//! A stretch of a border that sensors should see is seen by none, for those that should are silent: "we cannot see here".

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::geometry::along;
use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::config::{Zone, ZoneKind};
use crate::{AlertKind, Severity};

/// Distance between the places looked at, and most of them on one border.
const STEP_M: f64 = 5.0;
const MAX_PLACES: usize = 2_000;
/// Coverage is compared again after so long: sensors fall silent in minutes, not seconds.
const LOOK_AGAIN_S: f64 = 10.0;
/// Sensors named.
const NAMED: usize = 4;

/// The gaps as they were when they were last looked for, by zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct CoverageGap {
    looked: Option<Timestamp>,
    /// The silent sensors and the borders that counted when they were looked at.
    #[serde(default)]
    of: (Vec<usize>, Vec<usize>),
    gaps: Vec<(usize, Gap)>,
}

/// The longest stretch, how many others there are, and the sum of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Gap {
    total_m: f64,
    #[serde(default)]
    longest_m: f64,
    #[serde(default)]
    others: usize,
    from_m: Vector2<f64>,
    to_m: Vector2<f64>,
    sensors: Vec<usize>,
}

impl Rule for CoverageGap {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let least_m = situation.site.rules.coverage_gap_m;
        if least_m <= 0.0 {
            return;
        }
        if self.looked.is_none_or(|looked| situation.now.seconds_since(looked) >= LOOK_AGAIN_S) {
            self.looked = Some(situation.now);
            let of = (silent(situation), borders(situation));
            if of != self.of {
                self.gaps = look(situation, &of.0, &of.1);
                self.of = of;
            }
        }
        for (zone, gap) in &self.gaps {
            if gap.total_m >= least_m {
                findings.push(finding(situation, &situation.site.zones[*zone], gap));
            }
        }
    }
}

fn silent(situation: &Situation<'_>) -> Vec<usize> {
    (0..situation.site.sensors.len()).filter(|&index| situation.silent_s(index).is_some()).collect()
}

fn borders(situation: &Situation<'_>) -> Vec<usize> {
    let counts =
        |zone: &Zone| zone.kind == ZoneKind::Border && zone.schedule.covers(situation.now, &situation.site.timezone);
    let zones = situation.site.zones.iter().enumerate();
    zones.filter(|(_, zone)| counts(zone)).map(|(index, _)| index).collect()
}

fn look(situation: &Situation<'_>, silent: &[usize], borders: &[usize]) -> Vec<(usize, Gap)> {
    let zones = &situation.site.zones;
    borders.iter().filter_map(|&index| Some((index, gap(situation, &zones[index], silent)?))).collect()
}

/// The places of a border that only silent sensors cover; ground that none was ever to see is no news.
fn gap(situation: &Situation<'_>, zone: &Zone, silent: &[usize]) -> Option<Gap> {
    if silent.is_empty() {
        return None;
    }
    let (places, step_m) = along(&zone.ground, STEP_M, MAX_PLACES);
    let (mut sensors, mut stretches) = (std::collections::BTreeSet::new(), Vec::<[usize; 2]>::new());
    for (number, place) in places.iter().enumerate() {
        let sees = |&index: &usize| {
            let model = &situation.site.sensors[index].model;
            model.coverage.covers(model.position_m, *place)
        };
        let covering: Vec<usize> = (0..situation.site.sensors.len()).filter(sees).collect();
        if covering.is_empty() || covering.iter().any(|index| !silent.contains(index)) {
            continue;
        }
        sensors.extend(covering);
        match stretches.last_mut() {
            Some([_, last]) if *last + 1 == number => *last = number,
            _ => stretches.push([number, number]),
        }
    }
    let length_m = |[first, last]: &[usize; 2]| (last - first + 1) as f64 * step_m;
    let longest = stretches.iter().max_by(|a, b| length_m(a).total_cmp(&length_m(b)))?;
    Some(Gap {
        total_m: stretches.iter().map(length_m).sum(),
        longest_m: length_m(longest),
        others: stretches.len() - 1,
        from_m: places[longest[0]],
        to_m: places[longest[1]],
        sensors: sensors.into_iter().collect(),
    })
}

fn finding(situation: &Situation<'_>, zone: &Zone, gap: &Gap) -> Finding {
    let place = |position_m: Vector2<f64>| {
        let (lat, lon) = situation.site.frame.to_wgs84(position_m);
        text::coordinates(lat, lon)
    };
    // A gap of before was looked at by the sum alone.
    let longest_m = if gap.longest_m > 0.0 { gap.longest_m } else { gap.total_m };
    let [from, to] = [gap.from_m, gap.to_m].map(place);
    let mut what = format!("we cannot see {longest_m:.0} m of {}, from {from} to {to}", zone.name);
    if gap.others > 0 {
        let stretches = if gap.others == 1 { "other stretch" } else { "other stretches" };
        what += &format!(", nor {} {stretches} of it, {:.0} m in all", gap.others, gap.total_m);
    }
    let names = gap.sensors.iter().map(|&index| situation.site.sensors[index].model.id.as_str());
    let mut named = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if gap.sensors.len() > NAMED {
        named += &format!(" and {} more", gap.sensors.len() - NAMED);
    }
    let mut finding = situation.own_finding("coverage_gap", AlertKind::CoverageGap, format!("gap/{}", zone.name), what);
    finding.severity = Severity::Medium;
    finding.zone = Some(zone.name.clone());
    finding.note = format!("Silent there: {named}. Send a patrol, or put another sensor there.");
    finding
}
