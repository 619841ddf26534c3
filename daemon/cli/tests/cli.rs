//! Exit statuses and what goes to which stream.

mod program;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use program::{text, vedette};

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
fn a_check_tells_which_files_are_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let tls = "tls = { ca_file = \"ca.pem\", cert_file = \"own.pem\", key_file = \"own.key\" }";
    let radio = "[radio]\nkeys_dir = \"nowhere\"\n";
    let site = format!("{SITE}{radio}[[sink.centre]]\nbroker = {{ host = \"h\", {tls} }}\n");
    std::fs::write(folder.path().join("site.toml"), site).expect("written");
    let output = vedette(folder.path(), &["check", "site.toml"]);
    let said = text(&output.stdout);
    assert!(output.status.success() && said.contains("would not start: keys: nowhere: No such file"), "{said}");
    for file in ["ca.pem", "own.pem", "own.key"] {
        assert!(said.contains(&format!("could not be made: {file}: No such file")), "{file}: {said}");
    }
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
        if path.extension().is_some_and(|extension| extension == "toml") {
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

#[test]
fn a_centres_configuration_is_checked_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let centre = "[centre]\nid = \"centre-1\"\n[broker]\nhost = \"h\"\nport = 1883\n[ledger]\npath = \"l\"\n";
    let check = |text: &str| {
        std::fs::write(folder.path().join("c.toml"), text).expect("written");
        let output = vedette(folder.path(), &["check", "c.toml"]);
        (output.status.code(), self::text(&output.stdout) + &self::text(&output.stderr))
    };
    let (status, said) = check(centre);
    assert!(status == Some(0) && said.contains("centre centre-1, broker h:1883"), "{said}");
    let (status, said) = check(&format!("{centre}keep_days = -1.0\n"));
    assert!(status == Some(2) && said.contains("line 8") && said.contains("days from"), "{said}");
    let (status, said) = check(&centre.replace("centre-1", "a/b"));
    assert!(status == Some(2) && said.contains("a/b"), "{said}");
    let (status, said) = check(&format!("{centre}[signing]\nrequired = true\n"));
    assert!(status == Some(2) && said.contains("[[gateway]]"), "{said}");
}

/// A centre's configuration without a broker that answers: cut off, it soon has something to tell.
fn write_lonely_centre(folder: &Path) {
    let text = "[centre]\nid = \"centre-1\"\nsilence_s = 0.2\n[broker]\nhost = \"127.0.0.1\"\nport = 1\n\
                [ledger]\npath = \"ledger.sqlite\"\n";
    std::fs::write(folder.join("c.toml"), text).expect("written");
}

/// The centre, its output to keep open as long as it is to run, and the first line that it told.
fn start_lonely_centre(folder: &Path) -> (Child, BufReader<ChildStdout>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vedette"));
    command.args(["centre", "--config", "c.toml"]).current_dir(folder);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut first = String::new();
    output.read_line(&mut first).expect("its alert");
    (child, output, first)
}

/// What is acknowledged must have been shown: a centre whose output is gone or full ends, and tells it again.
#[test]
fn a_centre_that_cannot_print_ends_and_tells_again_what_nobody_saw() {
    let folder = tempfile::tempdir().expect("a folder");
    write_lonely_centre(folder.path());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let (reader, gone) = std::io::pipe().expect("a pipe");
    drop(reader);
    for (case, stdout) in [("full", Stdio::from(full)), ("gone", Stdio::from(gone))] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vedette"));
        command.args(["centre", "--config", "c.toml"]).current_dir(folder.path()).stdout(stdout).stderr(Stdio::piped());
        let output = command.spawn().expect("it starts").wait_with_output().expect("it ends by itself");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{case}: {said}");
        assert!(said.contains("people can be told nothing any more"), "{case}: {said}");
    }
    let (mut child, _output, first) = start_lonely_centre(folder.path());
    child.kill().and_then(|()| child.wait()).expect("it ends");
    assert!(first.contains("centre-1 HIGH") && first.contains("hears no gateway"), "{first}");
    assert!(first.contains("efused"), "it says why: {first}");
}

/// The centre's own alerts have no gateway that could answer: the centre does.
#[test]
fn a_centre_answers_for_its_own_alerts_and_its_log_holds_who_acted() {
    let folder = tempfile::tempdir().expect("a folder");
    write_lonely_centre(folder.path());
    let (mut child, _output, _) = start_lonely_centre(folder.path());
    let operate = |arguments: &[&str]| {
        let output = vedette(folder.path(), &[&["alerts", "--config", "c.toml"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let listed = operate(&["list"]);
    let id = listed.split(' ').next().unwrap_or_default().to_owned();
    let done = operate(&["acknowledge", &id, "--by", "anna"]);
    assert!(done.contains("acknowledged"), "{done}");
    assert!(operate(&["list"]).contains("acknowledged"));
    assert!(operate(&["close", &id, "--reason", "nuisance", "--by", "anna"]).contains("closed as nuisance"));
    assert_eq!(operate(&["list"]), "");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    let audit = |arguments: &[&str]| {
        let output = vedette(folder.path(), &[&["audit"], arguments, &["--centre", "c.toml"]].concat());
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (_, shown) = audit(&["show"]);
    for line in ["anna acknowledge", "anna close", "centre-1 answer", "configuration"] {
        assert!(shown.contains(line), "no {line:?} in {shown}");
    }
    let (_, head) = audit(&["head"]);
    assert_eq!(audit(&["verify", "--anchor", head.trim()]).0, Some(0));
    let forged = head.trim().replace(['0', '1', '2', '3'], "4");
    let line = head.split(':').next().unwrap_or_default();
    let forged = format!("{line}:{}", forged.split(':').nth(1).unwrap_or_default());
    assert_eq!(audit(&["verify", "--anchor", &forged]).0, Some(1));
    let (status, said) = audit(&["verify", "--anchor", &format!("99{}", &head.trim()[line.len()..])]);
    assert!(status == Some(1) && said.contains("ends with line"), "{said}");
}

/// What an order would carry only in part, or a gateway refuse, is told before it is placed.
#[test]
fn acts_that_no_gateway_would_carry_out_as_meant_are_status_2() {
    let folder = tempfile::tempdir().expect("a folder");
    write_lonely_centre(folder.path());
    let (mut child, _output, _) = start_lonely_centre(folder.path());
    let operate = |arguments: &[&str]| {
        let output = vedette(folder.path(), &[&["alerts", "--config", "c.toml"], arguments].concat());
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (_, listed) = operate(&["list", "--gateway", "centre-1"]);
    let id = listed.split(' ').next().unwrap_or_default();
    let long = "a".repeat(5_000);
    for (wrong, told) in [
        (&["comment", id, &long][..], "expected at most 200 characters, got 5000"),
        (&["assign", id, "--to", &long], "expected at most 200 characters, got 5000"),
        (&["acknowledge", id, "--by", &long], "expected at most 100 characters, got 5000"),
        (&["acknowledge", id, "--wait", "NaN"], "expected a number from 0"),
        (&["acknowledge", id, "--valid-hours=-1"], "expected a number from 0"),
        (&["grade", id, "g2"], "expected a letter from A to F and a digit from 1 to 6"),
        (&["shelve", id, "--minutes", "4294967295"], "is not in 1..=10080"),
        (&["shelve", id, "--until", "2999-01-01T00:00:00Z"], "expected a time within seven days"),
        (&["list", "--gateway", "nosuch"], "expected one that is known (centre-1), got \"nosuch\""),
    ] {
        let (status, said) = operate(wrong);
        assert!(status == Some(2) && said.contains(told), "{:?}: {status:?} {said}", &wrong[..1]);
    }
    let remark = "b".repeat(200);
    assert_eq!(operate(&["comment", id, &remark, "--by", "anna"]).0, Some(0));
    assert!(operate(&["grade", id, "b2"]).1.contains("graded B2"));
    assert!(operate(&["shelve", id, "--minutes", "10080"]).1.contains("shelved until"));
    assert!(operate(&["list", "--shelved"]).1.contains(id));
    let unshelved = operate(&["unshelve", id, "--by", "anna"]);
    assert!(unshelved.0 == Some(0) && unshelved.1.contains("unshelved"), "{unshelved:?}");
    assert_eq!(operate(&["list", "--shelved"]), (Some(0), String::new()));
    let refused = operate(&["release", id, "--by", "anna"]);
    assert!(refused.0 == Some(1) && refused.1.contains("no rule holds alert"), "{refused:?}");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    let audit = vedette(folder.path(), &["audit", "show", "--centre", "c.toml"]);
    let audit = text(&audit.stdout);
    assert!(audit.contains("anna unshelve") && audit.contains("anna release"), "{audit}");
    assert_eq!(audit.matches(&remark).count(), 2, "the remark stands whole in the order and in its answer: {audit}");
}

#[test]
fn settings_of_a_backtest_that_no_gateway_takes_are_status_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for wrong in ["--expected-per-day=1e300", "--expected-per-day=NaN", "--false-per-year=101", "--rise=1"] {
        let output = vedette(folder.path(), &["warn", "--backtest", "none.csv", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("expected a number above"), "{}", text(&output.stderr));
    }
}

#[test]
fn usage_that_only_a_file_shows_to_be_wrong_is_status_2() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("site.toml"), SITE).expect("written");
    for wrong in [
        &["keys", "list"][..],
        &["keys", "new", "17"],
        &["keys", "list", "--config", "site.toml"],
        &["test-alert", "--by", "a\nb", "--socket", "none.sock"],
    ] {
        let output = vedette(folder.path(), wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output.stderr));
    }
    let output = vedette(folder.path(), &["keys", "new", "17", "--dir", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nowhere") && !folder.path().join("nowhere").exists());
    let centre = "[centre]\nid = \"c\"\n[broker]\nhost = \"h\"\nport = 1\n[ledger]\npath = \"l\"\n";
    for wrong in [
        centre.replace("\"c\"", "\"a b\""),
        format!("{centre}[signing]\nkid = \"c\"\nkey_file = \"missing\"\n"),
        format!("{centre}[[gateway]]\nid = \"g\"\nkid = \"k\"\npublic_key = \"x\"\n"),
    ] {
        std::fs::write(folder.path().join("c.toml"), &wrong).expect("written");
        let output = vedette(folder.path(), &["centre", "--config", "c.toml"]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", text(&output.stderr));
    }
}

#[test]
fn no_command_panics_when_nobody_reads_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = SITE.to_owned() + "[store]\nfile = \"store.sqlite\"\n";
    std::fs::write(folder.path().join("site.toml"), site).expect("written");
    std::fs::create_dir(folder.path().join("keys")).expect("made");
    assert!(vedette(folder.path(), &["keys", "new", "17", "--dir", "keys"]).status.success());
    for arguments in [
        &["check", "site.toml"][..],
        &["retention", "--dry-run", "--config", "site.toml"],
        &["keys", "list", "--dir", "keys"],
    ] {
        let (reader, gone) = std::io::pipe().expect("a pipe");
        drop(reader);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
        for (stdout, expected) in [(Stdio::from(gone), 0), (Stdio::from(full), 1)] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_vedette"));
            command.args(arguments).current_dir(folder.path()).stdout(stdout).stderr(Stdio::piped());
            let output = command.spawn().expect("it starts").wait_with_output().expect("it ends");
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {said}");
            assert!(!said.contains("panicked"), "{said}");
        }
    }
}

#[test]
fn what_is_wrong_in_a_configuration_is_told_once_and_in_a_readers_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |site: &str| {
        std::fs::write(folder.path().join("wrong.toml"), site).expect("written");
        let output = vedette(folder.path(), &["check", "wrong.toml"]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let source = "[[source.mqtt]]\nname = \"field\"\nbroker = { host = \"h\", port = 70000 }\n";
    let said = check(&format!("{SITE}{source}"));
    assert!(said.contains("expected: a port from 1 to 65535"), "{said}");
    let said = check(&format!("{SITE}[metrics]\nlisten = \"localhost:9464\"\n"));
    assert!(said.contains("expected: an address and a port such as \"127.0.0.1:9464\""), "{said}");
    let said = check(&SITE.replace("\"north\"", "\"a b\""));
    assert_eq!(said.matches("site.id").count(), 1, "{said}");
}
