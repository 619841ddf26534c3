//! The three processes, their files, and how they are started, stopped and killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use vedette_gateway::status::{Answer, Request};

use crate::feeder::ask;

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

/// Folder, program and processes.
pub(crate) struct Site {
    folder: PathBuf,
    vedette: PathBuf,
    mosquitto: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) ledger: PathBuf,
    running: BTreeMap<Who, Child>,
}

impl Site {
    /// Writes the configurations; builds `vedette` in the profile of this program unless one is given.
    pub(crate) fn build(folder: &Path, program: Option<&Path>) -> anyhow::Result<Self> {
        let vedette = match program {
            Some(program) => program.to_path_buf(),
            None => build_vedette()?,
        };
        ensure!(vedette.exists(), "{} is not there", vedette.display());
        let mosquitto = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
        let mosquitto = mosquitto.iter().map(PathBuf::from).find(|path| path.exists());
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let site = Self {
            folder: folder.to_path_buf(),
            vedette,
            mosquitto: mosquitto.context("mosquitto is not installed")?,
            socket: folder.join("vedette.sock"),
            store: folder.join("store.sqlite"),
            ledger: folder.join("ledger.sqlite"),
            running: BTreeMap::new(),
        };
        std::fs::write(
            folder.join("broker.conf"),
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"),
        )?;
        let key_file = folder.join("gate-1.key");
        let public_key = vedette_gateway::signing::create(&key_file)?;
        std::fs::write(
            folder.join("gateway.toml"),
            format!(
                "[site]\nid = \"gate-1\"\norigin = {{ lat = 50.0, lon = 20.0 }}\ntimezone = \"Europe/Warsaw\"\n\
                 [[sink.centre]]\nbroker = {{ host = \"127.0.0.1\", port = {port}, keep_alive_s = 2 }}\n\
                 signing = {{ kid = \"gate-1\", key_file = {key_file:?} }}\n[store]\nfile = {:?}\n[uplink]\nretry_s = 2.0\nstatus_interval_s = 5.0\n\
                 [rules]\nmax_open_alerts = 1000000\n[status]\nsocket = {:?}\n",
                site.store, site.socket
            ),
        )?;
        std::fs::write(
            folder.join("centre.toml"),
            format!(
                "[centre]\nid = \"centre-1\"\n[broker]\nhost = \"127.0.0.1\"\nport = {port}\nkeep_alive_s = 2\n\
                 [ledger]\npath = {:?}\n[signing]\nrequired = true\n\
                 [[gateway]]\nid = \"gate-1\"\nkid = \"gate-1\"\npublic_key = \"{public_key}\"\n",
                site.ledger
            ),
        )?;
        Ok(site)
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
        let mut command = match who {
            Who::Broker => Command::new(&self.mosquitto),
            Who::Centre | Who::Gateway => Command::new(&self.vedette),
        };
        match who {
            Who::Broker => command.arg("-c").arg(self.folder.join("broker.conf")),
            Who::Centre => command.arg("centre").arg("--config").arg(self.folder.join("centre.toml")),
            Who::Gateway => command.arg("run").arg("--config").arg(self.folder.join("gateway.toml")),
        };
        self.spawn(who, command)
    }

    fn spawn(&mut self, who: Who, mut command: Command) -> anyhow::Result<()> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(self.log(who)?);
        let child = command.spawn().with_context(|| format!("starting the {}", who.name()))?;
        self.running.insert(who, child);
        Ok(())
    }

    /// Starts the gateway so that no file of it may grow beyond a little more than the store has now: every write past
    /// that fails, as on a full disk.
    pub(crate) fn start_gateway_without_room(&mut self, extra_kib: usize) -> anyhow::Result<()> {
        let kib = std::fs::metadata(&self.store).map_or(0, |file| file.len() / 1024) + extra_kib as u64;
        let mut command = Command::new("bash");
        // The limit's signal would kill; ignored, the write fails with an error.
        command.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\""));
        command.arg(&self.vedette).arg("run").arg("--config").arg(self.folder.join("gateway.toml"));
        self.spawn(Who::Gateway, command)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, who: Who) -> anyhow::Result<()> {
        if let Some(mut child) = self.running.remove(&who) {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
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

    /// Waits until the gateway has nothing left to deliver.
    pub(crate) fn drain(&self, limit: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        let mut last = String::new();
        while start.elapsed() < limit {
            match ask(&self.socket, &Request::Status) {
                Ok(Answer::Status(report)) if report.outbox.waiting == 0 && report.outbox.uncommitted == 0 => {
                    return Ok(());
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
