//! What operators close alerts as teaches the gateway who walks at its border.

use super::*;
use crate::Mode;

/// One in two, whatever it is, before anything is learned.
fn novice() -> Stage {
    let mut stage = Stage::new();
    stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
    stage.site.rules.announce_from = 0.4;
    stage
}

/// Walks south as [`walker`] does, from some second on, and turns back before the line or goes over it.
fn coming(number: u64, from: u32, crosses: bool) -> impl Fn(f64) -> Option<Track> {
    move |second| {
        let age = second - f64::from(from);
        let gone_m = if crosses { 1.4 * age } else { 1.4 * age.min(20.0) };
        let speed_mps = if crosses || age < 20.0 { -1.4 } else { 0.0 };
        (crosses || age < 40.0).then(|| Track {
            first_seen: at(f64::from(from)),
            ..track(number, second, [30.0, 56.0 - gone_m], [0.1, speed_mps])
        })
    }
}

/// Somebody comes up to the line and goes; an operator says afterwards what it was, although the alert has ended by itself.
fn comes_and_goes(stage: &mut Stage, visit: u32, reason: CloseReason) -> Vec<Alert> {
    let from = 1_000 * visit;
    let told = stage.run(from, from + 200, coming(u64::from(visit), from, false));
    if let Some(asked) = told.iter().find(|alert| alert.asks_attention()).map(|alert| alert.id.clone()) {
        assert!(told.last().is_some_and(|last| last.state.is_over()), "{}", lines(&told));
        let act = Act::Close { alert: asked, reason };
        stage.command(&format!("c{visit}"), at(f64::from(from) + 300.0), act);
    }
    told
}

#[test]
fn who_is_never_real_is_announced_no_more_and_a_crossing_is_told_all_the_same() {
    let mut stage = novice();
    let first = comes_and_goes(&mut stage, 1, CloseReason::Nuisance);
    assert_eq!(first[0].confidence, 0.5);
    let later: Vec<Alert> =
        (2..12).map(|visit| comes_and_goes(&mut stage, visit, CloseReason::Nuisance).remove(0)).collect();
    assert!(later.windows(2).all(|pair| pair[1].confidence <= pair[0].confidence), "{}", lines(&later));
    assert!(later.last().is_some_and(Alert::is_held_as_unsure), "{}", lines(&later));
    insta::assert_snapshot!(lines(&later));
    let crossing = stage.run(20_000, 20_090, coming(99, 20_000, true));
    let told = crossing.iter().find(|alert| alert.asks_attention()).expect("it is told");
    assert_eq!((told.kind, told.severity), (AlertKind::Crossing, Severity::High));
}

#[test]
fn who_is_always_real_is_told_surer_unless_that_is_switched_off() {
    let sure = |learns: bool| {
        let mut stage = novice();
        stage.site.rules.learn_from_operators = learns;
        (1..10).map(|visit| comes_and_goes(&mut stage, visit, CloseReason::Real)[0].confidence).fold(0.0, f64::max)
    };
    assert!(sure(true) > 0.65 && sure(false) == 0.5, "{} {}", sure(true), sure(false));
}

#[test]
fn what_is_said_of_what_ended_by_itself_counts_once_and_is_corrected() {
    let mut stage = novice();
    let told = comes_and_goes(&mut stage, 1, CloseReason::Real);
    let again = Act::Close { alert: told[0].id.clone(), reason: CloseReason::False };
    let Some(Output::Transmit(Transmit::CommandAnswer { done, detail, .. })) =
        stage.command("again", at(1_400.0), again).pop()
    else {
        panic!("no answer");
    };
    assert_eq!((done, detail), (true, format!("alert {} was over; noted as false instead of real", told[0].id)));
    let (worth, _) = stage.book.worth();
    assert_eq!((worth.real, worth.wrong), (0, 1));
    let mut of_one = novice();
    comes_and_goes(&mut of_one, 1, CloseReason::False);
    let sure = |stage: &mut Stage| comes_and_goes(stage, 2, CloseReason::False)[0].confidence;
    assert_eq!(sure(&mut stage), sure(&mut of_one), "the first word teaches nothing any more");
}

#[test]
fn a_rehearsal_teaches_nothing() {
    let mut stage = novice();
    stage.site.mode = Mode::Exercise;
    for visit in 1..6 {
        comes_and_goes(&mut stage, visit, CloseReason::Nuisance);
    }
    assert_eq!(stage.book.learned(), &crate::Learned::default());
}
