//! Late data never changes a line that was already written, and is used all the same.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::{format_rfc3339, parse_rfc3339};
use vedette_engine::{Engine, Frame, FrameContent, Input, Output, Picture, Timestamp, Volatile};

fn at(second: f64) -> Timestamp {
    parse_rfc3339("2026-03-01T00:00:00Z").expect("a time").plus_seconds(second)
}

/// Somebody who walks north, as the radar saw them at `seen`, told at `received`.
fn frame(seen: f64, received: f64) -> Input {
    stamped_frame(seen, seen, received)
}

/// The same from a radar whose clock showed `stamped`.
fn stamped_frame(stamped: f64, seen: f64, received: f64) -> Input {
    let wobble = 2.0 * libm::sin(2.4 * seen);
    let message = format!(
        r#"{{"v":1,"sensor":"radar-1","t":"{}","plots":[{{"kind":"position","east_m":{},"north_m":{}}}]}}"#,
        format_rfc3339(at(stamped)),
        100.0 + wobble,
        50.0 + 1.4 * seen - wobble
    );
    let content =
        FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes: message.into_bytes() };
    Input::Frame(Frame { source: "log".into(), received: at(received), content })
}

/// The pictures told while these frames come in, each with the time of the frame.
fn pictures(frames: &[(f64, f64)]) -> (Engine, Vec<Picture>) {
    let config: EngineConfig = toml::from_str(include_str!("fixtures/radar.toml")).expect("valid TOML");
    let mut engine = Engine::new(&config).expect("valid configuration");
    let (mut out, mut told) = (Vec::new(), Vec::new());
    for (seen, received) in frames {
        engine.handle(at(*received), frame(*seen, *received), &mut out);
        told.extend(out.drain(..).filter_map(|output| match output {
            Output::Volatile(Volatile::Tracks(picture)) => Some(picture),
            _ => None,
        }));
    }
    (engine, told)
}

#[test]
fn a_late_scan_is_filtered_in_and_no_line_is_written_again() {
    let in_time = (1..=40).map(|second| (f64::from(second), f64::from(second) + 0.1));
    let mut frames: Vec<(f64, f64)> = in_time.collect();
    // Scans between the others that come three seconds late.
    for second in [10.0, 20.0, 30.0] {
        let place = frames.iter().position(|(_, received)| *received > second + 3.5).expect("it goes on");
        frames.insert(place, (second + 0.5, second + 3.5));
    }
    let (engine, told) = pictures(&frames);
    assert_eq!(engine.counters().get("scans_late"), 3);
    // The first only wakes the log up.
    let became =
        ["scans_refiltered", "scans_out_of_sequence", "scans_too_late"].map(|name| engine.counters().get(name));
    assert_eq!(became, [2, 1, 0]);
    assert!(told.windows(2).all(|pair| pair[0].at < pair[1].at), "a time is told once, in order");
    assert_eq!(told.len(), 40, "none for the late scans");

    // What was told before a late scan came is what would have been told without it.
    let first_late = frames.iter().position(|(seen, received)| received - seen > 1.0).expect("there is one");
    let (_, before) = pictures(&frames[..first_late]);
    assert_eq!(told[..before.len()], before);
    // And it does change what is told afterwards.
    let without: Vec<_> = frames.iter().copied().filter(|(seen, received)| received - seen < 1.0).collect();
    let (_, without) = pictures(&without);
    assert_ne!(told.last(), without.last());
}

/// Plays a walker before a radar whose clock is off by `step_s` from the 41st second to the 80th: whoever walks there is where
/// they are, all the time but while the step is being believed.
fn with_a_step(step_s: f64) -> Engine {
    let config: EngineConfig = toml::from_str(include_str!("fixtures/radar.toml")).expect("valid TOML");
    let mut engine = Engine::new(&config).expect("valid configuration");
    let mut out = Vec::new();
    for second in 1..=120 {
        let seen = f64::from(second);
        let stamped = if (41..=80).contains(&second) { seen + step_s } else { seen };
        engine.handle(at(seen + 0.1), stamped_frame(stamped, seen, seen + 0.1), &mut out);
        out.clear();
        if second > 43 {
            let picture = engine.picture(at(seen));
            let [track] = picture.tracks.as_slice() else { panic!("{step_s} s: {} tracks", picture.tracks.len()) };
            let off_m = (track.position_m.y - (50.0 + 1.4 * seen)).abs();
            assert!(off_m < 6.0, "{step_s} s, after {second} s: {off_m} m off");
        }
    }
    assert_eq!(engine.counters().get("clock_steps{sensor=\"radar-1\"}"), 1, "{step_s} s");
    assert!(engine.counters().get("scans_late") <= 2, "{step_s} s");
    engine
}

#[test]
fn a_clock_that_is_set_back_and_forth_leaves_the_picture_as_it_is() {
    for step_s in [-1.5, -5.0, -20.0, -100.0] {
        with_a_step(step_s);
    }
}

/// What is stamped in the future is not used until that has become sure.
#[test]
fn a_clock_that_is_set_forward_and_right_again_leaves_the_picture_as_it_is() {
    for step_s in [0.8, 2.0, 20.0, 3_600.0] {
        let engine = with_a_step(step_s);
        assert!(engine.counters().get("faults{reason=\"time_in_future\"}") <= 4, "{step_s} s");
    }
}
