//! Recordings of whole runs: every scenario replays to its own alerts, and neither a kill nor a full disk does harm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Bench, Publisher, Sources, embedded_broker, program, radar_message};
use vedette_engine::{Alert, AlertKind, Engine};
use vedette_gateway::record::{Recording, RecordingFile};
use vedette_gateway::replay::{Driver, Saying, Ticks};
use vedette_sim::campaign::{drive_observed, engine_config};
use vedette_sim::scenario::Scenario;

const SOON: Duration = Duration::from_secs(30);
const RADAR: &str = "vedette/v1/bench/sensor/radar-1/detections";
/// Longer scenarios are recorded up to here, to keep the test short.
const AT_MOST_S: f64 = 2.0 * 3600.0;

fn lines(alerts: &[Alert]) -> Vec<String> {
    alerts.iter().map(|alert| serde_json::to_string(alert).unwrap_or_default()).collect()
}

/// Runs a scenario while it is recorded; the recording and the run's alerts.
fn record(scenario: &Scenario, folder: &Path) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let config = engine_config(scenario)?;
    let engine = Engine::new(&config)?;
    let begins = scenario.layout.begins;
    let (snapshot, json) = (engine.snapshot().to_bytes()?, serde_json::to_string(&config)?);
    let mut file = RecordingFile::create(folder, &scenario.name, begins, &snapshot, json)?;
    let mut failure = None;
    let run = drive_observed(scenario, 1, &mut |_, now, input| {
        if let Err(error) = file.input(now, input) {
            failure.get_or_insert(error);
        }
    })?;
    for (written, alert) in &run.alerts {
        file.alert(*written, alert)?;
    }
    let end = begins.plus_seconds(scenario.layout.duration_s);
    file.picture(end, &run.engine.picture(end), &run.engine.site().frame)?;
    let path = file.path().to_owned();
    file.finish()?;
    anyhow::ensure!(failure.is_none(), "{failure:?}");
    let alerts: Vec<Alert> = run.alerts.into_iter().map(|(_, alert)| alert).collect();
    Ok((path, lines(&alerts)))
}

fn replay(path: &Path) -> anyhow::Result<Vec<String>> {
    let recording = Recording::open(path, std::io::BufReader::new(std::fs::File::open(path)?))?;
    let engine = Engine::restore(&recording.config, recording.snapshot)?;
    let mut driver = Driver::new(engine, None).with_ticks(Ticks::Recorded);
    let mut alerts = Vec::new();
    for told in recording.inputs {
        driver.feed(told?, &mut |saying| {
            if let Saying::Durable(_, vedette_engine::Durable::Alert(alert)) = saying {
                alerts.push((**alert).clone());
            }
        });
    }
    Ok(lines(&alerts))
}

#[test]
fn a_recording_of_each_scenario_replays_to_its_alerts_byte_for_byte() -> anyhow::Result<()> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/scenarios");
    let folder = tempfile::tempdir()?;
    let (mut replayed, mut revisions) = (0, 0);
    for entry in std::fs::read_dir(scenarios)? {
        let mut scenario = Scenario::read(&entry?.path())?;
        // A gateway that lost its power begins a new recording, with a snapshot of what it still knew.
        scenario.power_lost_s.clear();
        scenario.layout.duration_s = scenario.layout.duration_s.min(AT_MOST_S);
        // A gateway that starts again begins a new recording: one file is of one run.
        scenario.power_lost_s.clear();
        let (path, alerts) = record(&scenario, folder.path())?;
        assert_eq!(replay(&path)?, alerts, "{}", scenario.name);
        replayed += 1;
        revisions += alerts.len();
    }
    assert!(replayed >= 27 && revisions > 100, "{replayed} scenarios with {revisions} revisions");
    Ok(())
}

/// Needs `MCAP_PYTHON`, a Python with the package `mcap`.
#[test]
#[ignore = "needs another project's reader; .ci/run installs it"]
fn a_foreign_reader_reads_recordings() -> anyhow::Result<()> {
    let python = std::env::var_os("MCAP_PYTHON").unwrap_or_else(|| "python3".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir()?;
    let (path, _) = record(&Scenario::read(&root.join("../config/scenarios/demo.toml"))?, folder.path())?;
    let output = Command::new(python).arg(root.join("peers/read_mcap.py")).arg(path).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The only recording of a bench, once there is one.
fn recording(bench: &Bench) -> anyhow::Result<PathBuf> {
    let begun = Instant::now();
    loop {
        let found = std::fs::read_dir(bench.folder().join("recordings")).ok().and_then(|mut entries| entries.next());
        match found {
            Some(entry) => return Ok(entry?.path()),
            None => anyhow::ensure!(begun.elapsed() < SOON, "no recording: {}", bench.log()),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_takes_at_most_the_flush_interval_from_a_recording() -> anyhow::Result<()> {
    const FLUSH: Duration = Duration::from_secs(1);
    let mut bench = Bench::new()?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: None, sensors: Some(port), centre: None })?;
    bench.append("[record]\ndir = \"recordings\"\nflush_s = 1\n")?;
    bench.start_gateway()?;
    bench.await_status("subscribed", SOON, |status| status["sources"]["field"]["up"] == true)?;
    let mut radar = Publisher::connect(port, "radar").await?;
    for _ in 0..20 {
        radar.publish(RADAR, radar_message(0.0, 0.0, 0.0).as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let killed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    bench.gateway()?.kill()?;

    let path = recording(&bench)?;
    let mut recording = Recording::open(&path, std::fs::File::open(&path)?)?;
    let last = recording.inputs.by_ref().filter_map(Result::ok).last().map(|told| told.now);
    assert!(recording.inputs.torn().is_some(), "a killed writer leaves no footer");
    let lost_s = killed.as_secs_f64() - last.map_or(0.0, |last| last.as_micros() as f64 * 1e-6);
    // The timer, the scan that was due next, and a machine that does much else.
    assert!(lost_s < FLUSH.as_secs_f64() + 1.0, "{lost_s:.2} s before the kill are lost");

    let output = Command::new(program("vedette")?).arg("record").arg("recover").arg(&path).output()?;
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    replay(&path.with_extension("recovered.mcap"))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_recording_and_not_the_tracking() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let port = embedded_broker()?;
    bench.configure(&Sources { device: None, sensors: Some(port), centre: Some(port) })?;
    bench.append("[record]\ndir = \"recordings\"\nflush_s = 1\n")?;
    bench.start_centre()?;
    // No file may grow beyond 2 MiB: the recording's write fails as on a full disk, the smaller store's does not.
    bench.start_gateway_with_file_limit(2 << 20)?;
    bench.await_status("subscribed", SOON, |status| status["sources"]["field"]["up"] == true)?;
    let mut radar = Publisher::connect(port, "radar").await?;
    // Noise that no compression makes small.
    let mut state: u64 = 1;
    for scan in 0..40 {
        let mut noise = String::new();
        while noise.len() < 150_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noise += &format!("{state:016x}");
        }
        let north_m = 230.0 - 2.0 * f64::from(scan);
        let message = radar_message(0.0, north_m, 0.0).replacen('{', &format!("{{\"note\":\"{noise}\","), 1);
        radar.publish(RADAR, message.as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let alerts = bench.await_alerts(AlertKind::Entry, 1, SOON)?;
    assert_eq!(alerts[0].zone.as_deref(), Some("depot"), "tracking went on");
    let faults = bench.await_alerts(AlertKind::StorageFault, 1, SOON)?;
    assert!(faults[0].text.contains("recording"), "and the loss is told: {}", faults[0].text);
    assert!(std::fs::metadata(recording(&bench)?)?.len() <= 2 << 20);
    Ok(())
}
