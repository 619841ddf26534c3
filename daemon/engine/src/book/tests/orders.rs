//! Operators' orders: carried out once, answered each time.

use super::*;

#[test]
fn what_an_operator_closed_stays_closed_while_its_cause_lasts() {
    let mut stage = Stage::new();
    let inside = |second: f64| Some(track(5, second, [220.0, -250.0], [0.0, 0.0]));
    let raised = stage.run(0, 10, inside).remove(0);
    let act = Act::Close { alert: raised.id.clone(), reason: CloseReason::Nuisance };
    let closed = alerts(stage.command("c1", at(10.0), act)).remove(0);
    assert_eq!((closed.rev, closed.state), (2, AlertState::Closed { reason: CloseReason::Nuisance }));
    assert_eq!(lines(&stage.run(11, 200, inside)), "");
    // Gone for a while and back: that is news.
    assert_eq!(lines(&stage.run(200, 400, |_| None)), "");
    let again = stage.run(400, 410, inside).remove(0);
    assert_ne!(again.id, raised.id);
}

#[test]
fn a_repeated_command_is_answered_again_and_not_carried_out_again() {
    let mut stage = Stage::new();
    let act = Act::TestAlert { severity: Severity::Critical };
    let first = stage.command("c1", at(0.0), act.clone());
    let second = stage.command("c1", at(1.0), act);
    assert_eq!(first.len(), 3);
    let [Output::Transmit(answer)] = second.as_slice() else { panic!("{second:?}") };
    assert_eq!(first.last(), Some(&Output::Transmit(answer.clone())));
    let refused = stage.command("c2", at(2.0), Act::Acknowledge { alert: "0123".into() });
    let Some(Output::Transmit(Transmit::CommandAnswer { done: false, detail, .. })) = refused.last() else { panic!() };
    assert_eq!(detail, "no open alert 0123");
    let mut expired = stage.step(at(700.0), &[]);
    expired.retain(|alert| alert.kind == AlertKind::Test);
    assert_eq!(expired[0].state, AlertState::Expired);
}

#[test]
fn a_command_that_comes_too_late_is_answered_with_the_clock_it_was_measured_by() {
    let mut stage = Stage::new();
    let act = Act::TestAlert { severity: Severity::Critical };
    let mut order = Command { id: "c1".into(), by: "anna".into(), expires_at: Some(at(10.0)), act };
    let in_time = stage.order(&order, at(10.0));
    assert!(matches!(in_time.last(), Some(Output::Transmit(Transmit::CommandAnswer { done: true, .. }))));
    // Repeated because its answer was lost: what was done stays done.
    assert_eq!(stage.order(&order, at(11.0)).as_slice(), &in_time[2..]);

    order.id = "c2".into();
    let too_late = stage.order(&order, at(11.0));
    assert_eq!(too_late.len(), 2, "an audit record and an answer");
    let Some(Output::Transmit(Transmit::CommandAnswer { done: false, detail, .. })) = too_late.last() else { panic!() };
    let [until, now] = [10.0, 11.0].map(|second| crate::time::format_rfc3339(at(second)));
    assert_eq!(*detail, format!("it expired at {until}; by the clock of {} it is {now}", stage.site.id));
    // The clock is set back: it is not carried out after it was told that it would not be.
    assert_eq!(stage.order(&order, at(5.0)).as_slice(), &too_late[1..]);
}

#[test]
fn orders_that_have_expired_do_not_push_out_the_memory_of_those_that_could_be_repeated() {
    let mut stage = Stage::new();
    let order = |id: &str, until: f64| Command {
        id: id.into(),
        by: "anna".into(),
        expires_at: Some(at(until)),
        act: Act::TestAlert { severity: Severity::Low },
    };
    let valid = order("valid", 1_000.0);
    let first = stage.order(&valid, at(100.0));
    for n in 0..1_000 {
        stage.order(&order(&format!("old {n}"), 50.0), at(101.0));
    }
    assert_eq!(stage.order(&valid, at(102.0)).as_slice(), &first[2..]);
}

#[test]
fn a_test_is_possible_when_the_book_is_full_and_takes_no_alerts_place() {
    let mut stage = Stage::new();
    stage.site.rules.max_open_alerts = 1;
    stage.sensors[1].battery_mv = Some(3_000);
    assert_eq!(stage.step(at(0.0), &[])[0].kind, AlertKind::SensorBattery);
    let mut test = |n: u32| {
        let out =
            stage.command(&format!("c{n}"), at(1.0 + f64::from(n)), Act::TestAlert { severity: Severity::Critical });
        assert!(matches!(out.last(), Some(Output::Transmit(Transmit::CommandAnswer { done: true, .. }))), "{out:?}");
        alerts(out)
    };
    let first = test(0).remove(0);
    let ended: Vec<Alert> = (1..50).flat_map(&mut test).filter(|alert| alert.state == AlertState::Expired).collect();
    assert_eq!((ended.len(), &ended[0].id), (34, &first.id), "the oldest test goes first");
    assert_eq!(stage.book.open_count(), 1 + 16);
    // However many tests are open, an alert about something is raised.
    stage.sensors[1].tamper = Some((Tamper::Moved, at(60.0), at(60.0)));
    let raised = stage.step(at(60.0), &[]);
    assert!(raised.iter().any(|alert| alert.kind == AlertKind::SensorTamper), "{raised:?}");
}

#[test]
fn who_was_said_to_be_nobody_and_crosses_is_told() {
    let mut stage = Stage::new();
    let approach = stage.run(0, 10, walker).remove(0);
    assert_eq!(approach.kind, AlertKind::Approach);
    let act = Act::Close { alert: approach.id.clone(), reason: CloseReason::Nuisance };
    assert_eq!(alerts(stage.command("c1", at(10.0), act)).len(), 1);
    assert_eq!(lines(&stage.run(11, 35, walker)), "", "as long as nothing has happened");
    let crossing = stage.run(35, 60, walker).remove(0);
    assert_eq!((crossing.kind, crossing.state, crossing.rev), (AlertKind::Crossing, AlertState::Raised, 1));
    assert_ne!(crossing.id, approach.id);
}

#[test]
fn what_was_said_of_an_approach_is_not_said_of_the_crossing() {
    let crossing_after = |act: fn(String) -> Act| {
        let mut stage = Stage::new();
        let approach = stage.run(0, 10, walker).remove(0);
        assert_eq!(alerts(stage.command("c1", at(10.0), act(approach.id))).len(), 1);
        of_kind(&stage.run(11, 60, walker), AlertKind::Crossing).remove(0)
    };
    let acknowledged = crossing_after(|alert| Act::Acknowledge { alert });
    assert_eq!(acknowledged.state, AlertState::Updated);
    let shelved = crossing_after(|alert| Act::Shelve { alert, until: at(3_600.0) });
    assert_eq!(shelved.shelved_until, None);
    let assigned = crossing_after(|alert| Act::Assign { alert, to: "ben".into() });
    assert_eq!(assigned.state, AlertState::Assigned, "somebody is on the way");
}

/// An alert about somebody in the depot, open for a long time.
fn open_alert(stage: &mut Stage) -> Alert {
    stage.run(0, 10, |second| Some(track(5, second, [220.0, -250.0], [0.0, 0.0]))).remove(0)
}

/// Whether it was done, and the answer's words.
pub(super) fn answer(out: &[Output]) -> (bool, String) {
    let Some(Output::Transmit(Transmit::CommandAnswer { done, detail, .. })) = out.last() else { panic!("{out:?}") };
    (*done, detail.clone())
}

#[test]
fn acknowledging_an_assigned_alert_leaves_it_with_who_works_on_it() {
    let mut stage = Stage::new();
    let alert = open_alert(&mut stage).id;
    stage.command("c1", at(10.0), Act::Assign { alert: alert.clone(), to: "patrol 3".into() });
    let seen = alerts(stage.command("c2", at(11.0), Act::Acknowledge { alert })).remove(0);
    assert_eq!((seen.state, seen.assigned_to.as_deref()), (AlertState::Assigned, Some("patrol 3")));
}

#[test]
fn an_alert_is_shelved_for_a_week_at_most() {
    let mut stage = Stage::new();
    let alert = open_alert(&mut stage).id;
    let week_s = 7.0 * 86_400.0;
    let mut shelve = |id: &str, for_s: f64| {
        let until = at(10.0 + for_s);
        answer(&stage.command(id, at(10.0), Act::Shelve { alert: alert.clone(), until }))
    };
    let [latest, got] = [10.0 + week_s, 10.0 + 8.0 * 86_400.0].map(|second| crate::time::format_rfc3339(at(second)));
    let refused = format!("expected a time to shelve until of {latest} at the latest, got {got}");
    assert_eq!(shelve("c1", 8.0 * 86_400.0), (false, refused));
    assert!(shelve("c2", week_s).0);
    assert!(shelve("c3", week_s + 5.0).0, "the centre's clock is a little ahead");
}

#[test]
fn shelving_ends_when_an_operator_wants_to_hear_of_the_alert_again() {
    let mut stage = Stage::new();
    let alert = open_alert(&mut stage).id;
    let unshelve = Act::Unshelve { alert: alert.clone() };
    let not_shelved = (false, format!("alert {alert} is not shelved"));
    assert_eq!(answer(&stage.command("c1", at(10.0), unshelve.clone())), not_shelved);
    stage.command("c2", at(11.0), Act::Shelve { alert: alert.clone(), until: at(100.0) });
    let out = stage.command("c3", at(12.0), unshelve.clone());
    assert_eq!(answer(&out), (true, format!("alert {alert} unshelved")));
    assert!(
        out.iter().any(|output| matches!(output, Output::Durable(Durable::Audit(record)) if record.act == "unshelve"))
    );
    assert_eq!(alerts(out)[0].shelved_until, None);
    // What has ended by itself needs no end.
    stage.command("c4", at(13.0), Act::Shelve { alert, until: at(20.0) });
    assert_eq!(answer(&stage.command("c5", at(20.0), unshelve)), not_shelved);
}

#[test]
fn orders_of_before_are_read_and_the_new_one_has_its_name() {
    let shelve = r#"{"id":"c1","by":"anna","act":{"act":"shelve","alert":"a1","until":1772327640000000}}"#;
    let order: Command = serde_json::from_str(shelve).expect("an order");
    assert!(matches!(order.act, Act::Shelve { .. }), "{order:?}");
    let unshelve = serde_json::to_value(Act::Unshelve { alert: "a1".into() }).expect("JSON");
    assert_eq!(unshelve, serde_json::json!({ "act": "unshelve", "alert": "a1" }));
}
