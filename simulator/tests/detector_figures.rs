//! What the node's geophone chain finds in simulated ground motion, as a table: a change of the detectors or of the ground shows as a
//! change of figures.

use std::fmt::Write;

use vedette_node::detector::Geophone;
use vedette_sim::hil::{Ground, SAMPLE_RATE_HZ};
use vedette_wire::payload::{EventKind, GroundSource};

const TRIALS: u32 = 40;
/// The chain and the spectrum's background settle first.
const SETTLE_S: f64 = 80.0;

/// Detections until this time, with the time of each.
fn listen(geophone: &mut Geophone, ground: &mut Ground, until_s: f64) -> Vec<(f64, GroundSource)> {
    let mut found = vec![];
    while ground.now_s() < until_s {
        let now_s = ground.now_s();
        let detection = geophone.sample((now_s * 1000.0) as u64, ground.sample());
        if let Some(EventKind::Seismic(source)) = detection.map(|detection| detection.kind) {
            found.push((now_s, source));
        }
    }
    found
}

/// Trials in which `source` was found within `limit_s`, and the mean time it took.
fn trials(wind_mps: f64, limit_s: f64, wanted: GroundSource, excite: impl Fn(&mut Ground, u32)) -> (u32, f64) {
    let (mut hits, mut delay_s) = (0, 0.0);
    for trial in 0..TRIALS {
        let (mut geophone, mut ground) = (Geophone::new(10_000), Ground::new(u64::from(trial), "figures", wind_mps));
        listen(&mut geophone, &mut ground, SETTLE_S);
        excite(&mut ground, trial);
        let found = listen(&mut geophone, &mut ground, SETTLE_S + limit_s);
        if let Some((at_s, _)) = found.iter().find(|(_, source)| *source == wanted) {
            hits += 1;
            delay_s += at_s - SETTLE_S;
        }
    }
    (hits, delay_s / f64::from(hits.max(1)))
}

/// Twenty seconds of walking at a distance, with a cadence that differs from trial to trial.
fn walk(ground: &mut Ground, trial: u32, range_m: f64) {
    let period_s = 0.5 + 0.2 * f64::from(trial) / f64::from(TRIALS);
    let steps = (20.0 / period_s) as u32;
    for step in 0..steps {
        // No two steps are quite even: 3 per cent.
        let uneven = 0.03 * libm::sin(f64::from(step * 7 + trial));
        ground.step(SETTLE_S + period_s * (f64::from(step) + uneven), range_m);
    }
}

#[test]
fn detection_figures() {
    let mut table = String::from("source        range  wind   found of 40   mean delay\n");
    for wind_mps in [0.0, 5.0, 10.0] {
        for range_m in [5.0, 15.0, 30.0] {
            let walker = |ground: &mut Ground, trial| walk(ground, trial, range_m);
            let (hits, delay_s) = trials(wind_mps, 22.0, GroundSource::Footsteps, walker);
            writeln!(table, "footsteps  {range_m:5} m {wind_mps:3} m/s {hits:10} {delay_s:12.1} s").expect("a string");
        }
        for range_m in [50.0, 200.0] {
            let vehicle = |ground: &mut Ground, _| ground.vehicle(Some(range_m));
            let (hits, delay_s) = trials(wind_mps, 30.0, GroundSource::Vehicle, vehicle);
            writeln!(table, "vehicle    {range_m:5} m {wind_mps:3} m/s {hits:10} {delay_s:12.1} s").expect("a string");
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn false_triggers_per_day() {
    const HOURS: f64 = 6.0;
    let mut table = String::from("wind      footsteps  unclassified  vehicle   (per day, from 6 h)\n");
    for wind_mps in [0.0, 5.0, 10.0] {
        let (mut geophone, mut ground) = (Geophone::new(10_000), Ground::new(1, "false triggers", wind_mps));
        listen(&mut geophone, &mut ground, SETTLE_S);
        let found = listen(&mut geophone, &mut ground, SETTLE_S + HOURS * 3600.0);
        let per_day = |wanted| found.iter().filter(|(_, source)| *source == wanted).count() as f64 * 24.0 / HOURS;
        let [steps, unclassified, vehicle] =
            [GroundSource::Footsteps, GroundSource::Unclassified, GroundSource::Vehicle].map(per_day);
        writeln!(table, "{wind_mps:3} m/s {steps:11} {unclassified:13} {vehicle:8}").expect("a string");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_ground_runs_at_the_rate_the_chain_expects() {
    assert_eq!(SAMPLE_RATE_HZ, f64::from(vedette_node::detector::SAMPLE_RATE_HZ));
}
