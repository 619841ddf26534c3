//! Zones and lines as meant: their ground in the site frame, and when and for whom they count.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{ClassProbabilities, EntryZone};

use super::check::Checker;
use super::schedule::Schedule;
use super::sensor::check_points;
use super::tables::ZoneTable;
use crate::Severity;
use crate::geo::{SiteFrame, wrap_angle};

/// What a zone is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneKind {
    /// A border: approach to it and crossing of it are alerts.
    Border,
    /// Entry and loitering are alerts.
    Alert,
    /// What happens inside raises nothing (it stays visible and counted).
    Ignore,
    /// A place where people may need help: whoever stays there is a possible need of help, never a matter of force.
    Humanitarian,
    /// A place where people work at scheduled hours: alerts inside are less severe then, never deleted.
    Work,
    /// Water: whoever is in it is a possible need of help.
    Water,
    /// A shelter: who rests here needs no help for that.
    Shelter,
    /// A place inside the watched ground where people come in, out of a wood or a building: tracks begin there more readily.
    Entry,
}

impl ZoneKind {
    /// Whether people who cross or enter are what it is watched for.
    #[must_use]
    pub fn is_watched(self) -> bool {
        matches!(self, Self::Border | Self::Alert)
    }
}

/// Which crossings of a border matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneDirection {
    /// Over a line from its left to its right; into a polygon.
    In,
    /// The other way.
    Out,
    /// Either way.
    Both,
}

/// A class that a zone can be restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// People on foot.
    Person,
    /// Animals.
    Animal,
    /// Vehicles.
    Vehicle,
}

impl Class {
    /// This class's part of `probabilities`.
    #[must_use]
    pub fn of(self, probabilities: &ClassProbabilities) -> f64 {
        match self {
            Self::Person => probabilities.person,
            Self::Animal => probabilities.animal,
            Self::Vehicle => probabilities.vehicle,
        }
    }
}

/// The ground of a zone, metres in the site frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground {
    /// A simple polygon; the last corner is joined to the first.
    Polygon(Vec<Vector2<f64>>),
    /// An open chain of segments.
    Line(Vec<Vector2<f64>>),
}

/// One zone or line as meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Name, as operators call the place.
    pub name: String,
    /// What it is for.
    pub kind: ZoneKind,
    /// Where it is.
    pub ground: Ground,
    /// Which crossings matter.
    pub direction: ZoneDirection,
    /// When it counts.
    pub schedule: Schedule,
    /// Which classes matter; all when empty.
    pub classes: Vec<Class>,
    /// Severity of its alerts, when it is not the kind's own.
    pub severity: Option<Severity>,
    /// Existence a track needs before it counts here, when it is not the rules' own.
    pub min_existence: Option<f64>,
    /// Confidence below which movement raises nothing here; what is open stays.
    pub min_confidence: Option<f64>,
    /// Stay after which it is loitering, when it is not the rules' own.
    pub loiter_after_s: Option<f64>,
    /// Time inside before that is an entry, when it is not the rules' own.
    pub entry_hold_s: Option<f64>,
    /// How long movement towards it lasts before it is an approach, when it is not the rules' own.
    pub approach_hold_s: Option<f64>,
    /// Stay before that is a possible need of help, when it is not the rules' own.
    pub help_after_s: Option<f64>,
    /// How long a vehicle stands before it is told of, when it is not the rules' own.
    pub vehicle_stop_s: Option<f64>,
    /// What the tracker is told of a place where people come in.
    pub entry: Option<EntryZone>,
}

pub(super) fn resolve_all(tables: &[ZoneTable], frame: &SiteFrame, check: &mut Checker<'_>) -> Vec<Zone> {
    let mut array = check.table("zone");
    let mut zones: Vec<Zone> = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let mut check = array.element(index);
        check.name("name", &table.name);
        if let Some(first) = zones.iter().position(|zone| zone.name == table.name) {
            check.fault("name", "a name no other zone has", &format!("the name of zone {first}"), None);
        }
        if let Some(existence) = table.min_existence {
            check.probability("min_existence", existence);
        }
        if let Some(confidence) = table.min_confidence {
            check.probability("min_confidence", confidence);
        }
        check_times(table, &mut check);
        check_limits(table, &mut check);
        let ground = resolve_ground(table, frame, &mut check);
        let entry = resolve_entry(table, &ground, frame, &mut check);
        if table.direction.is_some() && table.kind != ZoneKind::Border {
            check.fault("direction", "no such key except for kind \"border\"", "a direction", Some("remove it"));
        }
        zones.push(Zone {
            name: table.name.clone(),
            kind: table.kind,
            ground,
            direction: table.direction.unwrap_or(ZoneDirection::Both),
            schedule: Schedule::resolve(&table.schedule, &mut check),
            classes: table.classes.clone(),
            severity: table.severity,
            min_existence: table.min_existence,
            min_confidence: table.min_confidence,
            loiter_after_s: table.loiter_after_s,
            entry_hold_s: table.entry_hold_s,
            approach_hold_s: table.approach_hold_s,
            help_after_s: table.help_after_s,
            vehicle_stop_s: table.vehicle_stop_s,
            entry,
        });
    }
    zones
}

/// Hold times and limits stand only where something looks at them: one that does nothing misleads who reads it.
fn check_times(table: &ZoneTable, check: &mut Checker<'_>) {
    use ZoneKind::{Alert, Border, Humanitarian, Water};
    const WEEK_S: f64 = 7.0 * 86_400.0;
    let times: [(&str, Option<f64>, &[ZoneKind]); 5] = [
        ("loiter_after_s", table.loiter_after_s, &[Alert]),
        ("entry_hold_s", table.entry_hold_s, &[Alert]),
        ("approach_hold_s", table.approach_hold_s, &[Border]),
        ("help_after_s", table.help_after_s, &[Humanitarian, Water]),
        ("vehicle_stop_s", table.vehicle_stop_s, &[Border, Alert]),
    ];
    for (key, time, kinds) in times {
        let Some(time_s) = time else { continue };
        check.number(key, time_s, 0.0, WEEK_S);
        check_kind(table, key, kinds, "a time", check);
    }
}

/// Who may need help is looked for whatever they are, and no sureness more is asked for: only watched ground has these keys.
fn check_limits(table: &ZoneTable, check: &mut Checker<'_>) {
    let limits = [
        ("severity", table.severity.is_some(), "a severity"),
        ("classes", !table.classes.is_empty(), "classes"),
        ("min_existence", table.min_existence.is_some(), "a probability"),
        ("min_confidence", table.min_confidence.is_some(), "a probability"),
    ];
    for (key, _, got) in limits.into_iter().filter(|(_, is_given, _)| *is_given) {
        check_kind(table, key, &[ZoneKind::Border, ZoneKind::Alert], got, check);
    }
}

/// How people come in: only a place where they do has these keys, and it has no hours.
fn resolve_entry(table: &ZoneTable, ground: &Ground, frame: &SiteFrame, check: &mut Checker<'_>) -> Option<EntryZone> {
    const MOST_ARRIVALS: f64 = 1_000.0;
    let keys =
        [("arrivals", table.arrivals.is_some(), "a number"), ("heading_deg", table.heading_deg.is_some(), "a heading")];
    for (key, _, got) in keys.into_iter().filter(|(_, is_given, _)| *is_given) {
        check_kind(table, key, &[ZoneKind::Entry], got, check);
    }
    if table.kind != ZoneKind::Entry {
        return None;
    }
    if !table.schedule.is_empty() {
        check.fault("schedule", "no such key for kind \"entry\"", "a schedule", Some("remove it"));
    }
    let arrivals = check.number("arrivals", table.arrivals.unwrap_or(1.0), 0.0, MOST_ARRIVALS);
    let Ground::Polygon(points) = ground else { return None };
    let heading_rad = table.heading_deg.map(|heading_deg| {
        check.number("heading_deg", heading_deg, -360.0, 360.0);
        // True north there; the tracker works with the frame's north.
        let middle = points.iter().sum::<Vector2<f64>>() / points.iter().fold(0.0, |count, _| count + 1.0);
        wrap_angle(heading_deg.to_radians() + frame.convergence_rad(middle))
    });
    Some(EntryZone { points_m: points.iter().map(|point| (*point).into()).collect(), heading_rad, arrivals })
}

fn check_kind(table: &ZoneTable, key: &str, kinds: &[ZoneKind], got: &str, check: &mut Checker<'_>) {
    if !kinds.contains(&table.kind) {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
        let expected = format!("no such key except for kind \"{}\"", kinds.join("\" or \""));
        check.fault(key, &expected, got, Some("remove it"));
    }
}

fn resolve_ground(table: &ZoneTable, frame: &SiteFrame, check: &mut Checker<'_>) -> Ground {
    let given = [
        ("points_m", &table.points_m, true),
        ("line_m", &table.line_m, false),
        ("points_lat_lon", &table.points_lat_lon, true),
        ("line_lat_lon", &table.line_lat_lon, false),
    ];
    let mut given = given.into_iter().filter_map(|(key, points, closed)| Some((key, points.as_ref()?, closed)));
    let Some((key, points, closed)) = given.next() else {
        let fix = "write points_m = [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0]] or line_m = [[0.0, 0.0], [100.0, 0.0]]";
        check.missing("points_m", "the zone's corners or the line's points", fix);
        return Ground::Polygon(Vec::new());
    };
    if let Some((second, ..)) = given.next() {
        check.fault(second, "one of points_m, line_m, points_lat_lon, line_lat_lon", "two", Some("remove one"));
    }
    if !closed && table.kind != ZoneKind::Border {
        check.fault(
            key,
            "a polygon: only a border can be a line",
            "a line",
            Some("write points_m or kind = \"border\""),
        );
    }
    let points_m: Vec<[f64; 2]> = if key.ends_with("lat_lon") {
        let to_site = |&[lat, lon]: &[f64; 2]| frame.to_site(lat, lon).map_or([f64::NAN; 2], Into::into);
        points.iter().map(to_site).collect()
    } else {
        points.clone()
    };
    check_points(key, &points_m, if closed { 3 } else { 2 }, check);
    let points = points_m.into_iter().map(Vector2::from).collect();
    if closed { Ground::Polygon(points) } else { Ground::Line(points) }
}
