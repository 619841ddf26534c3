//! Cost of one scan by the number of objects, at a fifth of clutter and constant density.
//!
//! `cargo bench -p vedette-tracker --bench step`

#[path = "../tests/field/mod.rs"]
mod field;

use divan::Bencher;
use divan::counter::ItemsCount;
use field::{Noise, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Coverage, Detection, Tracker, TrackerConfig};

fn main() {
    divan::main();
}

/// Square metres per object: 1,000 walkers on 10 x 2 km.
const AREA_PER_OBJECT_M2: f64 = 20_000.0;

struct Crowd {
    side_m: f64,
    objects: Vec<(Vector2<f64>, Vector2<f64>)>,
    noise: Noise,
}

impl Crowd {
    fn new(count: u32) -> Self {
        let mut noise = Noise::new(2);
        let side_m = (f64::from(count) * AREA_PER_OBJECT_M2).sqrt();
        let mut object = |_| {
            let place = Vector2::new(noise.uniform(), noise.uniform()) * side_m;
            (place, Vector2::new(noise.normal(), noise.normal()))
        };
        let objects = (0..count).map(&mut object).collect();
        Self { side_m, objects, noise }
    }

    fn plots(&mut self, second: u32) -> Vec<Detection> {
        let mut plots = Vec::new();
        for (start, velocity) in &self.objects {
            if self.noise.uniform() < 0.9 {
                let place = start + velocity * f64::from(second);
                plots.push(position(place.x + 5.0 * self.noise.normal(), place.y + 5.0 * self.noise.normal(), 5.0));
            }
        }
        for _ in 0..self.objects.len() / 5 {
            plots.push(position(self.side_m * self.noise.uniform(), self.side_m * self.noise.uniform(), 5.0));
        }
        plots
    }
}

#[divan::bench(args = [100, 300, 1000, 3000, 10_000], sample_count = 20)]
fn walkers(bencher: Bencher<'_, '_>, count: u32) {
    let mut crowd = Crowd::new(count);
    let mut model = radar("radar", 0.0);
    let side_m = crowd.side_m;
    model.coverage = Coverage::Polygon { points_m: vec![[0.0, 0.0], [side_m, 0.0], [side_m, side_m], [0.0, side_m]] };
    model.clutter = vedette_tracker::Clutter::PerScan(f64::from(count) / 5.0);
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model");
    for second in 1..=8 {
        tracker.step(&scan(second, crowd.plots(second)));
    }
    let next = scan(9, crowd.plots(9));
    bencher.counter(ItemsCount::new(count)).with_inputs(|| tracker.clone()).bench_values(|mut tracker| {
        tracker.step(&next);
        tracker
    });
}
