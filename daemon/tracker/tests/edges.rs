//! At the edge of what a sensor sees: who walks out is given up by the next look, who walks in or along is not.

mod field;

use field::{Noise, confirmed, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Coverage, SensorModel, Tracker, TrackerConfig};

const SIDE_M: f64 = 400.0;
const ERROR_M: f64 = 3.0;

/// For each second, whether somebody who walks so is inside, and whether a track is told.
fn told(from: Vector2<f64>, velocity: Vector2<f64>, seconds: u32, seed: u64) -> Vec<(bool, bool)> {
    let square = vec![[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]];
    let model = SensorModel { coverage: Coverage::Polygon { points_m: square }, ..radar("radar", 0.0) };
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model");
    let mut noise = Noise::new(seed);
    let look = |second: u32| {
        let place = from + velocity * f64::from(second);
        let is_inside = place.min() >= 0.0 && place.max() <= SIDE_M;
        let mut plots = Vec::new();
        if is_inside && noise.uniform() < 0.9 {
            plots.push(position(place.x + ERROR_M * noise.normal(), place.y + ERROR_M * noise.normal(), ERROR_M));
        }
        tracker.step(&scan(second, plots));
        (is_inside, !confirmed(&tracker, second).is_empty())
    };
    (1..=seconds).map(look).collect()
}

/// Seconds in which a track is told and nobody is inside, a walk.
#[test]
fn who_walks_out_is_given_up_by_the_next_look() {
    let walks = 40_u64;
    let late = |seed: u64| {
        let seconds = told(Vector2::new(300.0, 200.0), Vector2::new(1.5, 0.2), 90, seed);
        seconds.iter().filter(|(is_inside, is_told)| !is_inside && *is_told).count()
    };
    let late = (1..=walks).map(late).sum::<usize>() as f64 / walks as f64;
    println!("told for {late} s after leaving");
    assert!(late < 0.5, "told for {late} s after leaving");
}

#[test]
fn who_walks_in_or_along_the_edge_is_told_all_the_while() {
    let [inwards, along] = [(Vector2::new(-10.0, 200.0), [1.4, 0.0]), (Vector2::new(4.0, 20.0), [0.0, 1.4])];
    for (from, velocity) in [inwards, along] {
        let missed = |seed: u64| {
            let seconds = told(from, Vector2::from(velocity), 120, seed);
            seconds.iter().filter(|(is_inside, _)| *is_inside).skip(6).filter(|(_, is_told)| !is_told).count()
        };
        let missed = (1..=20).map(missed).sum::<usize>() as f64 / 20.0;
        println!("not told for {missed} s of about a hundred");
        assert!(missed < 1.0, "not told for {missed} s");
    }
}
