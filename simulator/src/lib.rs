//! Scenarios, truth, sensing, weather and link faults for Vedette, in virtual time or live.
//!
//! The way of a scenario: [`scenario`] (a TOML file, checked) to [`truth`] (who was where) to [`sensing`] (what each
//! sensor noticed) to [`channel`] (what of it arrives when, and stamped how) to [`write`] (files). The same seed gives
//! the same bytes on every machine.

pub mod bench;
pub mod channel;
pub mod geometry;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sensing;
pub mod truth;
pub mod write;

use report::Report;
use scenario::{Layout, Scenario};
use truth::Truth;

/// One generated scene: where, what really happened and what the gateway receives.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Time, site, zones and sensors.
    pub layout: Layout,
    /// Who was where.
    pub truth: Truth,
    /// What reaches the gateway, in order of arrival.
    pub reports: Vec<Report>,
}

impl Scene {
    /// Plays the scenario for the seed, in virtual time.
    #[must_use]
    pub fn generate(scenario: &Scenario, seed: u64) -> Self {
        let truth = Truth::of(scenario, seed);
        let sightings = sensing::sense(&scenario.layout, &truth, seed);
        let reports = channel::deliver(scenario, sightings, seed);
        Self { layout: scenario.layout.clone(), truth, reports }
    }
}
