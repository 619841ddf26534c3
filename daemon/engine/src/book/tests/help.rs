//! Who may need help, and who does not.

use super::*;

#[test]
fn help_is_called_for_and_called_again_until_somebody_answers() {
    let mut stage = Stage::new();
    stage.sensors[1].temperature_c = Some(-3.0);
    let still = |second: f64| Some(track(9, second, [-100.0, 300.0], [0.0, 0.0]));
    let mut alerts = stage.run(0, 800, still);
    let id = alerts[0].id.clone();
    alerts.extend(self::alerts(stage.command("c1", at(801.0), Act::Acknowledge { alert: id.clone() })));
    // It is not closed when the track is lost, and not told again once somebody answered.
    alerts.extend(stage.run(802, 5_000, |_| None));
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(stage.book.open_count(), 1);
    let act = Act::Shelve { alert: id, until: at(9_000.0) };
    let refused = stage.command("c2", at(5_002.0), act);
    assert!(matches!(refused.last(), Some(Output::Transmit(Transmit::CommandAnswer { done: false, .. }))));
}

#[test]
fn water_and_refuge_call_for_help_within_minutes() {
    for (position_m, within_s) in [([-250.0, -250.0], 60.0), ([-250.0, 150.0], 300.0)] {
        let mut stage = Stage::new();
        let mut alerts = stage.run(0, 301, |second| Some(track(9, second, position_m, [0.5, 0.0])));
        alerts.retain(|alert| alert.kind == AlertKind::PossibleNeed);
        assert!(alerts[0].last_seen <= at(within_s), "{}", lines(&alerts));
        assert!(alerts[0].text.starts_with("Possible need of help: "), "{}", alerts[0].text);
        assert_eq!(alerts[0].severity, Severity::Critical);
    }
}

/// Who is at the end of their strength gets on by centimetres; who only walks slowly needs no help.
#[test]
fn who_creeps_is_hardly_moving_and_who_walks_slowly_is_not() {
    let texts = |speed_mps: f64, temperature_c: f64| {
        let mut stage = Stage::new();
        let creeps = |second: f64| vec![track(19, second, [-100.0 + speed_mps * second, 300.0], [speed_mps, 0.0])];
        let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(temperature_c);
        let called = of_kind(&watch(&mut stage, seconds(0, 300), creeps, cold), AlertKind::PossibleNeed);
        called.into_iter().map(|alert| alert.text).collect::<Vec<_>>()
    };
    let called = texts(0.09, -8.0);
    assert!(matches!(&called[..], [text, ..] if text.contains("hardly moving for 3 min at -8 °C")), "{called:?}");
    assert_eq!(texts(0.3, -8.0), Vec::<String>::new());
    assert_eq!(texts(0.09, 12.0), Vec::<String>::new(), "on a mild day");
}

/// Rain of the last hour wets; a shower of drops does not, and a roof keeps dry.
#[test]
fn who_is_still_in_the_rain_may_need_help() {
    let texts = |rain_mm: f64, temperature_c: f64, north_m: f64| {
        let roof = "[[zone]]\nname = \"barn\"\nkind = \"shelter\"\npoints_m = [[-120.0, 380.0], [-80.0, 380.0], [-80.0, 420.0], [-120.0, 420.0]]\n";
        let mut stage = Stage::of(&format!("{SITE}\n{roof}"));
        stage.weather = Some(WeatherNow { wind_mps: None, rain_mm: Some(rain_mm), temperature_c: Some(temperature_c) });
        let stands = |second: f64| vec![track(19, second, [-100.0, north_m], [0.0, 0.0])];
        let called = of_kind(&watch(&mut stage, seconds(0, 300), stands, |_, _| ()), AlertKind::PossibleNeed);
        called.into_iter().map(|alert| alert.text).collect::<Vec<_>>()
    };
    let called = texts(2.6, 14.0, 300.0);
    assert!(
        matches!(&called[..], [text, ..] if text.starts_with("Possible need of help: hardly moving for 3 min in the rain (3 mm in the last hour).")),
        "{called:?}"
    );
    let called = texts(2.6, 3.0, 300.0);
    assert!(matches!(&called[..], [text, ..] if text.contains("for 3 min at 3 °C in the rain (3 mm")), "{called:?}");
    let called = texts(0.0, 3.0, 300.0);
    assert!(
        matches!(&called[..], [text, ..] if text.contains("for 3 min at 3 °C. ")),
        "the station's cold counts: {called:?}"
    );
    assert_eq!(texts(0.4, 14.0, 300.0), Vec::<String>::new(), "a few drops");
    assert_eq!(texts(2.6, 3.0, 400.0), Vec::<String>::new(), "under a roof");
}

/// A radar that hangs shows its last scan for ever: who walked there then stands still in it.
#[test]
fn what_only_a_stuck_radar_shows_needs_no_help_and_nobody_else() {
    let stands = |second: f64| {
        let mut walker = track(17, second, [30.0, 40.0], [0.0, 0.0]);
        walker.contributions.truncate(1);
        walker.contributions[0] = contribution(0, second, 12.0);
        vec![walker]
    };
    let calls = |stuck: bool| {
        let mut stage = Stage::new();
        let radar = |second: f64, sensor: &mut SensorStatus| {
            sensor.temperature_c = Some(-8.0);
            if sensor.id == "radar-7" {
                let east_m = if stuck { 30.0 } else { 30.0 + libm::sin(second) };
                let position = Measurement::Position {
                    position_m: Vector2::new(east_m, 40.0),
                    covariance_m2: Matrix2::identity() * 16.0,
                };
                sensor.pace.count(
                    at(second),
                    &[Detection { measurement: position, class: None, confidence: None, object: None }],
                );
            }
        };
        of_kind(&watch(&mut stage, seconds(0, 300), stands, radar), AlertKind::PossibleNeed).len()
    };
    assert_eq!((calls(true), calls(false)), (0, 1));
}

/// Every minute a few looks miss who lies there, and the track is doubted for a moment.
#[test]
fn missed_looks_do_not_make_somebody_get_up() {
    let lies = |second: f64| {
        let doubted = second > 5.0 && libm::fmod(second, 60.0) < 3.0;
        let existence = if doubted { 0.4 } else { 0.99 };
        vec![Track { existence, ..track(17, second, [30.0, 40.0], [0.0, 0.0]) }]
    };
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let calls = of_kind(&watch(&mut Stage::new(), seconds(0, 240), lies, cold), AlertKind::PossibleNeed);
    assert!(!calls.is_empty() && calls[0].last_seen <= at(190.0), "{}", lines(&calls));
}

/// Who left the camera's view is believed to exist for a while, but nobody saw them stay.
#[test]
fn who_is_not_seen_any_more_is_not_said_to_be_in_one_place() {
    let leaves =
        |second: f64| vec![Track { last_seen: at(second.min(60.0)), ..track(17, second, [30.0, 40.0], [0.0, 0.0]) }];
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let alerts = watch(&mut Stage::new(), seconds(0, 300), leaves, cold);
    assert_eq!(of_kind(&alerts, AlertKind::PossibleNeed), []);
}

/// A camera leaves the range open for hundreds of metres, and still sees who walks past.
#[test]
fn who_walks_across_a_bearing_is_not_still_and_who_stays_on_it_is() {
    let calls = |speed_mps: f64| {
        let passes = |second: f64| {
            let seen = track(17, second, [speed_mps * second, 300.0], [speed_mps, 0.0]);
            vec![Track { position_covariance_m2: Matrix2::new(9.0, 0.0, 0.0, 40_000.0), localised: false, ..seen }]
        };
        let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
        of_kind(&watch(&mut Stage::new(), seconds(0, 240), passes, cold), AlertKind::PossibleNeed).len()
    };
    assert_eq!((calls(1.0), calls(0.0)), (0, 1));
}

/// A walker who passes behind trees for minutes is seen again somewhere else: nobody stood there.
#[test]
fn who_walked_on_unseen_is_not_said_to_have_stayed() {
    let walks = |second: f64| {
        let seen = !(60.0..360.0).contains(&second);
        let last_seen = if seen { at(second) } else { at(60.0) };
        vec![Track { last_seen, ..track(17, second, [1.3 * second - 400.0, 300.0], [1.3, 0.0]) }]
    };
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let alerts = watch(&mut Stage::new(), seconds(0, 420), walks, cold);
    assert_eq!(of_kind(&alerts, AlertKind::PossibleNeed), []);
}

/// Somebody has seen the alert, and sent nobody; who lies there still does.
#[test]
fn a_need_that_lasts_after_it_was_acknowledged_is_raised_again_and_again() {
    let mut stage = Stage::new();
    let at_the_ford = |second: f64| Some(track(4, second, [-250.0, 150.0], [0.0, 0.0]));
    let raised = stage.run(0, 200, at_the_ford).remove(0);
    assert!(raised.humanitarian.is_some() && raised.state == AlertState::Raised);
    let acknowledge = |stage: &mut Stage, second: f64| {
        let act = Act::Acknowledge { alert: raised.id.clone() };
        alerts(stage.command(&format!("c{second}"), at(second), act)).remove(0).state
    };
    assert_eq!(acknowledge(&mut stage, 200.0), AlertState::Acknowledged);
    let states = |alerts: &[Alert]| alerts.iter().map(|alert| alert.state).collect::<Vec<_>>();
    assert!(states(&stage.run(201, 380, at_the_ford)).iter().all(|state| *state == AlertState::Acknowledged));
    let again = stage.run(380, 390, at_the_ford);
    assert_eq!(states(&again), [AlertState::Updated]);
    assert_eq!((again[0].severity, again[0].id == raised.id), (Severity::Critical, true));
    insta::assert_snapshot!(again[0].text);
    // Nobody answers: it is told again like any other call for help.
    assert_eq!(states(&stage.run(390, 700, at_the_ford)), [AlertState::Updated]);
    assert_eq!(acknowledge(&mut stage, 700.0), AlertState::Acknowledged);
    assert!(states(&stage.run(701, 900, at_the_ford)).contains(&AlertState::Updated));
    // Who has somebody on the way is not called again, and where nobody is any more nothing lasts.
    let act = Act::Assign { alert: raised.id.clone(), to: "ben".into() };
    stage.command("assign", at(900.0), act);
    assert!(states(&stage.run(901, 1_500, at_the_ford)).iter().all(|state| *state == AlertState::Assigned));
    let mut stage = Stage::new();
    let raised = stage.run(0, 200, at_the_ford).remove(0);
    stage.command("c", at(200.0), Act::Acknowledge { alert: raised.id });
    let gone = stage.run(201, 2_000, |second| at_the_ford(second).filter(|_| second < 300.0));
    assert!(states(&gone).iter().all(|state| *state == AlertState::Acknowledged), "{}", lines(&gone));
}
