//! Sites that nobody designed: ground, sensors, weather and people all drawn from wide ranges.
//!
//! What holds on hundreds of them holds for no layout's or day's sake (domain randomisation: Tobin et al., IROS 2017). How sure
//! alerts are is fitted on these, and tested on the scenarios that people wrote.

mod people;
mod sensors;

use super::{Channel, EPOCH, Expectation, Layout, River, Road, Scenario, Site, Weather, Zone, ZoneShape};
use crate::geometry::Point;
use crate::radio::AirOptions;
use crate::random::Random;
use crate::truth::step_number;

/// Depth of the ground from south to north; the border runs about its middle.
const DEPTH_M: f64 = 1_000.0;

/// The ground: its width, and the border from west to east. Inward is southward.
struct Ground {
    width_m: f64,
    border_m: Vec<Point>,
}

impl Ground {
    fn draw(random: &mut Random) -> Self {
        let width_m = random.uniform(600.0, 2_000.0);
        let bends = random.below(3);
        let bend = |index: usize, random: &mut Random| {
            let east = width_m * step_number(index + 1) / step_number(bends + 1);
            [east, DEPTH_M / 2.0 + random.uniform(-40.0, 40.0)]
        };
        let mut border_m = vec![[0.0, DEPTH_M / 2.0]];
        border_m.extend((0..=bends).map(|index| bend(index, random)));
        Self { width_m, border_m }
    }

    /// A place at so many metres north of the border, south of it when negative.
    fn beside(&self, east_m: f64, north_of_border_m: f64) -> Point {
        let leg = self.border_m.windows(2).find(|leg| east_m <= leg[1][0]).unwrap_or(&self.border_m[..2]);
        let share = (east_m - leg[0][0]) / (leg[1][0] - leg[0][0]);
        [east_m, leg[0][1] + share * (leg[1][1] - leg[0][1]) + north_of_border_m]
    }

    fn somewhere(&self, north_of_border_m: [f64; 2], random: &mut Random) -> Point {
        let east_m = random.uniform(0.05, 0.95) * self.width_m;
        self.beside(east_m, random.within(north_of_border_m))
    }
}

/// A number whose logarithm is uniform between those of the range's ends.
fn of_any_size(range: [f64; 2], random: &mut Random) -> f64 {
    libm::exp(random.within(range.map(libm::log)))
}

impl Scenario {
    /// The drawn site of that number.
    #[must_use]
    pub fn drawn(number: u64) -> Self {
        let stream = |label: &str| Random::stream(number, &format!("drawn {label}"));
        let duration_s = 3_600.0;
        let ground = Ground::draw(&mut stream("ground"));
        let sensors = sensors::draw(&ground, &mut stream("sensors"));
        let (agents, traffic, units) = people::draw(&ground, duration_s, &mut stream("people"));
        let (radio, broker) = channels(&mut stream("channels"));
        let mut random = stream("land");
        let line = ZoneShape::Line(ground.border_m.clone());
        let direction = if random.chance(0.5) { "in" } else { "both" };
        let zone = Zone {
            name: "border".to_owned(),
            kind: "border".to_owned(),
            direction: Some(direction.to_owned()),
            shape: line,
        };
        Self {
            name: format!("drawn-{number}"),
            summary: "a site drawn at random".to_owned(),
            layout: Layout {
                begins: EPOCH.plus_seconds(random.uniform(0.0, 86_400.0)),
                duration_s,
                site: Site { id: format!("gw-drawn-{number}"), lat: 52.0, lon: 23.6, timezone: None },
                zones: vec![zone],
                sensors,
                units,
                weather: weather(duration_s, &mut stream("weather")),
                forests: if random.chance(0.3) { vec![forest(&ground, &mut random)] } else { Vec::new() },
                rivers: if random.chance(0.15) { vec![river(&ground, &mut random)] } else { Vec::new() },
                roads: if random.chance(0.2) { vec![road(&ground, &mut random)] } else { Vec::new() },
            },
            agents,
            traffic,
            attacks: Vec::new(),
            power_lost_s: Vec::new(),
            expect: Expectation::default(),
            air: AirOptions::default(),
            radio,
            broker,
        }
    }
}

fn channels(random: &mut Random) -> (Channel, Channel) {
    let mut channel = |loss: [f64; 2], most_s: f64, clock_sd_s: f64| Channel {
        loss: random.within(loss),
        delay_s: [0.05, random.uniform(0.1, most_s)],
        clock_offset_sd_s: random.uniform(0.0, clock_sd_s),
        clock_drift_sd_ppm: 0.0,
        duplicated: random.uniform(0.0, 0.02),
        corrupted: 0.0,
        outages_s: Vec::new(),
    };
    (channel([0.0, 0.1], 2.0, 0.3), channel([0.0, 0.01], 0.5, 0.05))
}

/// Half of the sites lie in calm and clear air; over the others a wind rises and falls, it rains on some, is dark or foggy on some.
fn weather(duration_s: f64, random: &mut Random) -> Vec<Weather> {
    if random.chance(0.5) {
        return Vec::new();
    }
    let wind_mps = random.uniform(0.0, 14.0);
    let rain_mmph = if random.chance(0.3) { of_any_size([0.5, 10.0], random) } else { 0.0 };
    let visibility_m = if random.chance(0.2) { of_any_size([80.0, 2_000.0], random) } else { 20_000.0 };
    let light_lux = if random.chance(0.5) { of_any_size([0.001, 10.0], random) } else { 10_000.0 };
    let wildlife = if random.chance(0.4) { of_any_size([1.0, 8.0], random) } else { 1.0 };
    let temperature_c = random.uniform(-5.0, 25.0);
    let strength = [random.unit(), random.unit(), random.unit()];
    (0..3)
        .zip(strength)
        .map(|(point, strength)| Weather {
            at_s: duration_s * step_number(point) / 2.0,
            wind_mps: wind_mps * strength,
            rain_mmph: rain_mmph * strength,
            visibility_m,
            temperature_c,
            light_lux,
            wildlife,
        })
        .collect()
}

fn forest(ground: &Ground, random: &mut Random) -> Vec<Point> {
    let [east, north] = ground.somewhere([-300.0, 300.0], random);
    let (width, depth) = (random.uniform(50.0, 250.0), random.uniform(50.0, 200.0));
    vec![[east, north], [east + width, north], [east + width, north + depth], [east, north + depth]]
}

fn river(ground: &Ground, random: &mut Random) -> River {
    let aside_m = random.uniform(-150.0, 150.0);
    let line_m = [0.0, 0.5, 1.0].map(|share| ground.beside(share * ground.width_m, aside_m));
    River { line_m: line_m.to_vec(), width_m: random.uniform(5.0, 30.0) }
}

/// Along the border on its inner side, or over it.
fn road(ground: &Ground, random: &mut Random) -> Road {
    let line_m = if random.chance(0.7) {
        let aside_m = random.uniform(-400.0, -60.0);
        [0.0, 0.5, 1.0].map(|share| ground.beside(share * ground.width_m, aside_m)).to_vec()
    } else {
        let east_m = random.uniform(0.1, 0.9) * ground.width_m;
        vec![[east_m, 0.0], [east_m + random.uniform(-50.0, 50.0), DEPTH_M]]
    };
    Road { line_m, vehicles_per_hour: of_any_size([0.5, 6.0], random), speed_mps: [4.0, 14.0] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::engine_config;
    use crate::truth::Truth;

    #[test]
    fn every_drawn_site_is_one_that_a_gateway_takes_and_the_same_each_time() {
        let mut crossings = 0;
        for number in 1..=100 {
            let scenario = Scenario::drawn(number);
            let config = engine_config(&scenario).unwrap();
            vedette_engine::Engine::new(&config).unwrap();
            assert_eq!(format!("{scenario:?}"), format!("{:?}", Scenario::drawn(number)));
            crossings += Truth::of(&scenario, number).crossings.len();
        }
        assert!(crossings > 200, "{crossings} crossings on a hundred sites");
    }

    #[test]
    fn beside_follows_the_border() {
        let ground = Ground { width_m: 200.0, border_m: vec![[0.0, 500.0], [100.0, 540.0], [200.0, 500.0]] };
        assert_eq!(ground.beside(50.0, 10.0), [50.0, 530.0]);
        assert_eq!(ground.beside(150.0, -20.0), [150.0, 500.0]);
    }
}
