//! How a command ended, as its exit status tells.

use std::process::ExitCode;

use vedette_centre::CentreError;
use vedette_gateway::config::ConfigError;

/// The ends of a command that are not errors of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All was done.
    Done,
    /// The compared files differ.
    Different,
    /// The files could not be compared.
    NotCompared,
    /// All was done, but data were lost, dropped or unreadable.
    WithLosses,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Different => Self::FAILURE,
            Outcome::NotCompared => Self::from(2),
            Outcome::WithLosses => Self::from(3),
        }
    }
}

/// Wrong usage that only shows once a file was read, and what would be right.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// Tells the error and returns its exit status: 2 for wrong usage or configuration, 1 for everything else.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(wrong) = error.downcast_ref::<ConfigError>() {
        eprintln!("{wrong}");
        return ExitCode::from(2);
    }
    if let Some(wrong) = error.downcast_ref::<vedette_centre::ConfigError>() {
        eprintln!("{wrong}");
        return ExitCode::from(2);
    }
    if let Some(wrong) = error.downcast_ref::<CentreError>().and_then(wrong_of_a_centre) {
        eprintln!("{wrong}");
        return ExitCode::from(2);
    }
    if let Some(wrong) = error.downcast_ref::<Wrong>() {
        eprintln!("vedette: {wrong}");
        return ExitCode::from(2);
    }
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("vedette: {error:#}");
    let daemon = error.downcast_ref::<vedette_gateway::daemon::DaemonError>();
    if daemon.is_some_and(vedette_gateway::daemon::DaemonError::is_of_configuration) {
        return ExitCode::from(2);
    }
    ExitCode::FAILURE
}

const fn wrong_of_a_centre(error: &CentreError) -> Option<&vedette_centre::ConfigError> {
    if let CentreError::Config(wrong) = error { Some(wrong) } else { None }
}

/// The reader of our output went away, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
