//! When a track is confirmed, and when it is tentative again.

use smallvec::SmallVec;

use super::{Filter, Models};
use crate::bernoulli::Label;
use crate::fixture::Mooring;

/// What only one plot speaks for rests on the rate of arrivals, which is a guess at first: it must be likelier than this
/// to be confirmed.
const SURE_AT_ONCE: f64 = 0.65;

/// A track this sure has proved to be an object.
const PROVEN_EXISTENCE: f64 = 0.99;

impl Filter {
    /// Tracks become confirmed and tentative again, with a margin between.
    pub(super) fn confirm(&mut self, models: Models<'_>) {
        let config = models.config;
        let mut arrivals: SmallVec<[(Label, f64); 4]> = SmallVec::new();
        for track in &mut self.tracks {
            if track.existence >= PROVEN_EXISTENCE
                && let Some(companionship) = track.companionship.take()
            {
                arrivals.push((track.label, companionship));
            }
            let is_newborn = track.last_seen == track.label.time;
            let sure = if is_newborn { config.confirm_existence.max(SURE_AT_ONCE) } else { config.confirm_existence };
            if track.existence >= sure {
                track.confirmed = true;
            } else if track.existence < track.doubted_below(config) {
                track.confirmed = false;
            }
            if config.fixture_after_s > 0.0 && track.confirmed {
                let (time, state) = (track.time, track.moments());
                let mooring = track.mooring.get_or_insert_with(|| Mooring::new(time, &state));
                mooring.watch(time, &state, config.fixture_after_s);
            }
        }
        for (label, companionship) in arrivals {
            self.note_arrival(models, label, companionship);
        }
    }
}
