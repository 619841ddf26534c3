//! Deterministic fault simulation: gateway, link, broker and centre in virtual time, from one seed.
//!
//! Shipped code runs: the engine, which raises the alerts out of frames, orders and facts; the outbox, uplink and ledger;
//! and what brings a gateway back after a restart. Simulated is what surrounds it: people and sensors (`field`), two
//! processes that can die wherever the daemons await something (`gateway`, `centre`), their disks and clocks, a broker
//! with its sessions, and the lines between (`network`). For the first hour faults of one [`Family`] strike; then all is
//! calm until everything is delivered, or time is up. An `oracle` that knows what was committed compares it with what the
//! centre has, and what radio nodes were told with what the engine knows after each restart.

mod broker;
mod centre;
mod clock;
mod field;
mod gateway;
mod network;
mod oracle;
mod plan;
mod trouble;
mod world;

pub use oracle::Outcome;

/// One kind of fault, or all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Nothing goes wrong.
    None,
    /// The broker takes messages and loses some.
    Loss,
    /// Messages come twice.
    Duplication,
    /// Messages come much later, and out of order.
    Reordering,
    /// The broker dies, and forgets everything it had taken.
    BrokerRestart,
    /// Lines are cut; connections hang without an error.
    Partition,
    /// The broker stops reading and writing for a while.
    Stall,
    /// The centre's process dies, at any step.
    CentreDeath,
    /// The gateway's process dies, wherever it awaits something.
    GatewayDeath,
    /// The gateway is stopped in order or killed, and started with the same configuration or another, or gets one as it runs.
    GatewayRestart,
    /// Clocks jump by seconds to days, back and forth.
    ClockJump,
    /// Reads and writes of the gateway's store fail; written or not.
    GatewayDisk,
    /// Reads and writes of the centre's ledger fail; written or not.
    CentreDisk,
    /// The gateway's store has room for few alerts, and its disk is full at times.
    FullStore,
    /// The centre is restored from a backup some minutes old.
    CentreRestored,
    /// All of these together.
    Everything,
}

impl Family {
    /// All families, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::None,
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::BrokerRestart,
        Self::Partition,
        Self::Stall,
        Self::CentreDeath,
        Self::GatewayDeath,
        Self::GatewayRestart,
        Self::ClockJump,
        Self::GatewayDisk,
        Self::CentreDisk,
        Self::FullStore,
        Self::CentreRestored,
        Self::Everything,
    ];

    /// Name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loss => "message loss",
            Self::Duplication => "duplication",
            Self::Reordering => "reordering",
            Self::BrokerRestart => "broker restart",
            Self::Partition => "partition",
            Self::Stall => "stall",
            Self::CentreDeath => "centre death",
            Self::GatewayDeath => "gateway death",
            Self::GatewayRestart => "gateway restart",
            Self::ClockJump => "clock jump",
            Self::GatewayDisk => "gateway disk",
            Self::CentreDisk => "centre disk",
            Self::FullStore => "full store",
            Self::CentreRestored => "centre restored",
            Self::Everything => "everything",
        }
    }
}

/// The process is to die now.
#[derive(Debug)]
struct Dies;

/// Plays one seed with the faults of one family.
#[must_use]
pub fn play(family: Family, seed: u64) -> Outcome {
    world::World::new(family, seed).play()
}
