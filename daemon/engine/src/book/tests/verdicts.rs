//! What operators closed alerts as, and which sensors that speaks against.

use super::*;
use crate::budget::Worth;

/// Closes an alert as an operator would; the answer.
fn close(stage: &mut Stage, id: &str, second: f64, reason: CloseReason) -> (bool, String) {
    let act = Act::Close { alert: id.to_owned(), reason };
    let name = format!("close-{id}-{second}");
    match stage.command(&name, at(second), act).pop() {
        Some(Output::Transmit(Transmit::CommandAnswer { done, detail, .. })) => (done, detail),
        other => panic!("{other:?}"),
    }
}

/// A walker who crosses and is gone, a night's hour after the last one; the alert's id.
fn crossing(stage: &mut Stage, number: u64, second: u32) -> String {
    let begin = f64::from(second);
    let of_this = |now: f64| {
        walker(now - begin).map(|walker| Track {
            first_seen: at(begin),
            last_seen: at(now),
            ..track(number, now, walker.position_m.into(), walker.velocity_mps.into())
        })
    };
    stage.run(second, second + 80, of_this).remove(0).id
}

#[test]
fn sensors_behind_nuisance_are_ranked_with_the_line_that_would_help() {
    let mut stage = Stage::new();
    for number in 0..6 {
        let second = 3_600 * number;
        let id = crossing(&mut stage, u64::from(number) + 1, second);
        let reason = if number < 5 { CloseReason::Nuisance } else { CloseReason::Real };
        assert!(close(&mut stage, &id, f64::from(second) + 90.0, reason).0);
        stage.run(second + 90, second + 130, |_| None);
    }
    let (worth, unjudged) = stage.book.worth();
    assert_eq!((worth, unjudged), (Worth { real: 1, nuisance: 5, ..Worth::default() }, 0));
    let ranked = stage.book.nuisance(at(30_000.0), &stage.site, &[]);
    let names: Vec<&str> = ranked.iter().map(|worth| worth.sensor.as_str()).collect();
    // The radar has three quarters of the evidence in each.
    assert_eq!(names, ["radar-7", "pir-3"]);
    assert!((ranked[0].nuisance - 3.75).abs() < 1e-9 && (ranked[0].real - 0.75).abs() < 1e-9, "{ranked:?}");
    let change = ranked[0].change.clone().expect("a suggestion");
    assert!(change.starts_with("clutter_per_scan = "), "{change}");
    let toml = SITE.replacen("kind = \"radar\"", &format!("kind = \"radar\"\n{change}"), 1);
    toml::from_str::<EngineConfig>(&toml).expect("TOML").resolve().expect("a configuration that can be used");

    // Who has followed the advice is not given it again, on what the sensor claimed before.
    let followed = toml::from_str::<EngineConfig>(&toml).expect("TOML").resolve().expect("valid");
    let names: Vec<String> =
        stage.book.nuisance(at(30_000.0), &followed, &[]).into_iter().map(|worth| worth.sensor).collect();
    assert_eq!(names, ["pir-3"]);
    // What alerts are kept no longer for is forgotten too.
    assert_eq!(stage.book.nuisance(at(31.0 * 86_400.0 + 30_000.0), &stage.site, &[]), []);
}

#[test]
fn an_operators_word_on_what_the_gateway_had_ended_counts_once() {
    let mut stage = Stage::new();
    let id = crossing(&mut stage, 1, 0);
    let ended = stage.run(80, 2_000, |_| None);
    assert_eq!(ended.last().map(|alert| &alert.state), Some(&AlertState::Expired));
    assert_eq!(stage.book.worth(), (Worth::default(), 1));
    let (done, told) = close(&mut stage, &id, 2_000.0, CloseReason::False);
    assert!(done, "{told}");
    assert_eq!(told, format!("alert {id} was over; noted as false"));
    assert_eq!(stage.book.worth(), (Worth { wrong: 1, ..Worth::default() }, 0));
    let (done, told) = close(&mut stage, &id, 2_001.0, CloseReason::Real);
    assert_eq!((done, told), (true, format!("alert {id} was over; noted as real instead of false")));
    assert_eq!(stage.book.worth(), (Worth { real: 1, ..Worth::default() }, 0));
}

/// The next one who closes it knows better.
#[test]
fn a_wrong_close_is_corrected_and_the_last_word_alone_counts() {
    let mut stage = Stage::new();
    let id = crossing(&mut stage, 1, 0);
    assert!(close(&mut stage, &id, 90.0, CloseReason::Nuisance).0);
    let (wrong, unjudged) = (stage.book.learned().clone(), stage.book.worth().1);
    assert_eq!(stage.book.nuisance(at(90.0), &stage.site, &[]).len(), 2);
    let act = Act::Close { alert: id.clone(), reason: CloseReason::Real };
    let out = stage.command("corrected", at(100.0), act);
    let audited = |output: &Output| matches!(output, Output::Durable(Durable::Audit(record)) if record.detail.ends_with("closed as real instead of nuisance"));
    assert!(out.iter().any(audited), "{out:?}");
    let revision = alerts(out).remove(0);
    assert_eq!((revision.rev > 2, revision.state), (true, AlertState::Closed { reason: CloseReason::Real }));
    assert_eq!(stage.book.worth(), (Worth { real: 1, ..Worth::default() }, unjudged));
    assert_eq!(stage.book.nuisance(at(100.0), &stage.site, &[]), []);
    assert_ne!(stage.book.learned(), &wrong);
    // And back, when the book has forgotten all but what was said.
    stage.run(101, 400, |_| None);
    let (done, told) = close(&mut stage, &id, 400.0, CloseReason::Nuisance);
    assert_eq!((done, told), (true, format!("alert {id} was over; noted as nuisance instead of real")));
    assert_eq!(stage.book.worth().0, Worth { nuisance: 1, ..Worth::default() });
    assert_eq!(stage.book.nuisance(at(400.0), &stage.site, &[]).len(), 2);
}

#[test]
fn closing_a_test_is_no_judgement() {
    let mut stage = Stage::new();
    let raised = alerts(stage.command("t", at(0.0), Act::TestAlert { severity: Severity::High })).remove(0);
    assert!(close(&mut stage, &raised.id, 1.0, CloseReason::Real).0);
    assert_eq!(stage.book.worth(), (Worth::default(), 0));
}
