//! A configuration that is read again while the centre runs: what it changes at once, and what only a start does.

use vedette_delivery::LedgerConfig;

use crate::{Config, ConfigError};

/// What a configuration changes of a running centre.
#[derive(Debug)]
pub(crate) struct Change {
    /// For the ledger.
    pub(crate) ledger: LedgerConfig,
    /// What is in force from now on.
    pub(crate) config: Config,
    /// What was done, for people.
    pub(crate) done: String,
}

/// Examines all of `new` before anything of it is in force.
///
/// # Errors
/// When something of it cannot be used.
pub(crate) fn change(running: &Config, new: Config) -> Result<Change, ConfigError> {
    let (got, expected) = (&new.centre.id, &running.centre.id);
    if got != expected {
        return Err(ConfigError::Renamed { got: got.clone(), expected: expected.clone() });
    }
    let ledger = new.ledger_settings()?;
    new.broker_options()?;
    new.check_keys()?;
    for (path, mode) in new.exposed_secrets() {
        tracing::warn!("{}: mode {mode:03o}: others can read this secret; expected 600", path.display());
    }
    let mut done = Vec::new();
    let mut tell = |is_other: bool, what: &str| done.extend(is_other.then(|| what.to_owned()));
    tell(new.gateway != running.gateway, "gateways' keys changed");
    tell(new.signing != running.signing, "signing changed");
    tell(new.centre != running.centre, "waiting times changed");
    tell(new.ledger.keep_days.to_bits() != running.ledger.keep_days.to_bits(), "ledger.keep_days changed");
    tell(new.broker != running.broker, "broker takes effect at the next start");
    tell(new.ledger.path != running.ledger.path, "ledger.path takes effect at the next start");
    let done = if done.is_empty() { "settings as before, key files read again".to_owned() } else { done.join(", ") };
    let mut config = Config { broker: running.broker.clone(), ..new };
    config.ledger.path.clone_from(&running.ledger.path);
    Ok(Change { ledger, config, done })
}
