//! The receiving side at the coordination centre: ledger, acknowledgement, alert stream.
//!
//! [`run`] connects to the broker, hands every message to the [`vedette_delivery::Ledger`] over a [`SqliteLedger`], and
//! tells what was committed. [`Printer`] turns that into lines for people or programs.

mod audience;
mod clock;
mod complaints;
mod config;
mod driver;
mod link;
mod print;
mod reload;
mod run;
mod store;

pub use config::{BrokerConfig, CentreConfig, Config, ConfigError, GatewayKey, LedgerFile, SigningConfig};
pub use print::{Form, Printer};
pub use run::{CentreError, OrderRequest, Summary, run};
pub use store::SqliteLedger;
pub use vedette_delivery::ledger::{Announcement, Entry, GatewayRecord, OrderRecord};
pub use vedette_delivery::message::{Answer, Order};
pub use vedette_delivery::{GatewayId, Verdict, VoidReason};
