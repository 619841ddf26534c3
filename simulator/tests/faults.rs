//! A few seeds of every fault family: nothing lost, doubled, unreported or out of order; and the same seed plays the same.

use vedette_sim::faults::{Family, play};

#[test]
fn nothing_is_lost_whatever_strikes() {
    for family in Family::ALL {
        for seed in 0..4 {
            let outcome = play(family, seed);
            assert!(outcome.alerts > 50, "{family:?} {seed}: only {} alerts were committed", outcome.alerts);
            assert!(outcome.findings.is_empty(), "{family:?} {seed}: {:#?}", outcome.findings);
            assert_eq!(outcome.lost + outcome.double + outcome.unreported + outcome.disorder + outcome.radio_lost, 0);
            assert_eq!(outcome.faults == 0, family == Family::None, "{family:?} {seed} has no faults to survive");
        }
    }
}

#[test]
fn a_seed_plays_the_same_again() {
    for family in [Family::Everything, Family::GatewayDeath, Family::FullStore] {
        assert_eq!(play(family, 7), play(family, 7));
        assert_ne!(play(family, 7), play(family, 8));
    }
}
