//! The three processes, their files, and how they are started, stopped and killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use vedette_gateway::radio::{NewKey, NodeKeys};
use vedette_gateway::status::{Answer, Report, Request};
use vedette_wire::Key;

use crate::clock::{ClockShim, SteppedClock};
use crate::feeder::ask;

/// The radio node.
pub(crate) const NODE: u32 = 7;

/// One of the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Broker,
    Centre,
    Gateway,
}

impl Who {
    pub(crate) const ALL: [Self; 3] = [Self::Broker, Self::Centre, Self::Gateway];

    const fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Centre => "centre",
            Self::Gateway => "gateway",
        }
    }
}

/// What a process has had of the processors.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// Time on a processor.
    pub(crate) had: Duration,
    /// Time in which it could have run and another process did.
    pub(crate) waited: Duration,
}

/// Closes what a process would inherit of this one: a pseudo terminal whose other end it held could not be unplugged.
const CLOSE_FILES: &str = "for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd -gt 2 ] && eval \"exec $fd>&-\"; done; ";

/// Folder, program and processes.
pub(crate) struct Site {
    folder: PathBuf,
    vedette: PathBuf,
    mosquitto: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) ledger: PathBuf,
    /// Where the gateway finds the radio node.
    pub(crate) device: PathBuf,
    /// The radio node's key.
    pub(crate) key: Key,
    clocks: BTreeMap<Who, SteppedClock>,
    running: BTreeMap<Who, Child>,
}

impl Site {
    /// Writes the configurations; builds `vedette` in the profile of this program unless one is given.
    pub(crate) fn build(folder: &Path, program: Option<&Path>) -> anyhow::Result<Self> {
        let vedette = match program {
            Some(program) => program.canonicalize().with_context(|| format!("{} is not there", program.display()))?,
            None => build_vedette()?,
        };
        ensure!(vedette.exists(), "{} is not there", vedette.display());
        let mosquitto = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
        let mosquitto = mosquitto.iter().map(PathBuf::from).find(|path| path.exists());
        std::fs::create_dir_all(folder.join("keys"))?;
        let (path, _) = NodeKeys::create(&folder.join("keys"), NODE, NewKey::Actual)?;
        let shim = ClockShim::build(folder)?;
        let clock = |who: Who| Ok((who, shim.clock(folder.join(format!("{}.clock", who.name())))?));
        let site = Self {
            folder: folder.to_path_buf(),
            vedette,
            mosquitto: mosquitto.context("mosquitto is not installed")?,
            socket: folder.join("vedette.sock"),
            store: folder.join("store.sqlite"),
            ledger: folder.join("ledger.sqlite"),
            device: folder.join("radio"),
            key: NodeKeys::read(&path)?.keys.first().context("a key")?.1,
            clocks: [Who::Gateway, Who::Centre].map(clock).into_iter().collect::<anyhow::Result<_>>()?,
            running: BTreeMap::new(),
        };
        site.configure()?;
        Ok(site)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let folder = &self.folder;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let broker = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n");
        std::fs::write(folder.join("broker.conf"), broker)?;
        let key_file = folder.join("gate-1.key");
        let public_key = vedette_gateway::signing::create(&key_file)?;
        let gateway = format!(
            "[site]\nid = \"gate-1\"\norigin = {{ lat = 50.0, lon = 20.0 }}\ntimezone = \"Europe/Warsaw\"\n\
             [[sensor]]\nid = \"pir-{NODE}\"\nkind = \"pir\"\nnode = {NODE}\nposition = {{ east_m = 0.0, north_m = 0.0 }}\n\
             coverage = {{ shape = \"circle\", radius_m = 15.0 }}\n\
             [radio]\nkeys_dir = \"keys\"\n[[source.serial]]\nname = \"radio\"\ndevice = {:?}\n\
             [[sink.centre]]\nbroker = {{ host = \"127.0.0.1\", port = {port}, keep_alive_s = 2 }}\n\
             signing = {{ kid = \"gate-1\", key_file = {key_file:?} }}\n[store]\nfile = {:?}\n\
             [uplink]\nretry_s = 2.0\nstatus_interval_s = 5.0\n\
             [rules]\nmax_open_alerts = 1000000\n[status]\nsocket = {:?}\n",
            self.device, self.store, self.socket
        );
        std::fs::write(folder.join("gateway.toml"), gateway)?;
        let centre = format!(
            "[centre]\nid = \"centre-1\"\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\nkeep_alive_s = 2\n\
             [ledger]\npath = {:?}\n[signing]\nrequired = true\n\
             [[gateway]]\nid = \"gate-1\"\nkid = \"gate-1\"\npublic_key = \"{public_key}\"\n",
            self.ledger
        );
        Ok(std::fs::write(folder.join("centre.toml"), centre)?)
    }

    /// Steps the wall clock of gateway or centre, so that it is off by so much.
    pub(crate) fn step_clock(&self, who: Who, offset_s: i64) -> anyhow::Result<()> {
        self.clocks.get(&who).with_context(|| format!("the {} has no clock of its own", who.name()))?.set(offset_s)
    }

    /// Where the processes' words are.
    pub(crate) fn logs(&self) -> String {
        self.folder.join("*.log").display().to_string()
    }

    fn log(&self, who: Who) -> anyhow::Result<File> {
        let path = self.folder.join(format!("{}.log", who.name()));
        Ok(File::options().create(true).append(true).open(path)?)
    }

    pub(crate) fn start(&mut self, who: Who) -> anyhow::Result<()> {
        self.spawn(who, "")
    }

    /// Starts the gateway so that no file of it may grow beyond a little more than the store has now: every write past
    /// that fails, as on a full disk.
    pub(crate) fn start_gateway_without_room(&mut self, extra_kib: usize) -> anyhow::Result<()> {
        let kib = std::fs::metadata(&self.store).map_or(0, |file| file.len() / 1024) + extra_kib as u64;
        // The limit's signal would kill; ignored, the write fails with an error.
        self.spawn(Who::Gateway, &format!("trap '' XFSZ; ulimit -f {kib}; "))
    }

    /// Starts a process from a shell that first does `preparation`.
    fn spawn(&mut self, who: Who, preparation: &str) -> anyhow::Result<()> {
        let program = if who == Who::Broker { &self.mosquitto } else { &self.vedette };
        let arguments = match who {
            Who::Broker => ["-c", "broker.conf"].as_slice(),
            Who::Centre => &["centre", "--config", "centre.toml"],
            Who::Gateway => &["run", "--config", "gateway.toml"],
        };
        let mut command = Command::new("bash");
        command.arg("-c").arg(format!("{CLOSE_FILES}{preparation}exec \"$0\" \"$@\"")).arg(program).args(arguments);
        command.current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(self.log(who)?);
        if let Some(clock) = self.clocks.get(&who) {
            clock.preload(&mut command);
        }
        let child = command.spawn().with_context(|| format!("starting the {}", who.name()))?;
        self.running.insert(who, child);
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, who: Who) -> anyhow::Result<()> {
        if let Some(mut child) = self.running.remove(&who) {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// What the threads of a process have had of the processors since it was started.
    pub(crate) fn share(&self, who: Who) -> anyhow::Result<Share> {
        let child = self.running.get(&who).with_context(|| format!("the {} is not running", who.name()))?;
        let mut share = Share::default();
        for thread in std::fs::read_dir(format!("/proc/{}/task", child.id()))? {
            // A thread that has just ended is left out.
            let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let mut nanoseconds = text.split_whitespace().map(|number| number.parse().unwrap_or(0));
            share.had += Duration::from_nanos(nanoseconds.next().unwrap_or(0));
            share.waited += Duration::from_nanos(nanoseconds.next().unwrap_or(0));
        }
        Ok(share)
    }

    fn signal(&self, who: Who, signal: &str) -> anyhow::Result<()> {
        let Some(child) = self.running.get(&who) else { bail!("the {} is not running", who.name()) };
        let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status()?;
        ensure!(status.success(), "kill {signal} failed");
        Ok(())
    }

    /// The broker hangs, with all connections open.
    pub(crate) fn pause_broker(&self, pause: Duration) -> anyhow::Result<()> {
        self.signal(Who::Broker, "-STOP")?;
        std::thread::sleep(pause);
        self.signal(Who::Broker, "-CONT")
    }

    /// Waits until the gateway has nothing left to deliver; what it says of itself then.
    pub(crate) fn drain(&self, limit: Duration) -> anyhow::Result<Box<Report>> {
        let start = Instant::now();
        let mut last = String::new();
        while start.elapsed() < limit {
            match ask(&self.socket, &Request::Status) {
                Ok(Answer::Status(report)) if report.outbox.waiting == 0 && report.outbox.uncommitted == 0 => {
                    return Ok(report);
                }
                Ok(Answer::Status(report)) => last = format!("{:?}", report.outbox),
                Ok(other) => last = format!("{other:?}"),
                Err(error) => last = error.to_string(),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("not everything was delivered within {} s: {last}", limit.as_secs())
    }

    /// SIGTERM for our own, and an end within two seconds.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        for who in [Who::Gateway, Who::Centre] {
            self.signal(who, "-TERM")?;
            let start = Instant::now();
            let Some(child) = self.running.get_mut(&who) else { continue };
            while child.try_wait()?.is_none() {
                ensure!(start.elapsed() < Duration::from_secs(10), "the {} does not stop", who.name());
                std::thread::sleep(Duration::from_millis(10));
            }
            eprintln!("the {} stopped after {:.2} s", who.name(), start.elapsed().as_secs_f64());
        }
        self.kill(Who::Broker)
    }
}

fn build_vedette() -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "vedette"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    ensure!(cargo.status().context("cargo")?.success(), "vedette does not build");
    Ok(std::env::current_exe().context("own path")?.with_file_name("vedette"))
}

impl Drop for Site {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            // It may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
