//! The wall clocks of gateway and centre, which this program steps: a small library preloaded into them adds an offset.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The library, built.
pub(crate) struct ClockShim {
    library: PathBuf,
}

impl ClockShim {
    pub(crate) fn build(folder: &Path) -> anyhow::Result<Self> {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        std::fs::write(&source, include_str!("clock.c"))?;
        let status = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status();
        ensure!(status.context("a C compiler is needed")?.success(), "the clock's library does not build");
        Ok(Self { library })
    }

    /// A wall clock for one process.
    pub(crate) fn clock(&self, file: PathBuf) -> anyhow::Result<SteppedClock> {
        let clock = SteppedClock { library: self.library.clone(), file };
        clock.set(0)?;
        Ok(clock)
    }
}

/// A wall clock that is off by what its file says.
pub(crate) struct SteppedClock {
    library: PathBuf,
    file: PathBuf,
}

impl SteppedClock {
    /// Steps it, in the running process, so that it is off by so much.
    pub(crate) fn set(&self, offset_s: i64) -> anyhow::Result<()> {
        // Written in place: the process has it mapped.
        let mut file = File::options().create(true).truncate(false).write(true).open(&self.file)?;
        Ok(file.write_all(&offset_s.to_le_bytes())?)
    }

    /// Lets a process live by it.
    pub(crate) fn preload(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("CLOCK_OFFSET_FILE", &self.file);
    }
}
