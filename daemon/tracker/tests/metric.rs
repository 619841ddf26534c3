//! The metric on a small scene with gaps, late lines, exchanged and false tracks, against an independent implementation.
//!
//! The expected figures were computed from the same two files with NumPy and SciPy's `linear_sum_assignment`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use nalgebra::Vector2;
use proptest::prelude::*;
use serde_json::{Value, json};
use vedette_tracker::Timestamp;
use vedette_tracker::metric::{ScoreError, ScoreOptions, TrackLine, TruthPoint, score};

fn truth() -> Vec<TruthPoint> {
    let mut points = Vec::new();
    for row in include_str!("metric/truth.csv").lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [t, id, x, y] = fields[..] else { panic!("{row}") };
        let position_m = Vector2::new(x.parse().unwrap(), y.parse().unwrap());
        points.push(TruthPoint { t: t.parse().unwrap(), id: id.to_owned(), position_m });
    }
    points
}

/// The fixture's times all lie within the first minute of the epoch's day: "2026-03-01T00:00:SS.mmmZ".
fn time(value: &Value) -> Timestamp {
    let seconds: f64 =
        value.as_str().unwrap().strip_prefix("2026-03-01T00:00:").unwrap().trim_end_matches('Z').parse().unwrap();
    ScoreOptions::default().epoch.plus_seconds(seconds)
}

fn lines() -> Vec<TrackLine> {
    let line = |text: &str| {
        let line: Value = serde_json::from_str(text).unwrap();
        let tracks = line["tracks"].as_array().unwrap().iter().filter(|track| track["status"] == "confirmed");
        let tracks = tracks.filter_map(|track| {
            let position_m = Vector2::new(track["east_m"].as_f64()?, track["north_m"].as_f64()?);
            Some((track["id"].to_string(), position_m))
        });
        TrackLine { t: time(&line["t"]), now: time(&line["now"]), tracks: tracks.collect() }
    };
    include_str!("metric/tracks.jsonl").lines().map(line).collect()
}

fn agrees(options: &ScoreOptions, expected: &Value) {
    let score = serde_json::to_value(score(truth(), lines(), options).unwrap()).unwrap();
    for (key, expected) in expected.as_object().unwrap() {
        let (got, expected) = (score[key].as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((got - expected).abs() < 1e-9, "{key}: expected {expected}, got {got}");
    }
    assert_eq!(score.as_object().unwrap().len(), expected.as_object().unwrap().len());
}

#[test]
fn default_options_agree() {
    agrees(
        &ScoreOptions::default(),
        &json!({"scans": 40, "gospa": 48.854_838_531_405_58, "gospa_last_half": 43.611_342_495_019_63, "loc_rmse": 14.125_013_188_109_323,
            "loc_part": 20.077_457_587_935_193, "missed": 1.4, "false": 0.375, "far": 0.0, "mean_truth": 4.45, "idsw": 17,
            "idsw_per_100tr_scan": 9.550_561_797_752_81, "idf1": 0.342_857_142_857_142_86, "mota": 0.370_786_516_853_932_6, "n_tracks": 18,
            "n_truth": 6, "mean_confirm_delay": 2.0, "never_tracked": 1, "mean_delay_all": 5.333_333_333_333_333,
            "purity_longest": 0.285_992_198_492_198_5}),
    );
}

#[test]
fn other_cut_offs_latency_and_near_agree() {
    let options =
        ScoreOptions { cutoff_m: 20.0, match_m: 10.0, latency_s: 1.0, near_m: Some(30.0), ..ScoreOptions::default() };
    agrees(
        &options,
        &json!({"scans": 40, "gospa": 23.751_296_917_148_62, "gospa_last_half": 22.437_823_036_165_643, "loc_rmse": 8.191_042_887_311_857,
            "loc_part": 10.235_933_397_208_541, "missed": 1.925, "false": 0.4, "far": 0.55, "mean_truth": 4.45, "idsw": 14,
            "idsw_per_100tr_scan": 7.865_168_539_325_842, "idf1": 0.277_966_101_694_915_26, "mota": 0.162_921_348_314_606_7, "n_tracks": 14,
            "n_truth": 6, "mean_confirm_delay": 2.4, "never_tracked": 1, "mean_delay_all": 5.666_666_666_666_667,
            "purity_longest": 0.211_446_586_446_586_4}),
    );
}

#[test]
fn a_time_limit_and_a_strict_latency_agree() {
    agrees(
        &ScoreOptions { until_s: Some(15.0), latency_s: 0.1, ..ScoreOptions::default() },
        &json!({"scans": 15, "gospa": 57.191_441_055_046_916, "gospa_last_half": 69.120_988_047_690_88, "loc_rmse": 16.953_499_130_321_69,
            "loc_part": 18.201_511_588_505_43, "missed": 2.066_666_666_666_667, "false": 0.333_333_333_333_333_3, "far": 0.0,
            "mean_truth": 4.266_666_666_666_667, "idsw": 1, "idsw_per_100tr_scan": 1.5625, "idf1": 0.470_588_235_294_117_64, "mota": 0.265_625,
            "n_tracks": 6, "n_truth": 6, "mean_confirm_delay": 2.2, "never_tracked": 1, "mean_delay_all": 3.0,
            "purity_longest": 0.372_222_222_222_222_2}),
    );
}

#[test]
fn looking_ahead_earns_nothing() {
    let in_time = score(truth(), lines(), &ScoreOptions::default()).unwrap();
    let late = lines().into_iter().map(|line| TrackLine { now: line.now.plus_seconds(60.0), ..line });
    let too_late = score(truth(), late, &ScoreOptions::default()).unwrap();
    assert!(too_late.gospa > in_time.gospa);
    assert_eq!(too_late.n_tracks, 0);
}

#[test]
fn no_truth_is_an_error() {
    assert_eq!(score([], lines(), &ScoreOptions::default()), Err(ScoreError::NoTruth));
}

#[test]
fn without_a_track_no_measure_is_minus_zero() {
    let score = serde_json::to_string(&score(truth(), [], &ScoreOptions::default()).unwrap()).unwrap();
    assert!(!score.contains("-0.0"), "{score}");
}

#[test]
fn an_object_in_two_places_at_once_is_refused() {
    let mut twice = truth();
    twice.push(TruthPoint { position_m: Vector2::zeros(), ..twice[3].clone() });
    let (id, t, second) = (twice[3].id.clone(), twice[3].t, twice.len() - 1);
    let error = score(twice, lines(), &ScoreOptions::default()).unwrap_err();
    assert_eq!(error, ScoreError::ObjectTwice { id, t, first: 3, second });
}

/// Other trackers' files have such lines.
#[test]
fn a_number_that_two_tracks_had_goes_on_with_one_of_their_objects() {
    let point = |t: f64, id: &str, x: f64| TruthPoint { t, id: id.to_owned(), position_m: Vector2::new(x, 0.0) };
    let truth = [point(1.0, "a", 0.0), point(1.0, "b", 10.0), point(2.0, "a", 0.0), point(2.0, "b", 10.0)];
    let line = |t: f64, places: &[f64]| {
        let t = ScoreOptions::default().epoch.plus_seconds(t);
        let tracks = places.iter().map(|x| ("7".to_owned(), Vector2::new(*x, 0.0))).collect();
        TrackLine { t, now: t, tracks }
    };
    let score = score(truth, [line(1.0, &[0.0, 10.0]), line(2.0, &[5.0])], &ScoreOptions::default()).unwrap();
    assert_eq!((score.missed, score.false_tracks, score.mota), (0.5, 0.0, 0.75));
}

/// The metric by definition: the least over all ways to assign, tried one by one.
fn gospa_by_definition(objects: &[Vector2<f64>], tracks: &[Vector2<f64>], cutoff_m: f64) -> f64 {
    fn least(objects: &[Vector2<f64>], tracks: &mut Vec<Vector2<f64>>, limit: f64) -> f64 {
        let Some((object, rest)) = objects.split_first() else {
            return limit / 2.0 * f64::from(u32::try_from(tracks.len()).unwrap());
        };
        let mut best = limit / 2.0 + least(rest, tracks, limit);
        for index in 0..tracks.len() {
            let track = tracks.remove(index);
            best = best.min((object - track).norm_squared().min(limit) + least(rest, tracks, limit));
            tracks.insert(index, track);
        }
        best
    }
    least(objects, &mut tracks.to_vec(), cutoff_m * cutoff_m).sqrt()
}

proptest! {
    #[test]
    fn gospa_is_the_least_over_all_assignments(
        objects in proptest::collection::vec((0.0..100.0, 0.0..100.0), 1..5),
        tracks in proptest::collection::vec((0.0..100.0, 0.0..100.0), 0..6),
    ) {
        let options = ScoreOptions { cutoff_m: 40.0, ..ScoreOptions::default() };
        let place = |(x, y): &(f64, f64)| Vector2::new(*x, *y);
        let (objects, tracks): (Vec<_>, Vec<_>) = (objects.iter().map(place).collect(), tracks.iter().map(place).collect());
        let truth = objects.iter().enumerate().map(|(id, position_m)| TruthPoint { t: 1.0, id: id.to_string(), position_m: *position_m });
        let line = TrackLine {
            t: options.epoch.plus_seconds(1.0),
            now: options.epoch.plus_seconds(1.0),
            tracks: tracks.iter().enumerate().map(|(id, position_m)| (id.to_string(), *position_m)).collect(),
        };
        let got = score(truth, [line], &options).unwrap().gospa;
        let expected = gospa_by_definition(&objects, &tracks, options.cutoff_m);
        prop_assert!((got - expected).abs() < 1e-9, "expected {}, got {}", expected, got);
    }
}
