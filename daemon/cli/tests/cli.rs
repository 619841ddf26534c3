//! Exit statuses and what goes to which stream.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn vedette(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vedette")).args(arguments).current_dir(folder).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SITE: &str = concat!(
    "[site]\nid = \"north\"\norigin = { lat = 52.0, lon = 23.6 }\n",
    "[[sensor]]\nid = \"radar-1\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\n",
    "coverage = { shape = \"circle\", radius_m = 500.0 }\nscan_period_s = 1.0\n",
);

#[test]
fn a_wrong_configuration_is_status_2_with_its_place_on_standard_error() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("wrong.toml"), SITE.replace("radius_m", "radius")).expect("written");
    let output = vedette(folder.path(), &["check", "wrong.toml"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
    insta::assert_snapshot!(text(&output.stderr));
    for command in [&["run", "--config", "wrong.toml"][..], &["replay", "x.jsonl", "--config", "wrong.toml"]] {
        assert_eq!(vedette(folder.path(), command).status.code(), Some(2), "{command:?}");
    }
    assert_eq!(vedette(folder.path(), &["chekc"]).status.code(), Some(2), "wrong usage");
}

#[test]
fn a_missing_log_is_status_1_and_unreadable_lines_are_status_3() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, log) = (folder.path().join("site.toml"), folder.path().join("log.jsonl"));
    std::fs::write(config, SITE).expect("written");
    let replay = ["replay", "log.jsonl", "--config", "site.toml", "--tracks", "tracks.jsonl"];
    assert_eq!(vedette(folder.path(), &replay).status.code(), Some(1));
    let line = concat!(
        "{\"v\":1,\"sensor\":\"radar-1\",\"t\":\"2026-03-01T00:00:01Z\",\"received\":\"2026-03-01T00:00:01.05Z\",",
        "\"plots\":[{\"kind\":\"position\",\"east_m\":10.0,\"north_m\":20.0}]}\n"
    );
    std::fs::write(&log, line).expect("written");
    assert_eq!(vedette(folder.path(), &replay).status.code(), Some(0));
    std::fs::write(&log, format!("{line}no json\n")).expect("written");
    assert_eq!(vedette(folder.path(), &replay).status.code(), Some(3));
    let tracks = std::fs::read_to_string(folder.path().join("tracks.jsonl")).expect("there");
    assert!(tracks.starts_with("{\"t\":\"2026-03-01T00:00:01.000000Z\",\"now\":"), "{tracks}");
}

#[test]
fn equal_files_have_no_difference_others_are_status_1_and_unreadable_ones_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |tracks: &str| {
        format!("{{\"t\":\"2026-03-01T00:00:01Z\",\"now\":\"2026-03-01T00:00:01Z\",\"tracks\":[{tracks}]}}\n")
    };
    for (name, tracks) in [("a", ""), ("b", ""), ("c", "{\"id\":1}")] {
        std::fs::write(folder.path().join(name), line(tracks)).expect("written");
    }
    assert_eq!(vedette(folder.path(), &["diff", "a", "b"]).status.code(), Some(0));
    let output = vedette(folder.path(), &["diff", "a", "c"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "~ picture at 2026-03-01T00:00:01Z: 1 tracks, 0 before\n");
    std::fs::write(folder.path().join("text"), "no JSON\n").expect("written");
    for unreadable in ["nowhere", "text"] {
        let output = vedette(folder.path(), &["diff", "a", unreadable]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""));
        assert!(text(&output.stderr).contains(unreadable), "{}", text(&output.stderr));
    }
}

#[test]
fn a_reader_that_went_away_is_no_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("truth.csv"), "t,id,x,y\n1.0,1,0.0,0.0\n").expect("written");
    std::fs::write(folder.path().join("tracks.jsonl"), "").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vedette"));
    command.args(["score", "--truth", "truth.csv", "--tracks", "tracks.jsonl"]).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn a_daemon_that_is_not_there_is_status_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = vedette(folder.path(), &["status", "--socket", "none.sock"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no daemon answers at none.sock"));
}

#[test]
fn the_example_configurations_are_right() {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config"));
    let mut checked = 0;
    for entry in std::fs::read_dir(examples).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "toml") && name != "centre.toml" {
            let output = vedette(examples, &["check", &name]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            checked += 1;
        }
    }
    assert!(checked > 0, "no examples in {}", examples.display());
}

#[test]
fn a_night_of_many_crossings_is_warned_of_and_bad_counts_are_told_with_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut counts = "t,zone,count,surge\n".to_owned();
    for hour in 0..20 * 24 {
        let surge = (400..406).contains(&hour);
        let count = if surge { 3 } else { u32::from(hour % 24 == 2) };
        let (day, hour) = (hour / 24 + 1, hour % 24);
        counts += &format!("2026-03-{day:02}T{hour:02}:00:00Z,north,{count},{}\n", u8::from(surge));
    }
    std::fs::write(folder.path().join("counts.csv"), &counts).expect("written");
    let output = vedette(folder.path(), &["warn", "--backtest", "counts.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout));
    std::fs::write(folder.path().join("bad.csv"), counts.replace("T02:00:00Z,north,1", "T02:00:00Z,north,one"))
        .expect("written");
    let output = vedette(folder.path(), &["warn", "--backtest", "bad.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "vedette: bad.csv: line 4: count: expected a whole number, got \"one\": invalid digit found in string\n"
    );
}
