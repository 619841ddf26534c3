//! What an object is: Bayesian fusion of the class probabilities that sensors report.

use crate::detection::ClassProbabilities;

/// Before anything is reported.
pub(crate) const PRIOR: ClassProbabilities = ClassProbabilities { person: 0.6, animal: 0.25, vehicle: 0.15 };

/// A classifier's votes are correlated from scan to scan and never this sure.
const TEMPER: f64 = 0.5;

/// Part of each report that is taken as a guess.
const GUESS: f64 = 0.05;

const CLASSES: f64 = 3.0;

/// The class after a report that is from this object with probability `share`.
///
/// Classifiers are trained and calibrated on balanced classes, so a report counts as a likelihood: thirds say nothing.
/// (Dividing by [`PRIOR`] instead would let one wrong vote for a rare class outweigh several right ones.)
pub(crate) fn fused(
    before: &ClassProbabilities,
    report: Option<&ClassProbabilities>,
    share: f64,
) -> ClassProbabilities {
    let Some(report) = report else { return *before };
    let ratio = |reported: f64| {
        let reported = (1.0 - GUESS) * reported.clamp(0.0, 1.0) + GUESS / CLASSES;
        libm::exp(TEMPER * share * libm::log(reported * CLASSES))
    };
    normalised(ClassProbabilities {
        person: before.person * ratio(report.person),
        animal: before.animal * ratio(report.animal),
        vehicle: before.vehicle * ratio(report.vehicle),
    })
}

fn normalised(class: ClassProbabilities) -> ClassProbabilities {
    let total = class.person + class.animal + class.vehicle;
    if total <= 0.0 || !total.is_finite() {
        return PRIOR;
    }
    ClassProbabilities { person: class.person / total, animal: class.animal / total, vehicle: class.vehicle / total }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN_AS_PERSON: ClassProbabilities = ClassProbabilities { person: 0.8, animal: 0.1, vehicle: 0.1 };
    const SEEN_AS_VEHICLE: ClassProbabilities = ClassProbabilities { person: 0.1, animal: 0.1, vehicle: 0.8 };

    fn after(reports: &[ClassProbabilities]) -> ClassProbabilities {
        reports.iter().fold(PRIOR, |class, report| fused(&class, Some(report), 1.0))
    }

    #[test]
    fn one_wrong_vote_for_a_rare_class_outweighs_no_right_one() {
        let class = after(&[SEEN_AS_PERSON, SEEN_AS_VEHICLE]);
        assert!((class.person / class.vehicle - PRIOR.person / PRIOR.vehicle).abs() < 1e-9);
        let mistaken = after(&[SEEN_AS_VEHICLE]);
        assert!(mistaken.person > mistaken.vehicle);
    }

    #[test]
    fn votes_add_up() {
        assert!(after(&[SEEN_AS_PERSON; 5]).person > 0.97);
        assert!(after(&[SEEN_AS_VEHICLE; 5]).vehicle > 0.9);
    }

    #[test]
    fn a_report_of_thirds_or_of_another_object_changes_nothing() {
        let thirds = ClassProbabilities { person: 1.0 / 3.0, animal: 1.0 / 3.0, vehicle: 1.0 / 3.0 };
        for class in [fused(&PRIOR, Some(&thirds), 1.0), fused(&PRIOR, Some(&SEEN_AS_VEHICLE), 0.0)] {
            assert!((class.person - PRIOR.person).abs() < 1e-9);
            assert!((class.vehicle - PRIOR.vehicle).abs() < 1e-9);
        }
    }
}
