//! Cost of one scan by how much its objects contend for plots: alone, in groups, in a crowd.
//!
//! `cargo bench -p vedette-tracker --bench association`

#[path = "../tests/field/mod.rs"]
mod field;

use divan::Bencher;
use field::{Noise, position, radar, scan};
use vedette_tracker::{Detection, Tracker, TrackerConfig};

fn main() {
    divan::main();
}

/// Fifty objects on a grid with this spacing, walking east, seen with an error of 3 m.
fn plots(spacing_m: f64, second: u32, noise: &mut Noise) -> Vec<Detection> {
    (0..50)
        .map(|object| {
            let (row, column) = (f64::from(object / 10), f64::from(object % 10));
            let east = column * spacing_m + 1.4 * f64::from(second) + 3.0 * noise.normal();
            position(east, row * spacing_m + 3.0 * noise.normal(), 3.0)
        })
        .collect()
}

/// 100 m: every object alone. 20 m: neighbours in the gate. 8 m: one cluster.
#[divan::bench(args = [100, 20, 8])]
fn fifty_objects_at_spacing_m(bencher: Bencher<'_, '_>, spacing_m: u32) {
    let mut noise = Noise::new(1);
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![radar("radar", 0.0)]).expect("a valid model");
    for second in 1..=10 {
        tracker.step(&scan(second, plots(f64::from(spacing_m), second, &mut noise)));
    }
    let next = scan(11, plots(f64::from(spacing_m), 11, &mut noise));
    bencher.with_inputs(|| tracker.clone()).bench_values(|mut tracker| {
        tracker.step(&next);
        tracker
    });
}
