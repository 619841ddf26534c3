//! Counts of zones over years, with surges at known times: what early warning is tested on.
//!
//! A zone's hourly count is negative binomial around a rate that follows the hour of the day (crossings come by night),
//! the season and the zone's own level; at times some of its sensors are down. Between surges lie some two months. A
//! surge is a ramp (to several times the rate within a day, and as much for three more) or a spike in one night.

mod possible;

use std::io::Write;

use jiff::{SignedDuration, Timestamp};

pub use possible::Possible;

use crate::random::Random;

/// Days before the first surge: it must not be the first thing a zone ever shows.
const SURGE_FREE_DAYS: u32 = 70;
/// Days between surges, drawn evenly.
const BETWEEN_SURGES_DAYS: [f64; 2] = [45.0, 75.0];
/// Part of the rate that goes up and down with the season.
const SEASON: f64 = 0.35;
/// Variance of an hour's count beyond Poisson, as a part of the squared mean: people come in groups.
const DISPERSION: f64 = 0.3;
/// Probability that an outage begins in an hour, its mean length, and the part of the sensors that are left.
const OUTAGE_PER_HOUR: f64 = 1.0 / (20.0 * 24.0);
const OUTAGE_MEAN_H: f64 = 8.0;
const OUTAGE_LEAVES: [f64; 2] = [0.3, 0.9];
const RAMP_H: u32 = 24;
const RAMP_STAYS_H: u32 = 72;
const SPIKE_H: u32 = 8;

/// What to generate.
#[derive(Clone, Debug)]
pub struct CountScene {
    /// Number of zones.
    pub zones: u32,
    /// Days of counts.
    pub days: u32,
    /// Mean count of a zone in a day.
    pub per_day: f64,
    /// How many times the rate is reached in a surge; 1 for no surges.
    pub rise: f64,
    /// Seed; the same seed gives the same counts.
    pub seed: u64,
}

#[derive(Clone, Copy)]
enum Shape {
    Ramp,
    Spike,
}

struct Surge {
    shape: Shape,
    began: u32,
}

impl Surge {
    fn hours(&self) -> u32 {
        match self.shape {
            Shape::Ramp => RAMP_H + RAMP_STAYS_H,
            Shape::Spike => SPIKE_H,
        }
    }

    /// Factor on the rate in this hour, when the surge goes on.
    fn factor(&self, hour: u32, rise: f64) -> Option<f64> {
        let age = hour.checked_sub(self.began).filter(|&age| age < self.hours())?;
        let part = match self.shape {
            Shape::Ramp => f64::from((age + 1).min(RAMP_H)) / f64::from(RAMP_H),
            Shape::Spike => 1.0,
        };
        Some(1.0 + (rise - 1.0) * part)
    }
}

impl CountScene {
    /// Writes the counts as CSV: t, zone, count, exposure, surge.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "t,zone,count,exposure,surge")?;
        let mut zones: Vec<Zone> = (0..self.zones).map(|number| Zone::new(self, number)).collect();
        let start = "2026-01-01T00:00:00Z".parse::<Timestamp>().map_err(std::io::Error::other)?;
        for hour in 0..self.days * 24 {
            let time = start + SignedDuration::from_hours(i64::from(hour));
            for zone in &mut zones {
                let (count, exposure, surge) = zone.hour(self, hour);
                writeln!(out, "{time},{},{count},{exposure:.2},{}", zone.name, u8::from(surge))?;
            }
        }
        Ok(())
    }
}

struct Zone {
    name: String,
    random: Random,
    level: f64,
    season_phase: f64,
    surges: Vec<Surge>,
    outage: Option<(u32, f64)>,
}

impl Zone {
    fn new(scene: &CountScene, number: u32) -> Self {
        let name = format!("zone-{number:02}");
        let mut random = Random::stream(scene.seed, &name);
        let level = scene.per_day / 24.0 * random.uniform(0.7, 1.3);
        let season_phase = random.unit();
        let surges = if scene.rise > 1.0 { surges(scene.days, &mut random) } else { Vec::new() };
        Self { name, random, level, season_phase, surges, outage: None }
    }

    /// Count, exposure, and whether a surge goes on.
    fn hour(&mut self, scene: &CountScene, hour: u32) -> (usize, f64, bool) {
        let exposure = self.exposure(hour);
        let surge = self.surges.iter().find_map(|surge| surge.factor(hour, scene.rise));
        let year = f64::from(hour) / (24.0 * 365.0) + self.season_phase;
        let season = 1.0 + SEASON * libm::sin(year * core::f64::consts::TAU);
        let mean = self.level * by_hour_of_day(hour % 24) * season * surge.unwrap_or(1.0) * exposure;
        let rate = mean * gamma(1.0 / DISPERSION, &mut self.random);
        (self.random.poisson(rate), exposure, surge.is_some())
    }

    fn exposure(&mut self, hour: u32) -> f64 {
        match self.outage {
            Some((until, left)) if hour < until => return left,
            _ => self.outage = None,
        }
        if self.random.chance(OUTAGE_PER_HOUR) {
            let hours = self.random.exponential(OUTAGE_MEAN_H).clamp(1.0, 72.0);
            let left = self.random.within(OUTAGE_LEAVES);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 72")]
            let until = hour + hours as u32;
            self.outage = Some((until, left));
        }
        1.0
    }
}

fn surges(days: u32, random: &mut Random) -> Vec<Surge> {
    let mut surges = Vec::new();
    let mut day = f64::from(SURGE_FREE_DAYS);
    loop {
        day += random.within(BETWEEN_SURGES_DAYS);
        if day + 7.0 > f64::from(days) {
            return surges;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below `days`")]
        let began = day as u32 * 24;
        let (shape, began) = if random.chance(0.5) { (Shape::Ramp, began) } else { (Shape::Spike, began + 20) };
        surges.push(Surge { shape, began });
    }
}

/// Nights (20 to 04 h) have most of the crossings; the mean over the day is 1.
fn by_hour_of_day(hour: u32) -> f64 {
    if !(4..20).contains(&hour) { 2.2 } else { 0.4 }
}

/// Gamma with this shape (1 or more) and mean 1: Marsaglia and Tsang 2000.
fn gamma(shape: f64, random: &mut Random) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let normal = random.normal();
        let v = 1.0 + c * normal;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let bound = 0.5 * normal * normal + d - d * v + d * libm::log(v);
        if libm::log(1.0 - random.unit()) < bound {
            return d * v / shape;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(scene: &CountScene) -> Vec<(u32, bool)> {
        let mut out = Vec::new();
        scene.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let row = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[2].parse().unwrap(), fields[4] == "1")
        };
        text.lines().skip(1).map(row).collect()
    }

    #[test]
    fn the_mean_is_as_asked_and_surges_are_higher() {
        let scene = CountScene { zones: 4, days: 700, per_day: 6.0, rise: 4.0, seed: 1 };
        let rows = rows(&scene);
        assert_eq!(rows.len(), 4 * 700 * 24);
        let mean = |surge: bool| {
            let counts: Vec<f64> = rows.iter().filter(|row| row.1 == surge).map(|row| f64::from(row.0)).collect();
            counts.iter().sum::<f64>() / counts.len() as f64 * 24.0
        };
        assert!((4.8..7.2).contains(&mean(false)), "{} a day", mean(false));
        assert!(mean(true) > 2.5 * mean(false), "{} a day in surges", mean(true));
    }

    #[test]
    fn the_same_seed_gives_the_same_counts() {
        let scene = CountScene { zones: 2, days: 100, per_day: 3.0, rise: 4.0, seed: 9 };
        assert_eq!(rows(&scene), rows(&scene));
        assert!(rows(&scene) != rows(&CountScene { seed: 10, ..scene.clone() }));
    }
}
