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

/// Where the package puts a gateway's configuration.
pub(crate) const GATEWAY_CONFIG: &str = "/etc/vedette/gateway.toml";

/// Who types, for the audit log.
pub(crate) fn whoami() -> String {
    let name = std::env::var("USER").unwrap_or_default();
    // What does not fit on a line of a log is nobody's name.
    crate::plain::words(&name).unwrap_or_else(|_| "local operator".to_owned())
}
