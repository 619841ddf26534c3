//! Mixtures of hypotheses: their moments, splitting what is too wide for a measurement, and keeping them few.

use nalgebra::{Matrix2, Vector2, Vector4};

use crate::gaussian::Gaussian;
use crate::imm::Hypothesis;
use crate::quadrature::Axes;

/// A hypothesis less likely than this is dropped.
const SMALLEST_WEIGHT: f64 = 3e-5;

/// Two hypotheses closer than this, as a squared Mahalanobis distance of states in their mean covariance, become one.
const MERGE_SQUARED: f64 = 0.5;

/// Most hypotheses of one track; the lightest join their nearest neighbours.
const MOST_HYPOTHESES: usize = 80;

/// The standard normal as a sum of three narrower ones: weight and offset of the outer two (Vittaldev and Russell,
/// Journal of Guidance, Control, and Dynamics 39(12), 2016), and the standard deviation of all that keeps the variance.
const SPLIT_WEIGHT: f64 = 0.225_224_624_9;
const SPLIT_OFFSET: f64 = 1.057_515_461_5;
const SPLIT_SD: f64 = 0.704_451_0;

/// Mean and covariance over all hypotheses and modes.
pub(crate) fn moments(hypotheses: &[Hypothesis]) -> Gaussian {
    if let [only] = hypotheses {
        return only.moments();
    }
    Gaussian::merged(parts(hypotheses))
        .unwrap_or(Gaussian { mean: Vector4::zeros(), covariance: nalgebra::Matrix4::identity() * 1e12 })
}

/// The state of each mode of each hypothesis, with its weight.
fn parts(hypotheses: &[Hypothesis]) -> impl Iterator<Item = (f64, &Gaussian)> + Clone {
    hypotheses
        .iter()
        .flat_map(|hypothesis| hypothesis.active().map(move |(mode, state)| (hypothesis.weight * mode, state)))
}

/// Splits, along its longer axis, every hypothesis that is wider than `widest_sd_m` and that `concerns` is true of.
pub(crate) fn split(hypotheses: &mut Vec<Hypothesis>, widest_sd_m: f64, concerns: impl Fn(&Gaussian) -> bool) {
    let mut place = 0;
    while let Some(hypothesis) = hypotheses.get(place) {
        let state = hypothesis.likeliest();
        let axes = Axes::of(&state.position_covariance());
        if axes.long_sd <= widest_sd_m || hypotheses.len() >= 4 * MOST_HYPOTHESES || !concerns(state) {
            place += 1;
            continue;
        }
        let whole = hypothesis.clone();
        hypotheses[place] = shifted(&whole, axes.long, 0.0, 1.0 - 2.0 * SPLIT_WEIGHT);
        hypotheses.push(shifted(&whole, axes.long, SPLIT_OFFSET, SPLIT_WEIGHT));
        hypotheses.push(shifted(&whole, axes.long, -SPLIT_OFFSET, SPLIT_WEIGHT));
    }
}

/// One part of a split: each mode moved by `offset` standard deviations along `axis`, velocities by their correlation.
fn shifted(whole: &Hypothesis, axis: Vector2<f64>, offset: f64, share: f64) -> Hypothesis {
    let mut part = whole.clone();
    part.weight *= share;
    for mode in &mut part.modes {
        let joint = mode.covariance.fixed_view::<4, 2>(0, 0) * axis;
        let sd = libm::sqrt(axis.dot(&joint.fixed_rows::<2>(0)).max(f64::MIN_POSITIVE));
        let column = joint / sd;
        mode.mean += column * offset;
        mode.covariance -= column * column.transpose() * (1.0 - SPLIT_SD * SPLIT_SD);
    }
    part
}

/// Normalised, without the negligible, with neighbours merged. Falls back to `before` when nothing is left.
pub(crate) fn reduced(mut hypotheses: Vec<Hypothesis>, before: &[Hypothesis]) -> Vec<Hypothesis> {
    if !normalise(&mut hypotheses) {
        return before.to_vec();
    }
    if hypotheses.len() > 1 {
        hypotheses = merged_neighbours(&hypotheses);
        normalise(&mut hypotheses);
    }
    hypotheses
}

/// Leaves out the hypotheses of next to no weight.
pub(crate) fn drop_negligible(hypotheses: &mut Vec<Hypothesis>) {
    if normalise(hypotheses) && hypotheses.iter().any(|hypothesis| hypothesis.weight <= SMALLEST_WEIGHT) {
        hypotheses.retain(|hypothesis| hypothesis.weight > SMALLEST_WEIGHT);
        normalise(hypotheses);
    }
}

/// Makes the weights sum to one; false, with nothing changed, when they are too small for that.
fn normalise(hypotheses: &mut [Hypothesis]) -> bool {
    let total: f64 = hypotheses.iter().map(|hypothesis| hypothesis.weight).sum();
    if total <= 0.0 || !total.is_finite() {
        return false;
    }
    for hypothesis in hypotheses {
        hypothesis.weight /= total;
    }
    true
}

/// Hypotheses, by number, that will be one.
struct Group {
    state: Gaussian,
    position_covariance: Matrix2<f64>,
    first: usize,
    others: Vec<usize>,
}

/// Merges each hypothesis into a heavier one that is close in position and velocity; beyond the bound, into the
/// nearest. The heaviest comes first, the negligible are left out.
fn merged_neighbours(hypotheses: &[Hypothesis]) -> Vec<Hypothesis> {
    let mut by_weight: Vec<usize> =
        (0..hypotheses.len()).filter(|number| hypotheses[*number].weight > SMALLEST_WEIGHT).collect();
    by_weight.sort_by(|a, b| hypotheses[*b].weight.total_cmp(&hypotheses[*a].weight));
    let mut groups: Vec<Group> = Vec::with_capacity(by_weight.len().min(MOST_HYPOTHESES));
    for number in by_weight {
        let state = hypotheses[number].likeliest();
        let position_covariance = state.position_covariance();
        let near = groups.iter().position(|group| {
            are_close_given(state, &position_covariance, &group.state, &group.position_covariance, MERGE_SQUARED)
        });
        let near = if near.is_none() && groups.len() >= MOST_HYPOTHESES { nearest(state, &groups) } else { near };
        match near {
            Some(group) => groups[group].others.push(number),
            None => groups.push(Group { state: *state, position_covariance, first: number, others: Vec::new() }),
        }
    }
    let merged = groups.iter().filter_map(|group| {
        if group.others.is_empty() {
            return Some(hypotheses[group.first].clone());
        }
        let members = core::iter::once(&group.first).chain(&group.others);
        let weighted = members.map(|number| (hypotheses[*number].weight, &hypotheses[*number]));
        Hypothesis::merged(&weighted)
    });
    merged.collect()
}

/// Whether two states are closer, in position and velocity, than this squared Mahalanobis distance in their mean
/// covariance.
pub(crate) fn are_close(a: &Gaussian, b: &Gaussian, squared: f64) -> bool {
    are_close_given(a, &a.position_covariance(), b, &b.position_covariance(), squared)
}

fn are_close_given(
    a: &Gaussian,
    a_covariance: &Matrix2<f64>,
    b: &Gaussian,
    b_covariance: &Matrix2<f64>,
    most_squared: f64,
) -> bool {
    let between = a.mean - b.mean;
    // Cheap and sufficient to rule out: the distance of the positions alone is no greater than that of the states.
    let apart = between.fixed_rows::<2>(0).into_owned();
    let spread = (a_covariance + b_covariance) * 0.5;
    let determinant = spread.determinant();
    let squared = spread[(1, 1)] * apart.x * apart.x - 2.0 * spread[(0, 1)] * apart.x * apart.y
        + spread[(0, 0)] * apart.y * apart.y;
    if squared > most_squared * determinant * (1.0 + 1e-9) {
        return false;
    }
    let spread = (a.covariance + b.covariance) * 0.5;
    spread.cholesky().is_some_and(|factor| between.dot(&factor.solve(&between)) < most_squared)
}

fn nearest(state: &Gaussian, groups: &[Group]) -> Option<usize> {
    let distance = |place: &usize| (groups[*place].state.position() - state.position()).norm_squared();
    (0..groups.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn splitting_keeps_the_moments(
            a in 1.0..900.0_f64, d in 1.0..900.0_f64, correlation in -0.9..0.9_f64, speed in 0.1..2.0_f64, limit in 3.0..40.0_f64,
        ) {
            let b = correlation * (a * d).sqrt();
            let mut state = Gaussian::new(
                Vector2::new(10.0, -20.0), Matrix2::new(a, b, b, d), Vector2::new(1.0, 0.5), Matrix2::identity() * (speed * speed),
            );
            // A velocity that has already moved the position correlates with it.
            let cross = Matrix2::identity() * (0.5 * speed * a.min(d).sqrt() * (1.0 - correlation.abs()).sqrt());
            state.covariance.fixed_view_mut::<2, 2>(0, 2).copy_from(&cross);
            state.covariance.fixed_view_mut::<2, 2>(2, 0).copy_from(&cross);
            let whole = Hypothesis { weight: 1.0, mode_probability: [0.0, 1.0, 0.0], modes: [state; 3] };
            let mut parts = vec![whole];
            split(&mut parts, limit, |_| true);
            let after = moments(&parts);
            prop_assert!((after.mean - state.mean).norm() < 1e-6);
            prop_assert!((after.covariance - state.covariance).norm() < 1e-3 * state.covariance.norm());
            for part in &parts {
                prop_assert!(parts.len() >= 4 * MOST_HYPOTHESES || part.modes[1].position_sd_m() <= limit * (1.0 + 1e-9));
                prop_assert!(part.modes[1].covariance.cholesky().is_some());
            }
        }
    }
}
