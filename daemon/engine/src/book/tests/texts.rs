//! A text of every kind there is, to be read in the snapshot as somebody reads it who was woken by it.

use std::collections::BTreeMap;

use super::*;
use crate::refusals::Refusals;

/// The kind after this one; whoever adds a kind adds it here, and a text of it below.
fn next(kind: AlertKind) -> Option<AlertKind> {
    use AlertKind as Kind;
    Some(match kind {
        Kind::Approach => Kind::Group,
        Kind::Group => Kind::Crossing,
        Kind::Crossing => Kind::Returned,
        Kind::Returned => Kind::Entry,
        Kind::Entry => Kind::Loitering,
        Kind::Loitering => Kind::SensorTamper,
        Kind::SensorTamper => Kind::SensorSilent,
        Kind::SensorSilent => Kind::SensorBattery,
        Kind::SensorBattery => Kind::LinkLost,
        Kind::LinkLost => Kind::DataLoss,
        Kind::DataLoss => Kind::StorageFault,
        Kind::StorageFault => Kind::CertificateExpiry,
        Kind::CertificateExpiry => Kind::SensorChattering,
        Kind::SensorChattering => Kind::SensorStuck,
        Kind::SensorStuck => Kind::SensorBlinded,
        Kind::SensorBlinded => Kind::Jammed,
        Kind::Jammed => Kind::CoverageGap,
        Kind::CoverageGap => Kind::TrackLost,
        Kind::TrackLost => Kind::VehicleStop,
        Kind::VehicleStop => Kind::DropOff,
        Kind::DropOff => Kind::PositionDoubt,
        Kind::PositionDoubt => Kind::Surge,
        Kind::Surge => Kind::PossibleNeed,
        Kind::PossibleNeed => Kind::Test,
        Kind::Test => return None,
    })
}

/// What the first alert of each kind and rule said first.
#[derive(Default)]
struct Read(BTreeMap<AlertKind, Vec<String>>);

impl Read {
    fn take(&mut self, alerts: Vec<Alert>) {
        for alert in alerts.into_iter().filter(|alert| !alert.state.is_over()) {
            let texts = self.0.entry(alert.kind).or_default();
            let text = format!("{:?}: {}", alert.severity, alert.text);
            // A text without its figures is its form.
            let form = |text: &str| text.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
            if texts.len() < 3 && texts.iter().all(|known| form(known) != form(&text)) {
                texts.push(text);
            }
        }
    }
}

fn movement(read: &mut Read) {
    read.take(Stage::new().run(0, 60, walker));
    let back = |second: f64| match second {
        s if s < 80.0 => walker(s),
        s => Some(track(17, s, [30.0, -56.0 + 1.4 * (s - 80.0)], [0.1, 1.4])),
    };
    read.take(Stage::new().run(0, 140, back));
    read.take(Stage::new().run(0, 310, |second| Some(track(5, second, [245.0, -250.0], [0.0, 0.0]))));
    read.take(Stage::new().run(0, 60, |second| if second < 30.0 { walker(second) } else { None }));
    let car = ClassProbabilities { person: 0.03, animal: 0.02, vehicle: 0.95 };
    let (mut stage, mut group) = (Stage::new(), Stage::new());
    for second in (0..120).map(f64::from) {
        let mut tracks = vec![Track { class: car, ..track(3, second, [0.0, 120.0], [0.1, 0.0]) }];
        if second >= 80.0 {
            tracks.push(Track { first_seen: at(80.0), ..track(4, second, [5.0, 116.0], [0.0, -0.3]) });
        }
        read.take(stage.run_once(second, &tracks));
        let people: Vec<Track> =
            (0..6_u8).map(|n| track(u64::from(n) + 1, second, [10.0 * f64::from(n), 150.0], [0.0, -0.3])).collect();
        read.take(group.run_once(second, &people));
    }
}

fn equipment(read: &mut Read) {
    let mut stage = Stage::new();
    let early = at(-65.0);
    stage.links.insert("radio-1".into(), Link { up: false, since: early });
    stage.links.insert(UPLINK.into(), Link { up: false, since: early });
    stage.links.insert(format!("{SINK}neighbour"), Link { up: false, since: early });
    for (what, kind) in
        [("frames of radio-1 dropped", AlertKind::DataLoss), ("faults of recording", AlertKind::StorageFault)]
    {
        let why = "disk full".to_owned();
        let loss = Loss { what: what.into(), why, kind, count: 120, first: at(0.0), last: at(60.0) };
        stage.losses.insert(what.into(), loss);
    }
    stage.store_lost = Some(StoreLost { since: at(0.0), why: "disk full".into() });
    stage.certificates.insert("centre".into(), at(86_400.0 * 5.0));
    stage.sensors[1].battery_mv = Some(3_210);
    stage.sensors[3].battery_low = true;
    stage.sensors[1].tamper = Some((Tamper::Opened, at(50.0), at(50.0)));
    let position = |east_m: f64| Measurement::Position {
        position_m: Vector2::new(east_m, 40.0),
        covariance_m2: Matrix2::identity() * 16.0,
    };
    let detection = Detection { measurement: position(1.0), class: None, confidence: None, object: None };
    for _ in 0..45 {
        stage.sensors[0].pace.count(at(0.0), &[detection]);
        stage.sensors[3].pace.count(at(0.0), &[]);
    }
    for second in [0.0, 30.0, 70.0] {
        Refusals::note(&mut stage.sensors[1].refusals, at(second), at(second + 300.0));
        stage.units.refuse(0, at(second), at(second - 7_200.0));
    }
    read.take(stage.run_once(71.0, &[]));
    read.take(alerts(stage.command("t", at(72.0), Act::TestAlert { severity: Severity::Low })));
    let mut silent = Stage::new();
    read.take(silent.step(at(300.0), &[]));
    let mut doubted = Stage::new();
    for (second, east_m) in [(0.0, -800.0), (10.0, 30.0)] {
        let report = OwnReport { unit: 0, time: at(second), position_m: Vector2::new(east_m, 40.0), sd_m: 5.0 };
        doubted.units.take(&report, at(second), &doubted.site);
    }
    read.take(doubted.run_once(11.0, &[]));
}

/// Six nodes tell their state every ten minutes, then none does; a camera misses seven parties; many cross in an hour.
fn many(read: &mut Read) {
    let mut text = SITE.to_owned();
    for node in 1..=6 {
        let at = format!("position = {{ east_m = {node}0.0, north_m = 10.0 }}");
        text += &format!("\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\n{at}\n");
    }
    let mut stage = Stage::of(&text);
    for minute in 0..180_u32 {
        let second = f64::from(minute) * 60.0;
        for (index, sensor) in stage.sensors.iter_mut().enumerate() {
            let node = sensor.id.starts_with("node-");
            if !node || (minute < 120 && minute as usize % 10 == index % 10) {
                (sensor.last_heard, sensor.told_at) = (Some(at(second)), Some(at(second)));
            }
        }
        read.take(stage.step(at(second), &[]));
    }
    let mut stage = Stage::new();
    for half_minute in 0..600_u32 {
        let second = f64::from(half_minute) * 10.0;
        let (party, since) = (half_minute / 30, f64::from(half_minute % 30) * 10.0);
        let walks = (since < 100.0).then(|| Track {
            id: TrackId(u64::from(party) + 1),
            first_seen: at(second - since),
            silent: vec![2],
            ..track(1, second, [40.0, 70.0 - 1.4 * since], [0.0, -1.4])
        });
        read.take(stage.run_once(second, walks.as_slice()));
    }
}

fn help(read: &mut Read) {
    let mut stage = Stage::new();
    stage.sensors[1].temperature_c = Some(-3.0);
    read.take(stage.run(0, 200, |second| Some(track(9, second, [-100.0, 300.0], [0.0, 0.0]))));
    read.take(Stage::new().run(0, 60, |second| Some(track(9, second, [-250.0, -250.0], [0.5, 0.0]))));
    let pair = |second: f64| Some(Track { count: (3, 4), ..track(9, second, [-100.0, 300.0], [0.0, 0.0]) });
    read.take(Stage::new().run(0, 200, pair));
}

#[test]
fn every_kind_has_a_text_that_reads_well() {
    let mut read = Read::default();
    movement(&mut read);
    equipment(&mut read);
    many(&mut read);
    help(&mut read);
    let (mut text, mut kind) = (String::new(), Some(AlertKind::Approach));
    while let Some(told) = kind {
        let texts = read.0.get(&told).unwrap_or_else(|| panic!("no text of {told:?}"));
        text += &format!("{told:?}\n  {}\n", texts.join("\n  "));
        kind = next(told);
    }
    insta::assert_snapshot!(text);
}
