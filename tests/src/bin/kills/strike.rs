//! What is done to the processes, and how long it takes until they are back.

use std::time::{Duration, Instant};

use anyhow::ensure;
use vedette_sim::random::Random;

use crate::arrivals::Arrivals;
use crate::feeder::Feeder;
use crate::processes::{Share, Site, Who};
use crate::radio::Radio;

/// Longest time until everything must be back.
const LIMIT: Duration = Duration::from_secs(120);
/// How far clocks are stepped, seconds.
const STEPS_S: [i64; 6] = [10, -10, 7_200, -7_200, 86_400, 0];

/// What is done to the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strike {
    KillGateway,
    KillBroker,
    KillCentre,
    KillAll,
    KillGatewayAndBroker,
    StopBroker,
    FillDisk,
    Unplug,
    StepClock,
}

impl Strike {
    pub(crate) const ALL: [Self; 9] = [
        Self::KillGateway,
        Self::KillBroker,
        Self::KillCentre,
        Self::KillAll,
        Self::KillGatewayAndBroker,
        Self::StopBroker,
        Self::FillDisk,
        Self::Unplug,
        Self::StepClock,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KillGateway => "gateway killed",
            Self::KillBroker => "broker killed",
            Self::KillCentre => "centre killed",
            Self::KillAll => "all killed",
            Self::KillGatewayAndBroker => "gateway and broker",
            Self::StopBroker => "broker stopped",
            Self::FillDisk => "disk full",
            Self::Unplug => "radio unplugged",
            Self::StepClock => "clock stepped",
        }
    }
}

/// What came of a strike.
pub(crate) struct Came {
    /// From the last start of a process until the gateway answered an order as durable; zero when it was not started.
    pub(crate) recovery: Duration,
    /// The gateway's share of the processors in that time.
    pub(crate) share: Share,
    /// Longest time without an arrival at the centre, from the strike until arrivals go on.
    pub(crate) silence: Duration,
}

/// Everything a strike can touch or look at.
pub(crate) struct Scene<'a> {
    pub(crate) site: &'a mut Site,
    pub(crate) feeder: &'a Feeder,
    pub(crate) radio: &'a Radio,
    pub(crate) arrivals: &'a Arrivals,
}

impl Scene<'_> {
    /// Does it, brings the processes back, and waits until alerts arrive at the centre again.
    pub(crate) fn carry_out(&mut self, strike: Strike, random: &mut Random) -> anyhow::Result<Came> {
        self.arrivals.begin();
        let (recovery, share) = match strike {
            Strike::KillGateway => self.kill(&[Who::Gateway], random)?,
            Strike::KillBroker => self.kill(&[Who::Broker], random)?,
            Strike::KillCentre => self.kill(&[Who::Centre], random)?,
            Strike::KillAll => self.kill(&Who::ALL, random)?,
            Strike::KillGatewayAndBroker => self.kill(&[Who::Gateway, Who::Broker], random)?,
            Strike::StopBroker => {
                self.site.pause_broker(Duration::from_secs_f64(random.uniform(1.0, 20.0)))?;
                Default::default()
            }
            Strike::FillDisk => {
                self.site.kill(Who::Gateway)?;
                self.site.start_gateway_without_room(random.below(64))?;
                std::thread::sleep(Duration::from_secs(3));
                self.kill(&[Who::Gateway], random)?
            }
            Strike::Unplug => {
                self.unplug()?;
                Default::default()
            }
            Strike::StepClock => {
                let who = if random.chance(0.5) { Who::Gateway } else { Who::Centre };
                self.site.step_clock(who, STEPS_S[random.below(STEPS_S.len())])?;
                std::thread::sleep(Duration::from_secs(2));
                Default::default()
            }
        };
        let (entries, begun) = (self.arrivals.entries(), Instant::now());
        while self.arrivals.entries() == entries {
            self.check(begun, "nothing arrives at the centre any more")?;
        }
        Ok(Came { recovery, share, silence: self.arrivals.longest() })
    }

    /// SIGKILL, and a start after up to three seconds; how long it then takes until an order is durable.
    fn kill(&mut self, victims: &[Who], random: &mut Random) -> anyhow::Result<(Duration, Share)> {
        for &who in victims {
            self.site.kill(who)?;
        }
        std::thread::sleep(Duration::from_secs_f64(random.uniform(0.0, 3.0)));
        for &who in victims {
            self.site.start(who)?;
        }
        let (begun, before) = (Instant::now(), self.feeder.count());
        while self.feeder.count() == before {
            self.check(begun, "the gateway does not come back")?;
        }
        let recovery = begun.elapsed();
        if !victims.contains(&Who::Gateway) {
            return Ok(Default::default());
        }
        Ok((recovery, self.site.share(Who::Gateway)?))
    }

    /// Pulls the concentrator's plug, and waits until radio events are acknowledged on the new device.
    fn unplug(&mut self) -> anyhow::Result<()> {
        self.radio.replug();
        let (begun, before) = (Instant::now(), self.radio.acknowledged());
        // One may have been on its way already.
        while self.radio.acknowledged() < before + 2 {
            self.check(begun, "no radio event is acknowledged on the new device")?;
        }
        Ok(())
    }

    fn check(&self, begun: Instant, trouble: &str) -> anyhow::Result<()> {
        std::thread::sleep(Duration::from_millis(10));
        ensure!(begun.elapsed() < LIMIT, "{trouble}; see {}", self.site.logs());
        Ok(())
    }
}
