//! Which faults strike in each family, and how often.

use super::Family;
use crate::random::Random;

/// How likely which fault is, per message, step or operation; and how often the larger troubles come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) loss: f64,
    pub(super) duplication: f64,
    pub(super) reordering: f64,
    pub(super) gateway_death: f64,
    pub(super) centre_death: f64,
    pub(super) gateway_disk: f64,
    pub(super) centre_disk: f64,
    pub(super) gateway_full: f64,
    pub(super) small_store: bool,
    /// Mean time between troubles of each kind, seconds; 0: never.
    pub(super) broker_restart_s: f64,
    pub(super) partition_s: f64,
    pub(super) stall_s: f64,
    pub(super) clock_jump_s: f64,
    pub(super) restore_s: f64,
    pub(super) gateway_restart_s: f64,
}

impl Plan {
    pub(super) fn new(family: Family, random: &mut Random) -> Self {
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
            Family::GatewayDeath => Self { gateway_death: random.uniform(0.001, 0.03), ..calm },
            Family::GatewayRestart => Self { gateway_restart_s: random.uniform(60.0, 600.0), ..calm },
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
                gateway_restart_s: random.uniform(600.0, 1800.0),
            },
        }
    }

    /// Nothing strikes any more; what is small stays small.
    pub(super) fn calm(self) -> Self {
        Self { small_store: self.small_store, ..Self::default() }
    }
}
