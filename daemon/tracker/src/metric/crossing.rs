//! Scoring at the level people care about: was the crossing of the line reported, the right way, and in time?

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::Serialize;

use super::TruthPoint;
use crate::{Direction, Timestamp};

/// An object's passage of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrueCrossing {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub object: String,
    /// Which way.
    pub direction: Direction,
    /// Where.
    pub position_m: Vector2<f64>,
}

/// One revision of an alert about the line, an approach to it or a passage.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossingReport {
    /// The alert, the same for every revision.
    pub alert: String,
    /// When the revision was written.
    pub written: Timestamp,
    /// Time of the newest plot behind it.
    pub seen: Timestamp,
    /// Where the object was then, when the alert says so.
    pub position_m: Option<Vector2<f64>>,
    /// Which way it goes, when the alert says so.
    pub direction: Option<Direction>,
    /// When it will be at the line, when the alert says so.
    pub expected: Option<Timestamp>,
}

/// When a report belongs to a crossing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossingOptions {
    /// It was written at most this long before the crossing.
    pub before_s: f64,
    /// It was written at most this long after the crossing.
    pub after_s: f64,
    /// It is at most this far from the crossing's place,
    pub radius_m: f64,
    /// and this much farther for every second between the two.
    pub speed_mps: f64,
}

impl Default for CrossingOptions {
    fn default() -> Self {
        Self { before_s: 300.0, after_s: 60.0, radius_m: 100.0, speed_mps: 2.5 }
    }
}

/// What became of one crossing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossingOutcome {
    /// The crossing.
    pub crossing: TrueCrossing,
    /// The first alert that belongs to it; none: it was missed.
    pub alert: Option<String>,
    /// When that alert was first written.
    pub first_written: Option<Timestamp>,
    /// Whether the last revision with a direction had it right.
    pub direction_right: Option<bool>,
    /// Expected minus true time at the line, of the last revision before the crossing that says when, seconds.
    pub eta_error_s: Option<f64>,
}

/// All crossings of a line, and the alerts that belong to none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossingScore {
    /// Number of crossings.
    pub crossings: usize,
    /// Crossings with an alert.
    pub found: usize,
    /// Crossings found with the direction right.
    pub direction_right: usize,
    /// Mean absolute error of the expected time at the line, over the crossings it was said for, seconds.
    pub mean_eta_error_s: Option<f64>,
    /// Alerts that belong to no crossing.
    pub unmatched_alerts: Vec<String>,
    /// Each crossing's outcome, in order of time.
    pub outcomes: Vec<CrossingOutcome>,
}

/// The passages of a line, a chain of segments, by the objects of the truth, in order of time.
///
/// Between two points of an object motion is straight. "In" is from the line's left to its right.
#[must_use]
pub fn crossings<'a>(
    truth: impl IntoIterator<Item = &'a TruthPoint>,
    epoch: Timestamp,
    line_m: &[Vector2<f64>],
) -> Vec<TrueCrossing> {
    let mut paths: BTreeMap<&str, Vec<(f64, Vector2<f64>)>> = BTreeMap::new();
    for point in truth {
        paths.entry(&point.id).or_default().push((point.t, point.position_m));
    }
    let mut found = Vec::new();
    for (object, mut path) in paths {
        path.sort_by(|a, b| a.0.total_cmp(&b.0));
        for step in path.windows(2) {
            let [(before_s, p), (after_s, q)] = [step[0], step[1]];
            for segment in line_m.windows(2) {
                let Some((share, direction)) = passage([segment[0], segment[1]], [p, q]) else { continue };
                found.push(TrueCrossing {
                    time: epoch.plus_seconds(before_s + (after_s - before_s) * share),
                    object: object.to_owned(),
                    direction,
                    position_m: p + (q - p) * share,
                });
            }
        }
    }
    found.sort_by_key(|crossing| crossing.time);
    found
}

/// At what part of the step from `p` to `q` it passes the segment, and which way.
fn passage([from_m, to_m]: [Vector2<f64>; 2], [p, q]: [Vector2<f64>; 2]) -> Option<(f64, Direction)> {
    let along = to_m - from_m;
    let left_of = |point: Vector2<f64>| along.perp(&(point - from_m));
    let (before, after) = (left_of(p), left_of(q));
    if (before > 0.0) == (after > 0.0) {
        return None;
    }
    let share = before / (before - after);
    let passed_m = p + (q - p) * share;
    let is_beside = (0.0..=along.norm_squared()).contains(&along.dot(&(passed_m - from_m)));
    is_beside.then_some((share, if before > 0.0 { Direction::In } else { Direction::Out }))
}

/// Which way somebody with this heading goes over a line, taken as straight from end to end.
#[must_use]
pub fn direction_over(line_m: &[Vector2<f64>], heading_deg: f64) -> Option<Direction> {
    let along = line_m.last()? - line_m.first()?;
    let heading = heading_deg.to_radians();
    let leftward = along.x * libm::cos(heading) - along.y * libm::sin(heading);
    Some(if leftward < 0.0 { Direction::In } else { Direction::Out })
}

/// The value below which this share of the values lies.
#[must_use]
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (share * super::number(values.len())) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied()
}

/// What the scores of several lines come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossingTotals {
    /// Number of crossings.
    pub crossings: usize,
    /// Crossings with an alert.
    pub found: usize,
    /// Crossings found with the direction right.
    pub direction_right: usize,
    /// Crossings that an expected time was told for beforehand.
    pub with_eta: usize,
    /// Median absolute error of the expected time at the line, over these, seconds.
    pub eta_error_median_s: Option<f64>,
    /// The error that nine in ten stay below, seconds.
    pub eta_error_p90_s: Option<f64>,
    /// Alerts that belong to no crossing of any line.
    pub unmatched_alerts: usize,
}

impl CrossingTotals {
    /// Those of these lines, each scored with the same alerts.
    #[must_use]
    pub fn of(lines: &[CrossingScore]) -> Self {
        let errors: Vec<f64> = lines
            .iter()
            .flat_map(|line| &line.outcomes)
            .filter_map(|outcome| outcome.eta_error_s.map(f64::abs))
            .collect();
        let is_unmatched = |alert: &&String| lines.iter().all(|line| line.unmatched_alerts.contains(alert));
        let sum = |count: fn(&CrossingScore) -> usize| lines.iter().map(count).sum();
        Self {
            crossings: sum(|line| line.crossings),
            found: sum(|line| line.found),
            direction_right: sum(|line| line.direction_right),
            with_eta: errors.len(),
            eta_error_median_s: quantile(&errors, 0.5),
            eta_error_p90_s: quantile(&errors, 0.9),
            unmatched_alerts: lines.first().map_or(0, |line| line.unmatched_alerts.iter().filter(is_unmatched).count()),
        }
    }
}

/// Which crossings were reported, and which alerts were for nothing.
///
/// One alert may stand for several crossings: a group is one alert.
#[must_use]
pub fn score_crossings(
    crossings: &[TrueCrossing],
    reports: &[CrossingReport],
    options: &CrossingOptions,
) -> CrossingScore {
    let belongs = |crossing: &TrueCrossing, report: &CrossingReport| {
        let late_s = report.written.seconds_since(crossing.time);
        let apart_s = report.seen.seconds_since(crossing.time).abs();
        (-options.before_s..=options.after_s).contains(&late_s)
            && report.position_m.is_none_or(|position| {
                (position - crossing.position_m).norm() <= options.radius_m + options.speed_mps * apart_s
            })
    };
    let outcomes: Vec<CrossingOutcome> = crossings
        .iter()
        .map(|crossing| {
            let mut own: Vec<&CrossingReport> = reports.iter().filter(|report| belongs(crossing, report)).collect();
            own.sort_by_key(|report| report.written);
            outcome(crossing, &own)
        })
        .collect();
    let mut unmatched_alerts: Vec<String> = reports
        .iter()
        .filter(|report| {
            let same = |other: &&CrossingReport| other.alert == report.alert;
            !reports.iter().filter(same).any(|other| crossings.iter().any(|crossing| belongs(crossing, other)))
        })
        .map(|report| report.alert.clone())
        .collect();
    unmatched_alerts.sort_unstable();
    unmatched_alerts.dedup();
    let errors: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.eta_error_s.map(f64::abs)).collect();
    CrossingScore {
        crossings: crossings.len(),
        found: outcomes.iter().filter(|outcome| outcome.alert.is_some()).count(),
        direction_right: outcomes.iter().filter(|outcome| outcome.direction_right == Some(true)).count(),
        mean_eta_error_s: (!errors.is_empty()).then(|| super::mean(&errors)),
        unmatched_alerts,
        outcomes,
    }
}

/// `own`: the reports that belong to the crossing, in order of writing.
fn outcome(crossing: &TrueCrossing, own: &[&CrossingReport]) -> CrossingOutcome {
    let eta = own
        .iter()
        .rev()
        .filter(|report| report.written <= crossing.time)
        .find_map(|report| report.expected)
        .map(|expected| expected.seconds_since(crossing.time));
    CrossingOutcome {
        crossing: crossing.clone(),
        alert: own.first().map(|report| report.alert.clone()),
        first_written: own.first().map(|report| report.written),
        direction_right: own
            .iter()
            .rev()
            .find_map(|report| report.direction)
            .map(|direction| direction == crossing.direction),
        eta_error_s: eta,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Timestamp = Timestamp::from_seconds(1_772_323_200);

    fn walker(id: &str, points: &[(f64, f64, f64)]) -> Vec<TruthPoint> {
        let point =
            |(t, x, y): &(f64, f64, f64)| TruthPoint { t: *t, id: id.to_owned(), position_m: Vector2::new(*x, *y) };
        points.iter().map(point).collect()
    }

    fn report(alert: &str, written_s: f64, east_m: f64) -> CrossingReport {
        CrossingReport {
            alert: alert.to_owned(),
            written: EPOCH.plus_seconds(written_s),
            seen: EPOCH.plus_seconds(written_s - 1.0),
            position_m: Some(Vector2::new(east_m, 0.0)),
            direction: Some(Direction::In),
            expected: Some(EPOCH.plus_seconds(104.0)),
        }
    }

    #[test]
    fn a_reported_crossing_is_found_and_a_far_alert_is_not_it() {
        let mut truth = walker("a", &[(99.0, 0.0, 2.0), (101.0, 0.0, -2.0), (103.0, 0.0, -6.0)]);
        truth.extend(walker("b", &[(99.0, 900.0, -2.0), (101.0, 900.0, 2.0)]));
        let line = [Vector2::new(-1000.0, 0.0), Vector2::new(1000.0, 0.0)];
        let crossings = crossings(&truth, EPOCH, &line);
        assert_eq!(crossings.len(), 2);
        assert_eq!(crossings[0].time, EPOCH.plus_seconds(100.0));
        assert_eq!((crossings[0].direction, crossings[1].direction), (Direction::In, Direction::Out));
        let reports = [report("right", 90.0, 5.0), report("right", 102.0, 1.0), report("wrong", 95.0, -700.0)];
        let score = score_crossings(&crossings, &reports, &CrossingOptions::default());
        assert_eq!((score.crossings, score.found, score.direction_right), (2, 1, 1));
        assert_eq!(score.unmatched_alerts, ["wrong"]);
        assert_eq!(score.mean_eta_error_s, Some(4.0));
        assert_eq!(score.outcomes[0].first_written, Some(EPOCH.plus_seconds(90.0)));
    }

    #[test]
    fn a_bent_line_is_passed_at_either_segment() {
        let bent = [Vector2::new(-100.0, 0.0), Vector2::new(0.0, 0.0), Vector2::new(0.0, 100.0)];
        let mut truth = walker("a", &[(0.0, -50.0, 10.0), (10.0, -50.0, -10.0)]);
        truth.extend(walker("b", &[(20.0, 10.0, 50.0), (30.0, -10.0, 50.0)]));
        truth.extend(walker("c", &[(20.0, 50.0, 10.0), (30.0, 50.0, -10.0)]));
        let found = crossings(&truth, EPOCH, &bent);
        let told: Vec<_> = found.iter().map(|found| (found.object.as_str(), found.direction, found.time)).collect();
        let expected = [("a", Direction::In, EPOCH.plus_seconds(5.0)), ("b", Direction::Out, EPOCH.plus_seconds(25.0))];
        assert_eq!(told, expected);
    }

    #[test]
    fn totals_add_up_lines_and_an_alert_is_for_nothing_only_if_it_is_at_every_line() {
        let truth = walker("a", &[(99.0, 0.0, 2.0), (101.0, 0.0, -2.0), (201.0, 0.0, -202.0)]);
        let lines = [0.0, -100.0].map(|north_m| [Vector2::new(-100.0, north_m), Vector2::new(100.0, north_m)]);
        let reports = [report("first", 90.0, 5.0), report("wrong", 95.0, -900.0)];
        let scores =
            lines.map(|line| score_crossings(&crossings(&truth, EPOCH, &line), &reports, &CrossingOptions::default()));
        let totals = CrossingTotals::of(&scores);
        assert_eq!((totals.crossings, totals.found, totals.unmatched_alerts), (2, 2, 1));
        assert_eq!((totals.with_eta, totals.eta_error_p90_s), (2, Some(46.0)));
    }

    #[test]
    fn a_heading_to_the_right_of_a_line_is_in() {
        let eastward = [Vector2::new(0.0, 0.0), Vector2::new(100.0, 0.0)];
        assert_eq!(direction_over(&eastward, 180.0), Some(Direction::In));
        assert_eq!(direction_over(&eastward, 350.0), Some(Direction::Out));
        assert_eq!(direction_over(&[], 0.0), None);
    }
}
