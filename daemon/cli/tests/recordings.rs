//! `record`, `replay` and `diff` on a recording of an hour's first minutes, as an engineer uses them.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod program;

use std::path::{Path, PathBuf};

use vedette_gateway::config::Config;
use vedette_gateway::engine::config::EngineConfig;
use vedette_gateway::engine::{Durable, Engine, Frame, FrameContent, Input, Timestamp};
use vedette_gateway::record::RecordingFile;

use program::{text, vedette};

const SITE: &str = r#"
[site]
id = "north"
origin = { lat = 52.0, lon = 23.6 }

[[sensor]]
id = "radar-1"
kind = "radar"
position = { east_m = 0.0, north_m = 0.0 }
coverage = { shape = "circle", radius_m = 500.0 }
scan_period_s = 1.0

[[sensor]]
id = "radar-2"
kind = "radar"
position = { east_m = 0.0, north_m = 300.0 }
coverage = { shape = "circle", radius_m = 500.0 }
scan_period_s = 1.0

[[zone]]
name = "depot"
kind = "alert"
points_m = [[-200.0, -200.0], [200.0, -200.0], [200.0, 200.0], [-200.0, 200.0]]
"#;

const RADAR_3: &str = r#"
[[sensor]]
id = "radar-3"
kind = "radar"
position = { east_m = 0.0, north_m = -300.0 }
coverage = { shape = "circle", radius_m = 500.0 }
scan_period_s = 1.0
"#;

const BEGIN_S: i64 = 1_772_323_200;

fn read(folder: &Path, site: &str) -> EngineConfig {
    let path = folder.join("read.toml");
    std::fs::write(&path, site).unwrap();
    Config::load(&path).unwrap().engine
}

/// A scan of `radar` that sees one walker from north to south.
fn scan(radar: &str, micros: i64) -> Input {
    let received = Timestamp::from_micros(micros);
    let t = vedette_gateway::engine::time::format_rfc3339(received);
    #[expect(clippy::cast_precision_loss, reason = "a minute")]
    let north_m = 230.0 - 1.4e-6 * (micros - BEGIN_S * 1_000_000) as f64;
    let plot = format!(r#"{{"kind":"position","east_m":10.0,"north_m":{north_m}}}"#);
    let bytes = format!(r#"{{"v":1,"sensor":"{radar}","t":"{t}","plots":[{plot}]}}"#).into_bytes();
    let topic = Some(format!("vedette/v1/north/sensor/{radar}/detections"));
    let content = FrameContent::Message { codec: "native".to_owned(), topic, retained: false, bytes };
    Input::Frame(Frame { source: "field".to_owned(), received, content })
}

/// Two radars see a walker for a minute; after half of it a new configuration makes the depot nothing to alert about.
fn record(folder: &Path) -> (PathBuf, Vec<String>) {
    let config = read(folder, SITE);
    let mut engine = Engine::new(&config).unwrap();
    let (snapshot, json) = (engine.snapshot().to_bytes().unwrap(), serde_json::to_string(&config).unwrap());
    let begin = Timestamp::from_seconds(BEGIN_S);
    let mut file = RecordingFile::create(folder, "north", begin, &snapshot, json).unwrap();
    let mut alerts = Vec::new();
    let mut tell = |now: Timestamp, input: Input, engine: &mut Engine| {
        file.input(now, &input).unwrap();
        let mut out = Vec::new();
        engine.handle(now, input, &mut out);
        for output in out {
            if let vedette_gateway::engine::Output::Durable(Durable::Alert(alert)) = output {
                file.alert(now, &alert).unwrap();
                alerts.push(serde_json::to_string(&alert).unwrap());
            }
        }
    };
    for second in 0..60 {
        let micros = (BEGIN_S + second) * 1_000_000;
        tell(Timestamp::from_micros(micros + 20_000), scan("radar-1", micros), &mut engine);
        tell(Timestamp::from_micros(micros + 400_000), scan("radar-2", micros + 380_000), &mut engine);
        let tick = Timestamp::from_micros(micros + 900_000);
        if engine.next_deadline().is_some_and(|deadline| deadline <= tick) {
            tell(tick, Input::Tick, &mut engine);
        }
        if second == 10 {
            let calm = SITE.replace("kind = \"alert\"", "kind = \"ignore\"");
            let input = Input::Reconfigure(Box::new(read(folder, &calm)));
            tell(Timestamp::from_micros(micros + 950_000), input, &mut engine);
        }
    }
    let path = file.path().to_owned();
    file.finish().unwrap();
    std::fs::rename(&path, folder.join("night.mcap")).unwrap();
    (folder.join("night.mcap"), alerts)
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Whoever takes records out is in the gateway's audit log; where there is none, the command says so.
#[test]
fn an_export_is_noted_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder);
    let site = format!("{SITE}\n[store]\nfile = \"store.sqlite\"\n[status]\nsocket = \"none.sock\"\n");
    std::fs::write(folder.join("site.toml"), site).unwrap();
    let export = ["record", "export", "night.mcap", "--table", "tracks", "--by", "anna", "--config", "site.toml"];
    let output = vedette(folder, &export);
    assert!(text(&output.stderr).contains("no audit log notes this export"), "{}", text(&output.stderr));
    vedette_gateway::store::append_audit(&folder.join("store.sqlite"), Timestamp::from_seconds(1), Vec::new()).unwrap();
    let output = vedette(folder, &export);
    assert!(output.status.success() && !text(&output.stderr).contains("no audit log"), "{}", text(&output.stderr));
    let shown = vedette(folder, &["audit", "show", "--config", "site.toml"]);
    assert!(
        text(&shown.stdout).contains("anna export tracks of night.mcap to standard output"),
        "{}",
        text(&shown.stdout)
    );
    // An emptied log does not fit the copy of its head that somebody keeps.
    let head = text(&vedette(folder, &["audit", "head", "--config", "site.toml"]).stdout);
    let verify = ["audit", "verify", "--config", "site.toml", "--anchor", head.trim()];
    assert!(vedette(folder, &verify).status.success());
    std::fs::remove_file(folder.join("store.sqlite")).unwrap();
    for part in ["-wal", "-shm"] {
        drop(std::fs::remove_file(folder.join(format!("store.sqlite{part}"))));
    }
    vedette_gateway::store::append_audit(&folder.join("store.sqlite"), Timestamp::from_seconds(1), Vec::new()).unwrap();
    let output = vedette(folder, &verify);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("audit log ends with line 0, but line 1"), "{}", text(&output.stderr));
}

#[test]
fn an_empty_recording_is_a_torn_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.mcap"), "").unwrap();
    let output = vedette(folder.path(), &["record", "info", "empty.mcap"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("empty"));
}

#[test]
fn info_export_and_replay_tell_the_same_story() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (recording, alerts) = record(folder);
    let info = vedette(folder, &["record", "info", "night.mcap"]);
    assert_eq!(info.status.code(), Some(0));
    let told = text(&info.stdout);
    assert!(told.starts_with("recording of north by vedette ") && told.ends_with("complete\n"), "{told}");
    assert!(told.contains("\nfrom 2026-03-01T00:00:00.000000Z to 2026-03-01T00:00:59.400000Z: 59s\n"), "{told}");

    let replayed = vedette(folder, &["replay", "night.mcap", "--alerts", "alerts.jsonl"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed.stderr));
    assert_eq!(lines(&folder.join("alerts.jsonl")), alerts, "byte for byte");
    let exported = vedette(folder, &["record", "export", "night.mcap"]);
    assert_eq!(text(&exported.stdout).lines().collect::<Vec<_>>(), alerts);

    let bytes = std::fs::read(&recording).unwrap();
    std::fs::write(folder.join("torn.mcap"), &bytes[..bytes.len() - 200]).unwrap();
    assert_eq!(vedette(folder, &["record", "info", "torn.mcap"]).status.code(), Some(3));
    assert_eq!(vedette(folder, &["record", "recover", "torn.mcap"]).status.code(), Some(3));
    assert_eq!(vedette(folder, &["record", "info", "torn.recovered.mcap"]).status.code(), Some(0));
    assert_eq!(vedette(folder, &["record", "recover", "torn.mcap"]).status.code(), Some(1), "nothing is overwritten");
    std::fs::write(folder.join("text.mcap"), "no recording").unwrap();
    let wrong = vedette(folder, &["record", "info", "text.mcap"]);
    assert_eq!((wrong.status.code(), text(&wrong.stdout).as_str()), (Some(1), ""));
}

#[test]
fn topics_choose_what_the_engine_sees() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder);
    let sensors_of = |arguments: &[&str]| {
        let all = [&["replay", "night.mcap", "--tracks", "tracks.jsonl"], arguments].concat();
        let output = vedette(folder, &all);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let mut sensors: Vec<String> = Vec::new();
        for line in lines(&folder.join("tracks.jsonl")) {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            for sensor in
                line["tracks"].as_array().unwrap().iter().flat_map(|track| track["sensors"].as_array().unwrap())
            {
                sensors.push(sensor.as_str().unwrap().to_owned());
            }
        }
        sensors.sort();
        sensors.dedup();
        sensors
    };
    assert_eq!(sensors_of(&[]), ["radar-1", "radar-2"]);
    assert_eq!(sensors_of(&["--topics", "radar-[13]/"]), ["radar-1"]);
    assert_eq!(sensors_of(&["--exclude", "sensor/radar-1"]), ["radar-2"]);
    assert_eq!(sensors_of(&["--topics", "sensor", "--exclude", "radar-2"]), ["radar-1"]);
    assert_eq!(sensors_of(&["--topics", "^clock$"]), [""; 0]);
    assert_eq!(vedette(folder, &["replay", "night.mcap", "--topics", "("]).status.code(), Some(2));
}

#[test]
fn another_configuration_is_kept_and_diff_tells_what_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder);
    std::fs::write(folder.join("same.toml"), SITE).unwrap();
    std::fs::write(folder.join("larger.toml"), SITE.replace("200.0", "215.0")).unwrap();
    std::fs::write(folder.join("calm.toml"), SITE.replace("kind = \"alert\"", "kind = \"ignore\"")).unwrap();
    let replay = |config: &str, alerts: &str| {
        let mut arguments = vec!["replay", "night.mcap", "--alerts", alerts];
        arguments.extend(if config.is_empty() { vec![] } else { vec!["--config", config] });
        assert_eq!(vedette(folder, &arguments).status.code(), Some(0));
    };
    let diff = |before: &str, after: &str| {
        let output = vedette(folder, &["diff", before, after]);
        let marks: String = text(&output.stdout).lines().filter_map(|line| line.chars().next()).collect();
        (output.status.code(), marks)
    };
    replay("", "recorded");
    replay("same.toml", "same");
    replay("larger.toml", "larger");
    replay("calm.toml", "calm");
    // The recorded change to a calm depot comes after ten seconds, before the walker is inside.
    assert!(lines(&folder.join("recorded")).is_empty());
    assert!(!lines(&folder.join("same")).is_empty(), "the recorded change of configuration is ignored");
    assert_eq!(diff("recorded", "same"), (Some(1), "+".to_owned()));
    assert_eq!(diff("same", "calm"), (Some(1), "-".to_owned()));
    let (status, marks) = diff("same", "larger");
    assert!(status == Some(1) && (marks == "~" || marks == ">"), "the same entry, earlier: {marks}");
    assert_eq!(diff("same", "same"), (Some(0), String::new()));
}

#[test]
fn explain_and_report_tell_of_plots_silence_and_rules() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    record(folder);
    std::fs::write(folder.join("same.toml"), SITE).unwrap();
    let run = |arguments: &[&str]| {
        let output = vedette(folder, &[arguments, &["--config", "same.toml"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    run(&["replay", "night.mcap", "--alerts", "alerts.jsonl"]);
    let first: serde_json::Value = serde_json::from_str(&lines(&folder.join("alerts.jsonl"))[0]).unwrap();
    let id = &first["id"].as_str().unwrap()[..8];
    let told = run(&["explain", id, "night.mcap"]);
    // Plots change with every improvement of the filter; the frame of the story does not.
    for part in ["What was said", "Plots, in order", "Who said so", "What the rules made of it", "Existence", "Health"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let plots = told.lines().filter(|line| line.contains(" radar-2  at 10.0 m east")).count();
    assert!(plots > 40, "every plot of the walker: {told}");
    assert!(told.contains("entry") && told.contains("raised the alert"), "{told}");

    run(&["explain", id, "night.mcap", "--html", "alert.html"]);
    run(&["report", "night.mcap", "--html", "night.html"]);
    let summary = run(&["report", "night.mcap"]);
    assert!(summary.contains("radar-1") && !summary.contains("said nothing"), "{summary}");
    for page in ["alert.html", "night.html"] {
        let html = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
        let outside = html.replace("http://www.w3.org/2000/svg", "");
        for loads in ["http:", "https:", "<script", "<link", "url(", "@import", "src="] {
            assert!(!outside.contains(loads), "{page} loads something: {loads}");
        }
        for (open, close) in [("<svg", "</svg>"), ("<table", "</table>"), ("<tr", "</tr>"), ("<h2", "</h2>")] {
            assert_eq!(html.matches(open).count(), html.matches(close).count(), "{page}: {open}");
        }
        assert!(html.contains("<svg") && !html.contains("NaN") && !html.contains("inf\""), "{page}");
    }
    let meadow = SITE[SITE.find("[[zone]]").unwrap()..].replace("depot", "meadow").replace("\"alert\"", "\"ignore\"");
    std::fs::write(folder.join("same.toml"), [SITE, RADAR_3, &meadow].concat()).unwrap();
    let summary = run(&["report", "night.mcap"]);
    assert!(summary.contains("1 sensor said nothing: radar-3."), "{summary}");
    let held_back = summary.split("Held back\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    assert!(held_back.is_some_and(|rows| rows.starts_with("  rule") && rows.lines().count() > 1), "{summary}");
    let unknown = vedette(folder, &["explain", "ffffffff", "night.mcap", "--config", "same.toml"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("no alert ffffffff; this log has "), "{}", text(&unknown.stderr));
}
