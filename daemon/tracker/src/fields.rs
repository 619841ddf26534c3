//! One field of undetected objects for each group of sensors whose coverages touch: what happens in one field says
//! nothing about another, so a sensor far away changes nothing.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::config::TrackerConfig;
use crate::sensor::SensorModel;
use crate::sensor_state::SensorState;
use crate::time::Timestamp;
use crate::undetected::entry::EntryZone;
use crate::undetected::{Intensity, Undetected};

/// Coverages nearer to each other than this belong to one field.
const APART_M: f64 = 1000.0;

/// The fields, and where each sensor belongs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fields {
    fields: Vec<Undetected>,
    /// For each sensor its field, and its number among the sensors of that field.
    place: Vec<(usize, usize)>,
}

impl Fields {
    /// Fields that nobody has watched yet.
    pub(crate) fn new(config: &TrackerConfig, sensors: &[SensorModel]) -> Self {
        let mut place = vec![(0, 0); sensors.len()];
        let mut fields = Vec::new();
        for (field, members) in members(sensors).into_iter().enumerate() {
            members.iter().enumerate().for_each(|(number, sensor)| place[*sensor] = (field, number));
            let models: Vec<SensorModel> = members.iter().map(|sensor| sensors[*sensor].clone()).collect();
            fields.push(Undetected::new(config, &models));
        }
        Self { fields, place }
    }

    /// Lets people come in through these zones, and through no others.
    pub(crate) fn set_entries(&mut self, entries: &[EntryZone]) {
        self.fields.iter_mut().for_each(|field| field.set_entries(entries));
    }

    /// The field that a sensor watches.
    pub(crate) fn of(&self, sensor: usize) -> &Undetected {
        &self.fields[self.place[sensor].0]
    }

    /// The same, to change it.
    pub(crate) fn of_mut(&mut self, sensor: usize) -> &mut Undetected {
        &mut self.fields[self.place[sensor].0]
    }

    /// How many are undetected in each field.
    pub(crate) fn intensities(&self) -> Vec<Intensity> {
        self.fields.iter().map(Undetected::intensity).collect()
    }

    /// Goes to these intensities; the rates that were learned stay.
    pub(crate) fn set_intensities(&mut self, intensities: Vec<Intensity>) {
        self.fields.iter_mut().zip(intensities).for_each(|(field, intensity)| field.set_intensity(intensity));
    }

    /// Whether a sensor looks at its field from there, which moves along with one that has travelled off it.
    /// `sensors` and `states`: all of them, in their order.
    pub(crate) fn reach(
        &mut self,
        sensor: usize,
        origin_m: Vector2<f64>,
        sensors: &[SensorModel],
        states: &[SensorState],
    ) -> bool {
        let field = self.place[sensor].0;
        let of_field = self.place.iter().zip(sensors).zip(states).filter(|((place, _), _)| place.0 == field);
        let members = of_field.map(|((_, model), state)| (model, state.origin_m));
        self.fields[field].reach(&sensors[sensor], origin_m, members)
    }

    /// Lets time pass in the field that a sensor watches. The others wait for their own sensors.
    pub(crate) fn advance(&mut self, sensor: usize, to: Timestamp) {
        self.of_mut(sensor).advance(to);
    }

    /// Takes out what a scan would have seen, see [`Undetected::thin`].
    pub(crate) fn thin(&mut self, sensor: usize, model: &SensorModel, origin_m: Vector2<f64>, detection: f64) -> f64 {
        let (field, number) = self.place[sensor];
        self.fields[field].thin(number, model, origin_m, detection)
    }
}

/// The sensors of each field, ascending, in the order of the first of each.
pub(crate) fn members(sensors: &[SensorModel]) -> Vec<Vec<usize>> {
    let mut by_root: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (sensor, root) in roots(sensors).into_iter().enumerate() {
        by_root.entry(root).or_default().push(sensor);
    }
    by_root.into_values().collect()
}

/// For each sensor the first sensor that it is connected to.
fn roots(sensors: &[SensorModel]) -> Vec<usize> {
    let bounds: Vec<_> = sensors.iter().map(|sensor| sensor.coverage.bounds_m(sensor.position_m)).collect();
    let mut root: Vec<usize> = (0..sensors.len()).collect();
    for a in 0..sensors.len() {
        for b in 0..a {
            let gap = (bounds[a].0 - bounds[b].1).sup(&(bounds[b].0 - bounds[a].1));
            if root[a] != root[b] && gap.max() < APART_M {
                let (keep, give_up) = (root[a].min(root[b]), root[a].max(root[b]));
                root.iter_mut().filter(|root| **root == give_up).for_each(|root| *root = keep);
            }
        }
    }
    root
}
