//! What an object is: Bayesian fusion of the class probabilities that sensors report.

use crate::detection::ClassProbabilities;

/// Before anything is reported. Also divides out of each report, so that a report equal to it changes nothing.
pub(crate) const PRIOR: ClassProbabilities = ClassProbabilities { person: 0.6, animal: 0.25, vehicle: 0.15 };

/// A classifier's votes are correlated from scan to scan and never this sure.
const TEMPER: f64 = 0.5;

/// Part of each report that is taken as a guess.
const GUESS: f64 = 0.05;

/// The class after a report that is from this object with probability `share`.
pub(crate) fn fused(
    before: &ClassProbabilities,
    report: Option<&ClassProbabilities>,
    share: f64,
) -> ClassProbabilities {
    let Some(report) = report else { return *before };
    let ratio = |reported: f64, prior: f64| {
        let reported = (1.0 - GUESS) * reported.clamp(0.0, 1.0) + GUESS * prior;
        libm::exp(TEMPER * share * libm::log(reported / prior))
    };
    normalised(ClassProbabilities {
        person: before.person * ratio(report.person, PRIOR.person),
        animal: before.animal * ratio(report.animal, PRIOR.animal),
        vehicle: before.vehicle * ratio(report.vehicle, PRIOR.vehicle),
    })
}

fn normalised(class: ClassProbabilities) -> ClassProbabilities {
    let total = class.person + class.animal + class.vehicle;
    if total <= 0.0 || !total.is_finite() {
        return PRIOR;
    }
    ClassProbabilities { person: class.person / total, animal: class.animal / total, vehicle: class.vehicle / total }
}
