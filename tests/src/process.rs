//! Programs under test, ended when their handle goes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// The built program `name`, beside the folder of the running test executable.
///
/// # Errors
/// When it was not built; `cargo test --workspace` builds it.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("own path")?;
    let folder = test.ancestors().find(|folder| folder.join(name).is_file());
    Ok(folder.with_context(|| format!("{name} is not built: run cargo test --workspace"))?.join(name))
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program; its standard error goes to `log`, appended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        Self::start_with(program, arguments, log, &[])
    }

    /// As [`Process::start`], with more environment variables.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(
        program: &Path,
        arguments: &[&str],
        log: &Path,
        environment: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(Self { child: command.spawn().with_context(|| program.display().to_string())? })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, as `kill -SIGNAL` does.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.id().to_string()]).status()?;
        ensure!(sent.success(), "kill -{signal} failed");
        Ok(())
    }

    /// Ends it as a power cut would: it gets no chance to do anything.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "it ended by itself");
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, as a service manager does, and returns how long that took.
    ///
    /// # Errors
    /// When it does not end within ten seconds, or not with success.
    pub fn terminate(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let status = self.stop()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(begun.elapsed())
    }

    /// Asks it to end, as a service manager does, and returns how it did.
    ///
    /// # Errors
    /// When it does not end within ten seconds.
    pub fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        let begun = Instant::now();
        self.signal("TERM")?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(begun.elapsed() < Duration::from_secs(10), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
