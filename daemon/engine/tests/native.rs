//! The native codec on good, half-bad and ugly messages.

use proptest::prelude::*;
use vedette_engine::Timestamp;
use vedette_engine::codec::{CodecState, Context, Measured, Reading, Reason, Report, Spot, codec_named};
use vedette_engine::config::{EngineConfig, Site};
use vedette_engine::time::parse_rfc3339;

fn site() -> Site {
    let config: EngineConfig = toml::from_str(include_str!("fixtures/mixed.toml")).expect("valid TOML");
    config.resolve().expect("valid configuration")
}

fn received() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:07.900Z").expect("a time")
}

fn decode_at(received: Timestamp, bytes: &[u8]) -> (Vec<Reading>, Report) {
    let site = site();
    let context = Context { site: &site, topic: None, retained: false, received, clocks: &[] };
    let mut readings = Vec::new();
    let codec = codec_named("native").expect("a codec");
    let report = (codec.decode)(bytes, &context, &mut CodecState::default(), &mut readings);
    (readings, report)
}

fn decode(message: &str) -> (Vec<Reading>, Report) {
    decode_at(received(), message.as_bytes())
}

fn plots(message: &str) -> Vec<Measured> {
    let (readings, report) = decode(message);
    assert_eq!(report.faults, []);
    let [Reading::Plots(plots)] = readings.as_slice() else { panic!("{readings:?}") };
    plots.plots.iter().map(|plot| plot.measured).collect()
}

/// Every ugly message in one line: what survived of it, and what was said about the rest.
fn verdict(bytes: &[u8]) -> String {
    let (readings, report) = decode_at(received(), bytes);
    let count = |reading: &Reading| match reading {
        Reading::Plots(plots) => plots.plots.len(),
        other => panic!("{other:?}"),
    };
    let survived: Vec<_> = readings.iter().map(count).collect();
    let faults: Vec<_> = report.faults.iter().map(|fault| format!("  {}: {fault}\n", fault.reason.name())).collect();
    let text = String::from_utf8_lossy(bytes);
    let shown: String = text.chars().take(160).collect();
    format!("{shown}\n  plots {survived:?}, ignored fields {}\n{}", report.ignored_fields, faults.concat())
}

fn message(plots: &str) -> String {
    format!(r#"{{"v":1,"sensor":"cam-0","t":"2026-03-01T02:14:07.250Z","plots":[{plots}]}}"#)
}

#[test]
fn every_kind_of_plot_is_read() {
    let read = plots(&message(
        r#"{"kind":"position","east_m":1.5,"north_m":-2,"cov_m2":[4,1,9],"class":{"person":0.8,"animal":0.15,"vehicle":0.05}},
           {"kind":"position","lat":52.001,"lon":23.601,"sd_m":3.5},
           {"kind":"range_bearing","range_m":120,"azimuth_deg":359.5,"range_rate_mps":-1.25,"range_rate_sd_mps":0.2},
           {"kind":"bearing","azimuth_deg":12.5,"azimuth_sd_deg":0.4},
           {"kind":"range","range_m":80.25},
           {"kind":"presence","strength":17},
           {"kind":"presence"},
           {"kind":"crossing","direction":"in"},
           {"kind":"crossing"}"#,
    ));
    insta::assert_debug_snapshot!(read);
}

#[test]
fn classes_that_do_not_sum_to_one_are_completed() {
    let (readings, _) = decode(&message(r#"{"kind":"presence","class":{"person":0.7}}"#));
    let [Reading::Plots(plots)] = readings.as_slice() else { panic!() };
    let class = plots.plots[0].class.expect("a class");
    assert!((class.person - 0.8).abs() < 1e-12 && (class.animal - 0.1).abs() < 1e-12, "{class:?}");
}

#[test]
fn an_empty_scan_says_that_nothing_was_there() {
    assert_eq!(plots(&message("")), []);
}

#[test]
fn ugly_messages_get_a_typed_answer_and_keep_what_is_good() {
    let good = r#"{"kind":"bearing","azimuth_deg":1}"#;
    let plots = [
        r#"{"kind":"bearing","azimuth_deg":NaN}"#,
        r#"{"kind":"bearing","azimuth_deg":-Infinity}"#,
        r#"{"kind":"bearing","azimuth_deg":1e999}"#,
        r#"{"kind":"bearing","azimuth_deg":"12"}"#,
        r#"{"kind":"bearing","azimuth_deg":null}"#,
        r#"{"kind":"bearing","azimuth_deg":[1,2,{"a":"]"}]}"#,
        r#"{"kind":"bearing"}"#,
        r#"{"kind":"bearing","azimuth_deg":4000}"#,
        r#"{"kind":"bearing","azimuth_deg":1,"azimuth_sd_deg":0}"#,
        r#"{"kind":"Bearing","azimuth_deg":1}"#,
        r#"{"azimuth_deg":1}"#,
        r#"{"kind":7}"#,
        r#"{"kind":"position","east_m":1e9,"north_m":0}"#,
        r#"{"kind":"position","east_m":1,"lat":52}"#,
        r#"{"kind":"position","east_m":1}"#,
        r#"{"kind":"position","lat":152,"lon":23}"#,
        r#"{"kind":"position","east_m":1,"north_m":1,"cov_m2":[1,2,1]}"#,
        r#"{"kind":"position","east_m":1,"north_m":1,"cov_m2":[1,2]}"#,
        r#"{"kind":"position","east_m":1,"north_m":1,"cov_m2":{"ee":1}}"#,
        r#"{"kind":"presence","class":{"person":-1}}"#,
        r#"{"kind":"presence","class":"person"}"#,
        r#"{"kind":"presence","confidence":1.5}"#,
        r#"{"kind":"crossing","direction":"left"}"#,
        r#"{"kind":"bearing","azimuth_deg":1,"image":"aGVsbG8=","plate":{"text":"AB 123"}}"#,
        r"[]",
        "7",
        "null",
        r#"{"kind":"bearing","azimuth_deg":1"#,
    ];
    let verdicts: String = plots.iter().map(|plot| verdict(message(&format!("{plot},{good}")).as_bytes())).collect();
    insta::assert_snapshot!(verdicts);
}

#[test]
fn ugly_envelopes_get_a_typed_answer() {
    let with = |from: &str, to: &str| message(r#"{"kind":"presence"}"#).replace(from, to).into_bytes();
    let messages = [
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"\xff\xfe{}".to_vec(),
        b"{}".to_vec(),
        b"{} {}".to_vec(),
        with("\"v\":1", "\"v\":2"),
        with("\"v\":1", "\"v\":\"1\""),
        with("cam-0", "cam-99"),
        with("\"cam-0\"", "17"),
        with("2026-03-01T02:14:07.250Z", "2026-03-01T02:14:08.950Z"),
        with("2026-03-01T02:14:07.250Z", "2026-03-01T02:14:08.850Z"),
        with("2026-03-01T02:14:07.250Z", "1970-01-01T00:00:07Z"),
        with("2026-03-01T02:14:07.250Z", "2026-03-01T01:14:07Z"),
        with("2026-03-01T02:14:07.250Z", "2036-03-01T01:14:07Z"),
        with("2026-03-01T02:14:07.250Z", "yesterday"),
        with("\"2026-03-01T02:14:07.250Z\"", "1772331247.25"),
        with("[{\"kind\":\"presence\"}]", "{\"kind\":\"presence\"}"),
        with("[{\"kind\":\"presence\"}]", "null"),
        with(",\"plots\":[{\"kind\":\"presence\"}]", ""),
        with("\"plots\"", "\"at\":{\"east_m\":\"x\",\"north_m\":1},\"plots\""),
        with("\"plots\"", "\"at\":{\"east_m\":1},\"plots\""),
        with("\"plots\"", "\"seq\":-1,\"plots\""),
        with("\"plots\"", "\"operator\":\"Anna\",\"faces\":[1,2],\"plots\""),
        vec![b' '; (1 << 20) + 1],
    ];
    insta::assert_snapshot!(messages.iter().map(|bytes| verdict(bytes)).collect::<String>());
}

#[test]
fn a_sensor_speaks_for_itself_alone() {
    let site = site();
    let read = |topic: &str| {
        let context = Context { site: &site, topic: Some(topic), retained: false, received: received(), clocks: &[] };
        let mut readings = Vec::new();
        let codec = codec_named("native").expect("a codec");
        let bytes = message(r#"{"kind":"presence"}"#).into_bytes();
        let report = (codec.decode)(&bytes, &context, &mut CodecState::default(), &mut readings);
        (readings.len(), report.faults.iter().map(|fault| fault.reason).collect::<Vec<_>>())
    };
    assert_eq!(read("vedette/v1/mixed/sensor/cam-0/detections"), (1, vec![]));
    assert_eq!(read("vedette/v1/mixed/sensor/cam-1/detections"), (0, vec![Reason::WrongTopic]));
    assert_eq!(read("barrier/north/cam-1"), (1, vec![]), "a topic of somebody else's making names no sensor");
}

#[test]
fn before_the_gateway_knows_the_time_it_takes_plots_as_of_now() {
    let boot = Timestamp::from_seconds(12);
    let (readings, report) = decode_at(boot, message("").as_bytes());
    assert_eq!(report.faults, []);
    let [Reading::Plots(plots)] = readings.as_slice() else { panic!() };
    assert_eq!(plots.time, boot);
}

#[test]
fn a_repeated_number_is_a_duplicate_only_at_the_same_time() {
    let site = site();
    let context = Context { site: &site, topic: None, retained: false, received: received(), clocks: &[] };
    let mut state = CodecState::default();
    let mut take = |message: &str| {
        let mut readings = Vec::new();
        let report = (codec_named("native").unwrap().decode)(message.as_bytes(), &context, &mut state, &mut readings);
        (readings.len(), report.faults.first().map(|fault| fault.reason))
    };
    let first = message("").replace("\"plots\"", "\"seq\":812,\"plots\"");
    assert_eq!(take(&first), (1, None));
    assert_eq!(take(&first), (0, Some(Reason::Duplicate)));
    // A sensor that started again counts from the beginning.
    assert_eq!(take(&first.replace("07.250Z", "07.350Z")), (1, None));
}

#[test]
fn more_plots_than_a_message_may_have_are_counted_and_left_out() {
    let many = vec![r#"{"kind":"presence"}"#; 10_005].join(",");
    let (readings, report) = decode(&message(&many));
    let [Reading::Plots(plots)] = readings.as_slice() else { panic!() };
    assert_eq!(plots.plots.len(), 10_000);
    assert_eq!(report.faults[0].reason, Reason::TooManyPlots);
    assert_eq!(report.faults[0].got, "5 more");
}

#[test]
fn what_a_broker_had_kept_is_no_event() {
    let site = site();
    let context = Context { site: &site, topic: None, retained: true, received: received(), clocks: &[] };
    let mut readings = Vec::new();
    let decode = codec_named("native").unwrap().decode;
    let report = decode(message("").as_bytes(), &context, &mut CodecState::default(), &mut readings);
    assert_eq!((readings.len(), report.faults[0].reason), (0, Reason::Retained));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_at(received(), &bytes);
    }

    #[test]
    fn a_message_cut_or_changed_anywhere_gets_an_answer(cut in 0_usize..200, at in 0_usize..200, byte in any::<u8>()) {
        let mut bytes = message(r#"{"kind":"position","east_m":1,"north_m":2},{"kind":"presence"}"#).into_bytes();
        let end = bytes.len();
        bytes[at % end] = byte;
        let (readings, report) = decode_at(received(), &bytes);
        prop_assert!(!readings.is_empty() || !report.faults.is_empty());
        bytes.truncate(cut % end);
        let _ = decode_at(received(), &bytes);
    }

    #[test]
    fn positions_are_read_back(east in -1e5..1e5_f64, north in -1e5..1e5_f64, sd in 0.01..100.0_f64) {
        let text = message(&format!(r#"{{"kind":"position","sd_m":{sd},"north_m":{north},"east_m":{east}}}"#));
        let expected = Measured::Position { spot: Spot::Site { east_m: east, north_m: north }, sd_m: Some(sd), covariance_m2: None };
        prop_assert_eq!(plots(&text), vec![expected]);
    }

    #[test]
    fn one_bad_plot_takes_no_good_one_with_it(count in 1_usize..20, bad in 0_usize..20, kind in 0_usize..5) {
        let bad_plot = [r#"{"kind":"range","range_m":NaN}"#, r#"{"kind":"range"}"#, "{", r#"{"kind":"range","range_m":1e999}"#, "nonsense"][kind];
        let mut items = vec![r#"{"kind":"range","range_m":5,"note":"a ] and a } and a \" inside"}"#; count];
        items.insert(bad % (count + 1), bad_plot);
        // Half an object swallows what follows it: brackets do not balance any more.
        prop_assume!(bad_plot != "{");
        let (readings, report) = decode(&message(&items.join(",")));
        let [Reading::Plots(plots)] = readings.as_slice() else { panic!("{report:?}") };
        prop_assert_eq!(plots.plots.len(), count);
        prop_assert_eq!(report.faults.len(), 1);
        prop_assert_eq!(report.faults[0].plot, Some(bad % (count + 1)));
    }
}
