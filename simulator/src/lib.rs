//! Scenarios, truth, sensing, weather and link faults for Vedette, in virtual time or live.
//!
//! The way of a scenario: [`scenario`] (a TOML file, checked) to [`truth`] (who was where) to [`sensing`] (what each
//! sensor noticed) to [`channel`] (what of it arrives when, and stamped how) to [`mod@write`] (files). The same seed gives
//! the same bytes on every machine.

pub mod bench;
pub mod campaign;
pub mod channel;
pub mod counts;
pub mod faults;
pub mod geometry;
pub mod hil;
pub mod live;
pub mod radio;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sensing;
pub mod truth;
pub mod write;

use radio::Net;
use report::{Plot, Report};
use scenario::{AgentKind, Layout, Scenario, SensorKind};
use sensing::Sighting;
use truth::Truth;
use vedette_wire::payload::{EventKind, GroundSource};

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

/// Takes the radio sensors' sightings out of the list and plans them as detector events of the net's nodes.
fn radio_events(layout: &Layout, truth: &Truth, sightings: &mut [Vec<Sighting>], net: &mut Net) {
    for (sensor, sightings) in layout.sensors.iter().zip(sightings) {
        let Some(node) = sensor.node else { continue };
        for sighting in std::mem::take(sightings) {
            let walker = sighting.causes.first().copied().flatten().map(|walker| truth.walkers[walker].kind);
            let kind = match (sensor.kind, walker) {
                (SensorKind::Seismic, Some(AgentKind::Vehicle)) => EventKind::Seismic(GroundSource::Vehicle),
                (SensorKind::Seismic, Some(_)) => EventKind::Seismic(GroundSource::Footsteps),
                (SensorKind::Seismic, None) => EventKind::Seismic(GroundSource::Unclassified),
                (SensorKind::Tripwire, _) => EventKind::Tripwire(None),
                _ => EventKind::Pir,
            };
            let strength = sighting.plots.first().map_or(0.0, |plot| match plot {
                Plot::Presence { strength } => strength.unwrap_or(0.5),
                _ => 0.0,
            });
            // From the detector's threshold at 3 dB to 33 dB right beside it.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 6 and 66")]
            let strength_half_db = (6.0 + 60.0 * strength.clamp(0.0, 1.0)) as u8;
            net.detect(node, sighting.elapsed_s, kind, strength_half_db);
        }
    }
}
