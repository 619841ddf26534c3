//! SAPIENT messages made with other means than the code under test: bytes by hand, and structs of its own declared fields.

use proptest::prelude::*;
use prost::Message as _;
use vedette_engine::codec::sapient::message::{
    Alert, Classification, Content, DetectionReport, Location, RangeBearing, SapientMessage, StatusReport,
    Timestamp as Stamp, TrackObjectInfo,
};
use vedette_engine::codec::{CodecState, Context, Measured, PlotReport, Reading, Report, Spot, codec_named};
use vedette_engine::config::{EngineConfig, Site};
use vedette_engine::{AlertKind, AlertState, Durable, Engine, Frame, FrameContent, Input, Output, Timestamp};

const NODE: &str = "7ee406ee-6291-4612-9a9e-1796a333f0a3";
const MOBILE: &str = "2f1c2d3e-0000-4000-8000-000000000001";

fn config() -> EngineConfig {
    let text = format!(
        r#"
[site]
id = "x"
origin = {{ lat = 54.93, lon = 23.95 }}
[[sensor]]
id = "mast"
kind = "radar"
aliases = ["{NODE}"]
position = {{ east_m = 0.0, north_m = 0.0 }}
coverage = {{ shape = "circle", radius_m = 1000.0 }}
sapient = {{ magnetic_declination_deg = 9.0, platform_heading_deg = 350.0 }}
[[sensor]]
id = "truck"
kind = "radar"
mobile = true
aliases = ["{MOBILE}"]
coverage = {{ shape = "circle", radius_m = 1000.0 }}
"#
    );
    toml::from_str(&text).expect("valid TOML")
}

fn site() -> Site {
    config().resolve().expect("valid configuration")
}

struct Listener {
    site: Site,
    state: CodecState,
}

impl Listener {
    fn new() -> Self {
        Self { site: site(), state: CodecState::default() }
    }

    fn hear_bytes(&mut self, bytes: &[u8]) -> (Vec<Reading>, Report) {
        let context = Context { site: &self.site, topic: None, retained: false, received: received(), clocks: &[] };
        let mut readings = Vec::new();
        let report = (codec_named("sapient").expect("a codec").decode)(bytes, &context, &mut self.state, &mut readings);
        (readings, report)
    }

    fn hear(&mut self, content: Content) -> (Vec<Reading>, Report) {
        self.hear_bytes(&message(NODE, content).encode_to_vec())
    }
}

fn received() -> Timestamp {
    Timestamp::from_seconds(1_772_331_248)
}

fn message(node: &str, content: Content) -> SapientMessage {
    SapientMessage {
        timestamp: Some(Stamp { seconds: 1_772_331_247, nanos: 500_000_000 }),
        node_id: Some(node.to_owned()),
        destination_id: None,
        content: Some(content),
    }
}

fn report(place: impl Into<Place>) -> DetectionReport {
    let id = || Some("01M7ZSPMDSWXV00DK4P078S6SX".to_owned());
    let base = DetectionReport { report_id: id(), object_id: id(), ..DetectionReport::default() };
    match place.into() {
        Place::On(location) => DetectionReport { location: Some(location), ..base },
        Place::From(seen) => DetectionReport { range_bearing: Some(seen), ..base },
    }
}

enum Place {
    On(Location),
    From(RangeBearing),
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self::On(location)
    }
}

impl From<RangeBearing> for Place {
    fn from(seen: RangeBearing) -> Self {
        Self::From(seen)
    }
}

fn degrees(x: f64, y: f64) -> Location {
    Location { x: Some(x), y: Some(y), coordinate_system: Some(1), datum: Some(1), ..Location::default() }
}

fn bearing(azimuth: f64, units: i32, datum: i32) -> RangeBearing {
    RangeBearing {
        azimuth: Some(azimuth),
        coordinate_system: Some(units),
        datum: Some(datum),
        ..RangeBearing::default()
    }
}

fn only_plot((readings, report): (Vec<Reading>, Report)) -> Measured {
    assert_eq!(report.faults, []);
    match &readings[..] {
        [Reading::Plots(PlotReport { plots, .. })] if plots.len() == 1 => plots[0].measured,
        other => panic!("{other:?}"),
    }
}

fn only_fault((readings, report): (Vec<Reading>, Report)) -> String {
    assert_eq!(readings, []);
    report.faults.iter().map(|fault| format!("{}: {fault}\n", fault.reason.name())).collect()
}

/// A bearing report as another encoder wrote it, byte by byte.
#[test]
fn bytes_of_another_encoder_are_understood() {
    let mut bytes = vec![0x0a, 0x0c, 0x08];
    bytes.extend([0xef, 0xc1, 0x8e, 0xcd, 0x06, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
    bytes.extend([0x12, 36]);
    bytes.extend(NODE.as_bytes());
    let mut body = vec![0x0a, 3, b'R', b'1', b'X', 0x12, 2, b'O', b'1', 0x2a, 0x16, 0x11];
    body.extend(123.4_f64.to_le_bytes());
    body.push(0x29);
    body.extend(2.0_f64.to_le_bytes());
    body.extend([0x38, 1, 0x40, 1, 0x3d]);
    body.extend(0.9_f32.to_le_bytes());
    body.extend([0x5a, 0x0c, 0x0a, 0x05]);
    body.extend(b"Human");
    body.push(0x15);
    body.extend(0.8_f32.to_le_bytes());
    bytes.extend([0x3a, u8::try_from(body.len()).expect("short")]);
    bytes.extend(body);
    let (readings, report) = Listener::new().hear_bytes(&bytes);
    assert_eq!(report.faults, []);
    let [Reading::Plots(plots)] = &readings[..] else { panic!("{readings:?}") };
    let plot = plots.plots[0];
    assert_eq!(plot.measured, Measured::Bearing { azimuth_deg: 123.4, azimuth_sd_deg: Some(2.0) });
    let class = plot.class.expect("a class");
    assert!((class.person - 0.8).abs() < 1e-6 && plot.object.is_some());
    assert!(plot.confidence.is_some_and(|confidence| (confidence - 0.9).abs() < 1e-6));
}

#[test]
fn all_coordinates_of_a_place_mean_the_same_place() {
    let systems = [
        degrees(23.95, 54.93),
        Location {
            x: Some(23.95_f64.to_radians()),
            y: Some(54.93_f64.to_radians()),
            coordinate_system: Some(2),
            ..Location::default()
        },
    ];
    for location in systems {
        let place = only_plot(Listener::new().hear(Content::DetectionReport(report(location))));
        let Measured::Position { spot: Spot::Wgs84 { lat, lon }, .. } = place else { panic!("{place:?}") };
        assert!((lat - 54.93).abs() < 1e-9 && (lon - 23.95).abs() < 1e-9, "{lat} {lon}");
    }
    let grid = Location {
        x: Some(500_000.0),
        y: Some(6_086_000.0),
        coordinate_system: Some(5),
        utm_zone: Some("34U".to_owned()),
        ..Location::default()
    };
    let place = only_plot(Listener::new().hear(Content::DetectionReport(report(grid))));
    let Measured::Position { spot: Spot::Wgs84 { lat, lon }, .. } = place else { panic!("{place:?}") };
    assert!((lat - 54.92).abs() < 0.02 && (lon - 21.0).abs() < 1e-9, "{lat} {lon}");
}

#[test]
fn errors_of_a_place_become_a_covariance_and_its_cross_term_is_kept() {
    let location = Location { x_error: Some(2e-5), y_error: Some(2e-5), ..degrees(23.95, 54.93) };
    let mut with_cross = report(location);
    let info =
        |value: &str| TrackObjectInfo { r#type: Some("covariance_en_m2".to_owned()), value: Some(value.to_owned()) };
    with_cross.object_info = vec![info("1.5")];
    let place = only_plot(Listener::new().hear(Content::DetectionReport(with_cross.clone())));
    let Measured::Position { covariance_m2: Some([ee, en, nn]), .. } = place else { panic!("{place:?}") };
    assert!((ee.sqrt() - 1.28).abs() < 0.01 && (nn.sqrt() - 2.23).abs() < 0.01 && en == 1.5, "{ee} {en} {nn}");
    with_cross.object_info = vec![info("99")];
    let place = only_plot(Listener::new().hear(Content::DetectionReport(with_cross)));
    assert!(matches!(place, Measured::Position { covariance_m2: Some([_, 0.0, _]), .. }), "{place:?}");
}

#[test]
fn every_unit_and_datum_of_a_bearing_is_honoured() {
    let azimuth = |azimuth: f64, units: i32, datum: i32| {
        let seen = bearing(azimuth, units, datum);
        match only_plot(Listener::new().hear(Content::DetectionReport(report(seen)))) {
            Measured::Bearing { azimuth_deg, .. } => azimuth_deg,
            other => panic!("{other:?}"),
        }
    };
    let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got} {expected}");
    near(azimuth(90.0, 1, 1), 90.0);
    near(azimuth(90.0_f64.to_radians(), 2, 1), 90.0);
    near(azimuth(90.0, 3, 2), 99.0);
    near(azimuth(90.0, 1, 4), 80.0);
    // 2.95 degrees east of the zone's middle at 54.93 degrees north.
    assert!((azimuth(90.0, 1, 3) - 92.415).abs() < 0.01, "{}", azimuth(90.0, 1, 3));
    let ranged =
        RangeBearing { range: Some(0.5), range_error: Some(0.01), elevation: Some(60.0), ..bearing(10.0, 3, 1) };
    let place = only_plot(Listener::new().hear(Content::DetectionReport(report(ranged))));
    let Measured::RangeBearing { range_m, range_sd_m: Some(sd_m), .. } = place else { panic!("{place:?}") };
    near(range_m, 250.0);
    near(sd_m, 10.0);
    let alone = RangeBearing { azimuth: None, range: Some(80.0), ..bearing(0.0, 1, 1) };
    let place = only_plot(Listener::new().hear(Content::DetectionReport(report(alone))));
    assert_eq!(place, Measured::Range { range_m: 80.0, range_sd_m: None });
}

#[test]
fn what_cannot_be_honoured_names_the_field() {
    let mut told = String::new();
    let grid = |zone: Option<&str>, x: f64| Location {
        coordinate_system: Some(5),
        utm_zone: zone.map(str::to_owned),
        ..degrees(x, 6_000_000.0)
    };
    let places: [Place; 16] = [
        degrees(54.93, 123.95).into(),
        degrees(f64::NAN, 54.93).into(),
        Location { coordinate_system: None, ..degrees(23.95, 54.93) }.into(),
        Location { coordinate_system: Some(3), ..degrees(23.95, 54.93) }.into(),
        Location { datum: Some(7), ..degrees(23.95, 54.93) }.into(),
        Location { y: None, ..degrees(23.95, 54.93) }.into(),
        Location { x_error: Some(-1.0), ..degrees(23.95, 54.93) }.into(),
        grid(None, 500_000.0).into(),
        grid(Some("99Z"), 500_000.0).into(),
        grid(Some("34U"), 23.95).into(),
        bearing(90.0, 1, 0).into(),
        bearing(90.0, 0, 1).into(),
        bearing(900.0, 1, 1).into(),
        RangeBearing { azimuth: None, ..bearing(90.0, 1, 1) }.into(),
        RangeBearing { range: Some(-5.0), ..bearing(90.0, 1, 1) }.into(),
        RangeBearing { azimuth_error: Some(f64::INFINITY), ..bearing(90.0, 1, 1) }.into(),
    ];
    for place in places {
        told += &only_fault(Listener::new().hear(Content::DetectionReport(report(place))));
    }
    let good = report(degrees(23.95, 54.93));
    told +=
        &only_fault(Listener::new().hear(Content::DetectionReport(DetectionReport { location: None, ..good.clone() })));
    told += &only_fault(
        Listener::new().hear(Content::DetectionReport(DetectionReport { report_id: None, ..good.clone() })),
    );
    let unsure = DetectionReport { detection_confidence: Some(1.5), ..good.clone() };
    told += &only_fault(Listener::new().hear(Content::DetectionReport(unsure)));
    let class = Classification { r#type: Some("Human".to_owned()), confidence: Some(f32::NAN) };
    told += &only_fault(
        Listener::new().hear(Content::DetectionReport(DetectionReport { classification: vec![class], ..good.clone() })),
    );
    let mut stampless = message(NODE, Content::DetectionReport(good.clone()));
    stampless.timestamp = None;
    told += &only_fault(Listener::new().hear_bytes(&stampless.encode_to_vec()));
    stampless.timestamp = Some(Stamp { seconds: 5, nanos: 0 });
    told += &only_fault(Listener::new().hear_bytes(&stampless.encode_to_vec()));
    stampless.timestamp = Some(Stamp { seconds: 1, nanos: -7 });
    told += &only_fault(Listener::new().hear_bytes(&stampless.encode_to_vec()));
    let stranger = message("11111111-2222-4333-8444-555555555555", Content::DetectionReport(good));
    told += &only_fault(Listener::new().hear_bytes(&stranger.encode_to_vec()));
    told += &only_fault(Listener::new().hear_bytes(&[0x3a, 0x05, 0x01]));
    insta::assert_snapshot!(told);
}

#[test]
fn a_report_comes_once_and_a_lost_object_is_no_detection() {
    let mut listener = Listener::new();
    let content = Content::DetectionReport(report(degrees(23.95, 54.93)));
    assert_eq!(listener.hear(content.clone()).0.len(), 1);
    assert!(only_fault(listener.hear(content)).starts_with("duplicate: detection_report.report_id"));
    let lost = DetectionReport { state: Some("lost".to_owned()), ..report(degrees(23.95, 54.93)) };
    assert_eq!(Listener::new().hear(Content::DetectionReport(lost)), (Vec::new(), Report::default()));
}

#[test]
fn an_error_too_small_to_be_true_is_as_good_as_none() {
    let location = Location { x_error: Some(1e-310), y_error: Some(1e-160), ..degrees(23.95, 54.93) };
    let measured = only_plot(Listener::new().hear(Content::DetectionReport(report(location))));
    assert!(matches!(measured, Measured::Position { covariance_m2: None, .. }), "{measured:?}");
}

#[test]
fn a_mobile_node_measures_from_where_it_said_it_stands() {
    let mut listener = Listener::new();
    let mut hear = |content| listener.hear_bytes(&message(MOBILE, content).encode_to_vec());
    let status = StatusReport { node_location: Some(degrees(23.96, 54.94)), ..StatusReport::default() };
    assert!(matches!(hear(Content::StatusReport(status)).0[..], [Reading::Health(_)]));
    let (readings, _) = hear(Content::DetectionReport(report(bearing(45.0, 1, 1))));
    let [Reading::Plots(plots)] = &readings[..] else { panic!("{readings:?}") };
    assert_eq!(plots.at.map(|stand| stand.spot), Some(Spot::Wgs84 { lat: 54.94, lon: 23.96 }));
}

#[test]
fn an_alert_that_says_where_is_one_more_thing_seen() {
    let alert = Alert {
        alert_id: Some("01M7ZSPQYF2RAR7H2B1Y92JCVF".to_owned()),
        status: Some(1),
        location: Some(degrees(23.95, 54.93)),
        confidence: Some(0.9),
        ..Alert::default()
    };
    assert!(matches!(only_plot(Listener::new().hear(Content::Alert(alert.clone()))), Measured::Position { .. }));
    let cleared = Alert { status: Some(5), ..alert };
    assert_eq!(Listener::new().hear(Content::Alert(cleared)), (Vec::new(), Report::default()));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Listener::new().hear_bytes(&bytes);
    }

    #[test]
    fn a_good_message_changed_anywhere_gets_an_answer(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<Option<prop::sample::Index>>()) {
        let location = Location { x_error: Some(2e-5), y_error: Some(2e-5), ..degrees(23.95, 54.93) };
        let mut bytes = message(NODE, Content::DetectionReport(report(location))).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (readings, _) = Listener::new().hear_bytes(&bytes);
        for reading in readings {
            if let Reading::Plots(plots) = reading {
                for plot in plots.plots {
                    if let Measured::Position { spot: Spot::Wgs84 { lat, lon }, covariance_m2, .. } = plot.measured {
                        prop_assert!((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon));
                        prop_assert!(covariance_m2.is_none_or(|[ee, en, nn]| ee > 0.0 && nn > 0.0 && ee * nn > en * en));
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_of_any_size_get_an_answer(x in any::<f64>(), y in any::<f64>(), error in any::<f64>(), system in 0..7_i32, datum in 0..6_i32) {
        let location = Location { x: Some(x), y: Some(y), x_error: Some(error), y_error: Some(error), coordinate_system: Some(system),
            datum: Some(datum), utm_zone: Some("34U".to_owned()), z: None };
        let _ = Listener::new().hear(Content::DetectionReport(report(location)));
        let seen = RangeBearing { azimuth: Some(x), range: Some(y), azimuth_error: Some(error), range_error: Some(error), elevation: Some(error),
            coordinate_system: Some(system), datum: Some(datum) };
        let _ = Listener::new().hear(Content::DetectionReport(report(seen)));
    }
}

/// A node that reports all day in a time that cannot be right would be blind, and nobody would know.
#[test]
fn a_wrong_clock_of_a_node_is_told_until_it_is_right() {
    let mut engine = Engine::new(&config()).expect("valid configuration");
    let mut hear = |delay_s: f64| {
        let (now, seen) = (received().plus_seconds(delay_s), report(bearing(90.0, 1, 1)));
        let bytes = message(NODE, Content::DetectionReport(seen)).encode_to_vec();
        let content = FrameContent::Message { codec: "sapient".into(), topic: None, retained: false, bytes };
        let mut out = Vec::new();
        for input in [Input::Frame(Frame { source: "x".into(), received: now, content }), Input::Tick] {
            engine.handle(now, input, &mut out);
        }
        let alerts = out.into_iter().filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) if alert.text.contains("clock") => Some(*alert),
            _ => None,
        });
        alerts.collect::<Vec<_>>()
    };
    let told: Vec<_> = [-400.0, -370.0, -330.0].into_iter().flat_map(&mut hear).collect();
    let [alert] = &told[..] else { panic!("{told:#?}") };
    assert_eq!(alert.kind, AlertKind::SensorSilent);
    assert!(
        alert.text.contains("that sensor mast reports") && alert.text.contains("its clock is 5 min ahead"),
        "{}",
        alert.text
    );
    let after: Vec<_> = [0.0, 40.0].into_iter().flat_map(&mut hear).collect();
    assert!(
        after.iter().any(|later| later.id == alert.id && matches!(later.state, AlertState::Closed { .. })),
        "{after:#?}"
    );
}
