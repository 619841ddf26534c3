//! Where log lines go: standard error, as text for people or as JSON for a collector.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// Lines for people, coloured on a terminal
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Starts logging; `VEDETTE_LOG` sets what is written, such as `debug` or `vedette_gateway=trace`.
pub(crate) fn start(form: Form, default: &str) {
    let filter = EnvFilter::try_from_env("VEDETTE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match form {
        Form::Json => builder.json().init(),
        // Under systemd the journal has its own time stamps.
        Form::Text if std::env::var_os("JOURNAL_STREAM").is_some() => builder.without_time().with_ansi(false).init(),
        Form::Text => builder.with_ansi(colour(&std::io::stderr())).init(),
    }
}

/// Whether colours may be written there.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && stream.is_terminal()
}
