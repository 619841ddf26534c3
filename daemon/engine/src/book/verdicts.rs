//! What alerts cost the people who read them, and what those said they were worth.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::learned::{Claimed, Learned};
use super::{Book, Entry, emit};
use crate::budget::{Claim, Judged, LISTED, Load, SUGGESTED, SensorWorth, Weather, Worth, rank, setting};
use crate::config::Site;
use crate::{Act, AlertState, CloseReason, Mode, Output};

/// The load on operators is counted over this time, and over this many alerts at most.
const LOAD_OVER_S: f64 = 86_400.0;
const LOAD_OF: usize = 10_000;
/// Judged alerts kept: as many as a busy gateway's operators close in the time that alerts are kept at all.
const JUDGED: usize = 500;
/// Alerts kept that ended before anybody said what they were, and of which somebody may correct what was said.
const UNJUDGED: usize = 200;
const DAY_S: f64 = 86_400.0;

/// What an alert claimed of its sensors, and of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) id: String,
    pub(super) claim: Claim,
    #[serde(default)]
    pub(super) claimed: Option<Claimed>,
}

/// What an operator closed an alert as, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spoken {
    of: Claims,
    reason: CloseReason,
    at: Timestamp,
}

/// Alerts with what operators closed them as, and those that they may still speak of. Kept no longer than alerts are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Verdicts {
    /// Alerts that ever asked for attention.
    asked: u64,
    judged: VecDeque<Judged>,
    /// That the gateway ended, oldest first.
    ended: VecDeque<Claims>,
    /// What operators said last, oldest first.
    spoken: VecDeque<Spoken>,
    /// What each sensor in `judged` was configured with: what it claimed with another setting says nothing of this one.
    settings: BTreeMap<String, f64>,
}

impl Verdicts {
    /// Keeps what an alert that the gateway ends has claimed: an operator may say later what it was.
    pub(super) fn await_of(&mut self, entry: &Entry, now: Timestamp, site: &Site) {
        if !is_judged(entry) {
            return;
        }
        self.ended.retain(|ended| is_kept(&ended.claim, now, site));
        if self.ended.len() == UNJUDGED {
            self.ended.pop_front();
        }
        let claim = Claim::of(&entry.alert, entry.raised_at);
        self.ended.push_back(Claims { id: entry.alert.id.clone(), claim, claimed: entry.claimed.clone() });
    }

    fn take_ended(&mut self, id: &str) -> Option<Claims> {
        let place = self.ended.iter().position(|ended| ended.id == id)?;
        self.ended.remove(place)
    }

    fn take_spoken(&mut self, id: &str) -> Option<Spoken> {
        let place = self.spoken.iter().position(|spoken| spoken.of.id == id)?;
        self.spoken.remove(place)
    }

    fn remember(&mut self, spoken: Spoken, site: &Site) {
        self.spoken.retain(|known| is_kept(&known.of.claim, spoken.at, site));
        if self.spoken.len() == UNJUDGED {
            self.spoken.pop_front();
        }
        self.spoken.push_back(spoken);
    }

    /// Forgets what was said of a claim. The shares of sensors that were configured anew since are gone from it.
    fn take_back(&mut self, claim: &Claim, reason: CloseReason) {
        let is_it = |judged: &Judged| {
            let same = (judged.claim.raised, judged.claim.confidence) == (claim.raised, claim.confidence);
            same && Some(judged.real) == reason.says_real()
        };
        if let Some(place) = self.judged.iter().rposition(is_it) {
            self.judged.remove(place);
        }
    }

    fn take(&mut self, judged: Judged, now: Timestamp, site: &Site) {
        let Self { judged: kept, settings, .. } = self;
        kept.retain(|judged| is_kept(&judged.claim, now, site));
        if kept.len() == JUDGED {
            kept.pop_front();
        }
        for (sensor, _) in &judged.claim.shares {
            let Some(present) = setting_of(sensor, site) else { continue };
            if settings.get(sensor) != Some(&present) {
                settings.insert(sensor.clone(), present);
                kept.iter_mut().for_each(|judged| judged.claim.shares.retain(|(of, _)| of != sensor));
            }
        }
        kept.push_back(judged);
        settings.retain(|sensor, _| kept.iter().any(|judged| judged.claim.shares.iter().any(|(of, _)| of == sensor)));
    }

    /// The configured sensors behind alerts that were worth nothing, the worst first.
    fn nuisance(&self, now: Timestamp, site: &Site, weather: &[Weather]) -> Vec<SensorWorth> {
        let kept = self.judged.iter().filter(|judged| is_kept(&judged.claim, now, site));
        let ranked = rank(kept, weather).into_iter().filter(|worth| worth.nuisance > 0.0);
        let known = ranked.filter_map(|worth| {
            let sensor = site.sensor_named(&worth.sensor).map(|index| &site.sensors[index])?;
            let (_, present, _) = setting(sensor.model.clutter);
            (self.settings.get(&worth.sensor) == Some(&present)).then_some((worth, sensor.model.clutter))
        });
        known
            .take(LISTED)
            .enumerate()
            .map(|(place, (worth, clutter))| match place < SUGGESTED {
                true => worth.configured(clutter),
                false => SensorWorth { false_alarm_factor: None, ..worth },
            })
            .collect()
    }
}

/// What tests the way, or only stands on record, is nobody's nuisance.
fn is_judged(entry: &Entry) -> bool {
    entry.alert.mode != Mode::Test && entry.alert.asks_attention()
}

fn is_kept(claim: &Claim, now: Timestamp, site: &Site) -> bool {
    now.seconds_since(claim.raised) <= site.rules.erase_after_days * DAY_S
}

fn setting_of(sensor: &str, site: &Site) -> Option<f64> {
    let (_, present, _) = setting(site.sensors[site.sensor_named(sensor)?].model.clutter);
    Some(present)
}

impl Book {
    /// What was learned from what operators closed alerts as.
    pub(crate) const fn learned(&self) -> &Learned {
        &self.learned
    }

    pub(crate) fn learn(&mut self, learned: Learned) {
        self.learned = learned;
    }

    pub(super) fn count_attention(&mut self, now: Timestamp) {
        let day_ago = now.plus_seconds(-LOAD_OVER_S);
        self.attention.retain(|&at| at > day_ago);
        self.attention.push_back(now);
        while self.attention.len() > LOAD_OF {
            self.attention.pop_front();
        }
        self.verdicts.asked = self.verdicts.asked.saturating_add(1);
    }

    /// What the open alert with this id claims, if an operator's closing it is to be counted.
    pub(super) fn claim_of_open(&self, id: &str) -> Option<Claim> {
        let entry = self.open.values().find(|entry| entry.alert.id == id && !entry.is_over())?;
        is_judged(entry).then(|| Claim::of(&entry.alert, entry.raised_at))
    }

    /// Counts what an operator closed an alert as, and learns from it.
    pub(super) fn count_verdict(&mut self, of: Claims, reason: CloseReason, now: Timestamp, site: &Site) {
        self.worth.count(reason);
        if let Some(claimed) = of.claimed.clone() {
            self.learned.note(claimed, reason, now);
        }
        if let Some(judged) = of.claim.clone().judged(reason) {
            self.verdicts.take(judged, now, site);
        }
        self.verdicts.remember(Spoken { of, reason, at: now }, site);
    }

    /// Takes an operator's word on an alert that the gateway had ended before; none when it knows of no such alert, or the
    /// word has been given.
    pub(super) fn judge_ended(&mut self, id: &str, reason: CloseReason, now: Timestamp, site: &Site) -> Option<String> {
        let of = self.verdicts.take_ended(id)?;
        self.count_verdict(of, reason, now, site);
        Some(format!("alert {id} was over; noted as {}", reason.name()))
    }

    /// Puts another reason in the place of the one that an operator closed an alert for; none when nobody has closed it, or that is
    /// forgotten.
    pub(super) fn correct(&mut self, act: &Act, now: Timestamp, site: &Site, out: &mut Vec<Output>) -> Option<String> {
        let Act::Close { alert: id, reason } = act else { return None };
        let spoken = self.verdicts.take_spoken(id);
        let noted = spoken.map(|Spoken { of, reason: before, at }| {
            self.worth.take_back(before);
            if let Some(claimed) = &of.claimed {
                self.learned.take_back(claimed, before, at);
            }
            self.verdicts.take_back(&of.claim, before);
            self.count_verdict(of, *reason, now, site);
            format!("alert {id} was over; noted as {} instead of {}", reason.name(), before.name())
        });
        let is_it = |entry: &&mut Entry| match entry.alert.state {
            AlertState::Closed { reason } => entry.alert.id == *id && reason.is_of_an_operator(),
            _ => false,
        };
        let Some(entry) = self.open.values_mut().find(is_it) else { return noted };
        let told = entry.alert.take_act(act, now).ok()?;
        emit(entry, now, out);
        Some(told)
    }

    /// How the alerts of the last day were spread, as one operator has them.
    pub(crate) fn load(&self, started: Timestamp, now: Timestamp) -> Load {
        let from = started.max(now.plus_seconds(-LOAD_OVER_S));
        Load::of(self.attention.iter().copied(), from, now, 1)
    }

    /// What operators closed alerts as, since the start, and how many alerts nobody has closed so.
    pub(crate) fn worth(&self) -> (Worth, u64) {
        let spoken_of = (self.worth.judged() + self.worth.exercise) as u64;
        (self.worth, self.verdicts.asked.saturating_sub(spoken_of))
    }

    /// The sensors behind alerts that were worth nothing, the worst first.
    pub(crate) fn nuisance(&self, now: Timestamp, site: &Site, weather: &[Weather]) -> Vec<SensorWorth> {
        self.verdicts.nuisance(now, site, weather)
    }
}
