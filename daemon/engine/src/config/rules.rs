//! The tables `[align]` and `[rules]`: waits, thresholds and lifetimes, every one with a default.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::check::Checker;
use crate::EVIDENCE_TERMS;
use crate::rules::evidence::{FIRST_TERMS, FITTED};

/// Members of a storm that its alert can list: each takes about 100 bytes of a message.
const MOST_STORM_MEMBERS: usize = 256;

/// How long scans wait for each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlignTable {
    /// Longest time a scan waits for scans of other sensors that may be earlier. What comes later is late: it is
    /// still filtered in at its own time, so a short wait costs work, not accuracy.
    pub max_wait_s: f64,
}

impl Default for AlignTable {
    fn default() -> Self {
        Self { max_wait_s: 1.0 }
    }
}

impl AlignTable {
    pub(super) fn check(&self, check: &mut Checker<'_>) {
        check.number("max_wait_s", self.max_wait_s, 0.0, 60.0);
    }
}

/// When alerts are raised, updated and closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesTable {
    /// Existence probability a track needs before it can raise an alert.
    pub min_existence: f64,
    /// How long a track must be inside a zone before that is an entry.
    pub entry_hold_s: f64,
    /// Stay in one zone after which it is loitering.
    pub loiter_after_s: f64,
    /// An approach is announced when the line is likely reached within this time.
    pub approach_within_s: f64,
    /// The same for who nears it from the inner side, where people live and work; a line watched for what goes out has no such side.
    pub approach_outward_within_s: f64,
    /// How long a movement towards the line must last before it is an approach.
    pub approach_hold_s: f64,
    /// Still in the cold or at night, or in a humanitarian zone, for this long: a possible need of help.
    pub help_after_s: f64,
    /// In the water for this long: a possible need of help.
    pub help_in_water_after_s: f64,
    /// Crossings of all borders that are expected in an hour: what single reports are weighed against.
    pub expected_crossings_per_hour: f64,
    /// Crossings and entries expected in a day in one zone, before anything is learned: what surges are told from.
    pub surge_expected_per_day: f64,
    /// False warnings of a surge that are accepted in a year and zone; 0 turns the warning off.
    pub surge_false_warnings_per_year: f64,
    /// What bears an alert about movement out is weighed so, as log-odds; the terms are [`crate::EVIDENCE_NAMES`] in their order.
    /// Terms that came later weigh nothing when they are left out.
    #[serde(deserialize_with = "weights")]
    pub confidence_weights: [f64; EVIDENCE_TERMS],
    /// An alert about movement that is less sure than this is for the record: it asks for no attention until it is surer.
    pub attention_from: f64,
    /// The same for who has not crossed: who is announced must be there rather than not. A crossing asks from `attention_from` on.
    pub announce_from: f64,
    /// Whether what operators close alerts as makes those like them surer or less sure.
    pub learn_from_operators: bool,
    /// A source or the uplink may be gone this long before that is an alert.
    pub link_lost_after_s: f64,
    /// Battery voltage below which it is an alert, for sensors without their own `battery_low_mv`.
    pub battery_low_mv: u16,
    /// A battery that will be below its limit within so many days, as its daily lows fall, is told of; 0: never.
    pub battery_forecast_days: f64,
    /// A border of which silent sensors leave so much unseen is told of; 0: never.
    pub coverage_gap_m: f64,
    /// A track that is lost within this distance of a border that it was nearing is told of; 0: never.
    pub lost_within_m: f64,
    /// The radio is taken to be jammed when this share of its nodes falls silent together; 0: never.
    pub jammed_share: f64,
    /// A camera or radar that sees as well as ever may be called blind once in so many parties that pass it; 0: never told.
    pub blinded_falsely_one_in: f64,
    /// A vehicle that stands for so long is told of; 0: never.
    pub vehicle_stop_s: f64,
    /// How near to a border that matters.
    pub vehicle_stop_within_m: f64,
    /// So many people together are told of as a group; 0: never.
    pub group_from: u32,
    /// How near to a border that matters.
    pub group_within_m: f64,
    /// An open alert gets a new revision at most this often, unless its severity rises or its state changes.
    pub update_interval_s: f64,
    /// A condition must be gone for this long before its alert is closed.
    pub clear_after_s: f64,
    /// An alert about an event (a crossing) is open this long after the event was last seen.
    pub expire_after_s: f64,
    /// Copies of an alert are to be erased this many days after it was last seen.
    pub erase_after_days: f64,
    /// A position with a greater standard deviation is reported as an area.
    pub point_sd_max_m: f64,
    /// Most alerts open at one time, tests aside; the least severe and oldest is closed first.
    pub max_open_alerts: usize,
    /// Most members of a storm that its alert lists; of more it tells how many there are.
    pub max_storm_members: usize,
}

impl Default for RulesTable {
    fn default() -> Self {
        Self {
            min_existence: 0.9,
            entry_hold_s: 2.0,
            loiter_after_s: 300.0,
            approach_within_s: 180.0,
            approach_outward_within_s: 60.0,
            approach_hold_s: 5.0,
            help_after_s: 180.0,
            help_in_water_after_s: 20.0,
            expected_crossings_per_hour: 0.1,
            surge_expected_per_day: 2.0,
            surge_false_warnings_per_year: 1.0,
            confidence_weights: FITTED,
            attention_from: 0.22,
            announce_from: 0.5,
            learn_from_operators: true,
            link_lost_after_s: 60.0,
            battery_low_mv: 3_300,
            battery_forecast_days: 14.0,
            coverage_gap_m: 20.0,
            lost_within_m: 60.0,
            jammed_share: 0.5,
            blinded_falsely_one_in: 1_000.0,
            vehicle_stop_s: 60.0,
            vehicle_stop_within_m: 300.0,
            group_from: 5,
            group_within_m: 300.0,
            update_interval_s: 30.0,
            clear_after_s: 30.0,
            expire_after_s: 1_800.0,
            erase_after_days: 30.0,
            point_sd_max_m: 60.0,
            max_open_alerts: 1_000,
            max_storm_members: 32,
        }
    }
}

/// Weights of all terms, or of those that were there first.
fn weights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[f64; EVIDENCE_TERMS], D::Error> {
    let told = Vec::<f64>::deserialize(deserializer)?;
    if !(FIRST_TERMS..=EVIDENCE_TERMS).contains(&told.len()) {
        let expected = format!("{FIRST_TERMS} to {EVIDENCE_TERMS} weights");
        return Err(D::Error::invalid_length(told.len(), &expected.as_str()));
    }
    let mut weights = [0.0; EVIDENCE_TERMS];
    weights[..told.len()].copy_from_slice(&told);
    Ok(weights)
}

impl RulesTable {
    pub(super) fn check(&self, check: &mut Checker<'_>) {
        const DAY_S: f64 = 86_400.0;
        check.probability("min_existence", self.min_existence);
        check.number("entry_hold_s", self.entry_hold_s, 0.0, DAY_S);
        check.number("loiter_after_s", self.loiter_after_s, 0.0, DAY_S);
        check.number("approach_within_s", self.approach_within_s, 0.0, DAY_S);
        check.number("approach_outward_within_s", self.approach_outward_within_s, 0.0, DAY_S);
        check.number("approach_hold_s", self.approach_hold_s, 0.0, DAY_S);
        check.number("help_after_s", self.help_after_s, 0.0, DAY_S);
        check.number("help_in_water_after_s", self.help_in_water_after_s, 0.0, DAY_S);
        check.positive("expected_crossings_per_hour", self.expected_crossings_per_hour, 10_000.0);
        check.positive("surge_expected_per_day", self.surge_expected_per_day, 100_000.0);
        check.number("surge_false_warnings_per_year", self.surge_false_warnings_per_year, 0.0, 100.0);
        for weight in self.confidence_weights {
            check.number("confidence_weights", weight, -20.0, 20.0);
        }
        check.number("attention_from", self.attention_from, 0.0, 1.0);
        check.number("announce_from", self.announce_from, 0.0, 1.0);
        check.number("link_lost_after_s", self.link_lost_after_s, 0.0, DAY_S);
        check.number("battery_forecast_days", self.battery_forecast_days, 0.0, 365.0);
        check.number("coverage_gap_m", self.coverage_gap_m, 0.0, 100_000.0);
        check.number("lost_within_m", self.lost_within_m, 0.0, 10_000.0);
        check.number("jammed_share", self.jammed_share, 0.0, 1.0);
        check.number("blinded_falsely_one_in", self.blinded_falsely_one_in, 0.0, 1e9);
        check.number("vehicle_stop_s", self.vehicle_stop_s, 0.0, DAY_S);
        check.number("vehicle_stop_within_m", self.vehicle_stop_within_m, 0.0, 20_000.0);
        check.number("group_within_m", self.group_within_m, 0.0, 20_000.0);
        check.number("update_interval_s", self.update_interval_s, 1.0, DAY_S);
        check.number("clear_after_s", self.clear_after_s, 0.0, DAY_S);
        check.positive("expire_after_s", self.expire_after_s, 30.0 * DAY_S);
        check.positive("erase_after_days", self.erase_after_days, 3_650.0);
        check.positive("point_sd_max_m", self.point_sd_max_m, 10_000.0);
        if self.max_open_alerts == 0 {
            check.fault("max_open_alerts", "a count above 0", "0", None);
        }
        if self.max_storm_members > MOST_STORM_MEMBERS {
            let (expected, got) = (format!("a count up to {MOST_STORM_MEMBERS}"), self.max_storm_members.to_string());
            check.fault("max_storm_members", &expected, &got, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_weights_may_leave_out_the_terms_that_came_later() {
        let read = |count: usize| toml::from_str::<RulesTable>(&format!("confidence_weights = {:?}", vec![0.5; count]));
        let first = read(FIRST_TERMS).expect("a list of the first configurations").confidence_weights;
        assert!(first[..FIRST_TERMS] == [0.5; FIRST_TERMS] && first[FIRST_TERMS..].iter().all(|weight| *weight == 0.0));
        assert_eq!(read(EVIDENCE_TERMS).expect("all").confidence_weights, [0.5; EVIDENCE_TERMS]);
        for count in [FIRST_TERMS - 1, EVIDENCE_TERMS + 1] {
            let error = read(count).expect_err("too few or too many").to_string();
            let expected = format!("expected {FIRST_TERMS} to {EVIDENCE_TERMS} weights");
            assert!(error.contains(&expected), "{error}");
        }
    }
}
