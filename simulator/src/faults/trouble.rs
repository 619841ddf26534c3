//! The larger troubles: which there are, and what each does to the world.

use std::collections::BTreeSet;

use super::broker::{Inbound, Party};
use super::gateway::Told;
use super::network::{BROKER_SILENCE_S, SILENCE_S};
use super::world::{Happening, World};

#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    BrokerRestart,
    Partition,
    Stall,
    ClockJump,
    Restore,
    GatewayRestart,
}

impl Trouble {
    pub(super) const ALL: [Self; 6] =
        [Self::BrokerRestart, Self::Partition, Self::Stall, Self::ClockJump, Self::Restore, Self::GatewayRestart];
}

impl World {
    pub(super) fn next_trouble(&mut self, trouble: Trouble) {
        let mean_s = match trouble {
            Trouble::BrokerRestart => self.plan.broker_restart_s,
            Trouble::Partition => self.plan.partition_s,
            Trouble::Stall => self.plan.stall_s,
            Trouble::ClockJump => self.plan.clock_jump_s,
            Trouble::Restore => self.plan.restore_s,
            Trouble::GatewayRestart => self.plan.gateway_restart_s,
        };
        if mean_s > 0.0 {
            let wait_s = self.random.exponential(mean_s);
            self.after(wait_s, Happening::Trouble(trouble));
        }
    }

    pub(super) fn strike(&mut self, trouble: Trouble) {
        let party = if self.random.chance(0.5) { Party::Gateway } else { Party::Centre };
        match trouble {
            Trouble::BrokerRestart => {
                let until = self.now.plus_seconds(self.random.uniform(0.5, 60.0));
                let lost: BTreeSet<u64> = self.broker.die(until).into_iter().collect();
                let current: Vec<_> = self.connection.iter().map(|(&party, &c)| (party, c)).collect();
                for (party, connection) in current {
                    if lost.contains(&connection) {
                        self.close_line(party, connection);
                    }
                }
            }
            Trouble::Partition => {
                let until = self.now.plus_seconds(self.random.exponential(120.0));
                self.cut_until.insert(party, until);
                if let Some(&connection) = self.connection.get(&party) {
                    if let Some(line) = self.lines.get_mut(&connection) {
                        line.alive = false;
                    }
                    self.after(SILENCE_S, Happening::ToParty(party, connection, Inbound::Closed));
                    self.after(BROKER_SILENCE_S, Happening::BrokerMisses(connection));
                }
            }
            Trouble::Stall => {
                let until = self.now.plus_seconds(self.random.exponential(60.0));
                self.broker.stalled_until = Some(until);
            }
            Trouble::ClockJump => {
                let jump_s = match self.random.below(4) {
                    0 => self.random.uniform(-10.0, 10.0),
                    1 => self.random.uniform(-7200.0, 7200.0),
                    2 => 86_400.0,
                    _ => 1e6,
                };
                let system_s = match party {
                    Party::Gateway => &mut self.gateway.system_s,
                    Party::Centre => &mut self.centre.system_s,
                };
                *system_s += jump_s;
            }
            Trouble::Restore => match self.centre.backup.take() {
                None => self.centre.backup = Some(self.centre.disk.clone()),
                Some(backup) => {
                    self.centre.disk = backup;
                    self.dies(Party::Centre);
                }
            },
            Trouble::GatewayRestart => self.restart_gateway(),
        }
    }

    /// Stopped in order or killed, with its configuration changed meanwhile or not; or given another one while it runs.
    fn restart_gateway(&mut self) {
        let told = if self.random.chance(0.5) { Some(self.gateway.new_configuration()) } else { None };
        match (self.random.below(3), told) {
            (0, Some(told)) => self.gateway_turn(told),
            (1, _) if self.gateway.process.is_some() => self.dies(Party::Gateway),
            _ => self.gateway_turn(Told::Stop),
        }
    }
}
