//! How honest the places are that alerts tell: the share of their 95 % ellipses that the truth lies in.

use vedette_engine::{Alert, Ellipse, Place};

use super::drive::Run;
use crate::geometry::Point;
use crate::scenario::Scenario;

/// Farther from everybody than this an alert is about nobody, which is another figure.
const ABOUT_M: f64 = 60.0;
/// Axes are told in whole metres.
const ROUNDED_M: f64 = 0.5;

/// Places that alerts about movement told, and those of them with somebody inside of the ellipse at the time they are told with.
#[must_use]
pub fn places(scenario: &Scenario, run: &Run) -> (usize, usize) {
    let told = run.alerts.iter().filter(|(_, alert)| alert.kind.is_movement() && !alert.state.is_over());
    told.filter_map(|(_, alert)| is_within(alert, scenario, run))
        .fold((0, 0), |(told, within), is_within| (told + 1, within + usize::from(is_within)))
}

fn is_within(alert: &Alert, scenario: &Scenario, run: &Run) -> Option<bool> {
    let Some(Place::Point { lat, lon, ellipse }) = &alert.place else { return None };
    let said: Point = run.engine.site().frame.to_site(*lat, *lon)?.into();
    let elapsed_s = alert.last_seen.seconds_since(scenario.layout.begins);
    let offsets = run.truth.walkers.iter().filter_map(|walker| walker.at(elapsed_s));
    let offsets = offsets.map(|at| [at[0] - said[0], at[1] - said[1]]);
    let nearest = offsets.min_by(|a, b| length(*a).total_cmp(&length(*b)))?;
    (length(nearest) <= ABOUT_M).then(|| holds(ellipse, nearest))
}

fn length([east_m, north_m]: Point) -> f64 {
    libm::hypot(east_m, north_m)
}

fn holds(ellipse: &Ellipse, [east_m, north_m]: Point) -> bool {
    let long = ellipse.orientation_deg.to_radians();
    let (sin, cos) = (libm::sin(long), libm::cos(long));
    let along = (east_m * sin + north_m * cos) / (ellipse.major_m + ROUNDED_M);
    let across = (east_m * cos - north_m * sin) / (ellipse.minor_m + ROUNDED_M);
    along * along + across * across <= 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_is_long_where_it_points() {
        let ellipse = Ellipse { major_m: 10.0, minor_m: 2.0, orientation_deg: 90.0 };
        assert!(holds(&ellipse, [9.0, 0.0]) && !holds(&ellipse, [0.0, 9.0]));
        assert!(holds(&Ellipse { orientation_deg: 0.0, ..ellipse }, [0.0, 9.0]));
    }
}
