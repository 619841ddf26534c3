//! Mixtures of hypotheses: their moments, and keeping them few.

use crate::gaussian::Gaussian;
use crate::imm::Hypothesis;

/// A hypothesis less likely than this is dropped.
const SMALLEST_WEIGHT: f64 = 1e-3;

/// Two hypotheses closer than this, as a squared Mahalanobis distance of positions in their own covariances, become one.
const MERGE_SQUARED: f64 = 0.5;

/// Mean and covariance over all hypotheses and modes.
pub(crate) fn moments(hypotheses: &[Hypothesis]) -> Gaussian {
    if let [only] = hypotheses {
        return only.moments();
    }
    let parts = hypotheses
        .iter()
        .flat_map(|hypothesis| hypothesis.active().map(move |(mode, state)| (hypothesis.weight * mode, state)));
    Gaussian::merged(parts)
        .unwrap_or(Gaussian { mean: nalgebra::Vector4::zeros(), covariance: nalgebra::Matrix4::identity() * 1e12 })
}

/// Normalised, without the negligible, with neighbours merged. Falls back to `before` when nothing is left.
pub(crate) fn reduced(mut hypotheses: Vec<Hypothesis>, before: &[Hypothesis]) -> Vec<Hypothesis> {
    let total: f64 = hypotheses.iter().map(|hypothesis| hypothesis.weight).sum();
    if total <= 0.0 || !total.is_finite() {
        return before.to_vec();
    }
    for hypothesis in &mut hypotheses {
        hypothesis.weight /= total;
    }
    if hypotheses.len() > 1 {
        hypotheses.retain(|hypothesis| hypothesis.weight > SMALLEST_WEIGHT);
        merge_neighbours(&mut hypotheses);
        let kept: f64 = hypotheses.iter().map(|hypothesis| hypothesis.weight).sum();
        for hypothesis in &mut hypotheses {
            hypothesis.weight /= kept;
        }
    }
    hypotheses
}

/// Merges each hypothesis into an earlier one that is close in position and velocity.
fn merge_neighbours(hypotheses: &mut Vec<Hypothesis>) {
    let mut kept: Vec<Hypothesis> = Vec::with_capacity(hypotheses.len());
    for candidate in hypotheses.drain(..) {
        let state = candidate.moments();
        let near = kept.iter_mut().find(|other| {
            let other = other.moments();
            let between = state.mean - other.mean;
            let spread = (state.covariance + other.covariance) * 0.5;
            spread.cholesky().is_some_and(|factor| between.dot(&factor.solve(&between)) < MERGE_SQUARED)
        });
        match near {
            Some(other) => {
                if let Some(merged) = Hypothesis::merged(&[other.clone(), candidate]) {
                    *other = merged;
                }
            }
            None => kept.push(candidate),
        }
    }
    *hypotheses = kept;
}
