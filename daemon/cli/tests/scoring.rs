//! Replays of logs that are not as they should be, and scores of what comes out.

mod program;

use std::path::Path;

use program::{text, vedette};

const SITE: &str = concat!(
    "[site]\nid = \"north\"\norigin = { lat = 52.0, lon = 23.6 }\n",
    "[[zone]]\nname = \"border\"\nkind = \"border\"\nline_m = [[-100.0, 0.0], [100.0, 0.0]]\n",
    "[[sensor]]\nid = \"radar-1\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\n",
    "coverage = { shape = \"circle\", radius_m = 500.0 }\nscan_period_s = 1.0\n",
);

/// A line of a log, with a plot.
fn line(received: &str) -> String {
    format!(
        "{{\"v\":1,\"sensor\":\"radar-1\",\"t\":\"{received}\",\"received\":\"{received}\",\
         \"plots\":[{{\"kind\":\"position\",\"east_m\":10.0,\"north_m\":20.0}}]}}\n"
    )
}

/// The exit status and standard error of a replay, and the tracks.
fn replay(log: &[u8], more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("site.toml"), SITE).expect("written");
    std::fs::write(folder.path().join("log.jsonl"), log).expect("written");
    let arguments = ["replay", "log.jsonl", "--config", "site.toml", "--tracks", "tracks.jsonl"];
    let output = vedette(folder.path(), &[&arguments, more].concat());
    let tracks = std::fs::read_to_string(folder.path().join("tracks.jsonl")).unwrap_or_default();
    (output.status.code(), text(&output.stderr), tracks)
}

/// The exit status, standard output and standard error of a score.
fn score(truth: &str, tracks: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("site.toml"), SITE).expect("written");
    std::fs::write(folder.path().join("truth.csv"), truth).expect("written");
    std::fs::write(folder.path().join("tracks.jsonl"), tracks).expect("written");
    let output =
        vedette(folder.path(), &[&["score", "--truth", "truth.csv", "--tracks", "tracks.jsonl"], more].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A clock that was wrong for a moment, as one without a battery is after a start.
#[test]
fn a_jump_of_time_is_told_and_not_ticked_through() {
    let days = ["2026-03-01T00:00:01Z", "2026-03-01T00:00:02Z", "2099-01-01T00:00:00Z", "2026-03-01T00:00:03Z"];
    let log: String = days.map(line).concat();
    for more in [&[][..], &["--every", "1s"], &["--alerts", "alerts.jsonl"]] {
        let (status, said, tracks) = replay(log.as_bytes(), more);
        assert_eq!(status, Some(0), "{said}");
        let jump = "time jumps from 2026-03-01T00:00:02.000000Z to 2099-01-01T00:00:00.000000Z at input 3";
        assert!(said.contains(jump), "{said}");
        assert!(tracks.lines().count() < 20, "{tracks}");
    }
    let log: String = ["1970-01-01T00:00:00Z", "2026-03-01T00:00:01Z", "2026-03-01T00:00:02Z"].map(line).concat();
    let (status, said, tracks) = replay(log.as_bytes(), &["--every", "1s"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("time jumps from 1970-01-01T00:00:00.000000Z to 2026"), "{said}");
    assert!(tracks.contains("{\"t\":\"2026-03-01T00:00:02.000000Z\""), "{tracks}");
}

#[test]
fn what_a_replay_does_not_use_is_told_by_reason() {
    let good = line("2026-03-01T00:00:01Z");
    let (_, said, _) = replay(good.as_bytes(), &[]);
    assert!(!said.contains("not used") && !said.contains("not one input"), "{said}");
    let (_, said, _) = replay(good.replace("\"v\":1", "\"v\":99").as_bytes(), &[]);
    assert!(said.contains("not used, by reason: 1 unknown version\nnot one input gave a detection"), "{said}");
    let (_, said, _) = replay(good.replace("radar-1", "radar-9").as_bytes(), &[]);
    assert!(said.contains("radar-9") && said.contains("not one input gave a detection"), "{said}");
    let (_, said, _) = replay(b"{\"v\":1,\"sensor\":\"radar-1\",\"received\":\"2026-03-01T00:00:01Z\"}\n", &[]);
    assert!(said.contains("not used, by reason: 1 ") && said.contains("not one input gave a detection"), "{said}");
    let (status, said, _) = replay(b"no json\nnor here\n", &[]);
    assert_eq!(status, Some(3));
    assert!(said.contains("no line is a JSON object"), "{said}");
    let (status, said, _) = replay(b"\x1f\x8b\x08\x00", &[]);
    assert_eq!(status, Some(1));
    assert!(said.contains("log.jsonl: expected text, got a gzip file"), "{said}");
    let (status, said, _) = replay(format!("\u{feff}{good}").as_bytes(), &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("1 inputs") && !said.contains("not one input"), "{said}");
}

const TRUTH: &str = "t,id,x,y\n1,a,0,0\n1,b,9,9\n2,a,0,1\n";

#[test]
fn an_object_in_two_places_at_once_is_refused_with_its_lines() {
    let (status, _, said) = score(&format!("{TRUTH}1,a,5,5\n"), "", &[]);
    assert_eq!(status, Some(1));
    let expected = "vedette: truth.csv: expected object a once at t = 1, got it in line 2 and in line 5\n";
    assert_eq!(said, expected);
}

#[test]
fn truth_without_its_header_is_refused() {
    let (status, _, said) = score("id,t,x,y\n1,1,0,0\n", "", &[]);
    assert_eq!(status, Some(1));
    assert_eq!(said, "vedette: truth.csv:1: expected the header t,id,x,y, got \"id,t,x,y\"\n");
}

#[test]
fn options_that_mean_nothing_are_wrong_usage() {
    for wrong in [
        "--cutoff=NaN",
        "--cutoff=inf",
        "--cutoff=1e200",
        "--cutoff=0",
        "--within=NaN",
        "--within=0",
        "--latency=NaN",
        "--latency=-1",
        "--near=NaN",
        "--near=-3",
        "--until=inf",
    ] {
        let (status, _, said) = score(TRUTH, "", &[wrong]);
        assert_eq!(status, Some(2), "{wrong}: {said}");
        assert!(said.contains("expected a number"), "{wrong}: {said}");
    }
    let (status, said, _) = score(TRUTH, "", &["--near=-0", "--latency=-0"]);
    assert_eq!(status, Some(0));
    assert!(!said.contains("-0.0"), "{said}");
}

#[test]
fn confirmed_tracks_without_a_place_are_told_of() {
    let tracks = "{\"t\":\"2026-03-01T00:00:01Z\",\"tracks\":[{\"id\":7,\"lat\":52.0,\"lon\":23.6}]}\n";
    let (status, _, said) = score(TRUTH, tracks, &[]);
    assert_eq!(status, Some(0));
    assert_eq!(said, "left out: 1 times a confirmed track without east_m and north_m\n");
}

/// The campaign knows who is no game, and when each alert was written; here neither matters.
#[cfg(feature = "demo")]
#[test]
fn crossings_are_scored_as_the_campaign_scores_them() {
    use vedette_sim::Scene;
    use vedette_sim::campaign::{Tally, drive};
    use vedette_sim::scenario::Scenario;

    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/scenarios/line-crossing.toml"));
    let scenario = Scenario::read(path).expect("the scenario");
    let mut tally = Tally::default();
    tally.add(&scenario, &drive(&scenario, 1).expect("it runs"));
    let folder = tempfile::tempdir().expect("a folder");
    vedette_sim::write::write_scene(&Scene::generate(&scenario, 1), folder.path()).expect("written");
    let run = |arguments: &[&str]| {
        let output = vedette(folder.path(), arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let results = ["--tracks", "tracks.jsonl", "--alerts", "alerts.jsonl", "--config", "gateway.toml"];
    run(&[&["replay", "detections.jsonl"], &results[..]].concat());
    let said = run(&[&["score", "--truth", "truth.csv"], &results[..]].concat());
    let score: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let crossings = &score["crossings"];
    assert_eq!(crossings["crossings"], tally.crossings, "{said}");
    assert_eq!(crossings["found"], tally.found, "{said}");
    assert_eq!(crossings["direction_right"], tally.direction_right, "{said}");
    let [median_s, p90_s] = ["eta_error_median_s", "eta_error_p90_s"].map(|key| crossings[key].as_f64());
    assert!(median_s.is_some_and(|error_s| error_s < 30.0) && p90_s >= median_s, "{said}");
    assert!(score["gospa"].is_f64(), "{said}");
}

#[test]
fn crossings_need_a_border_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = SITE.replace(
        "\"border\"\nline_m = [[-100.0, 0.0], [100.0, 0.0]]",
        "\"alert\"\npoints_m = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]",
    );
    for (name, text) in [("site.toml", site.as_str()), ("truth.csv", TRUTH), ("tracks", ""), ("alerts", "")] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let arguments = ["score", "--truth", "truth.csv", "--tracks", "tracks", "--alerts", "alerts"];
    assert_eq!(vedette(folder.path(), &arguments).status.code(), Some(2), "--alerts needs --config");
    let output = vedette(folder.path(), &[&arguments[..], &["--config", "site.toml"]].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("expected a [[zone]] of kind \"border\" with a line"), "{said}");
}
