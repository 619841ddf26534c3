//! What keeps a gateway that nobody visits going: monitoring over HTTP, the watchdog, reloading and rolling back.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use e2e::{Bench, NODE, Node, Publisher, Relay, Sources, embedded_broker, free_port, radar_message};
use vedette_engine::AlertKind;

/// Generous, for machines that do much else at the same time.
const SOON: Duration = Duration::from_secs(30);
const RADAR: &str = "vedette/v1/bench/sensor/radar-1/detections";

fn get(port: u16, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SOON))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no empty line")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// The value of one series.
fn value(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn await_page(port: u16, path: &str, wanted: impl Fn(u16, &str) -> bool) -> anyhow::Result<String> {
    let begun = Instant::now();
    loop {
        let got = get(port, path);
        if let Ok((status, page)) = &got
            && wanted(*status, page)
        {
            return Ok(page.clone());
        }
        ensure!(begun.elapsed() < SOON, "{path} is {got:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn monitoring_reads_figures_and_health_over_http() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let node = Node::new(NODE, bench.key())?;
    let (broker, port) = (embedded_broker()?, free_port()?);
    let relay = Relay::start(broker)?;
    bench.configure(&Sources { device: Some(node.path()), sensors: Some(relay.port()), centre: Some(broker) })?;
    bench.append(&format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"))?;
    bench.start_centre()?;
    bench.start_gateway()?;
    await_page(port, "/healthz", |status, page| status == 200 && page == "ok\n")?;

    let mut radar = Publisher::connect(broker, "radar").await?;
    for scan in 0..10 {
        radar.publish(RADAR, radar_message(0.0, 230.0 - f64::from(scan), 0.0).as_bytes()).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    radar.publish(RADAR, b"garbage").await?;
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;
    let done = |_: u16, page: &str| {
        value(page, "vedette_source_frames_total{source=\"field\"}") == Some(11.0)
            && value(page, "vedette_outbox_waiting") == Some(0.0)
            && value(page, "vedette_scans_total") >= Some(9.0)
    };
    let page = await_page(port, "/metrics", done)?;
    assert_eq!(value(&page, "vedette_uplink_up"), Some(1.0));
    assert_eq!(value(&page, "vedette_store_durable"), Some(1.0));
    assert_eq!(value(&page, "vedette_sensor_plots_total{sensor=\"radar-1\"}"), Some(10.0));
    assert_eq!(value(&page, "vedette_engine_faults_total{reason=\"malformed\"}"), Some(1.0), "{page}");
    for positive in
        ["vedette_resident_bytes", "vedette_scan_seconds_total", "vedette_store_bytes", "vedette_up_seconds"]
    {
        assert!(value(&page, positive) > Some(0.0), "{positive}: {page}");
    }
    for stage in ["fusion", "commit", "uplink", "ingest/radio", "ingest/field"] {
        let age = value(&page, &format!("vedette_progress_age_seconds{{stage=\"{stage}\"}}"));
        assert!(age.is_some_and(|age| age < 5.0), "{stage}: {age:?}");
    }
    let map: serde_json::Value = serde_json::from_str(&get(port, "/tracks.geojson")?.1)?;
    assert_eq!(map["type"], "FeatureCollection");
    assert_eq!(get(port, "/else")?.0, 404);

    // The way to the sensors' broker is cut.
    relay.cut();
    let reasons = await_page(port, "/healthz", |status, _| status == 503)?;
    assert!(reasons.contains("source field is down"), "{reasons}");
    Ok(())
}

/// What the gateway tells its service manager, taken as it comes: a full queue would hold the gateway up.
struct Manager(Receiver<String>);

impl Manager {
    fn new(bench: &mut Bench) -> anyhow::Result<Self> {
        let path = bench.folder().join("notify.sock");
        let socket = UnixDatagram::bind(&path)?;
        bench.set("NOTIFY_SOCKET", &path.to_string_lossy());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = socket.recv(&mut buffer) {
                if tell.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self(told))
    }

    /// Messages until one has `wanted` in it.
    fn hear(&self, wanted: &str, limit: Duration) -> anyhow::Result<String> {
        let begun = Instant::now();
        while let Ok(text) = self.0.recv_timeout(limit.saturating_sub(begun.elapsed())) {
            if text.contains(wanted) {
                return Ok(text);
            }
        }
        anyhow::bail!("no {wanted} within {limit:?}")
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace; run by the checks"]
async fn the_watchdog_is_fed_until_one_stage_hangs() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources { device: None, sensors: Some(embedded_broker()?), centre: None })?;
    let manager = Manager::new(&mut bench)?;
    bench.start_gateway()?;
    manager.hear("READY=1", SOON)?;
    manager.hear("WATCHDOG=1", SOON)?;
    let process = bench.gateway()?.id();
    let thread = thread_named("keeper", process)?;
    // Each system call of that thread alone takes a minute: a disk that hangs.
    let mut hang = Command::new("strace")
        .args(["-p", &thread, "-e", "inject=all:delay_enter=60s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("strace")?;
    manager.hear("no progress of commit, uplink", Duration::from_secs(60))?;
    let fed_again = manager.hear("WATCHDOG=1", Duration::from_secs(5));
    hang.kill()?;
    hang.wait()?;
    assert!(fed_again.is_err(), "the watchdog is fed although the store's thread hangs");
    Ok(())
}

/// Number of a process's thread. A thread gives itself its name once it runs, which may be after the process is ready.
fn thread_named(name: &str, process: u32) -> anyhow::Result<String> {
    let is_named =
        |task: &std::path::PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let until = Instant::now() + SOON;
    loop {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task"))?;
        if let Some(task) = tasks.filter_map(|task| Some(task.ok()?.path())).find(is_named) {
            return Ok(task.file_name().context("its number")?.to_string_lossy().into_owned());
        }
        ensure!(Instant::now() < until, "no thread {name} in process {process}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_is_applied_a_wrong_one_is_not_and_a_harmful_one_is_rolled_back() -> anyhow::Result<()>
{
    let mut bench = Bench::new()?;
    let (broker, other) = (embedded_broker()?, embedded_broker()?);
    bench.configure(&Sources { device: None, sensors: Some(broker), centre: Some(broker) })?;
    let manager = Manager::new(&mut bench)?;
    bench.start_centre()?;
    bench.start_gateway()?;
    manager.hear("READY=1", SOON)?;
    let field_up = |status: &serde_json::Value| status["sources"]["field"]["up"] == true;
    bench.await_status("subscribed", SOON, field_up)?;
    bench.await_status("centre", SOON, |status| status["outbox"]["centre_up"] == true)?;

    // A second source and another sensor; the first source goes on untouched.
    bench
        .append(&format!("[[source.mqtt]]\nname = \"hill\"\nbroker = {{ host = \"127.0.0.1\", port = {other} }}\n"))?;
    bench.edit("id = \"pir-7\"", "id = \"pir-8\"")?;
    bench.gateway()?.signal("HUP")?;
    let reloading = manager.hear("RELOADING=1", SOON)?;
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.hear("READY=1", SOON)?;
    let status = bench.await_status("second source", SOON, |status| status["sources"]["hill"]["up"] == true)?;
    assert_eq!(status["sources"]["field"]["ups"], 1, "not restarted: {status:#}");
    bench.await_status("sensor", SOON, |status| status["engine"]["sensors"][1]["id"] == "pir-8")?;

    // Wrong: nothing changes.
    let good = std::fs::read_to_string(bench.folder().join("gateway.toml"))?;
    bench.append("[nonsense]\n")?;
    bench.gateway()?.signal("HUP")?;
    manager.hear("RELOADING=1", SOON)?;
    manager.hear("READY=1", SOON)?;
    assert_eq!(bench.status()?["sources"]["hill"]["up"], true);
    let faults = bench.await_alerts(AlertKind::StorageFault, 1, SOON)?;
    assert!(faults[0].text.contains("configuration"), "{}", faults[0].text);

    // Right and harmful: the source's broker is not there. It comes back by itself.
    std::fs::write(bench.folder().join("gateway.toml"), good)?;
    bench.edit(&format!("port = {other}"), &format!("port = {}", free_port()?))?;
    bench.gateway()?.signal("HUP")?;
    bench.await_status("source lost", SOON, |status| status["sources"]["hill"]["up"] == false)?;
    bench.await_status("rolled back", Duration::from_secs(60), |status| {
        status["sources"]["hill"].is_null() && status["sources"]["field"]["up"] == true
    })?;
    bench.test_alert()?;
    bench.await_alerts(AlertKind::Test, 1, SOON)?;
    let audit = bench.audit()?;
    for act in ["configuration_applied", "configuration_refused", "configuration_rolled_back", "reconfigure"] {
        assert!(audit.contains(act), "{act} is not in\n{audit}");
    }

    // Nor does the next start begin with it.
    bench.gateway()?.kill()?;
    bench.start_gateway()?;
    let status = bench.await_status("subscribed", SOON, field_up)?;
    assert!(status["sources"]["hill"].is_null(), "{status:#}");
    assert!(bench.log().contains("did harm and was rolled back"), "{}", bench.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_at_the_start_gives_way_to_the_last_good_one() -> anyhow::Result<()> {
    let centre = "[[sink.centre]]\nbroker = { host = \"127.0.0.1\" }\n";
    let key_missing = format!("{centre}signing = {{ kid = \"gate-1\", key_file = \"nowhere.key\" }}\n");
    for (wrong, told) in [("[nonsense]\n", "nonsense"), (key_missing.as_str(), "nowhere.key: No such file")] {
        let mut bench = Bench::new()?;
        bench.configure(&Sources { device: None, sensors: Some(embedded_broker()?), centre: None })?;
        let config = bench.folder().join("gateway.toml");
        std::fs::copy(&config, bench.folder().join("gateway.toml.last-good"))?;
        bench.append(wrong)?;
        bench.start_gateway()?;
        bench.await_status("subscribed", SOON, |status| status["sources"]["field"]["up"] == true)?;
        let log = bench.log();
        assert!(log.contains("starting with the last configuration that worked") && log.contains(told), "{log}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sinks_recording_and_endpoint_change_on_a_reload_and_what_cannot_is_told() -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    bench.configure(&Sources { device: None, sensors: Some(embedded_broker()?), centre: None })?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let (port, first, second) = (listener.local_addr()?.port(), free_port()?, free_port()?);
    bench.append(&format!("[metrics]\nlisten = \"127.0.0.1:{first}\"\n"))?;
    let manager = Manager::new(&mut bench)?;
    bench.start_gateway()?;
    manager.hear("READY=1", SOON)?;
    await_page(first, "/healthz", |status, _| status == 200)?;
    let folder = bench.folder().to_path_buf();
    let files = |name: &str| std::fs::read_dir(folder.join(name)).map_or(0, Iterator::count);

    bench.edit(&first.to_string(), &second.to_string())?;
    bench.edit("file = \"gateway.sqlite\"", "file = \"gateway.sqlite\"\nmax_size_mib = 77")?;
    bench.append(&format!(
        "[record]\ndir = \"recordings\"\n[[sink.cot]]\nname = \"taky\"\nto = {{ host = \"127.0.0.1\", port = {port} }}\n"
    ))?;
    bench.gateway()?.signal("HUP")?;
    await_page(second, "/healthz", |status, _| status == 200)?;
    assert!(get(first, "/healthz").is_err(), "the former address still answers");
    listener.set_nonblocking(true)?;
    let begun = Instant::now();
    while listener.accept().is_err() {
        ensure!(begun.elapsed() < SOON, "no sink connects");
        std::thread::sleep(Duration::from_millis(50));
    }
    let page =
        await_page(second, "/metrics", |_, page| value(page, "vedette_sink_ups_total{sink=\"taky\"}") >= Some(1.0))?;
    assert!(!page.contains("source=\"taky\""), "a sink is no source: {page}");
    let status = bench.status()?;
    assert!(status["sources"]["taky"].is_null() && status["sinks"]["taky"].is_object(), "{status:#}");
    bench.test_alert()?;
    bench.await_status("a recording", SOON, |_| files("recordings") > 0)?;
    let audit = bench.audit()?;
    for done in ["recording changed", "sink taky started", "store.max_size_mib takes effect at the next start"] {
        assert!(audit.contains(done), "{done} is not in\n{audit}");
    }

    // Another folder: the former file is closed with its end, and the next begins.
    bench.edit("dir = \"recordings\"", "dir = \"elsewhere\"")?;
    bench.gateway()?.signal("HUP")?;
    bench.await_status("another recording", SOON, |_| files("elsewhere") > 0)?;
    let closed = std::fs::read_dir(folder.join("recordings"))?.next().context("a recording")??.path();
    let bytes = std::fs::read(closed)?;
    assert!(bytes.ends_with(b"\x89MCAP0\r\n"), "not closed");
    Ok(())
}
