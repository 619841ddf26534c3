//! From a finding to the alert that people and other systems read.

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::ClassProbabilities;

use super::text;
use crate::config::Site;
use crate::rules::{Evidence, Finding, Lasting, Situation, Subject, Surrounding};
use crate::{Alert, AlertState, Ellipse, Headline, Humanitarian, Place, Severity, Suppression, WeatherThen};

/// Longest JSON form of an alert. The envelope around it and this stay within 1,024 bytes.
pub(crate) const MAX_JSON_BYTES: usize = 940;
/// Square root of the 95 % quantile of the chi-squared distribution with two degrees of freedom.
const ELLIPSE_95: f64 = 2.447_746_830_680_816;
/// Standard deviation of where sensors stand: they are surveyed no better than this.
const SURVEY_SD_M: f64 = 1.0;
/// A rule that is less sure than this doubts what it found.
const DOUBTED_BELOW: f64 = 0.5;
/// Slower than this a direction of movement says nothing.
const HEADING_MIN_MPS: f64 = 0.3;
/// Nobody is said to stand whose speed is less sure than this.
const STANDING_SD_MPS: f64 = 0.8;
/// The rule that holds back what is too unsure to ask for attention.
const UNSURE: &str = "sureness";

impl Alert {
    /// Whether it would ask for attention if it were surer.
    #[must_use]
    pub fn is_held_as_unsure(&self) -> bool {
        self.suppressed.as_ref().is_some_and(|suppression| suppression.rule == UNSURE)
    }
}

/// The first revision.
pub(super) fn alert(finding: &Finding, id: String, situation: &Situation<'_>) -> Alert {
    let alert = Alert::raised(Headline {
        id,
        dedup_key: finding.key.clone(),
        kind: finding.kind,
        severity: finding.severity,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        text: String::new(),
    });
    let alert = Alert { mode: situation.site.mode, zone: finding.zone.clone(), confidence: 0.0, ..alert };
    fit(filled(alert, finding, situation, true))
}

/// The alert as the finding has it now, under the id, state and revision it has.
pub(super) fn revision(alert: &Alert, finding: &Finding, situation: &Situation<'_>) -> Alert {
    // Who was told of stays told of, however unsure it becomes.
    let mut next = filled(alert.clone(), finding, situation, alert.is_held_as_unsure());
    if next.state == AlertState::Raised {
        next.state = AlertState::Updated;
    }
    // What it was called when it was worst, it stays: an alert that fades is closed, not relabelled, and who crossed is no
    // lesser matter for walking on where people work.
    if (next.severity, next.kind) < (alert.severity, alert.kind) && finding.explained.is_none() {
        (next.severity, next.kind) = (alert.severity, alert.kind);
    }
    if next.severity >= finding.full_severity() {
        next.lowered_by = None;
    }
    fit(next)
}

/// Whether a reader would want to know of the difference.
pub(super) fn differs(before: &Alert, after: &Alert) -> bool {
    let moved = match (&before.place, &after.place) {
        (Some(Place::Point { lat, lon, ellipse }), Some(Place::Point { lat: lat_after, lon: lon_after, .. })) => {
            // Degrees to metres, roughly: this decides about a message, not about a place.
            let north_m = (lat_after - lat) * 111_000.0;
            let east_m = (lon_after - lon) * 111_000.0 * libm::cos(lat.to_radians());
            let far_m = f64::max(50.0, ellipse.major_m);
            north_m * north_m + east_m * east_m > far_m * far_m
        }
        (before, after) => before != after,
    };
    // Who calls for help may go on, or take it back.
    let call_changed = after.humanitarian.is_some() && after.class.is_none() && before.text != after.text;
    let more_sure = (before.confidence - after.confidence).abs() >= 0.15;
    moved
        || call_changed
        || more_sure
        || before.suppressed != after.suppressed
        || before.lowered_by != after.lowered_by
        || before.members != after.members
        || before.members_more != after.members_more
        || before.severity != after.severity
        || before.count != after.count
        || likeliest(before) != likeliest(after)
}

fn likeliest(alert: &Alert) -> Option<&'static str> {
    alert.class.as_ref().map(text::class_name)
}

/// The alert with what the finding says; `may_hold` tells whether it may be held back for being unsure.
fn filled(mut alert: Alert, finding: &Finding, situation: &Situation<'_>, may_hold: bool) -> Alert {
    let site = situation.site;
    alert.kind = finding.kind;
    alert.severity = finding.severity;
    let weights = &site.rules.confidence_weights;
    let shift = if site.rules.learn_from_operators { finding.lesson.shift } else { 0.0 };
    let shifted = |by: f64| {
        finding.evidence.map_or(finding.confidence, |evidence| Evidence::probability(evidence.log_odds(weights) + by))
    };
    let sure = shifted(shift);
    // What was borne out stays so as it goes on, unless its rule begins to doubt it.
    let stays = finding.confidence >= DOUBTED_BELOW && finding.explained.is_none();
    let sure = if stays { f64::max(sure, alert.confidence) } else { sure };
    alert.confidence = rounded(sure.clamp(0.0, 1.0), 2);
    alert.eta = finding.eta;
    alert.first_seen = alert.first_seen.min(finding.first_seen);
    alert.last_seen = alert.last_seen.max(finding.last_seen);
    alert.expires_at = situation.now.plus_seconds(match finding.lasting {
        Lasting::Event => site.rules.expire_after_s,
        Lasting::State => site.rules.clear_after_s,
    });
    alert.erase_at = alert.last_seen.plus_seconds(site.rules.erase_after_days * 86_400.0);
    alert.humanitarian = finding.help.as_ref().map(|need| Humanitarian { reason: need.reason.clone() });
    let rules = &site.rules;
    // What happened asks for attention whatever was said of others: only who is announced can be learned to be let pass.
    let lacks = if finding.kind.is_ahead() {
        sure < f64::max(rules.announce_from, rules.attention_from)
    } else {
        f64::max(sure, shifted(0.0)) < rules.attention_from
    };
    let unsure = finding.evidence.is_some() && finding.help.is_none() && lacks;
    let held = (unsure && may_hold).then(|| UNSURE.to_owned());
    if held.is_some() {
        alert.severity = Severity::Info;
    }
    alert.weather = situation.weather.and_then(|weather| WeatherThen::of(weather, situation.now));
    alert.lowered_by.clone_from(&finding.lowered_by);
    alert.suppressed = finding.explained.clone().or(held).map(|rule| Suppression { rule });
    match &finding.subject {
        Subject::Track(track) => fill_track(&mut alert, track, site),
        Subject::Sensor(index) => alert.place = Some(Place::Area { name: site.sensors[*index].model.id.clone() }),
        Subject::Spot { position_m, sd_m, contributors } => {
            alert.contributors.clone_from(contributors);
            alert.place = Some(place(*position_m, Matrix2::identity() * (sd_m * sd_m), &alert, site));
        }
        Subject::Gateway => {}
    }
    alert.text = text::describe(finding, &alert, site);
    alert
}

fn fill_track(alert: &mut Alert, track: &Surrounding, site: &Site) {
    alert.contributors.clone_from(&track.contributors);
    alert.place =
        Some(if track.localised { place(track.seen_m, track.covariance_m2, alert, site) } else { area(alert, site) });
    let speed_mps = track.velocity_mps.norm();
    let heading_deg = libm::atan2(track.velocity_mps.x, track.velocity_mps.y).to_degrees();
    // A mean of nothing between two ways to go is not standing.
    let known = speed_mps >= HEADING_MIN_MPS || track.velocity_sd_mps <= STANDING_SD_MPS;
    alert.speed_mps = known.then(|| rounded(speed_mps, 1));
    alert.heading_deg = (speed_mps >= HEADING_MIN_MPS)
        .then(|| rounded(if heading_deg < 0.0 { heading_deg + 360.0 } else { heading_deg }, 0));
    alert.count = (track.count.1 > 0).then_some(track.count);
    let ClassProbabilities { person, animal, vehicle } = track.class;
    alert.class = Some(ClassProbabilities {
        person: rounded(person, 2),
        animal: rounded(animal, 2),
        vehicle: rounded(vehicle, 2),
    });
}

/// A point with its ellipse, or an area when the ellipse is too large to be called a point.
fn place(position_m: Vector2<f64>, covariance_m2: Matrix2<f64>, alert: &Alert, site: &Site) -> Place {
    // A filter's covariance holds no error that all plots share.
    let ellipse = ellipse_95(&(covariance_m2 + Matrix2::identity() * (SURVEY_SD_M * SURVEY_SD_M)));
    // An ellipse axis is 2.45 standard deviations.
    if ellipse.major_m > site.rules.point_sd_max_m * ELLIPSE_95 {
        return area(alert, site);
    }
    let (lat, lon) = site.frame.to_wgs84(position_m);
    Place::Point { lat: rounded(lat, 5), lon: rounded(lon, 5), ellipse }
}

fn area(alert: &Alert, site: &Site) -> Place {
    let named = alert.zone.clone().or_else(|| alert.contributors.first().map(|part| part.sensor.clone()));
    Place::Area { name: named.unwrap_or_else(|| site.id.clone()) }
}

fn ellipse_95(covariance_m2: &Matrix2<f64>) -> Ellipse {
    let (ee, en, nn) = (covariance_m2[(0, 0)], covariance_m2[(0, 1)], covariance_m2[(1, 1)]);
    let (mean, half) = ((ee + nn) / 2.0, (ee - nn) / 2.0);
    let spread = libm::sqrt(half * half + en * en);
    let axis_m = |variance_m2: f64| rounded(ELLIPSE_95 * libm::sqrt(f64::max(variance_m2, 0.0)), 0);
    // Direction of the long axis from north: the angle whose double has tangent 2 en / (nn - ee).
    let orientation_deg = libm::atan2(2.0 * en, nn - ee).to_degrees() / 2.0;
    let orientation_deg = rounded(if orientation_deg < 0.0 { orientation_deg + 180.0 } else { orientation_deg }, 0);
    Ellipse { major_m: axis_m(mean + spread), minor_m: axis_m(mean - spread), orientation_deg }
}

fn is_too_large(alert: &Alert) -> bool {
    serde_json::to_vec(alert).map_or(0, |json| json.len()) > MAX_JSON_BYTES
}

/// Lists only so many members in the first message of a critical alert that it stays small; the next revision lists them all.
pub(super) fn fit_first_message(alert: &mut Alert) {
    while alert.severity == Severity::Critical && is_too_large(alert) && alert.members.pop().is_some() {
        alert.members_more = alert.members_more.saturating_add(1);
    }
}

/// Shortens what is least needed until the alert, but for a list of members, is small enough to be sent over a thin link in one piece.
pub(super) fn fit(mut alert: Alert) -> Alert {
    let members = std::mem::take(&mut alert.members);
    for (contributors, letters) in
        [(usize::MAX, usize::MAX), (4, usize::MAX), (2, usize::MAX), (2, 240), (2, 120), (1, 120), (0, 60)]
    {
        if !is_too_large(&alert) {
            break;
        }
        alert.weather = None;
        alert.contributors.truncate(contributors);
        if let Some((end, _)) = alert.text.char_indices().nth(letters) {
            alert.text.truncate(end);
            alert.text.push_str("..");
        }
    }
    Alert { members, ..alert }
}

/// Rounded to a number of decimals: fewer bytes, and no false precision.
pub(super) fn rounded(value: f64, decimals: u8) -> f64 {
    let scale = (0..decimals).fold(1.0, |scale, _| scale * 10.0);
    libm::round(value * scale) / scale
}
