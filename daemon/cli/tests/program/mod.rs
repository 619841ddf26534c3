//! The program, run to its end.

use std::path::Path;
use std::process::{Command, Output};

/// What it says, and how it ends.
pub(crate) fn vedette(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vedette")).args(arguments).current_dir(folder).output().expect("the program runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
