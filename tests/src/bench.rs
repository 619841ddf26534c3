//! One gateway and one centre in a folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use vedette_centre::{Entry, SqliteLedger};
use vedette_delivery::Envelope;
use vedette_engine::{Alert, AlertKind};
use vedette_gateway::radio::{NewKey, NodeKeys};
use vedette_wire::Key;

use crate::{Process, program};

/// The bench's radio node.
pub const NODE: u32 = 7;

/// What the gateway listens to.
#[derive(Clone, Debug, Default)]
pub struct Sources<'a> {
    /// Serial device of the concentrator.
    pub device: Option<&'a Path>,
    /// Port of the broker with the sensors' messages.
    pub sensors: Option<u16>,
    /// Port of the broker towards the centre.
    pub centre: Option<u16>,
}

/// A folder with the files of one gateway and one centre; their processes end with it.
#[derive(Debug)]
pub struct Bench {
    folder: tempfile::TempDir,
    program: PathBuf,
    key: Key,
    environment: Vec<(String, String)>,
    gateway: Option<Process>,
    centre: Option<Process>,
}

impl Bench {
    /// A folder with a key for the node and nothing else.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("keys"))?;
        let (path, _) = NodeKeys::create(&folder.path().join("keys"), NODE, NewKey::Actual)?;
        let key = NodeKeys::read(&path)?.keys.first().context("a key")?.1;
        Ok(Self { folder, program: program("vedette")?, key, environment: Vec::new(), gateway: None, centre: None })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The node's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configurations: a radar over a square kilometre with an alert zone in its middle, and the radio node.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn configure(&self, sources: &Sources<'_>) -> anyhow::Result<()> {
        let mut text = include_str!("site.toml").to_owned();
        if let Some(device) = sources.device {
            let device = device.display();
            text += &format!(
                "[radio]\nkeys_dir = \"keys\"\n\n[[source.serial]]\nname = \"radio\"\ndevice = \"{device}\"\n\n"
            );
        }
        if let Some(port) = sources.sensors {
            text +=
                &format!("[[source.mqtt]]\nname = \"field\"\nbroker = {{ host = \"127.0.0.1\", port = {port} }}\n\n");
        }
        if let Some(port) = sources.centre {
            text += &format!(
                "[[sink.centre]]\nbroker = {{ host = \"127.0.0.1\", port = {port}, keep_alive_s = 2 }}\n\n[uplink]\nretry_s = 1.0\n\n"
            );
            let centre = format!(
                "[centre]\nid = \"centre\"\n\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\nkeep_alive_s = 2\n\n\
                 [ledger]\npath = \"{}\"\n",
                self.file("centre.sqlite").display()
            );
            std::fs::write(self.file("centre.toml"), centre)?;
        }
        std::fs::write(self.file("gateway.toml"), text)?;
        Ok(())
    }

    /// Sets a variable of the gateway's environment, from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The gateway's audit log as `vedette audit show` prints it, after `vedette audit verify` has proven it.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn audit(&self) -> anyhow::Result<String> {
        let config = self.file("gateway.toml");
        let mut printed = String::new();
        for act in ["verify", "show"] {
            let output = Command::new(&self.program).args(["audit", act, "--config"]).arg(&config).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            printed = String::from_utf8_lossy(&output.stdout).into_owned();
        }
        Ok(printed)
    }

    /// Appends to the gateway's configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, text: &str) -> anyhow::Result<()> {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.file("gateway.toml"))?;
        Ok(std::io::Write::write_all(&mut file, text.as_bytes())?)
    }

    /// Replaces a part of the gateway's configuration.
    ///
    /// # Errors
    /// When the part is not there, or the file cannot be written.
    pub fn edit(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(self.file("gateway.toml"))?;
        ensure!(text.contains(from), "{from:?} does not stand in the configuration");
        Ok(std::fs::write(self.file("gateway.toml"), text.replacen(from, to, 1))?)
    }

    /// Starts the gateway and waits until it answers at its socket; how long that took.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_gateway(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let config = self.file("gateway.toml");
        let arguments = ["run", "--config", &config.to_string_lossy()];
        self.gateway =
            Some(Process::start_with(&self.program, &arguments, &self.file("gateway.log"), &self.environment)?);
        self.await_socket(begun)
    }

    /// Starts the gateway so that none of its files can grow beyond a size: writing more fails, as on a full disk.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_gateway_with_file_limit(&mut self, bytes: u64) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        // The signal that comes with the failed write is ignored, or it would end the process.
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" run --config \"$1\"", bytes / 512);
        let (program, config) = (self.program.clone(), self.file("gateway.toml"));
        let arguments = ["-c", &script, &program.to_string_lossy(), &config.to_string_lossy()];
        self.gateway = Some(Process::start(Path::new("/bin/sh"), &arguments, &self.file("gateway.log"))?);
        self.await_socket(begun)
    }

    fn await_socket(&self, begun: Instant) -> anyhow::Result<Duration> {
        while std::os::unix::net::UnixStream::connect(self.file("gateway.sock")).is_err() {
            ensure!(begun.elapsed() < Duration::from_secs(20), "the gateway does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(begun.elapsed())
    }

    /// The gateway's process.
    ///
    /// # Errors
    /// When it was not started.
    pub fn gateway(&mut self) -> anyhow::Result<&mut Process> {
        self.gateway.as_mut().context("the gateway was not started")
    }

    /// Starts the centre.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_centre(&mut self) -> anyhow::Result<()> {
        let config = self.file("centre.toml");
        let arguments = ["centre", "--json", "--config", &config.to_string_lossy()];
        self.centre = Some(Process::start(&self.program, &arguments, &self.file("centre.log"))?);
        Ok(())
    }

    /// The centre's process.
    ///
    /// # Errors
    /// When it was not started.
    pub fn centre(&mut self) -> anyhow::Result<&mut Process> {
        self.centre.as_mut().context("the centre was not started")
    }

    /// What the gateway says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self) -> anyhow::Result<Value> {
        let socket = self.file("gateway.sock");
        let output = Command::new(&self.program).args(["status", "--json", "--socket"]).arg(&socket).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs `vedette alerts` as an operator at the centre; what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn operate(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let config = self.file("centre.toml");
        let output = Command::new(&self.program).args(["alerts", "--config"]).arg(config).args(arguments).output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Checks the gateway's audit log against a copy of one of its lines, `LINE:HASH`.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn verify_audit(&self, anchor: &str) -> anyhow::Result<()> {
        let config = self.file("gateway.toml");
        let mut command = Command::new(&self.program);
        let output = command.args(["audit", "verify", "--anchor", anchor, "--config"]).arg(config).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The last lines of gateways' audit logs that the centre keeps, as `vedette audit heads` prints them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn heads(&self) -> anyhow::Result<String> {
        let config = self.file("centre.toml");
        let output = Command::new(&self.program).args(["audit", "heads", "--centre"]).arg(config).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Raises a test alert and waits until it is committed.
    ///
    /// # Errors
    /// When the gateway does not do it.
    pub fn test_alert(&self) -> anyhow::Result<()> {
        let socket = self.file("gateway.sock");
        let output = Command::new(&self.program).args(["test-alert", "--socket"]).arg(&socket).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Replays the gateway's only recording with the configuration it holds; the alerts, one JSON object a line.
    ///
    /// # Errors
    /// When there is not one recording, or it cannot be replayed to its end.
    pub fn replay(&self) -> anyhow::Result<Vec<String>> {
        let mut recordings: Vec<PathBuf> = std::fs::read_dir(self.file("recordings"))?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        ensure!(recordings.len() == 1, "expected one recording, got {recordings:?}");
        let (recording, alerts) = (recordings.remove(0), self.file("replayed.jsonl"));
        let output = Command::new(&self.program).arg("replay").arg(recording).arg("--alerts").arg(&alerts).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(std::fs::read_to_string(alerts)?.lines().map(str::to_owned).collect())
    }

    /// Every line of the centre's ledger.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ledger(&self) -> anyhow::Result<Vec<(Entry, Alert)>> {
        let path = self.file("centre.sqlite");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let entries = SqliteLedger::entries(&path, 0, 10_000)?;
        let with_alert = |entry: Entry| {
            anyhow::Ok((Envelope::read(&entry.bytes)?.alert, entry)).map(|(alert, entry)| (entry, alert))
        };
        entries.into_iter().map(with_alert).collect()
    }

    /// Waits until the ledger holds `count` alerts of this kind, and returns them.
    ///
    /// # Errors
    /// When they do not come within the limit.
    pub fn await_alerts(&self, kind: AlertKind, count: usize, limit: Duration) -> anyhow::Result<Vec<Alert>> {
        let begun = Instant::now();
        loop {
            // A ledger that is being made cannot be read yet.
            let ledger = self.ledger().unwrap_or_default();
            let found: Vec<Alert> =
                ledger.into_iter().map(|(_, alert)| alert).filter(|alert| alert.kind == kind).collect();
            if found.len() >= count {
                return Ok(found);
            }
            ensure!(
                begun.elapsed() < limit,
                "{} of {count} {kind:?} alerts after {limit:?}\n{}",
                found.len(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks for the status until it is as wanted.
    ///
    /// # Errors
    /// When it does not become so within the limit.
    pub fn await_status(&self, what: &str, limit: Duration, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let begun = Instant::now();
        loop {
            let status = self.status()?;
            if wanted(&status) {
                return Ok(status);
            }
            ensure!(begun.elapsed() < limit, "not within {limit:?}: {what}\n{status:#}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What both processes logged, for messages about failures.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.file(name)).unwrap_or_default();
        format!("gateway:\n{}\ncentre:\n{}", read("gateway.log"), read("centre.log"))
    }
}
