//! The recorder and what is made of its files: rotation, quota, torn files, a disk that fails.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vedette_engine::config::EngineConfig;
use vedette_engine::{Durable, Engine, Frame, FrameContent, Input, Output, Timestamp};
use vedette_gateway::config::Record;
use vedette_gateway::record::{self, Form, Info, Recorder, Recording, RecordingFile, Table};
use vedette_gateway::replay::{JsonLines, Told};

const SITE: &str = concat!(
    "[site]\nid = \"north\"\norigin = { lat = 52.0, lon = 23.6 }\n",
    "[[sensor]]\nid = \"radar-1\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\n",
    "coverage = { shape = \"circle\", radius_m = 500.0 }\nscan_period_s = 1.0\n",
    "[[zone]]\nname = \"depot\"\nkind = \"alert\"\n",
    "points_m = [[-200.0, -200.0], [200.0, -200.0], [200.0, 200.0], [-200.0, 200.0]]\n",
);

fn config() -> EngineConfig {
    toml::from_str(SITE).unwrap()
}

fn at(second: u32) -> Timestamp {
    Timestamp::from_seconds(1_772_323_200 + i64::from(second))
}

/// One scan of somebody who walks from north to south into the depot; `note` makes the message longer.
fn scan(second: u32, note: &str) -> Input {
    let t = vedette_engine::time::format_rfc3339(at(second));
    let north_m = 230.0 - 1.4 * f64::from(second);
    let plot = format!(r#"{{"kind":"position","east_m":10.0,"north_m":{north_m}}}"#);
    let line = format!(r#"{{"v":1,"sensor":"radar-1","t":"{t}","note":"{note}","plots":[{plot}]}}"#);
    let (codec, topic) = ("native".to_owned(), Some("vedette/v1/north/sensor/radar-1/detections".to_owned()));
    let content = FrameContent::Message { codec, topic, retained: false, bytes: line.into_bytes() };
    Input::Frame(Frame { source: "field".to_owned(), received: at(second), content })
}

fn recordings(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn inputs(path: &Path) -> (Vec<Told>, Option<String>) {
    let mut recording = Recording::open(path, fs::File::open(path).unwrap()).unwrap();
    let told = recording.inputs.by_ref().map(Result::unwrap).collect();
    (told, recording.inputs.torn().map(str::to_owned))
}

/// An engine that is recorded while it runs.
struct Live {
    engine: Engine,
    recorder: Recorder,
    writer: JoinHandle<()>,
}

impl Live {
    fn start(record: &Record) -> Self {
        let (recorder, writer) = record::pair(record, "north");
        let writer = std::thread::spawn(move || writer.run());
        Self { engine: Engine::new(&config()).unwrap(), recorder, writer }
    }

    fn tell(&mut self, now: Timestamp, input: Input) -> (bool, Vec<Output>) {
        let told = self.recorder.tell(&self.engine, &config(), now, &input);
        let mut out = Vec::new();
        self.engine.handle(now, input, &mut out);
        (told.is_ok(), out)
    }

    fn stop(self) {
        drop(self.recorder);
        self.writer.join().unwrap();
    }
}

fn settings(dir: &Path) -> Record {
    Record { dir: dir.join("recordings"), rotate_mib: 64, rotate_s: 3600, quota_mib: 1024, flush_s: 5 }
}

#[test]
fn files_rotate_by_size_and_nothing_is_lost_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record { rotate_mib: 1, ..settings(folder.path()) };
    let mut live = Live::start(&record);
    let note = "x".repeat(100 << 10);
    for second in 0..40 {
        live.tell(at(second), scan(second, &note));
        // The writer tells how far it is.
        std::thread::sleep(Duration::from_millis(20));
    }
    live.stop();
    let files = recordings(&record.dir);
    assert!((3..=6).contains(&files.len()), "4 MB in files of 1 MiB: {files:?}");
    let mut seconds = Vec::new();
    for file in &files {
        let (told, torn) = inputs(file);
        assert_eq!(torn, None);
        seconds.extend(told.iter().map(|told| told.now));
    }
    assert_eq!(seconds, (0..40).map(at).collect::<Vec<_>>(), "each input once, in order");
}

#[test]
fn files_rotate_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record { rotate_s: 1, ..settings(folder.path()) };
    let mut live = Live::start(&record);
    let begun = Instant::now();
    let mut second = 0;
    while begun.elapsed() < Duration::from_millis(2500) {
        live.tell(at(second), scan(second, ""));
        second += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    live.stop();
    let count = recordings(&record.dir).len();
    // A machine that does much else may take longer for a step; never two files within a second.
    assert!((2..=3).contains(&count), "{count} files in 2.5 s");
}

#[test]
fn the_oldest_recordings_go_first_and_the_folder_stays_within_its_quota() {
    let folder = tempfile::tempdir().unwrap();
    let record = Record { rotate_mib: 1, quota_mib: 4, ..settings(folder.path()) };
    fs::create_dir_all(&record.dir).unwrap();
    for (name, age_s) in [("north-c", 30), ("north-a", 20), ("north-b", 10)] {
        let path = record.dir.join(name).with_extension("mcap");
        fs::write(&path, vec![0; 2 << 20]).unwrap();
        let when = std::time::SystemTime::now() - Duration::from_secs(age_s);
        fs::File::options().write(true).open(&path).unwrap().set_modified(when).unwrap();
    }
    fs::write(record.dir.join("notes.txt"), vec![0; 8 << 20]).unwrap();
    let mut live = Live::start(&record);
    live.tell(at(0), scan(0, ""));
    live.stop();
    let names: Vec<String> =
        recordings(&record.dir).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["north-20260301T000000000000Z.mcap", "north-b.mcap", "notes.txt"], "4 MiB less 1 for the new");
}

#[test]
fn a_disk_that_fails_is_told_once_and_stops_no_tracking() {
    let folder = tempfile::tempdir().unwrap();
    let record = settings(folder.path());
    // No folder can be made where a file is.
    fs::write(&record.dir, b"in the way").unwrap();
    let mut live = Live::start(&record);
    let (mut failures, mut alerts) = (0, 0);
    for second in 0..60 {
        let (told, out) = live.tell(at(second), scan(second, ""));
        failures += usize::from(!told);
        alerts += out.iter().filter(|output| matches!(output, Output::Durable(_))).count();
        std::thread::sleep(Duration::from_millis(5));
    }
    live.stop();
    assert_eq!(failures, 1, "told when it is given up, then not again for half a minute");
    assert!(alerts > 0, "somebody walked into the depot all the same");
}

/// A recording of a minute, flushed every five seconds.
fn written(folder: &Path) -> PathBuf {
    written_for(folder, 60)
}

fn written_for(folder: &Path, seconds: u32) -> PathBuf {
    let mut engine = Engine::new(&config()).unwrap();
    let (snapshot, config) = (engine.snapshot().to_bytes().unwrap(), serde_json::to_string(&config()).unwrap());
    let mut file = RecordingFile::create(folder, "north", at(0), &snapshot, config).unwrap();
    for second in 0..seconds {
        file.input(at(second), &scan(second, "")).unwrap();
        let mut out = Vec::new();
        engine.handle(at(second), scan(second, ""), &mut out);
        for output in out {
            if let Output::Durable(Durable::Alert(alert)) = output {
                file.alert(at(second), &alert).unwrap();
            }
        }
        file.picture(at(second), &engine.picture(at(second)), &engine.site().frame).unwrap();
        if second % 5 == 4 {
            file.flush().unwrap();
        }
    }
    let path = file.path().to_owned();
    file.finish().unwrap();
    path
}

#[test]
fn wherever_a_file_is_cut_what_was_flushed_before_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let whole = written(folder.path());
    let bytes = fs::read(&whole).unwrap();
    let (all, _) = inputs(&whole);
    let mut most = 0;
    for (index, end) in (0..bytes.len()).step_by(bytes.len() / 97).enumerate() {
        let cut = folder.path().join(format!("cut-{index}.mcap"));
        let to = cut.with_extension("recovered.mcap");
        fs::write(&cut, &bytes[..end]).unwrap();
        match record::recover(&cut, &to) {
            // Nothing is missing from a file that lacks of its last bytes only those which end it.
            Ok(recovered) => {
                assert!(recovered.torn.is_some() || bytes.len() - end <= mcap::MAGIC.len(), "cut at {end}");
            }
            Err(error) => {
                assert_eq!(most, 0, "cut at {end}: {error}");
                assert!(!to.exists(), "nothing is made of nothing");
                continue;
            }
        }
        assert_eq!(Info::of(fs::File::open(&to).unwrap()).torn, None, "cut at {end}");
        if let Ok(mut recording) = Recording::open(&to, fs::File::open(&to).unwrap()) {
            let told: Vec<Told> = recording.inputs.by_ref().map(Result::unwrap).collect();
            assert_eq!(told, all[..told.len()], "cut at {end}");
            assert!(told.len() >= most, "a longer file holds no less");
            most = told.len();
        }
    }
    assert!(most > 50, "the last cuts leave nearly all: {most}");
}

#[test]
fn a_damaged_chunk_gives_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let whole = written(folder.path());
    let (all, _) = inputs(&whole);
    let bytes = fs::read(&whole).unwrap();
    let damaged = folder.path().join("damaged.mcap");
    let mut noticed = 0;
    for place in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x10;
        fs::write(&damaged, bytes).unwrap();
        let Ok(mut recording) = Recording::open(&damaged, fs::File::open(&damaged).unwrap()) else { continue };
        let told: Vec<Told> = recording.inputs.by_ref().map(Result::unwrap).collect();
        assert_eq!(told, all[..told.len()], "what is given out is right, damaged at {place}");
        assert!(told.len() == all.len() || recording.inputs.torn().is_some(), "what is missing is told: {place}");
        noticed += usize::from(recording.inputs.torn().is_some());
    }
    assert!(noticed > 10, "chunks were hit, and indexes, which nothing depends on: {noticed}");
}

#[test]
fn a_table_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let table = |table, form| {
        let mut out = Vec::new();
        let exported = record::export(fs::File::open(&path).unwrap(), table, form, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), exported)
    };
    let (lines, exported) = table(Table::Detections, Form::Jsonl);
    assert_eq!((exported.rows, exported.left_out), (60, 0));
    let log: Vec<Told> = JsonLines::new(lines.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(log.iter().map(|told| told.now).collect::<Vec<_>>(), (0..60).map(at).collect::<Vec<_>>());

    let head = |text: &str, lines: usize| text.lines().take(lines).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("detections_csv", head(&table(Table::Detections, Form::Csv).0, 3));
    insta::assert_snapshot!("alerts_csv", table(Table::Alerts, Form::Csv).0);
    insta::assert_snapshot!("tracks_csv", head(&table(Table::Tracks, Form::Csv).0, 3));
    let (map, exported) = table(Table::Tracks, Form::GeoJson);
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    assert_eq!((exported.rows, &map["features"][0]["geometry"]["type"]), (1, &"LineString".into()));
    let (map, _) = table(Table::Alerts, Form::GeoJson);
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    assert_eq!(map["features"][0]["geometry"]["type"], "Point");
    assert!(record::export(&b""[..], Table::Detections, Form::GeoJson, &mut Vec::new()).is_err());
}

/// A line string has two positions or more (RFC 7946, section 3.1.4).
#[test]
fn a_track_that_has_just_begun_is_a_point_on_the_map() {
    let kinds = |seconds: u32| {
        let folder = tempfile::tempdir().unwrap();
        let (file, mut out) = (fs::File::open(written_for(folder.path(), seconds)).unwrap(), Vec::new());
        record::export(file, Table::Tracks, Form::GeoJson, &mut out).unwrap();
        let map: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let kind = |feature: &serde_json::Value| {
            let Some(places) = feature["geometry"]["coordinates"].as_array() else { unreachable!("a geometry") };
            let is_line = feature["geometry"]["type"] == "LineString";
            assert_eq!(is_line, places[0].is_array(), "{feature}");
            assert!(!is_line || places.len() >= 2, "{feature}");
            is_line
        };
        map["features"].as_array().unwrap().iter().map(kind).collect::<Vec<_>>()
    };
    let seen: Vec<Vec<bool>> = (1..12).map(kinds).collect();
    assert!(seen.contains(&vec![false]) && seen.contains(&vec![true]), "{seen:?}");
}

#[test]
fn a_recording_tells_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let info = Info::of(fs::File::open(written(folder.path())).unwrap());
    assert_eq!((info.site.as_deref(), info.format.as_deref()), (Some("north"), Some("1")));
    assert_eq!((info.first, info.last), (Some(at(0)), Some(at(59))));
    let topic = |name: &str| (info.topics[name].messages, info.topics[name].schema.as_str());
    assert_eq!(topic("/snapshot"), (1, ""));
    assert_eq!(topic("/input"), (60, ""));
    assert_eq!(topic("/track/map"), (60, "foxglove.GeoJSON"));
    assert!(topic("/track/fix").0 > 40 && topic("/track/fix").1 == "foxglove.LocationFix");
    assert_eq!(topic("/alert/map").0, topic("/alert/fix").0);
    assert_eq!(topic("/alert").1, "vedette.Alert");
}
