//! After days in which nobody came the first who comes is found.

mod field;

use field::{Noise, confirmed, pir, position, presence, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Clutter, Coverage, Detection, Scan, SensorModel, Timestamp, Tracker, TrackerConfig};

const SIDE_M: f64 = 1_000.0;
const FALSE_PLOTS: u32 = 10;
const PERIOD_S: u32 = 4;

/// A radar that looks at a square every few seconds and has ten false plots in each scan.
fn watching() -> SensorModel {
    let square = vec![[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]];
    SensorModel {
        coverage: Coverage::Polygon { points_m: square },
        scan_period_s: Some(f64::from(PERIOD_S)),
        clutter: Clutter::PerScan(f64::from(FALSE_PLOTS)),
        ..radar("radar", 0.5 * SIDE_M)
    }
}

fn false_plots(noise: &mut Noise) -> Vec<Detection> {
    (0..FALSE_PLOTS).map(|_| position(SIDE_M * noise.uniform(), SIDE_M * noise.uniform(), 5.0)).collect()
}

/// Whether a track within so many metres of the place is told as confirmed.
fn is_told(tracker: &Tracker, second: u32, place: Vector2<f64>, within_m: f64) -> bool {
    confirmed(tracker, second).iter().any(|track| (track.position_m - place).norm() < within_m)
}

/// A tracker that for so many hours has seen nothing but the radar's false plots, and the second after that.
fn quiet_for(hours: u32, sensors: Vec<SensorModel>, noise: &mut Noise) -> (Tracker, u32) {
    let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("valid models");
    for second in (0..hours * 3600).step_by(PERIOD_S as usize) {
        tracker.step(&scan(second, false_plots(noise)));
    }
    (tracker, hours * 3600)
}

/// In the middle as at the edge: who was overlooked there, or rises from the grass.
#[test]
fn a_radar_finds_the_first_after_quiet_days() {
    for start_m in [SIDE_M, 0.5 * SIDE_M] {
        let mut noise = Noise::new(3);
        let (mut tracker, from) = quiet_for(72, vec![watching()], &mut noise);
        let found = (from..from + 60).step_by(PERIOD_S as usize).find(|second| {
            let place = Vector2::new(500.0, start_m - 1.3 * f64::from(second - from));
            let mut plots = false_plots(&mut noise);
            plots.push(position(place.x + 5.0 * noise.normal(), place.y + 5.0 * noise.normal(), 5.0));
            tracker.step(&scan(*second, plots));
            is_told(&tracker, *second, place, 30.0)
        });
        assert!(found.is_some(), "not found within a minute");
    }
}

/// Three rows of detectors where the radar does not look: that nobody was seen by it says little about them.
#[test]
fn detectors_beside_a_radar_find_the_first_after_quiet_days() {
    let rows = (0..3_u32).flat_map(|row| (0..9_u32).map(move |column| (row, column)));
    let place = |(row, column): (u32, u32)| (320.0 + 40.0 * f64::from(column), -150.0 - 100.0 * f64::from(row));
    let detectors = rows.map(place).map(|(east_m, north_m)| SensorModel {
        coverage: Coverage::Circle { radius_m: 20.0 },
        ..pir("detector", east_m, north_m, 1.0)
    });
    let sensors: Vec<SensorModel> = std::iter::once(watching())
        .chain(detectors.enumerate().map(|(number, model)| SensorModel { id: format!("detector {number}"), ..model }))
        .collect();
    let mut noise = Noise::new(3);
    let (mut tracker, from) = quiet_for(48, sensors.clone(), &mut noise);
    let mut armed = vec![0; sensors.len()];
    let found = (from..from + 340).find(|second| {
        let place = Vector2::new(480.0, -400.0 + 1.2 * f64::from(second - from));
        if second % PERIOD_S == 0 {
            tracker.step(&scan(*second, false_plots(&mut noise)));
        }
        for (sensor, model) in sensors.iter().enumerate().skip(1) {
            let passes = (model.position_m - place).norm() < 20.0 && armed[sensor] <= *second;
            if passes && noise.uniform() < 0.85 {
                armed[sensor] = second + 5;
                tracker.step(&Scan { sensor, ..scan(*second, vec![presence()]) });
            }
        }
        tracker.advance(Timestamp::from_seconds(i64::from(*second)));
        is_told(&tracker, *second, place, 60.0)
    });
    assert!(found.is_some_and(|second| second < from + 250), "{found:?}, from {from}");
}
