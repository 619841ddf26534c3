//! The commands, one file each.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod camera;
pub(crate) mod centre;
pub(crate) mod check;
#[cfg(feature = "demo")]
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod keys;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod score;
pub(crate) mod sensors;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod test_alert;
pub(crate) mod warn;

/// Who types, for the audit log.
pub(crate) fn whoami() -> String {
    std::env::var("USER").unwrap_or_else(|_| "local operator".to_owned())
}
