//! Members of storms are listed, and operators release what rules fold, explain or make less.

use super::*;

/// So many come up to the line at once, far from each other: a storm of approaches.
fn storm_of(people: u64) -> (Stage, Alert) {
    let mut stage = Stage::new();
    let raised = watch(&mut stage, seconds(0, 10), parties::abreast(people, 1), heard);
    let storm = raised.into_iter().find(|alert| alert.dedup_key.starts_with("storm/")).expect("a storm");
    (stage, storm)
}

fn names(alert: &Alert) -> Vec<&str> {
    alert.members.iter().map(|member| member.name.as_str()).collect()
}

fn release(stage: &mut Stage, alert: &str, member: Option<&str>) -> (Vec<Alert>, (bool, String)) {
    let act = Act::Release { alert: alert.to_owned(), member: member.map(str::to_owned) };
    let out = stage.command(&format!("release {alert} {member:?}"), at(10.0), act);
    let answer = orders::answer(&out);
    (alerts(out), answer)
}

#[test]
fn a_storm_lists_its_members_and_its_text_stays_short() {
    let (_, storm) = storm_of(8);
    assert_eq!(names(&storm), (1..=8).map(|number| format!("track {number}")).collect::<Vec<_>>());
    assert_eq!((storm.members_more, storm.members[0].first_seen), (0, at(0.0)));
    assert_eq!(storm.members[7].key, "zone/Bug line/track-8");
    assert!(storm.text.ends_with("track 1, track 2, track 3, track 4, 4 more. A herd, weather or a crowd; who crosses and is surely a person is told on its own."), "{}", storm.text);
    // An alert of before has no list, and one without members writes none.
    let mut value = serde_json::to_value(&storm).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    fields.remove("members");
    assert!(!fields.contains_key("members_more"));
    let before: Alert = serde_json::from_value(value).expect("an alert of before");
    assert_eq!((before.members.len(), before.members_more), (0, 0));
}

#[test]
fn members_beyond_the_configured_bound_are_counted_and_who_was_a_member_stays_one() {
    let mut stage = Stage::new();
    stage.site.rules.max_storm_members = 3;
    let some_leave = |second: f64| {
        let mut tracks = parties::abreast(8, 1)(second);
        tracks.retain(|track| second < 7.0 || track.id.0 != 2);
        tracks
    };
    let raised = watch(&mut stage, seconds(0, 30), some_leave, heard);
    let storm = raised.iter().rfind(|alert| alert.dedup_key.starts_with("storm/")).expect("a storm");
    assert_eq!((names(storm), storm.members_more), (vec!["track 1", "track 2", "track 3"], 5));
}

#[test]
fn the_first_message_of_a_critical_storm_stays_small() {
    let (_, storm) = storm_of(8);
    let bytes = |alert: &Alert| serde_json::to_vec(alert).expect("JSON").len();
    let mut critical = Alert { severity: Severity::Critical, ..storm.clone() };
    crate::book::draft::fit_first_message(&mut critical);
    assert!(bytes(&storm) > 940 && bytes(&critical) <= 940, "{} bytes of {}", bytes(&critical), bytes(&storm));
    assert_eq!((critical.members.len() + critical.members_more as usize, &critical.text), (8, &storm.text));
}

#[test]
fn a_member_that_is_released_from_a_storm_stands_alone_and_is_not_folded_again() {
    let (mut stage, storm) = storm_of(8);
    let (told, answer) = release(&mut stage, &storm.id, Some("track 9"));
    let refusal =
        format!("alert {} tells of no track 9; it lists track 1, track 2, track 3, track 4, 4 more", storm.id);
    assert_eq!((told.len(), answer), (0, (false, refusal)));
    let (told, answer) = release(&mut stage, &storm.id, Some("track 3"));
    assert_eq!(answer, (true, format!("alert {}: released track 3", storm.id)));
    let [storm, member] = told.as_slice() else { panic!("{}", lines(&told)) };
    assert!(storm.rev == 2 && storm.members.len() == 7 && !names(storm).contains(&"track 3"), "{storm:?}");
    assert_eq!((member.rev, member.state, member.kind), (1, AlertState::Raised, AlertKind::Approach));
    assert!(member.asks_attention() && member.text.ends_with("Released by an operator."), "{}", lines(&told));
    // It goes on as an alert of its own, and the storm without it.
    let later = watch(&mut stage, seconds(11, 45), parties::abreast(8, 1), heard);
    assert!(later.iter().any(|alert| alert.id == member.id && alert.kind == AlertKind::Crossing), "{}", lines(&later));
    assert!(later.iter().all(|alert| !names(alert).contains(&"track 3")), "{}", lines(&later));
}

#[test]
fn a_storm_that_is_released_is_over_and_each_member_is_told() {
    let (mut stage, storm) = storm_of(8);
    let (told, answer) = release(&mut stage, &storm.id, None);
    assert_eq!(answer, (true, format!("alert {}: released track 1, track 2, track 3, track 4, 4 more", storm.id)));
    assert_eq!((told.len(), told[0].state), (9, AlertState::Closed { reason: CloseReason::Cleared }));
    assert!(told[1..].iter().all(|alert| alert.asks_attention() && alert.id.len() == 32), "{}", lines(&told));
    let more_come = |second: f64| parties::abreast(10, 1)(second);
    let later = watch(&mut stage, seconds(11, 35), more_come, heard);
    assert!(!later.iter().any(|alert| alert.dedup_key.starts_with("storm/")), "{}", lines(&later));
    let (_, answer) = release(&mut stage, &told[1].id, None);
    assert_eq!(answer, (false, format!("no rule holds alert {} back", told[1].id)));
}

#[test]
fn members_of_a_storm_can_be_released_when_it_is_over() {
    let (mut stage, storm) = storm_of(8);
    let over = watch(&mut stage, seconds(10, 60), |_| Vec::new(), heard);
    assert!(over.iter().any(|alert| alert.id == storm.id && alert.state.is_over()), "{}", lines(&over));
    let out = stage.command("c1", at(60.0), Act::Release { alert: storm.id, member: Some("track 5".into()) });
    assert!(orders::answer(&out).0, "{out:?}");
    let told = alerts(out);
    assert!(told.len() == 1 && told[0].asks_attention() && told[0].dedup_key.ends_with("track-5"), "{}", lines(&told));
}

#[test]
fn what_an_own_unit_explains_asks_for_attention_when_it_is_released_and_goes_on_to_do_so() {
    let mut stage = Stage::new();
    let with_patrol = |stage: &mut Stage, from: u32, to: u32| {
        let mut told = Vec::new();
        for second in from..to {
            let now = f64::from(second) - 20.0;
            let position_m = walker(now).expect("a track").position_m;
            assert!(stage.units.take(
                &OwnReport { unit: 0, time: at(now), position_m, sd_m: 5.0 },
                at(now),
                &stage.site
            ));
            if second >= 15 {
                told.extend(watch(stage, [now], |now| walker(now).into_iter().collect(), heard));
            }
        }
        told
    };
    let alert = with_patrol(&mut stage, 0, 30).remove(0);
    assert!(!alert.asks_attention() && alert.suppressed.is_some(), "{alert:?}");
    let (told, answer) = release(&mut stage, &alert.id, None);
    assert_eq!(answer, (true, format!("alert {} released from unit patrol-3", alert.id)));
    let asks = |alert: &Alert| {
        alert.asks_attention() && alert.text.ends_with("Explained by own unit patrol-3. Released by an operator.")
    };
    assert!(told.len() == 1 && asks(&told[0]), "{}", lines(&told));
    let later = with_patrol(&mut stage, 31, 120);
    assert!(!later.is_empty() && later.iter().all(asks), "{}", lines(&later));
    assert_eq!(stage.book.load(at(0.0), at(100.0)).alerts, 1);
}

#[test]
fn what_scheduled_work_makes_less_severe_names_it_and_is_released_from_it() {
    let mut stage = Stage::new();
    let in_the_field = |second: f64| vec![track(5, second, [220.0, -250.0], [0.0, 0.0])];
    let monday = 32.0 * 3_600.0;
    let raised = watch(&mut stage, (0..10).map(|second| monday + f64::from(second)), in_the_field, heard).remove(0);
    assert_eq!((raised.severity, raised.lowered_by.as_deref()), (Severity::Info, Some("work in field")));
    let act = Act::Release { alert: raised.id.clone(), member: None };
    let out = stage.command("c1", at(monday + 10.0), act);
    assert_eq!(orders::answer(&out), (true, format!("alert {} released from work in field", raised.id)));
    let told = alerts(out).remove(0);
    assert_eq!((told.severity, told.lowered_by, told.rev), (Severity::Medium, None, 2));
    let later = watch(&mut stage, (11..400).map(|second| monday + f64::from(second)), in_the_field, heard);
    assert!(later.iter().all(|alert| alert.severity >= Severity::Medium), "{}", lines(&later));
}

#[test]
fn what_is_held_back_as_unsure_is_released() {
    let mut stage = Stage::new();
    stage.site.rules.announce_from = 1.0;
    let raised = stage.run(0, 10, walker).remove(0);
    assert!(raised.is_held_as_unsure());
    let (told, answer) = release(&mut stage, &raised.id, None);
    assert_eq!(answer, (true, format!("alert {} released from sureness", raised.id)));
    assert!(told[0].asks_attention() && told[0].severity == Severity::Medium, "{}", lines(&told));
}
