//! States of the filter to come back to, when a late scan is filtered in at its own time.

use super::Filter;
use crate::fields::Fields;
use crate::silence::EventSensors;

impl Filter {
    /// A copy to come back to. The cells change slowly and are large: they stay out, as do the fields but for how many were
    /// undetected where.
    pub(crate) fn checkpoint(&self) -> Self {
        Self {
            tracks: self.tracks.clone(),
            sensors: self.sensors.clone(),
            cells: Vec::new(),
            fields: Fields::default(),
            intensities: self.fields.intensities(),
            companions: self.companions,
            restlessness: self.restlessness,
            events: EventSensors::default(),
            now: self.now,
        }
    }

    /// The filter as it was at a checkpoint, with what was learned until now of rates and cells.
    pub(crate) fn back_at(&self, checkpoint: &Self) -> Self {
        let mut fields = self.fields.clone();
        fields.set_intensities(checkpoint.intensities.clone());
        Self {
            cells: self.cells.clone(),
            fields,
            intensities: Vec::new(),
            events: self.events.clone(),
            ..checkpoint.clone()
        }
    }

    /// Takes over how many are undetected where, from one that has filtered the same time again.
    pub(crate) fn take_intensities(&mut self, again: &Self) {
        self.fields.set_intensities(again.fields.intensities());
    }

    /// The same for a checkpoint.
    pub(crate) fn renew_intensities(&mut self, again: &Self) {
        self.intensities = again.fields.intensities();
    }
}
