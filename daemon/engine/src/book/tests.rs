//! Hand-made tracks and health over time, and the alerts that come of them, as an operator reads them.

mod conditions;
mod jamming;
mod lessons;
mod texts;
mod verdicts;
mod zones;

use std::collections::BTreeMap;

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{
    ClassProbabilities, Contribution, Detection, Direction, Measurement, Scan, Timestamp, Track, TrackId, TrackStatus,
};

use super::Book;
use crate::calls::Calls;
use crate::config::{EngineConfig, Site};
use crate::input::{Act, Command};
use crate::inspect::Notes;
use crate::output::Transmit;
use crate::rules::{Link, Loss, Rules, SINK, Situation, StoreLost, Tamper, UPLINK};
use crate::status::{Counters, SensorStatus};
use crate::units::{OwnReport, Units};
use crate::weather::WeatherNow;
use crate::{Alert, AlertKind, AlertState, CloseReason, Durable, EVIDENCE_TERMS, Output, Severity};

const SITE: &str = r#"
[site]
id = "post-4"
origin = { lat = 52.0, lon = 23.6 }
timezone = "Europe/Warsaw"

[[sensor]]
id = "radar-7"
kind = "radar"
position = { east_m = 0.0, north_m = -200.0 }
coverage = { shape = "circle", radius_m = 900.0 }

[[sensor]]
id = "pir-3"
kind = "pir"
node = 17
position = { east_m = 0.0, north_m = 10.0 }

[[sensor]]
id = "cam-2"
kind = "camera"
position = { east_m = 50.0, north_m = -50.0 }
coverage = { shape = "sector", range_m = 400.0, heading_deg = 0.0, width_deg = 60.0 }

[[sensor]]
id = "trip-1"
kind = "tripwire"
coverage = { shape = "line", from_m = [-20.0, 0.0], to_m = [20.0, 0.0] }
false_alarms_per_hour = 0.1

[[zone]]
name = "Bug line"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]

[[zone]]
name = "depot"
kind = "alert"
points_m = [[200.0, -300.0], [300.0, -300.0], [300.0, -200.0], [200.0, -200.0]]

[[zone]]
name = "ford"
kind = "humanitarian"
points_m = [[-300.0, 100.0], [-200.0, 100.0], [-200.0, 200.0], [-300.0, 200.0]]

[[zone]]
name = "lane"
kind = "ignore"
points_m = [[250.0, -350.0], [350.0, -350.0], [350.0, -100.0], [250.0, -100.0]]

[[zone]]
name = "field"
kind = "work"
points_m = [[200.0, -320.0], [240.0, -320.0], [240.0, -190.0], [200.0, -190.0]]
schedule = [{ days = ["mon"], from = "08:00", to = "16:00" }]

[[zone]]
name = "lake"
kind = "water"
points_m = [[-300.0, -300.0], [-200.0, -300.0], [-200.0, -200.0], [-300.0, -200.0]]

[[unit]]
id = "patrol-3"
"#;

/// Rules and book on a stage where the tracks are what the test says.
struct Stage {
    site: Site,
    rules: Rules,
    book: Book,
    counters: Counters,
    sensors: Vec<SensorStatus>,
    links: BTreeMap<String, Link>,
    losses: BTreeMap<String, Loss>,
    store_lost: Option<StoreLost>,
    certificates: BTreeMap<String, Timestamp>,
    units: Units,
    calls: Calls,
    started: Timestamp,
    woke: Timestamp,
    weather: Option<WeatherNow>,
}

/// 2026-03-01 is a Sunday; 01:14 UTC is 02:14 at the site.
fn at(second: f64) -> Timestamp {
    crate::time::parse_rfc3339("2026-03-01T01:14:00Z").expect("a time").plus_seconds(second)
}

impl Stage {
    fn new() -> Self {
        Self::of(SITE)
    }

    fn of(toml: &str) -> Self {
        let config: EngineConfig = toml::from_str(toml).expect("valid TOML");
        let site = config.resolve().expect("valid configuration");
        let heard = |id: &str| SensorStatus { id: id.into(), last_heard: Some(at(0.0)), ..SensorStatus::default() };
        let sensors = site.sensors.iter().map(|sensor| heard(&sensor.model.id)).collect();
        let (links, losses) = (BTreeMap::new(), BTreeMap::new());
        Self {
            site,
            rules: Rules::default(),
            book: Book::default(),
            counters: Counters::default(),
            sensors,
            links,
            losses,
            store_lost: None,
            certificates: BTreeMap::new(),
            units: Units::default(),
            calls: Calls::default(),
            started: at(0.0),
            woke: at(0.0),
            weather: None,
        }
    }

    fn step(&mut self, now: Timestamp, tracks: &[Track]) -> Vec<Alert> {
        let explained = self.units.explain(tracks, now, &self.site);
        let situation = Situation {
            now,
            started: self.started,
            woke: self.woke,
            site: &self.site,
            tracks,
            sensors: &self.sensors,
            links: &self.links,
            losses: &self.losses,
            store_lost: self.store_lost.as_ref(),
            certificates: &self.certificates,
            units: &self.units,
            calls: &self.calls,
            weather: self.weather,
            explained: &explained,
        };
        let findings = self.rules.assess(&situation, &mut Notes::default());
        let mut out = Vec::new();
        self.book.reconcile(&situation, findings, &mut self.counters, &mut Notes::default(), &mut out);
        alerts(out)
    }

    /// A second at a time, all sensors heard; `track` tells where the walker is.
    fn run(&mut self, from: u32, to: u32, track: impl Fn(f64) -> Option<Track>) -> Vec<Alert> {
        let mut all = Vec::new();
        for second in from..to {
            let second = f64::from(second);
            for sensor in &mut self.sensors {
                sensor.last_heard = Some(at(second));
            }
            let tracks: Vec<Track> = track(second).into_iter().collect();
            all.extend(self.step(at(second), &tracks));
        }
        all
    }

    /// A step in which all sensors are well.
    fn run_once(&mut self, second: f64, tracks: &[Track]) -> Vec<Alert> {
        for sensor in &mut self.sensors {
            sensor.last_heard = Some(at(second));
        }
        self.step(at(second), tracks)
    }

    fn command(&mut self, id: &str, now: Timestamp, act: Act) -> Vec<Output> {
        self.order(&Command { id: id.into(), by: "anna".into(), expires_at: None, act }, now)
    }

    fn order(&mut self, command: &Command, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        self.book.take_command(command, now, &self.site, &mut self.counters, &mut out);
        out
    }
}

fn alerts(out: Vec<Output>) -> Vec<Alert> {
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    };
    out.into_iter().filter_map(alert).collect()
}

fn contribution(sensor: usize, second: f64, log_likelihood: f64) -> Contribution {
    Contribution {
        sensor,
        time: at(second),
        detections: 5.0,
        innovation: Default::default(),
        innovation_covariance: Default::default(),
        test_ratio: 1.0,
        log_likelihood,
    }
}

fn track(number: u64, now: f64, position_m: [f64; 2], velocity_mps: [f64; 2]) -> Track {
    Track {
        id: TrackId(number),
        status: TrackStatus::Confirmed,
        coasting: false,
        first_seen: at(0.0),
        last_seen: at(now),
        position_m: Vector2::from(position_m),
        position_covariance_m2: Matrix2::new(9.0, 2.0, 2.0, 4.0),
        localised: true,
        velocity_mps: Vector2::from(velocity_mps),
        velocity_covariance_m2ps2: Matrix2::identity() * 0.01,
        existence: 0.99,
        class: ClassProbabilities { person: 0.9, animal: 0.08, vehicle: 0.02 },
        count: (1, 1),
        contributions: vec![contribution(1, now, 4.0), contribution(0, now, 12.0)],
        silent: vec![2],
    }
}

/// Walks south over the line at 1.4 m/s, on it after 40 s.
fn walker(second: f64) -> Option<Track> {
    Some(track(17, second, [30.0, 56.0 - 1.4 * second], [0.1, -1.4]))
}

/// One line for each revision: what a reader of the list sees.
fn lines(alerts: &[Alert]) -> String {
    let line = |alert: &Alert| {
        let state = serde_json::to_string(&alert.state).expect("JSON");
        format!("{:?} {:?} rev {} {state}\n    {}\n", alert.severity, alert.kind, alert.rev, alert.text)
    };
    alerts.iter().map(line).collect()
}

#[test]
fn an_approach_becomes_the_crossing_in_one_alert() {
    let mut stage = Stage::new();
    let alerts = stage.run(0, 90, walker);
    insta::assert_snapshot!(lines(&alerts));
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id && alert.dedup_key == alerts[0].dedup_key));
    let eta = alerts[0].eta.expect("an approach has one");
    assert!(eta.low_s < eta.s && eta.s < eta.high_s && (eta.s - 35.0).abs() < 2.0, "{eta:?}");
    let crossing = alerts.iter().find(|alert| alert.kind == AlertKind::Crossing).expect("a crossing");
    assert!(crossing.last_seen <= at(44.0), "told {:?}", crossing.last_seen);
}

#[test]
fn a_sensor_that_missed_one_look_is_not_called_silent() {
    let mut stage = Stage::new();
    let missed_once = |second: f64| walker(second).map(|track| Track { silent: vec![0, 2], ..track });
    for alert in stage.run(0, 60, missed_once) {
        let silent: Vec<&str> = alert.contributors.iter().filter(|c| c.share.is_none()).map(|c| &*c.sensor).collect();
        assert_eq!(silent, ["cam-2"], "{}", alert.text);
    }
}

#[test]
fn a_first_message_fits_into_a_kilobyte() {
    let mut stage = Stage::new();
    for sensor in &mut stage.site.sensors {
        sensor.model.id = format!("{}{}", sensor.model.id, "x".repeat(56));
    }
    stage.site.zones[0].name = "y".repeat(64);
    let crossing = stage.run(0, 60, walker).into_iter().last().expect("an alert");
    let json = serde_json::to_vec(&crossing).expect("JSON");
    // The envelope: {"v":1,"epoch":"<16>","seq":<10>,"alert":..}
    assert!(json.len() + 84 <= 1_024, "{} bytes", json.len());
    assert!(!crossing.text.is_empty() && !crossing.contributors.is_empty());
}

#[test]
fn walking_along_the_line_is_no_crossing() {
    let mut stage = Stage::new();
    let along = |second: f64| {
        // Two metres to and fro, with an uncertainty of two metres: nobody can say which side.
        let north_m = if libm::fmod(second, 2.0) < 1.0 { 1.0 } else { -1.0 };
        Some(track(3, second, [-100.0 + second, north_m], [1.0, 0.0]))
    };
    assert_eq!(lines(&stage.run(0, 120, along)), "");
}

#[test]
fn round_the_end_of_the_line_is_no_crossing() {
    let mut stage = Stage::new();
    let round = |second: f64| {
        let angle = second * 0.02;
        Some(track(3, second, [500.0 + 60.0 * libm::sin(angle), 60.0 * libm::cos(angle)], [0.0, 0.0]))
    };
    assert_eq!(lines(&stage.run(0, 150, round)), "");
}

#[test]
fn who_returns_is_told_in_the_same_alert() {
    let mut stage = Stage::new();
    let mut alerts = stage.run(0, 80, walker);
    alerts.extend(
        stage.run(80, 160, |second| Some(track(17, second, [30.0, -56.0 + 1.4 * (second - 80.0)], [0.1, 1.4]))),
    );
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id));
    let last = alerts.last().expect("an alert");
    assert!(last.text.contains("returned over Bug line outward"), "{}", last.text);
    assert_eq!((last.kind, last.severity), (AlertKind::Returned, Severity::High));
}

#[test]
fn entry_and_stay_are_one_alert_and_closed_when_gone() {
    let mut stage = Stage::new();
    stage.site.zones.remove(3);
    let inside = |second: f64| {
        let east_m = if second < 400.0 { 245.0 } else { 245.0 + 2.0 * (second - 400.0) };
        Some(track(5, second, [east_m, -250.0], [0.0, 0.0]))
    };
    let alerts = stage.run(0, 500, inside);
    insta::assert_snapshot!(lines(&alerts));
    let last = alerts.last().expect("an alert");
    assert_eq!(last.state, AlertState::Closed { reason: CloseReason::Cleared });
}

#[test]
fn a_track_lost_and_found_near_by_is_the_same_cause() {
    let mut stage = Stage::new();
    let lost_and_found = |second: f64| match second {
        s if s < 50.0 => walker(s),
        s if s < 60.0 => None,
        s => walker(s).map(|track| Track { id: TrackId(18), ..track }),
    };
    let alerts = stage.run(0, 120, lost_and_found);
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{}", lines(&alerts));
}

#[test]
fn a_track_that_was_never_there_is_retracted() {
    let mut stage = Stage::new();
    let fading = |second: f64| match second {
        s if s < 10.0 => Some(track(5, s, [220.0, -250.0], [0.0, 0.0])),
        s if s < 15.0 => {
            Some(Track { existence: 0.2, status: TrackStatus::Tentative, ..track(5, s, [220.0, -250.0], [0.0, 0.0]) })
        }
        _ => None,
    };
    let last = stage.run(0, 60, fading).pop().expect("an alert");
    assert_eq!(last.state, AlertState::Closed { reason: CloseReason::Retracted });
}

#[test]
fn noise_about_a_zone_border_does_not_flap() {
    let mut stage = Stage::new();
    let noisy = |second: f64| {
        // In and out of the depot's west side by three metres, four times a minute.
        let east_m = if libm::fmod(second, 15.0) < 8.0 { 203.0 } else { 197.0 };
        Some(track(5, second, [east_m, -250.0], [0.0, 0.0]))
    };
    let alerts = stage.run(0, 280, noisy);
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id) && alerts.len() <= 4, "{}", lines(&alerts));
}

#[test]
fn nothing_counts_in_an_ignored_zone() {
    let mut stage = Stage::new();
    let on_the_lane = |second: f64| Some(track(5, second, [280.0, -250.0], [0.0, 0.0]));
    assert_eq!(lines(&stage.run(0, 400, on_the_lane)), "");
}

#[test]
fn scheduled_work_lowers_severity_and_says_so() {
    let mut stage = Stage::new();
    let in_the_field = |second: f64| Some(track(5, second, [220.0, -250.0], [0.0, 0.0]));
    let severity =
        |alerts: Vec<Alert>| alerts.first().map(|alert| (alert.severity, alert.text.contains("Work is scheduled")));
    assert_eq!(severity(stage.run(0, 10, in_the_field)), Some((Severity::Medium, false)));
    // Monday 10:14 at the site.
    let monday = 32 * 3_600;
    assert_eq!(severity(stage.run(monday, monday + 10, in_the_field)), None);
    let mut stage = Stage::new();
    assert_eq!(severity(stage.run(monday, monday + 10, in_the_field)), Some((Severity::Info, true)));
}

#[test]
fn health_is_told_in_plain_words() {
    let mut stage = Stage::new();
    let mut told = Vec::new();
    stage.sensors[1].battery_mv = Some(3_210);
    stage.sensors[1].tamper = Some((Tamper::Opened, at(10.0), at(7.0)));
    stage.links.insert(UPLINK.into(), Link { up: false, since: at(-70.0) });
    stage.links.insert("radio-1".into(), Link { up: false, since: at(-65.0) });
    let loss = |what: &str, why: &str, kind| Loss {
        what: what.into(),
        why: why.into(),
        kind,
        count: 120,
        first: at(0.0),
        last: at(9.0),
    };
    stage
        .losses
        .insert("frames/radio-1".into(), loss("frames of radio-1 dropped", "its queue was full", AlertKind::DataLoss));
    stage.losses.insert("storage/recording".into(), loss("faults of recording", "disk full", AlertKind::StorageFault));
    told.extend(stage.step(at(10.0), &[]));
    told.extend(stage.step(at(4_000.0), &[]));
    insta::assert_snapshot!(lines(&told));
}

#[test]
fn a_battery_near_its_limit_does_not_flap() {
    let mut stage = Stage::new();
    let mut told = Vec::new();
    for minute in 0_u32..60 {
        stage.sensors[1].battery_mv = Some(if minute % 2 == 0 { 3_290 } else { 3_320 });
        told.extend(stage.step(at(f64::from(minute) * 50.0), &[]));
    }
    told.retain(|alert| alert.kind == AlertKind::SensorBattery);
    assert_eq!(told.len(), 1, "{}", lines(&told));
}

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
fn a_full_book_keeps_the_severe_ones() {
    let mut stage = Stage::new();
    stage.site.rules.max_open_alerts = 1;
    stage.sensors[1].battery_mv = Some(3_000);
    let first = stage.step(at(0.0), &[]);
    assert_eq!(first[0].kind, AlertKind::SensorBattery);
    stage.sensors[1].tamper = Some((Tamper::Moved, at(1.0), at(1.0)));
    let second = stage.step(at(1.0), &[]);
    let states: Vec<_> = second.iter().map(|alert| (alert.kind, alert.state)).collect();
    assert_eq!(
        states,
        [(AlertKind::SensorBattery, AlertState::Expired), (AlertKind::SensorTamper, AlertState::Raised)]
    );
    assert_eq!(stage.book.open_count(), 1);
}

#[test]
fn an_own_patrol_is_told_as_such_and_in_full_when_it_turns_back() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    let start_m = walker(0.0).expect("a track").position_m;
    let earlier = OwnReport { unit: 0, time: at(-15.0), position_m: start_m, sd_m: 5.0 };
    assert!(stage.units.take(&earlier, at(-15.0), &stage.site));
    for second in 0_u32..120 {
        let now = f64::from(second);
        let walker = walker(now).expect("a track");
        // The patrol walks with the track for a minute, then turns back.
        let position_m = if second < 60 { walker.position_m } else { Vector2::new(30.0, -28.0 + 1.4 * (now - 60.0)) };
        let report = OwnReport { unit: 0, time: at(now), position_m, sd_m: 5.0 };
        assert!(stage.units.take(&report, at(now), &stage.site));
        alerts.extend(stage.run(second, second + 1, |_| Some(walker.clone())));
    }
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(alerts[0].severity, Severity::Info);
    assert_eq!(alerts[0].suppressed.as_ref().map(|by| by.rule.as_str()), Some("unit patrol-3"));
    assert_eq!(alerts.last().map(|alert| (alert.severity, alert.suppressed.is_some())), Some((Severity::High, false)));
}

#[test]
fn a_forged_position_hides_nobody() {
    let mut stage = Stage::new();
    let own = |second: f64, position_m| OwnReport { unit: 0, time: at(second), position_m, sd_m: 5.0 };
    assert!(stage.units.take(&own(0.0, Vector2::new(-800.0, 0.0)), at(0.0), &stage.site));
    // Ten seconds later on the walker, 800 m away.
    let there = walker(10.0).expect("a track").position_m;
    assert!(!stage.units.take(&own(10.0, there), at(10.0), &stage.site));
    let alerts = stage.run(10, 60, walker);
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing && alert.suppressed.is_none()));
    let doubt = alerts.iter().find(|alert| alert.kind == AlertKind::PositionDoubt).expect("an alert");
    insta::assert_snapshot!(doubt.text);
}

#[test]
fn a_unit_that_appears_out_of_silence_hides_nobody_before_the_alert() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..30 {
        let now = f64::from(second);
        let walker = walker(now).expect("a track");
        // Somebody who comes near begins to speak in the patrol's name.
        if second >= 5 {
            let report = OwnReport { unit: 0, time: at(now), position_m: walker.position_m, sd_m: 5.0 };
            assert!(stage.units.take(&report, at(now), &stage.site));
        }
        let explained = stage.units.explain(std::slice::from_ref(&walker), at(now), &stage.site);
        assert_eq!(explained.is_empty(), second < 15, "at {second} s");
        alerts.extend(stage.run(second, second + 1, |_| Some(walker.clone())));
    }
    assert!(alerts.iter().any(|alert| alert.suppressed.is_none() && alert.first_seen < at(15.0)), "{alerts:?}");
}

#[test]
fn a_unit_that_could_be_anywhere_explains_nothing() {
    let mut stage = Stage::new();
    for (second, sd_m, explains) in [(0.0, 20.0, false), (20.0, 20.0, true), (40.0, 700.0, false)] {
        let walker = walker(second).expect("a track");
        let report = OwnReport { unit: 0, time: at(second), position_m: walker.position_m, sd_m };
        assert!(stage.units.take(&report, at(second), &stage.site));
        let explained = stage.units.explain(&[walker], at(second), &stage.site);
        assert_eq!(!explained.is_empty(), explains, "with {sd_m} m");
    }
}

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

#[test]
fn a_herd_is_one_alert_and_a_person_in_it_comes_through() {
    let mut stage = Stage::new();
    let class = ClassProbabilities { person: 0.2, animal: 0.7, vehicle: 0.1 };
    let mut alerts = Vec::new();
    for second in 0_u32..60 {
        let now = f64::from(second);
        let south = |east_m: f64| [east_m, 20.0 - 1.4 * now];
        let animal = |n: u32| Track {
            class,
            ..track(100 + u64::from(n), now, south(-200.0 + 20.0 * f64::from(n)), [0.0, -1.4])
        };
        let mut tracks: Vec<Track> = (0..12_u32).map(animal).collect();
        tracks.push(track(17, now, south(300.0), [0.0, -1.4]));
        for sensor in &mut stage.sensors {
            sensor.last_heard = Some(at(now));
        }
        alerts.extend(stage.step(at(now), &tracks));
    }
    insta::assert_snapshot!(lines(&alerts));
    let crossings: std::collections::BTreeSet<_> =
        alerts.iter().filter(|alert| alert.kind == AlertKind::Crossing).map(|alert| &alert.id).collect();
    assert_eq!(crossings.len(), 2, "the herd and the person");
}

#[test]
fn confidence_weighs_what_bears_an_alert_out() {
    let sure = |weight: f64, contributions: usize| {
        let mut stage = Stage::new();
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        stage.site.rules.confidence_weights[5] = weight;
        let alone = |second: f64| {
            let mut walker = walker(second)?;
            walker.contributions.truncate(contributions);
            Some(walker)
        };
        stage.run(0, 10, alone)[0].confidence
    };
    assert_eq!([sure(1.0, 1), sure(1.0, 2), sure(0.0, 2)], [0.5, 0.67, 0.5]);
}

#[test]
fn a_zone_may_ask_for_more_sureness() {
    let told = |least: f64| {
        let mut stage = Stage::new();
        stage.site.zones[0].min_confidence = Some(least);
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        stage.run(0, 90, walker).len()
    };
    assert!(told(0.4) > 0 && told(0.6) == 0);
}

/// A report of a triggered detector.
fn report(stage: &mut Stage, sensor: usize, second: f64, measurement: Measurement) {
    let detections = vec![Detection { measurement, class: None, confidence: None, object: None }];
    stage.rules.observe(&Scan { sensor, time: at(second), at: None, detections }, &stage.site);
}

#[test]
fn a_tripwire_that_a_detector_bears_out_is_an_alert_without_a_track() {
    let mut stage = Stage::new();
    report(&mut stage, 1, 90.0, Measurement::Presence { strength: None });
    report(&mut stage, 3, 100.0, Measurement::Crossing { direction: Some(Direction::In) });
    report(&mut stage, 3, 104.0, Measurement::Crossing { direction: None });
    let alerts = stage.run(105, 200, |_| None);
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(alerts.len(), 1);
    // An hour later it is another.
    report(&mut stage, 3, 3_700.0, Measurement::Crossing { direction: Some(Direction::Out) });
    assert_eq!(lines(&stage.run(3_701, 3_705, |_| None)).matches("Crossing rev 1").count(), 0);
    report(&mut stage, 1, 3_706.0, Measurement::Presence { strength: None });
    assert!(lines(&stage.run(3_706, 3_710, |_| None)).contains("Crossing rev 1"));
}

/// Detectors on a line found a track that starts there: its side was never sure, so nothing but the wire tells that it crossed.
#[test]
fn a_tripwire_tells_that_the_track_at_it_crossed() {
    let mut stage = Stage::new();
    report(&mut stage, 1, 99.0, Measurement::Presence { strength: None });
    report(&mut stage, 3, 100.0, Measurement::Crossing { direction: Some(Direction::In) });
    let alerts = stage.run(100, 160, |second| Some(track(17, second, [12.0, -2.0], [0.0, -0.2])));
    insta::assert_snapshot!(lines(&alerts));
}

/// Detectors keep one track for people who follow each other: the second one over the wire is an alert of its own all the same.
#[test]
fn a_second_crossing_of_the_same_track_is_somebody_else() {
    let mut stage = Stage::new();
    let stays = |second: f64| Some(track(17, second, [12.0, -2.0], [0.0, -0.2]));
    let mut alerts = Vec::new();
    for (from, direction) in [(100, Direction::In), (200, Direction::In), (300, Direction::Out)] {
        report(&mut stage, 1, f64::from(from) - 1.0, Measurement::Presence { strength: None });
        report(&mut stage, 3, f64::from(from), Measurement::Crossing { direction: Some(direction) });
        alerts.push(stage.run(from, from + 60, stays));
    }
    let keys = |alerts: &[Alert]| alerts.iter().map(|alert| alert.dedup_key.clone()).collect::<Vec<_>>();
    assert!(keys(&alerts[0]).iter().all(|key| key.ends_with("track-17")), "{}", lines(&alerts[0]));
    assert!(keys(&alerts[1]).iter().any(|key| key.starts_with("wire/")), "{}", lines(&alerts[1]));
    assert!(keys(&alerts[2]).iter().all(|key| key.ends_with("track-17")), "it came back: {}", lines(&alerts[2]));
}

/// Two people behind each other where only the wire sees them: a quiet wire bears itself out, a restless one does not.
#[test]
fn a_quiet_tripwire_that_is_tripped_twice_is_an_alert_and_a_restless_one_is_none() {
    let told = |restless: u32| {
        let mut stage = Stage::new();
        for _ in 0..restless + 2 {
            stage.sensors[3].pace.count(at(0.0), &[]);
        }
        report(&mut stage, 3, 10.0, Measurement::Crossing { direction: Some(Direction::In) });
        report(&mut stage, 3, 22.0, Measurement::Crossing { direction: Some(Direction::In) });
        stage.run(23, 60, |_| None)
    };
    let quiet = told(0);
    assert_eq!(quiet.len(), 1, "{}", lines(&quiet));
    assert!(quiet[0].text.starts_with("Something crossed Bug line inward twice at trip-1"), "{}", quiet[0].text);
    assert_eq!(lines(&told(8)), "");
}

#[test]
fn a_lone_tripwire_is_none_and_a_track_tells_it_better() {
    let mut stage = Stage::new();
    report(&mut stage, 3, 10.0, Measurement::Crossing { direction: None });
    assert_eq!(lines(&stage.run(10, 200, |_| None)), "");
    let mut stage = Stage::new();
    report(&mut stage, 3, 40.0, Measurement::Crossing { direction: None });
    report(&mut stage, 1, 41.0, Measurement::Presence { strength: None });
    let alerts = stage.run(35, 90, walker);
    assert!(alerts.iter().all(|alert| alert.dedup_key.contains("track-17")), "{}", lines(&alerts));
}

#[test]
fn a_party_in_single_file_is_one_alert_with_its_count() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..90 {
        let now = f64::from(second);
        let walker = |n: u32| {
            let north_m = 40.0 + 4.0 * f64::from(n) - 1.4 * now;
            track(10 + u64::from(n), now, [5.0 * f64::from(n % 2), north_m], [0.0, -1.4])
        };
        let tracks: Vec<Track> = (0..12).map(walker).collect();
        alerts.extend(stage.run_once(now, &tracks));
    }
    // The group as such and the camera that misses it are other matters.
    alerts.retain(|alert| matches!(alert.kind, AlertKind::Approach | AlertKind::Crossing));
    let ids: std::collections::BTreeSet<_> = alerts.iter().map(|alert| &alert.id).collect();
    assert_eq!(ids.len(), 1, "{}", lines(&alerts));
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing), "{}", lines(&alerts));
    // Whoever is right on the line has neither approached nor crossed it, so that a later count may be one less.
    let told = |alert: &Alert, heads: u32| alert.count.is_some_and(|(_, high)| high >= heads);
    assert!(told(&alerts[0], 12) && alerts.iter().all(|alert| told(alert, 11)), "{}", lines(&alerts));
}

#[test]
fn who_leaves_a_party_gets_an_alert_of_their_own() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..150 {
        let now = f64::from(second);
        // Side by side for half a minute, then one goes on and the other along the line.
        let along_m = 1.4 * f64::max(now - 30.0, 0.0);
        let velocity = if now > 30.0 { [1.2, -0.7] } else { [0.0, -1.4] };
        let stays = track(10, now, [0.0, 100.0 - 1.4 * now], [0.0, -1.4]);
        let leaves = track(11, now, [8.0 + along_m, 100.0 - 1.4 * f64::min(now, 30.0) - 0.5 * along_m], velocity);
        alerts.extend(stage.run_once(now, &[stays, leaves]));
    }
    let ids: std::collections::BTreeSet<_> = alerts.iter().map(|alert| &alert.id).collect();
    assert_eq!(ids.len(), 2, "{}", lines(&alerts));
}

#[test]
fn what_is_plainly_an_animal_alerts_nobody_until_it_is_not() {
    let mut stage = Stage::new();
    let class = |animal: f64| ClassProbabilities { person: 0.9 - animal, animal, vehicle: 0.1 };
    let mut alerts = Vec::new();
    for second in 0_u32..60 {
        let now = f64::from(second);
        let animal = if second < 40 { class(0.9) } else { class(0.1) };
        let passer = Track { class: animal, ..track(10, now, [0.0, 60.0 - 1.4 * now], [0.0, -1.4]) };
        alerts.extend(stage.run_once(now, &[passer]));
        assert!(second >= 40 || alerts.is_empty(), "{}", lines(&alerts));
    }
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing), "{}", lines(&alerts));
}
