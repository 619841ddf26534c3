//! Somebody may need help: who calls for it, and who is at a place where people do, in the water, or still in the cold, the rain or the dark.
//!
//! Only place, movement, weather and light are looked at. Who somebody is, how old or how well is never inferred.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track, TrackId, TrackStatus};

use super::geometry::relation;
use super::{Certainty, Finding, Lasting, Need, Rule, Situation, Subject};
use crate::book::text;
use crate::calls::{Call, Caller};
use crate::config::{Zone, ZoneKind};
use crate::{AlertKind, Contributor, Severity};

/// Existence from which on help is called for: lower than for other alerts, since a call too many costs less.
const MIN_EXISTENCE: f64 = 0.7;
/// A track stays in mind down to this existence: a few missed looks do not make somebody who lies still get up.
const KEPT_EXISTENCE: f64 = 0.2;
/// More likely an animal than this: no call.
const ANIMAL_ABOVE: f64 = 0.7;
/// Staying within this distance, or within twice the uncertainty in the direction it moved, is being still; so is getting on no
/// faster than this, as who is at the end of their strength does.
const STILL_M: f64 = 10.0;
const CREEPING_MPS: f64 = 0.1;
const STILL_SDS: f64 = 2.0;
/// Cold from this temperature down.
const COLD_C: f64 = 5.0;
/// Who is out in so much rain within an hour is wet.
const WET_MM: f64 = 1.0;
/// A group farther than this from a shelter at night is far from it.
const FAR_FROM_SHELTER_M: f64 = 300.0;
/// Below this elevation of the sun it is night (civil dusk).
const NIGHT_BELOW_DEG: f64 = -6.0;
/// A call that was heard so long ago is no news; its alert stays.
const CALL_NEWS_S: f64 = 120.0;
/// Probability of being inside a zone that counts.
const INSIDE: f64 = 0.7;

/// Where and since when each track is still, and since when it is inside of a zone that matters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Help {
    still: BTreeMap<TrackId, (Vector2<f64>, Timestamp)>,
    inside: BTreeMap<TrackId, Timestamp>,
}

impl Rule for Help {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let (mut still, mut inside) = (BTreeMap::new(), BTreeMap::new());
        for track in situation.tracks {
            let explained = situation.explained.contains_key(&track.id);
            if !may_be_a_person(track) || explained || !situation.is_fresh(track) {
                continue;
            }
            let anchor = self.anchor(track, situation.now);
            still.insert(track.id, anchor);
            let place = zone_around(situation, track, |kind| matches!(kind, ZoneKind::Humanitarian | ZoneKind::Water));
            if place.is_some() {
                let since = self.inside.get(&track.id).copied().unwrap_or(situation.now);
                inside.insert(track.id, since);
            }
            // Whoever nobody sees any more may have walked on: only reports bear out that they stayed.
            let still_s = track.last_seen.seconds_since(anchor.1);
            let inside_s = inside.get(&track.id).map_or(0.0, |&since| situation.now.seconds_since(since));
            let believed = track.status == TrackStatus::Confirmed && track.existence >= MIN_EXISTENCE;
            if let Some(need) = need(situation, track, place, inside_s, still_s).filter(|_| believed) {
                findings.push(finding(situation, track, place, need));
            }
        }
        (self.still, self.inside) = (still, inside);
        findings.extend(situation.calls.iter().filter_map(|call| called(situation, call)));
    }
}

impl Help {
    /// Where the track is still, and since when.
    fn anchor(&self, track: &Track, now: Timestamp) -> (Vector2<f64>, Timestamp) {
        match self.still.get(&track.id) {
            Some(&(anchor_m, since)) if is_near(track, track.position_m - anchor_m, now.seconds_since(since)) => {
                (anchor_m, since)
            }
            _ => (track.position_m, now),
        }
    }
}

/// Whether having moved so far may be noise. A bearing leaves the range open for hundreds of metres, but not who walks across it.
fn is_near(track: &Track, moved_m: Vector2<f64>, within_s: f64) -> bool {
    let information = track.position_covariance_m2.try_inverse();
    let sds = information.map(|information| libm::sqrt(f64::max((moved_m.transpose() * information * moved_m).x, 0.0)));
    moved_m.norm() <= STILL_M + CREEPING_MPS * within_s || sds.is_some_and(|sds| sds <= STILL_SDS)
}

fn may_be_a_person(track: &Track) -> bool {
    track.existence >= KEPT_EXISTENCE && track.class.animal <= ANIMAL_ABOVE && track.class.vehicle <= ANIMAL_ABOVE
}

/// The zone of such a kind that the track is in.
fn zone_around<'a>(situation: &Situation<'a>, track: &Track, wanted: fn(ZoneKind) -> bool) -> Option<&'a Zone> {
    let site = situation.site;
    site.zones.iter().find(|zone| {
        wanted(zone.kind)
            && zone.schedule.covers(situation.now, &site.timezone)
            && relation(&zone.ground, track.position_m, &track.position_covariance_m2)
                .is_some_and(|relation| relation.probability_in() >= INSIDE)
    })
}

fn need(situation: &Situation<'_>, track: &Track, place: Option<&Zone>, inside_s: f64, still_s: f64) -> Option<Need> {
    let rules = &situation.site.rules;
    if let Some(zone) = place {
        let (whereabouts, after_s) = match zone.kind {
            ZoneKind::Water => ("in the water of", rules.help_in_water_after_s),
            _ => ("at", rules.help_after_s),
        };
        let after_s = zone.help_after_s.unwrap_or(after_s);
        if inside_s >= after_s {
            return Some(Need { reason: format!("{whereabouts} {} for {}", zone.name, text::span(inside_s)), after_s });
        }
    }
    let after_s = rules.help_after_s;
    if still_s < after_s || zone_around(situation, track, |kind| kind == ZoneKind::Shelter).is_some() {
        return None;
    }
    if let Some(exposed) = exposed(situation) {
        return Some(Need { reason: format!("hardly moving for {} {exposed}", text::span(still_s)), after_s });
    }
    let group = track.count.1 > 1;
    if group && far_from_shelter(situation, track) && is_night(situation) {
        let reason = format!("group hardly moving for {} at night, far from shelter", text::span(still_s));
        return Some(Need { reason, after_s });
    }
    None
}

/// What makes it dangerous to be still outside of any shelter: the cold, and the wet.
fn exposed(situation: &Situation<'_>) -> Option<String> {
    let by_sensors = situation.sensors.iter().filter_map(|sensor| sensor.temperature_c);
    let by_station = situation.weather.and_then(|weather| weather.temperature_c);
    let temperature_c = by_sensors.chain(by_station).fold(f64::NAN, f64::min);
    let rain_mm = situation.weather.and_then(|weather| weather.rain_mm).filter(|&rain_mm| rain_mm >= WET_MM);
    let cold = (temperature_c <= COLD_C).then(|| format!("at {temperature_c:.0} °C"));
    let wet = rain_mm.map(|rain_mm| format!("in the rain ({rain_mm:.0} mm in the last hour)"));
    match (cold, wet) {
        (Some(cold), Some(wet)) => Some(format!("{cold} {wet}")),
        (cold, wet) => cold.or(wet),
    }
}

fn far_from_shelter(situation: &Situation<'_>, track: &Track) -> bool {
    let mut shelters = situation.site.zones.iter().filter(|zone| zone.kind == ZoneKind::Shelter);
    shelters.all(|zone| {
        relation(&zone.ground, track.position_m, &track.position_covariance_m2)
            .is_none_or(|relation| relation.signed_m < -FAR_FROM_SHELTER_M)
    })
}

/// Whether the sun is below civil dusk, from the low-precision formula of the Astronomical Almanac (section C; better
/// than 0.1 degrees between 1950 and 2050).
fn is_night(situation: &Situation<'_>) -> bool {
    const J2000: Timestamp = Timestamp::from_seconds(946_728_000);
    let days = situation.now.seconds_since(J2000) / 86_400.0;
    let mean_longitude_deg = 280.460 + 0.985_647_4 * days;
    let anomaly = (357.528 + 0.985_600_3 * days).to_radians();
    let longitude = (mean_longitude_deg + 1.915 * libm::sin(anomaly) + 0.020 * libm::sin(2.0 * anomaly)).to_radians();
    let obliquity = (23.439 - 0.000_000_4 * days).to_radians();
    let ascension = libm::atan2(libm::cos(obliquity) * libm::sin(longitude), libm::cos(longitude));
    let declination = libm::asin(libm::sin(obliquity) * libm::sin(longitude));
    let sidereal = (280.460_618_37 + 360.985_647_366_29 * days).to_radians();
    let (lat, lon) = situation.site.frame.to_wgs84(Vector2::zeros());
    let hour_angle = sidereal + lon.to_radians() - ascension;
    let lat = lat.to_radians();
    let sine =
        libm::sin(lat) * libm::sin(declination) + libm::cos(lat) * libm::cos(declination) * libm::cos(hour_angle);
    libm::asin(sine.clamp(-1.0, 1.0)) < NIGHT_BELOW_DEG.to_radians()
}

/// What a call for help is told as, while it is news.
fn called(situation: &Situation<'_>, call: &Call) -> Option<Finding> {
    if situation.now.seconds_since(call.last) > CALL_NEWS_S {
        return None;
    }
    let (key, from, contributors) = match call.caller {
        Caller::Sensor(index) => {
            let sensor = situation.site.sensors.get(index)?.model.id.clone();
            let heard = Contributor { sensor: sensor.clone(), share: Some(1.0) };
            (format!("help/sensor-{sensor}"), format!("distress call at {sensor}"), vec![heard])
        }
        Caller::Unit(index) => {
            let unit = &situation.site.units.get(index)?.id;
            (format!("help/unit-{unit}"), format!("own unit {unit} calls for help"), Vec::new())
        }
    };
    let bearing = call.azimuth_deg.map_or_else(String::new, |deg| format!(", bearing {deg:.0} degrees from there"));
    let what = format!("heard first {}{bearing}", text::clock(call.first, situation.site));
    let note = call
        .called_off
        .map_or_else(String::new, |at| format!("Called off at {}. Make sure of it.", text::clock(at, situation.site)));
    Some(Finding {
        lasting: Lasting::Event,
        severity: Severity::Critical,
        subject: Subject::Spot { position_m: call.position_m, sd_m: call.sd_m, contributors },
        first_seen: call.first,
        last_seen: call.last,
        help: Some(Need { reason: from, after_s: situation.site.rules.help_after_s }),
        note,
        ..situation.own_finding("help", AlertKind::PossibleNeed, key, what)
    })
}

fn finding(situation: &Situation<'_>, track: &Track, place: Option<&Zone>, need: Need) -> Finding {
    let base =
        situation.own_finding("help", AlertKind::PossibleNeed, format!("help/track-{}", track.id.0), String::new());
    Finding {
        certainty: Certainty::Raises,
        lasting: Lasting::Event,
        severity: Severity::Critical,
        zone: place.map(|zone| zone.name.clone()),
        subject: Subject::Track(Box::new(situation.surrounding(track))),
        confidence: track.existence,
        first_seen: track.first_seen,
        last_seen: track.last_seen,
        help: Some(need),
        what: "seen".to_owned(),
        ..base
    }
}
