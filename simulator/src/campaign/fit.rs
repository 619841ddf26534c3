//! Weights of evidence from alerts of which the truth is known: logistic regression with a ridge.

use nalgebra::{SMatrix, SVector};
use vedette_engine::{EVIDENCE_RETIRED as RETIRED, EVIDENCE_TERMS as TERMS};

use super::Claim;

/// Strength of the ridge: a term must be borne out by some alerts before it weighs much. The constant term is free. With 1
/// the claims of seeds left out in turn were drawn too far to the middle (expected calibration error 0.06, with this 0.04).
const RIDGE: f64 = 0.3;
/// Strength of a ridge that lets nothing change.
const FIXED: f64 = 1e12;
/// Steps of Newton's method; it converges in about eight.
const STEPS: usize = 50;
/// The term that every alert has.
const ALWAYS: usize = 0;
/// That of who goes outward and is not over the line yet.
const OUTWARD: usize = 13;

/// The weights that make the claims likeliest, less a penalty on large ones (Hoerl and Kennard 1970; Newton's method as in
/// Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section 4.4.1). Rounded to hundredths.
#[must_use]
pub fn fit(claims: &[Claim]) -> [f64; TERMS] {
    let mut penalty = [RIDGE; TERMS];
    penalty[0] = 1e-6;
    for term in RETIRED {
        penalty[term] = FIXED;
    }
    likeliest(claims, [0.0; TERMS], penalty)
}

/// The same with some of the terms, the others staying as they are; the penalty is on what changes. Where the constant term is among
/// them and that of who goes outward is not, alerts of who goes outward are left out and stay as sure as they are: whether those are
/// the own or others differs more from site to site than anything the sensors tell.
#[must_use]
pub fn refit(claims: &[Claim], weights: [f64; TERMS], terms: &[usize]) -> [f64; TERMS] {
    let penalty = std::array::from_fn(|term| if terms.contains(&term) { RIDGE } else { FIXED });
    if !terms.contains(&ALWAYS) || terms.contains(&OUTWARD) {
        return likeliest(claims, weights, penalty);
    }
    let goes_outward = |claim: &Claim| claim.evidence.is_some_and(|evidence| evidence.terms()[OUTWARD] > 0.0);
    let others: Vec<Claim> = claims.iter().filter(|claim| !goes_outward(claim)).copied().collect();
    let mut fitted = likeliest(&others, weights, penalty);
    fitted[OUTWARD] = rounded(fitted[OUTWARD] + weights[ALWAYS] - fitted[ALWAYS]);
    fitted
}

fn likeliest(claims: &[Claim], before: [f64; TERMS], penalty: [f64; TERMS]) -> [f64; TERMS] {
    let (before, penalty) = (SVector::from(before), SVector::from(penalty));
    let mut weights = before;
    for _ in 0..STEPS {
        let mut gradient = -penalty.component_mul(&(weights - before));
        let mut curvature = SMatrix::<f64, TERMS, TERMS>::from_diagonal(&penalty);
        for claim in claims {
            let Some(evidence) = claim.evidence else { continue };
            let terms = SVector::<f64, TERMS>::from(*evidence.terms());
            let probability = 1.0 / (1.0 + libm::exp(-terms.dot(&weights)));
            gradient += terms * (f64::from(u8::from(claim.real)) - probability);
            curvature += terms * terms.transpose() * (probability * (1.0 - probability));
        }
        let Some(step) = curvature.cholesky().map(|factor| factor.solve(&gradient)) else { break };
        // Far from the answer the curvature says too little of the way there.
        weights += step * (2.0 / step.norm().max(2.0));
        if step.norm() < 1e-6 {
            break;
        }
    }
    weights.map(rounded).into()
}

/// To hundredths, and never the zero with a sign, which would be printed.
fn rounded(weight: f64) -> f64 {
    libm::round(weight * 100.0) / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Diagram, Discrimination};
    use crate::random::Random;

    /// Alerts whose chance of being real follows from two of the terms; the raw confidence claims too much.
    fn boasters(seed: u64) -> Vec<Claim> {
        let mut random = Random::stream(seed, "boasters");
        let mut claim = |_| {
            let mut terms = [0.0; TERMS];
            terms[0] = 1.0;
            terms[5] = random.uniform(0.0, 2.0);
            terms[14] = random.uniform(0.0, 1.0);
            let chance = 1.0 / (1.0 + libm::exp(-(0.5 + 1.5 * terms[5] - 4.0 * terms[14])));
            Claim { confidence: 0.95, real: random.chance(chance), evidence: Some(terms.into()) }
        };
        (0..3_000).map(&mut claim).collect()
    }

    #[test]
    fn a_fit_on_some_claims_makes_others_honest_and_tells_them_apart() {
        let weights = fit(&boasters(1));
        let expected = [(0, 0.5), (5, 1.5), (14, -4.0), (3, 0.0)];
        assert!(
            expected.iter().all(|&(term, weight): &(usize, f64)| (weights[term] - weight).abs() < 0.4),
            "{weights:?}"
        );
        let others = boasters(2);
        let weighed: Vec<Claim> = others
            .iter()
            .map(|claim| Claim { confidence: claim.evidence.unwrap().confidence(&weights), ..*claim })
            .collect();
        let (before, after) = (Diagram::of(&others).error(), Diagram::of(&weighed).error());
        assert!(before > 0.3 && after < 0.03, "{before} to {after}");
        assert!(Discrimination::of(&weighed).area_under_curve.unwrap() > 0.8);
    }

    #[test]
    fn a_refit_changes_the_terms_it_is_told_to() {
        let mut before = [0.0; TERMS];
        (before[0], before[5], before[14]) = (0.5, 1.5, 3.0);
        let after = refit(&boasters(1), before, &[14]);
        assert!((after[14] + 4.0).abs() < 0.4, "{after:?}");
        assert!((0..TERMS).filter(|&term| term != 14).all(|term| after[term] == before[term]), "{after:?}");
    }

    #[test]
    fn who_goes_outward_stays_as_sure_when_the_level_of_all_is_fitted() {
        let mut before = [0.0; TERMS];
        (before[ALWAYS], before[5], before[OUTWARD], before[14]) = (2.0, 1.5, -1.0, -4.0);
        let outward = |mut claim: Claim| {
            let mut terms = *claim.evidence.unwrap().terms();
            terms[OUTWARD] = 1.0;
            (claim.evidence, claim.real) = (Some(terms.into()), true);
            claim
        };
        let claims: Vec<Claim> = boasters(1).into_iter().chain(boasters(2).into_iter().map(outward)).collect();
        let after = refit(&claims, before, &[ALWAYS]);
        assert!((after[ALWAYS] - 0.5).abs() < 0.2, "{after:?}");
        assert!((after[ALWAYS] + after[OUTWARD] - 1.0).abs() < 1e-9, "{after:?}");
    }

    #[test]
    fn few_or_equal_claims_give_moderate_weights() {
        let mut claims = boasters(3);
        claims.iter_mut().for_each(|claim| claim.real = true);
        for claims in [&claims[..], &claims[..2], &[]] {
            assert!(fit(claims).iter().all(|weight| weight.abs() < 20.0), "{:?}", fit(claims));
        }
    }
}
