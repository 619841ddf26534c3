//! What a scan does to one track: its existence, its visibility, its state, its class, and the record of it all.

use smallvec::SmallVec;

use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::class;
use crate::extent;
use crate::filter::Models;
use crate::joint::Scene;
use crate::prospect::Prospect;
use crate::view::View;
use crate::visibility::Look;

/// Nothing is certain: one wrong model must not make a track immortal.
pub(crate) const MOST_CERTAIN: f64 = 1.0 - 1e-6;

/// A sensor whose chance of missing the object is smaller than this should have spoken.
const EXPECTED_MISS: f64 = 0.5;

/// Updates all but the state of one track, at this place among those touched, with what the association made of the
/// scan. Gives the probability that it exists and gave no plot.
pub(crate) fn update(scene: &Scene<'_>, place: usize, track: &mut Bernoulli) -> f64 {
    let (prospect, verdict, view) = (&scene.prospects[place], &scene.verdicts[place], scene.view);
    let alive = verdict.missed * track.alive_if_missed(prospect);
    let claimed: f64 = verdict.claims.iter().map(|(_, share)| share).sum();
    note(scene, place, track);
    // How far the plots it claims may be further returns of older tracks.
    let shadow = view.shadow(place, &verdict.claims, scene.foreign);
    let news = news(scene.models, track, view, shadow);
    let existence = if track.is_known_to_outlast(view.time) {
        track.existence
    } else {
        tempered(track.existence, (alive + claimed).min(MOST_CERTAIN), view.share * news)
    };
    if scene.models.config.visibility_dwell_s > 0.0 && prospect.mean_missed < 1.0 && alive + claimed > 0.0 {
        let detection = (1.0 - prospect.mean_missed) / prospect.visible;
        let missed = alive / (alive + claimed);
        let look = Look { prior: prospect.visible, missed, missed_if_visible: 1.0 - detection, share: view.share };
        track.visibility.learn(view.sensor, view.time, &look);
    }
    for (plot, share) in &verdict.claims {
        track.class = class::fused(&track.class, view.plots[*plot].class.as_ref(), *share);
    }
    track.existence = existence;
    if claimed > 0.5 {
        track.last_seen = track.last_seen.max(view.time);
    }
    alive
}

/// Moves the state by the association. `alive`: probability that the object exists and gave no plot.
pub(crate) fn follow(track: &mut Bernoulli, prospect: &Prospect, verdict: &Verdict, alive: f64, view: &View<'_>) {
    // Where the place is ambiguous, so is the claim: the best association of a moment would decide too early.
    match verdict.best.filter(|_| !track.is_ambiguous()) {
        Some(None) => track.update(prospect, 1.0, &[]),
        Some(Some(plot)) => track.update(prospect, 0.0, &[(1.0, &view.plots[plot])]),
        None => {
            let taken: SmallVec<[_; 4]> =
                verdict.claims.iter().map(|(plot, share)| (*share, &view.plots[*plot])).collect();
            track.update(prospect, alive, &taken);
        }
    }
}

/// Part of what a plot says that is news. Further returns recur from scan to scan of one sensor: what may be one is none,
/// until another sensor agrees. `shadow`: how far the plot may be a further return of older tracks.
pub(crate) fn news(models: Models<'_>, track: &Bernoulli, view: &View<'_>, shadow: f64) -> f64 {
    let agreed = track.visibility.is_seen_by(|sensor| sensor != view.sensor && models.sensors[sensor].initiates);
    if agreed { 1.0 } else { 1.0 - (1.0 - extent::NEWS_IN_SHADOW) * shadow }
}

/// Writes the association into the track's records, before the state moves.
fn note(scene: &Scene<'_>, place: usize, track: &mut Bernoulli) {
    let (prospect, verdict, view) = (&scene.prospects[place], &scene.verdicts[place], scene.view);
    let silence = libm::log(prospect.mean_missed.max(1e-12));
    let likeliest = verdict.claims.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let gated = |plot: &usize| scene.gates.of(place).binary_search(plot).ok();
    match likeliest.and_then(|(plot, share)| Some((*plot, gated(plot)?, *share))) {
        Some((plot, gated, share)) if share > 0.05 => {
            let (plot, clutter) = (&view.plots[plot], view.clutter[plot]);
            let densities = scene.densities.of(place, gated);
            let density = track.density_of_all(densities) / track.existence_of_all().max(f64::MIN_POSITIVE);
            let ratio = share * libm::log((density / clutter).max(1e-12)) + (1.0 - share) * silence;
            let prior = track.moments_for(prospect, densities);
            track.records.note(view.sensor, view.time, share, ratio, plot, &prior);
        }
        _ => track.records.note_silence(view.sensor, silence),
    }
    let claimed: f64 = verdict.claims.iter().map(|(_, share)| share).sum();
    let expected = prospect.mean_missed <= EXPECTED_MISS;
    track.records.note_presence(view.sensor, claimed > 0.5 || !expected);
}

/// The probability after evidence of which only a part is new: its log-odds move by `share` of the whole way.
pub(crate) fn tempered(before: f64, after: f64, share: f64) -> f64 {
    if share >= 1.0 {
        return after;
    }
    let odds = log_odds(before) * (1.0 - share) + log_odds(after) * share;
    1.0 / (1.0 + libm::exp(-odds))
}

/// Natural logarithm of the odds of a probability.
pub(crate) fn log_odds(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability).max(1e-12))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn part_of_the_evidence_moves_part_of_the_way(
            before in 0.001..0.999_f64, after in 0.001..0.999_f64, share in 0.0..=1.0_f64,
        ) {
            let between = tempered(before, after, share);
            prop_assert!(between >= before.min(after) - 1e-9 && between <= before.max(after) + 1e-9);
        }

        #[test]
        fn two_halves_make_a_whole(before in 0.01..0.99_f64, ratio in 0.05..20.0_f64) {
            let odds = before / (1.0 - before) * ratio;
            let after = odds / (1.0 + odds);
            let once = tempered(before, after, 0.5);
            let again = once / (1.0 - once) * ratio;
            let twice = tempered(once, again / (1.0 + again), 0.5);
            prop_assert!((twice - after).abs() < 1e-9);
        }
    }
}
