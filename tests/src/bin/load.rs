//! Load on a daemon: QoS 1 messages of one plot and 200 bytes, from mosquitto, at a steady rate.
//!
//! `cargo build --release --bins --workspace && target/release/load` prints what the daemon needed, and fails when frames
//! were dropped, more than one core or more than 64 MiB was used, or the start took 200 ms or more.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Parser;
use e2e::{Bench, Mosquitto, Publisher, Sources};
use vedette_engine::Timestamp;
use vedette_engine::time::format_rfc3339;

/// Connections that publish together.
const PUBLISHERS: usize = 4;
/// Sensors the messages come from, far apart from each other.
const SENSORS: usize = 500;
/// Length of each message.
const BYTES: usize = 200;

#[derive(Parser)]
struct Arguments {
    /// Messages a second
    #[arg(long, default_value_t = 5000)]
    rate: u64,
    /// How long, seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(load(&arguments))
}

async fn load(arguments: &Arguments) -> anyhow::Result<()> {
    let mut bench = Bench::new()?;
    let broker = Mosquitto::start(bench.folder(), false)?;
    bench.configure(&Sources { device: None, sensors: Some(broker.port()), centre: None })?;
    bench.append(&sensors())?;
    let start = bench.start_gateway()?;
    let up = |status: &serde_json::Value| status["sources"]["field"]["up"] == true;
    bench.await_status("subscribed", Duration::from_secs(10), up)?;
    let id = bench.gateway()?.id();

    let (cpu_before, begun) = (cpu_s(id)?, Instant::now());
    let per_publisher = arguments.rate * arguments.seconds / PUBLISHERS as u64;
    let mut publishers = tokio::task::JoinSet::new();
    for number in 0..PUBLISHERS {
        let (port, rate) = (broker.port(), arguments.rate / PUBLISHERS as u64);
        publishers.spawn(publish(port, number, rate, per_publisher));
    }
    while let Some(published) = publishers.join_next().await {
        published??;
    }
    let took_s = begun.elapsed().as_secs_f64();
    let sent = per_publisher * PUBLISHERS as u64;
    let all = |status: &serde_json::Value| {
        let source = &status["sources"]["field"];
        source["accepted"].as_u64() == Some(sent) && source["waiting"] == 0
    };
    let status = bench.await_status("every message", Duration::from_secs(20), all)?;
    let (cpu_s, peak_kib) = (cpu_s(id)? - cpu_before, peak_kib(id)?);
    let source = &status["sources"]["field"];
    println!("messages sent      {sent} of {BYTES} bytes in {took_s:.1} s ({:.0} a second)", sent as f64 / took_s);
    println!("accepted, dropped  {}, {}", source["accepted"], source["dropped"]);
    println!("daemon's CPU time  {cpu_s:.1} s, {:.2} of a core", cpu_s / took_s);
    println!("daemon's peak RSS  {:.1} MiB", peak_kib as f64 / 1024.0);
    println!("start to ready     {:.0} ms", start.as_secs_f64() * 1e3);
    ensure!(source["dropped"] == 0, "frames were dropped");
    ensure!(cpu_s < took_s, "more than one core");
    ensure!(peak_kib < 64 * 1024, "more than 64 MiB");
    ensure!(start < Duration::from_millis(200), "slow start");
    Ok(())
}

/// A grid of small radars whose coverages do not touch.
fn sensors() -> String {
    let mut text = String::new();
    for number in 0..SENSORS {
        let (east_m, north_m) = place(number);
        let _ = write!(
            text,
            "\n[[sensor]]\nid = \"load-{number}\"\nkind = \"radar\"\nposition = {{ east_m = {east_m:?}, north_m = {north_m:?} }}\n\
             coverage = {{ shape = \"circle\", radius_m = 200.0 }}\nscan_period_s = 0.1\nposition_sd_m = 3.0\n"
        );
    }
    text
}

fn place(number: usize) -> (f64, f64) {
    (3000.0 + 500.0 * (number % 25) as f64, 500.0 * (number / 25) as f64)
}

async fn publish(port: u16, publisher: usize, rate: u64, count: u64) -> anyhow::Result<()> {
    let mut connection = Publisher::connect(port, &format!("load-{publisher}")).await?;
    let begun = Instant::now();
    let mut sent = 0;
    while sent < count {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        while sent < due.min(count) {
            let number = (sent as usize * PUBLISHERS + publisher) % SENSORS;
            let topic = format!("vedette/v1/bench/sensor/load-{number}/detections");
            if !connection.offer(&topic, message(number, sent).as_bytes())? {
                break;
            }
            sent += 1;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The last receipts are on their way; closing now would lose what waits in the client.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

/// A plot somewhere in the sensor's coverage, different each time, as clutter is.
fn message(number: usize, sent: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let t = format_rfc3339(Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX)));
    let (east_m, north_m) = place(number);
    let angle = (sent.wrapping_mul(2_654_435_761) % 6283) as f64 / 1000.0;
    let radius_m = (sent.wrapping_mul(40_503) % 190) as f64;
    let (east_m, north_m) = (east_m + radius_m * angle.cos(), north_m + radius_m * angle.sin());
    let mut text = format!(
        r#"{{"v":1,"sensor":"load-{number}","t":"{t}","seq":{sent},"plots":[{{"kind":"position","east_m":{east_m:.3},"north_m":{north_m:.3}}}]"#
    );
    while text.len() < BYTES - 1 {
        text.push(' ');
    }
    text.push('}');
    text
}

/// CPU time of a process, its threads included.
fn cpu_s(id: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields = stat.rsplit_once(") ").context("a process's stat")?.1;
    let ticks =
        |index: usize| fields.split(' ').nth(index).and_then(|field| field.parse::<f64>().ok()).context("ticks");
    // Fields 14 and 15 of proc(5), in ticks of 1/100 s on Linux.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Greatest resident size of a process so far.
fn peak_kib(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmHWM")
}
