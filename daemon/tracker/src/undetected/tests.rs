use super::*;
use crate::measure::fixture::sensor;
use crate::sensor::Coverage;

fn tripwire(from_m: [f64; 2], to_m: [f64; 2], detection_probability: f64) -> SensorModel {
    let model = sensor(SensorKind::Tripwire, Coverage::Line { from_m, to_m });
    SensorModel { detection_probability, ..model }
}

/// Who walks south behind a line that nobody crosses unseen is rare there; who walks north towards it is not.
#[test]
fn a_line_shadows_the_ground_behind_it() {
    let line = tripwire([0.0, 500.0], [1000.0, 500.0], 0.95);
    let blind = tripwire([0.0, 0.0], [0.0, 1000.0], 0.0);
    let mut field = Undetected::new(&TrackerConfig::default(), &[line, blind]);
    field.advance(Timestamp::from_seconds(0));
    field.advance(Timestamp::from_seconds(200));
    let behind = field.by_heading(Vector2::new(500.0, 440.0));
    let (north, south) = (behind[0], behind[4]);
    assert!(south < 0.25 * north, "south {south:e}, north {north:e}");
}

/// A radar that looks each second finds as many new objects to expect at each look, whatever the walkers' step.
#[test]
fn objects_appear_evenly() {
    let square = Coverage::Polygon { points_m: vec![[0.0, 0.0], [2e3, 0.0], [2e3, 2e3], [0.0, 2e3]] };
    let radar = sensor(SensorKind::Radar, square);
    let middle = Vector2::new(1000.0, 1000.0);
    let mut field = Undetected::new(&TrackerConfig::default(), core::slice::from_ref(&radar));
    let mut densities = Vec::new();
    for second in 0..60 {
        field.advance(Timestamp::from_seconds(second));
        densities.push(field.density_at(middle));
        field.thin(0, &radar, radar.position_m, 0.9);
    }
    let settled = &densities[40..];
    let (least, most) = settled.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), d| (a.min(*d), b.max(*d)));
    assert!(most < 1.5 * least, "between {least:e} and {most:e}");
}

#[test]
fn an_unwatched_field_stays_as_it_is() {
    let blind = tripwire([0.0, 0.0], [1000.0, 1000.0], 0.0);
    let mut field = Undetected::new(&TrackerConfig::default(), &[blind]);
    let before: f64 = field.by_heading(Vector2::new(500.0, 500.0)).iter().sum();
    field.advance(Timestamp::from_seconds(0));
    field.advance(Timestamp::from_seconds(400));
    let after: f64 = field.by_heading(Vector2::new(500.0, 500.0)).iter().sum();
    assert!((after - before).abs() < 1e-5 * before, "before {before:e}, after {after:e}");
}

/// A field a hundred kilometres long and a few hundred metres wide has cells all along.
#[test]
fn a_very_long_field_has_cells() {
    let radar = |north_m: f64| {
        let coverage = Coverage::Polygon {
            points_m: vec![[0.0, north_m], [50.0, north_m], [50.0, north_m + 50.0], [0.0, north_m + 50.0]],
        };
        sensor(SensorKind::Radar, coverage)
    };
    let sensors = [radar(0.0), radar(1e6)];
    let mut field = Undetected::new(&TrackerConfig::default(), &sensors);
    field.advance(Timestamp::from_seconds(0));
    let seen = Vector2::new(25.0, 25.0);
    let before = field.density_at(seen);
    field.thin(0, &sensors[0], sensors[0].position_m, 0.9);
    assert!(field.density_at(seen) < before, "a scan that sees nobody leaves the density as it was");
    field.advance(Timestamp::from_seconds(60));
    assert!(field.density_at(seen).is_finite());
}

fn driving() -> SensorModel {
    SensorModel { mobile: true, ..sensor(SensorKind::Radar, Coverage::Circle { radius_m: 500.0 }) }
}

/// However far a sensor drives, its field is as fine as where it set out.
#[test]
fn a_field_moves_along_with_its_sensor() {
    let radar = driving();
    let mut field = Undetected::new(&TrackerConfig::default(), core::slice::from_ref(&radar));
    let at_first_m = field.cell_m();
    for second in 0..500_u32 {
        let place = Vector2::new(100.0 * f64::from(second), 0.0);
        assert!(field.reach(&radar, place, [(&radar, place)].into_iter()));
        field.advance(Timestamp::from_seconds(i64::from(second)));
        field.thin(0, &radar, place, 0.9);
        let (here, ahead) = (field.density_at(place), field.density_at(place + Vector2::new(900.0, 0.0)));
        assert!(here < 0.5 * ahead, "{here:e} seen, {ahead:e} not");
    }
    assert!((field.cell_m() - at_first_m).abs() < 1e-9, "cells of {} m, {at_first_m} m at first", field.cell_m());
}

/// A state from before the field moved still says where nobody is.
#[test]
fn an_intensity_is_good_for_a_field_that_has_moved_since() {
    let radar = driving();
    let (home, away) = (Vector2::zeros(), Vector2::new(700.0, 0.0));
    let mut field = Undetected::new(&TrackerConfig::default(), core::slice::from_ref(&radar));
    field.thin(0, &radar, home, 0.9);
    let (then, seen) = (field.intensity(), field.density_at(home));
    assert!(field.reach(&radar, away, [(&radar, away)].into_iter()));
    for _ in 0..3 {
        field.thin(0, &radar, home, 0.9);
    }
    assert!(field.density_at(home) < 0.5 * seen);
    field.set_intensity(then);
    let again = field.density_at(home);
    assert!((again / seen - 1.0).abs() < 1e-5, "{again:e}, {seen:e} before");
}
