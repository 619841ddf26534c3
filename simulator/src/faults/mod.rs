//! Deterministic fault simulation: gateway, link, broker and centre in virtual time, from one seed.
//!
//! The outbox, uplink and ledger are the shipped ones of `vedette-delivery`; only what surrounds them is simulated: two
//! processes that can die at any step (`hosts`), their disks, a broker with its sessions, and the lines between
//! (`world`). For the first hour faults of one [`Family`] strike; then all is calm until everything is delivered, or
//! time is up. An `oracle` that knows what was committed compares it with what the centre has.

mod broker;
mod hosts;
mod oracle;
mod workload;
mod world;

use crate::random::Random;
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
    /// The gateway's process dies, at any step.
    GatewayDeath,
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
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::Loss,
        Self::Duplication,
        Self::Reordering,
        Self::BrokerRestart,
        Self::Partition,
        Self::Stall,
        Self::CentreDeath,
        Self::GatewayDeath,
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
            Self::ClockJump => "clock jump",
            Self::GatewayDisk => "gateway disk",
            Self::CentreDisk => "centre disk",
            Self::FullStore => "full store",
            Self::CentreRestored => "centre restored",
            Self::Everything => "everything",
        }
    }
}

/// How likely which fault is, per message, step or operation; and how often the larger troubles come.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    loss: f64,
    duplication: f64,
    reordering: f64,
    gateway_death: f64,
    centre_death: f64,
    gateway_disk: f64,
    centre_disk: f64,
    gateway_full: f64,
    small_store: bool,
    /// Mean time between troubles of each kind, seconds; 0: never.
    broker_restart_s: f64,
    partition_s: f64,
    stall_s: f64,
    clock_jump_s: f64,
    restore_s: f64,
}

impl Plan {
    fn new(family: Family, random: &mut Random) -> Self {
        let calm = Self::default();
        match family {
            Family::None => calm,
            Family::Loss => Self { loss: random.uniform(0.02, 0.4), ..calm },
            Family::Duplication => Self { duplication: random.uniform(0.05, 0.5), ..calm },
            Family::Reordering => Self { reordering: random.uniform(0.05, 0.5), ..calm },
            Family::BrokerRestart => Self { broker_restart_s: random.uniform(60.0, 600.0), ..calm },
            Family::Partition => Self { partition_s: random.uniform(120.0, 900.0), ..calm },
            Family::Stall => Self { stall_s: random.uniform(120.0, 900.0), ..calm },
            Family::CentreDeath => Self { centre_death: random.uniform(0.001, 0.05), ..calm },
            Family::GatewayDeath => Self { gateway_death: random.uniform(0.001, 0.05), ..calm },
            Family::ClockJump => Self { clock_jump_s: random.uniform(60.0, 600.0), ..calm },
            Family::GatewayDisk => Self { gateway_disk: random.uniform(0.01, 0.2), ..calm },
            Family::CentreDisk => Self { centre_disk: random.uniform(0.01, 0.2), ..calm },
            Family::FullStore => Self {
                small_store: true,
                gateway_full: random.uniform(0.0, 0.1),
                partition_s: random.uniform(120.0, 600.0),
                ..calm
            },
            Family::CentreRestored => {
                Self { restore_s: random.uniform(300.0, 1200.0), loss: random.uniform(0.0, 0.1), ..calm }
            }
            Family::Everything => Self {
                loss: random.uniform(0.0, 0.2),
                duplication: random.uniform(0.0, 0.2),
                reordering: random.uniform(0.0, 0.2),
                gateway_death: random.uniform(0.0, 0.01),
                centre_death: random.uniform(0.0, 0.01),
                gateway_disk: random.uniform(0.0, 0.05),
                centre_disk: random.uniform(0.0, 0.05),
                gateway_full: 0.0,
                small_store: random.chance(0.3),
                broker_restart_s: random.uniform(300.0, 1800.0),
                partition_s: random.uniform(300.0, 1800.0),
                stall_s: random.uniform(300.0, 1800.0),
                clock_jump_s: random.uniform(300.0, 1800.0),
                restore_s: random.uniform(1800.0, 7200.0),
            },
        }
    }
}

/// Plays one seed with the faults of one family.
#[must_use]
pub fn play(family: Family, seed: u64) -> Outcome {
    world::World::new(family, seed).play()
}
