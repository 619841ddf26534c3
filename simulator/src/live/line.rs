//! The pseudo terminal that stands for the concentrator's serial port.

use std::io;
use std::path::{Path, PathBuf};

use tokio_serial::{SerialPort, SerialStream};

/// A pseudo terminal: the gateway opens [`Line::path`], the simulator has the other end.
#[derive(Debug)]
pub struct Line {
    pub(super) near: SerialStream,
    /// Kept open, so that the terminal lives on while the gateway reopens its end.
    _far: SerialStream,
    path: PathBuf,
}

impl Line {
    /// Makes a pseudo terminal.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn open() -> io::Result<Self> {
        let (near, far) = SerialStream::pair()?;
        let path = far.name().ok_or_else(|| io::Error::other("the pseudo terminal has no path"))?;
        Ok(Self { near, _far: far, path: path.into() })
    }

    /// The device that the gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
