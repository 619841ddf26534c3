//! An operator at the end of the day: says of every alert that asked for attention what it was.

use vedette_engine::{Act, CloseReason, Command, Input, Learned};

use super::cause::{Cause, judged};
use super::drive::Run;
use crate::scenario::Scenario;

impl Cause {
    /// What an operator closes an alert as who went there and looked.
    const fn reason(self) -> CloseReason {
        match self {
            Self::Crosser | Self::Person | Self::Vehicle => CloseReason::Real,
            Self::Patrol | Self::Farmer | Self::Animal => CloseReason::Nuisance,
            Self::Nothing => CloseReason::False,
        }
    }
}

/// Closes all alerts about somebody that a run brought, and gives what that taught its gateway.
pub fn close_all(scenario: &Scenario, run: &mut Run) -> Learned {
    let verdicts: Vec<(String, CloseReason)> = judged(scenario, run)
        .into_iter()
        .filter_map(|judged| Some((judged.alert.id, judged.cause?.reason())))
        .collect();
    let now = scenario.layout.begins.plus_seconds(scenario.layout.duration_s + super::drive::AFTERMATH_S);
    let mut out = Vec::new();
    for (number, (alert, reason)) in verdicts.into_iter().enumerate() {
        let act = Act::Close { alert, reason };
        let command = Command { id: format!("evening-{number}"), by: "operator".to_owned(), expires_at: None, act };
        run.engine.handle(now, Input::Command(command), &mut out);
    }
    run.engine.learned().clone()
}

#[cfg(test)]
mod tests {
    use vedette_engine::AlertState;

    use super::*;
    use crate::campaign::drive_taught;

    fn patrols() -> Scenario {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/scenarios/patrol-without-radio.toml");
        Scenario::read(path.as_ref()).unwrap()
    }

    /// Where it is the own who come up to the line, a gateway that is told so claims less of them, and of a crosser as much.
    #[test]
    fn a_gateway_learns_who_walks_at_its_border() {
        let scenario = patrols();
        let mut learned = Learned::default();
        let mut sure = Vec::new();
        for day in 1..=8 {
            let mut run = drive_taught(&scenario, day, learned.clone()).unwrap();
            let of = |real: bool| {
                let all = judged(&scenario, &run)
                    .into_iter()
                    .filter(|judged| judged.cause.is_some_and(|cause| cause.is_real() == real));
                all.map(|judged| judged.alert.confidence).collect::<Vec<_>>()
            };
            sure.push((of(true), of(false)));
            learned = close_all(&scenario, &mut run);
            assert!(run.engine.learned() != &Learned::default());
        }
        let count = |days: &[(Vec<f64>, Vec<f64>)]| days.iter().map(|day| day.1.len()).sum::<usize>();
        assert!(count(&sure[4..]) < count(&sure[..4]), "{sure:?}");
        assert!(sure[7].0.iter().any(|&sure| sure > 0.9), "{sure:?}");
    }

    #[test]
    fn every_alert_is_closed_as_what_it_was_open_or_not() {
        let scenario = patrols();
        let mut run = drive_taught(&scenario, 3, Learned::default()).unwrap();
        let expected = judged(&scenario, &run).iter().filter(|judged| judged.cause.is_some()).count();
        close_all(&scenario, &mut run);
        assert_eq!(run.engine.status().worth.judged(), expected);
        assert!(run.alerts.iter().any(|(_, alert)| matches!(alert.state, AlertState::Closed { .. })));
    }
}
