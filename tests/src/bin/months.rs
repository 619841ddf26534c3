//! Memory over months: engine, outbox and store for 500 sensors on simulated time.
//!
//! `target/debug/months --days 90 > months.csv` prints one line a day: day, resident memory (KiB), tracks, rows that wait,
//! size of the store (KiB). It fails when more than 64 MiB are used, or when the last third uses more than a tenth above
//! what the second third did.

use std::fmt::Write as _;

use anyhow::{Context, ensure};
use clap::Parser;
use vedette_delivery::uplink::Event;
use vedette_delivery::{Ack, Channel, GatewayId, Trail, Uplink, UplinkConfig, Work, message};
use vedette_engine::config::EngineConfig;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Act, Command, Engine, Frame, FrameContent, Input, PictureRate, Severity, Timestamp};
use vedette_gateway::store::{SqliteStore, StoreLimits};

const SENSORS: usize = 500;
const DAY_S: i64 = 86_400;
const MAX_KIB: u64 = 64 * 1024;

#[derive(Parser)]
struct Arguments {
    /// How long, in simulated days
    #[arg(long, default_value_t = 90)]
    days: i64,
    /// Time between two reports of one sensor, seconds
    #[arg(long, default_value_t = 1800)]
    every_s: i64,
}

fn main() -> anyhow::Result<()> {
    let Arguments { days, every_s } = Arguments::parse();
    let mut gateway = Gateway::new()?;
    println!("day,resident_kib,tracks,waiting,store_kib");
    let mut resident = Vec::new();
    let step_micros = every_s * 1_000_000 / SENSORS as i64;
    let (mut now, mut sent) = (gateway.start, 0);
    for day in 1..=days {
        let end = gateway.start.plus_seconds((day * DAY_S) as f64);
        while now < end {
            now = now.plus_micros(step_micros);
            gateway.tick_until(now)?;
            gateway.report(now, sent)?;
            sent += 1;
            if sent % 1000 == 0 {
                gateway.commit(now)?;
            }
        }
        let kib = resident_kib()?;
        resident.push(kib);
        let tracks = gateway.engine.picture(now).tracks.len();
        println!("{day},{kib},{tracks},{},{}", gateway.uplink.outbox().depth(), gateway.store.file_bytes() / 1024);
    }
    let third = resident.len() / 3;
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or(0);
    let (before, after) = (most(&resident[third..2 * third]), most(&resident[2 * third..]));
    ensure!(most(&resident) <= MAX_KIB, "{} KiB, expected at most {MAX_KIB}", most(&resident));
    ensure!(
        third == 0 || after <= before + before / 10,
        "{after} KiB in the last third, {before} in the second: it grows"
    );
    Ok(())
}

struct Gateway {
    engine: Engine,
    uplink: Uplink,
    store: SqliteStore,
    work: Work,
    trail: Trail,
    start: Timestamp,
    _folder: tempfile::TempDir,
}

impl Gateway {
    fn new() -> anyhow::Result<Self> {
        let config: EngineConfig = toml::from_str(&sensors()).context("configuration")?;
        let folder = tempfile::tempdir()?;
        let mut store = SqliteStore::new(folder.path().join("store.sqlite"), StoreLimits::default());
        let start = Timestamp::from_seconds(1_772_000_000);
        let (uplink, _) = Uplink::start(UplinkConfig::new(GatewayId::new("bench")?), start, &mut store)?;
        let engine = Engine::new(&config)?.with_pictures(PictureRate::OnRequest);
        Ok(Self { engine, uplink, store, work: Work::default(), trail: Trail::new(&config), start, _folder: folder })
    }

    fn handle(&mut self, now: Timestamp, input: Input) -> anyhow::Result<()> {
        let mut out = Vec::new();
        self.trail.told(now, &input)?;
        self.engine.handle(now, input, &mut out);
        out.into_iter().for_each(|output| self.work.take(output));
        Ok(())
    }

    fn tick_until(&mut self, now: Timestamp) -> anyhow::Result<()> {
        while let Some(due) = self.engine.next_deadline().filter(|due| *due < now) {
            self.handle(due, Input::Tick)?;
        }
        Ok(())
    }

    /// One plot of one sensor, each time somewhere else, as clutter is.
    fn report(&mut self, now: Timestamp, sent: u64) -> anyhow::Result<()> {
        let number = sent as usize % SENSORS;
        let (east_m, north_m) = place(number);
        let (t, offset_m) = (format_rfc3339(now), (sent.wrapping_mul(40_503) % 190) as f64);
        let text = format!(
            r#"{{"v":1,"sensor":"load-{number}","t":"{t}","plots":[{{"kind":"position","east_m":{:.1},"north_m":{north_m:.1}}}]}}"#,
            east_m + offset_m
        );
        let content =
            FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes: text.into_bytes() };
        self.handle(now, Input::Frame(Frame { source: "field".into(), received: now, content }))
    }

    /// Commits what there is, with a test alert; the centre acknowledges at once.
    fn commit(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let act = Act::TestAlert { severity: Severity::Low };
        self.handle(
            now,
            Input::Command(Command { id: format!("{now:?}"), by: "months".into(), expires_at: None, act }),
        )?;
        let mut work = std::mem::take(&mut self.work);
        self.trail.complete(&mut work, &self.engine, now, true)?;
        let sealed = self.uplink.seal(work.batch);
        self.uplink.commit(now, &mut self.store, &sealed)?;
        let outbox = self.uplink.outbox();
        let mut covered = vedette_delivery::Ranges::new();
        covered.insert_range(1, outbox.last_seq().max(1));
        let ack = Ack::new(outbox.epoch().clone(), &covered, &covered, 0);
        let topic = Channel::Ack.topic(&GatewayId::new("bench")?);
        let event = Event::Message { topic, payload: message::write(&ack), properties: Vec::new() };
        self.uplink.handle(now, &mut self.store, event, &mut Vec::new());
        self.uplink.finish(now, &mut self.store)?;
        Ok(())
    }
}

fn sensors() -> String {
    let mut text = String::from("[site]\nid = \"bench\"\norigin = { lat = 52.0, lon = 23.6 }\n");
    for number in 0..SENSORS {
        let (east_m, north_m) = place(number);
        let _ = write!(
            text,
            "\n[[sensor]]\nid = \"load-{number}\"\nkind = \"radar\"\nposition = {{ east_m = {east_m:?}, north_m = {north_m:?} }}\n\
             coverage = {{ shape = \"circle\", radius_m = 200.0 }}\nscan_period_s = 60.0\nposition_sd_m = 3.0\n"
        );
    }
    text
}

fn place(number: usize) -> (f64, f64) {
    (3000.0 + 500.0 * (number % 25) as f64, 500.0 * (number / 25) as f64)
}

fn resident_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")
}
