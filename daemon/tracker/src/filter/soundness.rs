//! What must hold of the whole belief, whatever sensors of all kinds say, in whatever order.

use std::collections::BTreeMap;

use nalgebra::{Matrix2, Vector2};
use proptest::prelude::*;

use super::{Filter, Models};
use crate::bernoulli::Label;
use crate::measure::fixture::sensor;
use crate::watch::Watched;
use crate::{
    ClassProbabilities, Clutter, Coverage, Detection, Direction, Measurement, Pose, Scan, SensorKind, SensorModel,
    Timestamp, Tracker, TrackerConfig,
};

const REACH_M: f64 = 300.0;

fn round(radius_m: f64) -> Coverage {
    Coverage::Circle { radius_m }
}

/// One of each kind on a field of some hundred metres, and a camera that is carried about.
fn site() -> Vec<SensorModel> {
    let scans = |kind: SensorKind| SensorModel {
        scan_period_s: Some(1.0),
        clutter: Clutter::PerScan(2.0),
        ..sensor(kind, round(REACH_M))
    };
    let line = Coverage::Line { from_m: [-80.0, 20.0], to_m: [80.0, 20.0] };
    let mut site = vec![
        scans(SensorKind::Radar),
        SensorModel { plot_age_s: 0.4, ..scans(SensorKind::Radar) },
        SensorModel { reports_empty_scans: false, ..scans(SensorKind::Camera) },
        scans(SensorKind::Rf),
        sensor(SensorKind::Pir, round(20.0)),
        sensor(SensorKind::Seismic, round(40.0)),
        sensor(SensorKind::Tripwire, line),
        SensorModel { mobile: true, ..scans(SensorKind::Camera) },
    ];
    for (number, model) in site.iter_mut().enumerate() {
        model.id = format!("sensor {number}");
    }
    site
}

/// A plot as sensor `sensor` gives them, from three numbers of 0 to 1.
fn measurement(sensor: usize, [a, b, c]: [f64; 3]) -> Measurement {
    let (azimuth_rad, range_m) = (6.0 * a - 3.0, 5.0 + 200.0 * b);
    match sensor {
        0 => Measurement::Position {
            position_m: Vector2::new(160.0 * a - 80.0, 160.0 * b - 80.0),
            covariance_m2: Matrix2::new(1.0 + 40.0 * c, 3.0 * c, 3.0 * c, 2.0),
        },
        1 => Measurement::RangeBearing {
            range_m,
            range_sd_m: 4.0,
            azimuth_rad,
            azimuth_sd_rad: 0.02,
            range_rate_mps: (c > 0.5).then_some((4.0 * c - 3.0, 0.5)),
        },
        3 => Measurement::Range { range_m, range_sd_m: 10.0 + 20.0 * c },
        4 => Measurement::Presence { strength: None },
        5 => Measurement::Presence { strength: Some(c) },
        6 => Measurement::Crossing {
            direction: if c > 0.6 { Some(Direction::In) } else { (c > 0.3).then_some(Direction::Out) },
        },
        _ => Measurement::Bearing { azimuth_rad, azimuth_sd_rad: 0.01 },
    }
}

/// Numbers for a measurement, and the sensor's own for the object.
type Seen = ([f64; 3], Option<u64>);

fn detection() -> impl Strategy<Value = Seen> {
    (prop::array::uniform3(0.0..1.0_f64), prop::option::of(0..3_u64))
}

/// Some minutes of scans, each of one sensor; this part of them late.
fn scans(late_part: f64) -> impl Strategy<Value = Vec<Scan>> {
    let look = (0..8_usize, prop::collection::vec(detection(), 0..5), 0.1..4.0_f64, 0.0..1.0_f64);
    prop::collection::vec(look, 3..40).prop_map(move |looks| {
        let mut now_s = 0.0;
        let of = |(sensor, plots, pause_s, late): (usize, Vec<Seen>, f64, f64)| {
            now_s += pause_s;
            let time_s = if late > 1.0 - late_part { now_s - 10.0 * late } else { now_s };
            let pose = Pose { position_m: Vector2::new(60.0 - now_s, 30.0), heading_rad: None, sd_m: 3.0 };
            let detections = plots.into_iter().map(|(numbers, object)| Detection {
                measurement: measurement(sensor, numbers),
                class: (numbers[2] > 0.7).then_some(ClassProbabilities { person: 0.6, animal: 0.3, vehicle: 0.1 }),
                confidence: None,
                object: object.filter(|_| sensor == 0),
            });
            Scan {
                sensor,
                time: Timestamp::from_seconds(100).plus_seconds(time_s),
                at: (sensor == 7).then_some(pose),
                detections: detections.collect(),
            }
        };
        looks.into_iter().map(of).collect()
    })
}

fn after<'a>(sensors: Vec<SensorModel>, scans: impl IntoIterator<Item = &'a Scan>) -> String {
    let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("valid models");
    let mut end = Timestamp::MIN;
    for scan in scans {
        tracker.step(scan);
        end = end.max(scan.time);
    }
    tracker.advance(end.plus_seconds(2.0));
    serde_json::to_string(&tracker.tracks_at(end.plus_seconds(2.0))).expect("tracks are plain data")
}

/// Checks the filter after each scan.
fn at_each_step(scans: &[Scan], check: impl Fn(&Filter) -> Result<(), TestCaseError>) -> Result<(), TestCaseError> {
    let (config, sensors) = (TrackerConfig::default(), site());
    let watched = Watched::new(&sensors);
    let models = Models { config: &config, sensors: &sensors, watched: &watched };
    let mut filter = Filter::new(models);
    scans.iter().try_for_each(|scan| {
        filter.step(models, scan, None);
        check(&filter)
    })
}

/// A track that falls below what is kept just before it is seen again ended only where another sensor was heard in between.
#[test]
fn a_distant_sensor_does_not_decide_when_a_track_ends() {
    let seen = |sensor: usize, micros: i64, numbers: [f64; 3]| Scan {
        sensor,
        time: Timestamp::from_micros(micros),
        at: None,
        detections: vec![Detection {
            measurement: measurement(sensor, numbers),
            class: None,
            confidence: None,
            object: None,
        }],
    };
    let scans = [seen(0, 100_833_738, [0.0; 3]), seen(4, 103_232_049, [0.0; 3]), seen(4, 106_972_009, [0.0; 3])];
    let far = SensorModel { id: "far".into(), position_m: Vector2::new(60_000.0, 0.0), ..site().swap_remove(2) };
    let more: Vec<SensorModel> = site().into_iter().chain([far]).collect();
    let nothing = |scan: &Scan| Scan { sensor: 8, detections: Vec::new(), ..scan.clone() };
    let both: Vec<Scan> = scans.iter().flat_map(|scan| [scan.clone(), nothing(scan)]).collect();
    assert_eq!(after(site(), &scans), after(more, &both));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Each hypothesis of each track in each way of moving, position and velocity together.
    #[test]
    fn every_covariance_is_symmetric_positive_definite_and_weights_are_probabilities(scans in scans(0.15)) {
        at_each_step(&scans, |filter| {
            for track in &filter.tracks {
                prop_assert!((0.0..=1.0).contains(&track.existence), "{}", track.existence);
                let weights: f64 = track.hypotheses.iter().map(|hypothesis| hypothesis.weight).sum();
                prop_assert!((weights - 1.0).abs() < 1e-9, "{weights}");
                for hypothesis in track.states() {
                    let modes: f64 = hypothesis.mode_probability.iter().sum();
                    prop_assert!((modes - 1.0).abs() < 1e-6, "{modes}");
                    for (_, state) in hypothesis.active() {
                        let covariance = state.covariance;
                        prop_assert!((covariance - covariance.transpose()).amax() <= 1e-9 * covariance.amax());
                        prop_assert!(covariance.cholesky().is_some(), "{covariance}");
                    }
                }
            }
            Ok(())
        })?;
    }

    /// Whatever comes late, and whomever it concerns.
    #[test]
    fn a_joint_belief_is_the_same_one_for_all_its_members(scans in scans(0.3)) {
        at_each_step(&scans, |filter| {
            let mut beliefs: BTreeMap<Label, Vec<f64>> = BTreeMap::new();
            for (track, bond) in filter.tracks.iter().filter_map(|track| Some((track, track.bond.as_ref()?))) {
                let weights: Vec<f64> = bond.joints().into_iter().map(|(weight, _)| weight).collect();
                prop_assert!(bond.of_rays || !track.is_ambiguous());
                let shared = beliefs.entry(bond.name).or_insert_with(|| weights.clone());
                prop_assert_eq!(&*shared, &weights);
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_order_of_plots_of_any_kind_carries_no_meaning(scans in scans(0.15), turn in 0..5_usize) {
        let mut turned = scans.clone();
        for scan in &mut turned {
            let plots = scan.detections.len().max(1);
            scan.detections.rotate_left(turn % plots);
            scan.detections.reverse();
        }
        prop_assert_eq!(after(site(), &scans), after(site(), &turned));
    }

    /// Wherever it looks from so far away, and whenever it says that it sees nothing.
    #[test]
    fn a_sensor_far_away_that_sees_nothing_changes_nothing(scans in scans(0.0), kind in 0..4_usize, every in 1..4_usize) {
        let far = SensorModel { id: "far".into(), position_m: Vector2::new(60_000.0, 0.0), ..site().swap_remove(kind) };
        let more: Vec<SensorModel> = site().into_iter().chain([far]).collect();
        let nothing = |scan: &Scan| Scan { sensor: 8, at: None, detections: Vec::new(), ..scan.clone() };
        let mut both: Vec<Scan> = Vec::new();
        for (number, scan) in scans.iter().enumerate() {
            both.push(scan.clone());
            if number % every == 0 {
                both.push(nothing(scan));
            }
        }
        prop_assert_eq!(after(site(), &scans), after(more, &both));
    }
}
