//! Own units: patrols whose positions explain tracks.

use serde::{Deserialize, Serialize};

use super::check::Checker;
use super::tables::SensorTable;

/// One own unit, as typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitTable {
    /// Name, as it stands in its reports.
    pub id: String,
    /// Its names in other systems: a `uid` or a callsign of Cursor on Target.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The node of a Meshtastic radio that it carries, as `!a1b2c3d4`: its places are the unit's.
    #[serde(default)]
    pub meshtastic: Option<String>,
    /// Number of the radio node that it carries, one of our own: its places are the unit's.
    #[serde(default)]
    pub node: Option<u32>,
    /// How many they are: so many tracks at most are taken to be theirs.
    #[serde(default = "default_people")]
    pub people: usize,
    /// Its people keep within this distance of the one whose position it sends.
    #[serde(default = "default_spread_m")]
    pub spread_m: f64,
    /// Faster than this it cannot move: a report that needs more is not believed.
    #[serde(default = "default_max_speed_mps")]
    pub max_speed_mps: f64,
    /// A report explains nothing after this time.
    #[serde(default = "default_stale_after_s")]
    pub stale_after_s: f64,
}

fn default_people() -> usize {
    1
}

fn default_spread_m() -> f64 {
    30.0
}

fn default_max_speed_mps() -> f64 {
    3.0
}

fn default_stale_after_s() -> f64 {
    60.0
}

/// One own unit as meant.
pub type Unit = UnitTable;

impl UnitTable {
    /// Number of the radio that it carries; none when it has none, or what is typed is no such number.
    #[must_use]
    pub fn mesh_node(&self) -> Option<u32> {
        let digits = self.meshtastic.as_deref()?.strip_prefix('!')?;
        let alike = digits.len() == 8 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        // Neither nobody nor everybody carries a radio.
        alike.then(|| u32::from_str_radix(digits, 16).ok()).flatten().filter(|&node| node != 0 && node != u32::MAX)
    }
}

pub(super) fn check_all(tables: &[UnitTable], sensors: &[SensorTable], check: &mut Checker<'_>) {
    let mut array = check.table("unit");
    for (index, unit) in tables.iter().enumerate() {
        let mut check = array.element(index);
        check.name("id", &unit.id);
        if let Some(first) = tables[..index].iter().position(|other| other.id == unit.id) {
            check.fault("id", "a name no other unit has", &format!("the name of unit {first}"), None);
        }
        let names_before = || tables[..index].iter().flat_map(|other| std::iter::once(&other.id).chain(&other.aliases));
        if let Some(alias) = unit.aliases.iter().find(|alias| names_before().any(|name| name == *alias)) {
            check.fault("aliases", "names no other unit has", &format!("\"{}\"", alias.escape_debug()), None);
        }
        check_mesh_node(unit, &tables[..index], &mut check);
        check_node(unit, &tables[..index], sensors, &mut check);
        if unit.people == 0 {
            check.fault("people", "a count above 0", "0", None);
        }
        check.number("spread_m", unit.spread_m, 0.0, 1_000.0);
        check.positive("max_speed_mps", unit.max_speed_mps, 100.0);
        check.positive("stale_after_s", unit.stale_after_s, 3_600.0);
    }
}

fn check_node(unit: &UnitTable, before: &[UnitTable], sensors: &[SensorTable], check: &mut Checker<'_>) {
    let Some(node) = unit.node else { return };
    if node == 0 {
        return check.fault("node", "a number above 0: the node that the unit carries", "0, which is all nodes", None);
    }
    if let Some(first) = before.iter().position(|other| other.node == Some(node)) {
        check.fault("node", "a node no other unit carries", &format!("the node of unit {first}"), None);
    }
    // What stands at a post to watch is nowhere that a patrol is.
    if let Some(sensor) = sensors.iter().find(|sensor| sensor.node == Some(node)) {
        let got = format!("the node of sensor \"{}\"", sensor.id.escape_debug());
        check.fault("node", "a node that carries no sensor", &got, None);
    }
}

fn check_mesh_node(unit: &UnitTable, before: &[UnitTable], check: &mut Checker<'_>) {
    let Some(typed) = &unit.meshtastic else { return };
    let Some(node) = unit.mesh_node() else {
        let fix = "write it as the node's own screen shows it: meshtastic = \"!a1b2c3d4\"";
        let expected = "! and the eight digits 0-9, a-f of one node";
        return check.fault("meshtastic", expected, &format!("\"{}\"", typed.escape_debug()), Some(fix));
    };
    if let Some(first) = before.iter().position(|other| other.mesh_node() == Some(node)) {
        check.fault("meshtastic", "a node no other unit carries", &format!("the node of unit {first}"), None);
    }
}
