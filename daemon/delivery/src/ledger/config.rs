//! Settings of a ledger, and others for one that runs.

use std::collections::BTreeMap;

use super::Ledger;
use crate::{GatewayId, Keyring, Signer};

/// Settings of a ledger.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// The centre's name, under which its own alerts are entered.
    pub centre: GatewayId,
    /// Messages are collected for this long before a commit, seconds.
    pub group_s: f64,
    /// A gateway not heard for this long is silent, seconds.
    pub silence_s: f64,
    /// Numbers missing for this long while their gateway is heard are reported, seconds.
    pub gap_s: f64,
    /// Time between repetitions of an order, seconds.
    pub order_repeat_s: f64,
    /// Contents of entries are erased after this time, seconds.
    pub keep_s: f64,
    /// Public keys by gateway.
    pub keys: BTreeMap<GatewayId, Keyring>,
    /// Refuse (do not commit, do not acknowledge) what is not proven.
    pub require_signed: bool,
    /// Signs orders.
    pub signer: Option<Signer>,
}

impl LedgerConfig {
    /// Defaults for a centre.
    #[must_use]
    pub const fn new(centre: GatewayId) -> Self {
        Self {
            centre,
            group_s: 0.03,
            silence_s: 180.0,
            gap_s: 600.0,
            order_repeat_s: 10.0,
            keep_s: 90.0 * 86_400.0,
            keys: BTreeMap::new(),
            require_signed: false,
            signer: None,
        }
    }
}

impl Ledger {
    /// Goes on with other settings; its name stays, for its alerts stand under it.
    pub fn reconfigure(&mut self, config: LedgerConfig) {
        let centre = self.config.centre.clone();
        self.config = LedgerConfig { centre, ..config };
    }
}
