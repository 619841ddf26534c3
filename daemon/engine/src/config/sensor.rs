//! From a sensor as typed to the sensor as meant: the kind's defaults, and every angle turned into the site frame.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use vedette_tracker::{Clutter, Coverage, SensorKind, SensorModel};

use super::check::Checker;
use super::tables::{BearingTable, CoverageTable, SensorTable, Shape};
use super::uplink::{self, Uplink};
use crate::camera::{self, Camera};
use crate::geo::{SiteFrame, wrap_angle};

const FAR_M: f64 = SiteFrame::MAX_DISTANCE_M;
const DAY_S: f64 = 86_400.0;

/// One sensor as meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// What the tracker knows of it.
    pub model: SensorModel,
    /// Number of the radio node that carries it.
    pub node: Option<u32>,
    /// Whether a position of its own was configured (a line or polygon can do without); ranges and bearings need one.
    pub placed: bool,
    /// Its names in other systems.
    pub aliases: Vec<String>,
    /// How a camera sees, when its field of view is known.
    pub camera: Option<Camera>,
    /// What the fields of its uplinks mean.
    pub uplink: Option<Uplink>,
    /// How its bearings lie that do not count from true north.
    pub sapient: Option<BearingTable>,
    /// How long it may be silent before that is an alert; none when silence says nothing.
    pub silent_after_s: Option<f64>,
    /// That time follows from its scans alone: it says nothing of a sensor whose format has no empty ones.
    pub silence_assumed: bool,
    /// Battery voltage below which it is an alert, when it has its own.
    pub battery_low_mv: Option<u16>,
    /// What it reports are calls for help, and nobody's movement.
    pub distress: bool,
}

/// What a kind of sensor does when the configuration does not say.
#[derive(Clone, Copy)]
struct KindDefaults {
    /// Of a circle, where one is usual.
    radius_m: Option<f64>,
    scan_period_s: Option<f64>,
    detection_probability: f64,
    clutter: Clutter,
    rearm_s: f64,
    position_sd_m: f64,
    range_sd_m: f64,
    azimuth_sd_deg: f64,
}

fn defaults(kind: SensorKind) -> KindDefaults {
    let scanning = KindDefaults {
        radius_m: None,
        scan_period_s: Some(1.0),
        detection_probability: 0.9,
        clutter: Clutter::PerScan(1.0),
        rearm_s: 0.0,
        position_sd_m: 5.0,
        range_sd_m: 5.0,
        azimuth_sd_deg: 1.0,
    };
    let triggered = KindDefaults {
        scan_period_s: None,
        detection_probability: 0.8,
        clutter: Clutter::PerHour(1.0),
        rearm_s: 5.0,
        position_sd_m: 10.0,
        range_sd_m: 10.0,
        azimuth_sd_deg: 5.0,
        ..scanning
    };
    match kind {
        SensorKind::Radar => scanning,
        SensorKind::Camera => KindDefaults { detection_probability: 0.7, clutter: Clutter::PerScan(0.2), ..scanning },
        SensorKind::Pir => KindDefaults { radius_m: Some(12.0), ..triggered },
        SensorKind::Seismic => KindDefaults {
            radius_m: Some(30.0),
            detection_probability: 0.5,
            clutter: Clutter::PerHour(2.0),
            ..triggered
        },
        SensorKind::Tripwire => {
            KindDefaults { detection_probability: 0.95, clutter: Clutter::PerHour(0.1), rearm_s: 1.0, ..triggered }
        }
        SensorKind::Rf => KindDefaults {
            radius_m: Some(5_000.0),
            detection_probability: 0.3,
            rearm_s: 0.0,
            range_sd_m: 200.0,
            ..triggered
        },
        SensorKind::Acoustic => {
            KindDefaults { radius_m: Some(300.0), detection_probability: 0.3, rearm_s: 0.0, ..triggered }
        }
    }
}

pub(super) fn resolve_all(tables: &[SensorTable], frame: &SiteFrame, check: &mut Checker<'_>) -> Vec<Sensor> {
    let mut array = check.table("sensor");
    let mut ids = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    let mut aliases = BTreeMap::new();
    let mut sensors = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let mut check = array.element(index);
        check.name("id", &table.id);
        if let Some(first) = ids.insert(table.id.as_str(), index) {
            check.fault("id", "a name no other sensor has", &format!("the name of sensor {first}"), None);
        }
        if let Some(first) = table.node.and_then(|node| nodes.insert((node, table.kind), index)) {
            let expected = "a node that carries no other sensor of this kind";
            check.fault("node", expected, &format!("the node of sensor {first}"), None);
        }
        for alias in &table.aliases {
            if let Some(first) = aliases.insert(alias.as_str(), index) {
                check.fault("aliases", "names no other sensor has", &format!("the name of sensor {first}"), None);
            }
            if alias.is_empty() || alias.len() > 128 {
                check.fault("aliases", "names of 1 to 128 bytes", &format!("\"{}\"", alias.escape_debug()), None);
            }
        }
        sensors.push(resolve(table, frame, &mut check));
    }
    sensors
}

fn resolve(table: &SensorTable, frame: &SiteFrame, check: &mut Checker<'_>) -> Sensor {
    let defaults = defaults(table.kind);
    let placed = table.position.map(|place| place.resolve(frame, &mut check.table("position")));
    let coverage = match (&table.coverage, defaults.radius_m) {
        (Some(typed), _) => resolve_coverage(typed, placed, frame, &mut check.table("coverage")),
        (None, Some(radius_m)) => Coverage::Circle { radius_m },
        (None, None) => {
            let fix = "write for example coverage = { shape = \"circle\", radius_m = 900.0 }";
            check.missing("coverage", "the ground it observes", fix);
            Coverage::Circle { radius_m: 1.0 }
        }
    };
    if table.kind == SensorKind::Tripwire && !matches!(coverage, Coverage::Line { .. }) {
        let fix = "write coverage = { shape = \"line\", from_m = [0.0, 800.0], to_m = [40.0, 800.0] }";
        check.fault("coverage", "a line, since a tripwire reports crossings", "another shape", Some(fix));
    }
    let position_m = placed.or_else(|| middle(&coverage)).unwrap_or_else(|| {
        if !table.mobile {
            check.missing("position", "where the sensor stands", "write position = { east_m = 0.0, north_m = 0.0 }");
        }
        Vector2::zeros()
    });
    let optional = |value: Option<f64>, usual: f64| value.unwrap_or(usual);
    let scan_period_s =
        table.scan_period_s.map(|s| check.positive("scan_period_s", s, DAY_S)).or(defaults.scan_period_s);
    let reports_empty_scans = table.reports_empty_scans.unwrap_or(scan_period_s.is_some());
    if table.distress && scan_period_s.is_some() {
        let expected = "no such key for a sensor that scans";
        check.fault("distress", expected, "true", Some("write kind = \"rf\", and no scan_period_s"));
    }
    let azimuth_sd_deg =
        check.positive("azimuth_sd_deg", optional(table.azimuth_sd_deg, defaults.azimuth_sd_deg), 180.0);
    let range_sd_m = table.range_sd_m.or(table.position_sd_m).unwrap_or(defaults.range_sd_m);
    let model = SensorModel {
        id: table.id.clone(),
        kind: table.kind,
        position_m,
        coverage,
        mobile: table.mobile,
        scan_period_s,
        reports_empty_scans,
        detection_probability: check.probability(
            "detection_probability",
            optional(table.detection_probability, defaults.detection_probability),
        ),
        clutter: resolve_clutter(table, defaults.clutter, check),
        rearm_s: check.number("rearm_s", optional(table.rearm_s, defaults.rearm_s), 0.0, DAY_S),
        position_sd_m: check.positive("position_sd_m", optional(table.position_sd_m, defaults.position_sd_m), 10_000.0),
        range_sd_m: check.positive("range_sd_m", range_sd_m, 10_000.0),
        azimuth_sd_rad: azimuth_sd_deg.to_radians(),
        range_rate_sd_mps: check.positive("range_rate_sd_mps", optional(table.range_rate_sd_mps, 0.5), 1_000.0),
        latency_s: check.number("latency_s", optional(table.latency_s, 0.0), 0.0, 3_600.0),
        plot_age_s: check.number("plot_age_s", optional(table.plot_age_s, 0.0), 0.0, 60.0),
        error_correlation_s: check.number(
            "error_correlation_s",
            optional(table.error_correlation_s, 0.0),
            0.0,
            3_600.0,
        ),
        initiates: table.initiates.unwrap_or(true),
    };
    let silent_after_s = table.silent_after_s.map(|s| check.positive("silent_after_s", s, 30.0 * DAY_S));
    Sensor {
        silence_assumed: silent_after_s.is_none() && table.reports_empty_scans.is_none() && model.reports_empty_scans,
        silent_after_s: silent_after_s.or_else(|| usual_silence(&model, table.node)),
        model,
        aliases: table.aliases.clone(),
        camera: resolve_camera(table, check),
        uplink: uplink::resolve(table.uplink.as_ref(), check),
        sapient: resolve_bearings(table, check),
        node: table.node,
        placed: placed.is_some() || table.mobile,
        battery_low_mv: table.battery_low_mv,
        distress: table.distress,
    }
}

fn resolve_bearings(table: &SensorTable, check: &mut Checker<'_>) -> Option<BearingTable> {
    let bearings = table.sapient?;
    let mut check = check.table("sapient");
    let given = [
        ("magnetic_declination_deg", bearings.magnetic_declination_deg),
        ("platform_heading_deg", bearings.platform_heading_deg),
    ];
    for (key, value) in given {
        check.number(key, value.unwrap_or(0.0), -360.0, 360.0);
    }
    Some(bearings)
}

fn resolve_camera(table: &SensorTable, check: &mut Checker<'_>) -> Option<Camera> {
    if table.kind == SensorKind::Camera {
        return camera::resolve(table.camera.as_ref(), table.coverage.as_ref(), check);
    }
    if table.camera.is_some() {
        check.fault(
            "camera",
            "no such table for this kind of sensor",
            "one",
            Some("remove it, or write kind = \"camera\""),
        );
    }
    None
}

/// A sensor that reports every scan is missed soon; a radio node is missed after three of its hourly signs of life; of
/// others silence is the usual state.
fn usual_silence(model: &SensorModel, node: Option<u32>) -> Option<f64> {
    match (model.scan_period_s, node) {
        (Some(period_s), _) if model.reports_empty_scans => Some(f64::max(60.0, 20.0 * period_s)),
        (_, Some(_)) => Some(3.0 * 3_600.0),
        _ => None,
    }
}

fn resolve_clutter(table: &SensorTable, usual: Clutter, check: &mut Checker<'_>) -> Clutter {
    match (table.clutter_per_scan, table.false_alarms_per_hour) {
        (Some(per_scan), None) => Clutter::PerScan(check.number("clutter_per_scan", per_scan, 0.0, 100_000.0)),
        (None, Some(per_hour)) => Clutter::PerHour(check.number("false_alarms_per_hour", per_hour, 0.0, 1e9)),
        (None, None) => usual,
        (Some(_), Some(_)) => {
            let expected = "either clutter_per_scan or false_alarms_per_hour";
            check.fault("false_alarms_per_hour", expected, "both", Some("remove one of the two"));
            usual
        }
    }
}

/// The reference point of a coverage that lies in the site frame.
fn middle(coverage: &Coverage) -> Option<Vector2<f64>> {
    match coverage {
        Coverage::Line { from_m, to_m } => Some((Vector2::from(*from_m) + Vector2::from(*to_m)) / 2.0),
        Coverage::Polygon { points_m } if !points_m.is_empty() => {
            let count = points_m.iter().fold(0.0, |count, _| count + 1.0);
            Some(points_m.iter().map(|&point| Vector2::from(point)).sum::<Vector2<f64>>() / count)
        }
        Coverage::Polygon { .. } | Coverage::Circle { .. } | Coverage::Sector { .. } => None,
    }
}

fn resolve_coverage(
    table: &CoverageTable,
    placed: Option<Vector2<f64>>,
    frame: &SiteFrame,
    check: &mut Checker<'_>,
) -> Coverage {
    refuse_keys_of_other_shapes(table, check);
    let mut needed = |key: &str, value: Option<f64>| {
        value.unwrap_or_else(|| {
            check.missing(key, "a number", &format!("add {key} to this coverage"));
            1.0
        })
    };
    match table.shape {
        Shape::Circle => {
            let radius_m = needed("radius_m", table.radius_m);
            Coverage::Circle { radius_m: check.positive("radius_m", radius_m, FAR_M) }
        }
        Shape::Sector => {
            let range_m = needed("range_m", table.range_m);
            let heading_deg = needed("heading_deg", table.heading_deg);
            let width_deg = needed("width_deg", table.width_deg);
            let min_range_m = table.min_range_m.unwrap_or(0.0);
            if min_range_m >= range_m {
                check.fault("min_range_m", "less than range_m", &min_range_m.to_string(), None);
            }
            check.number("heading_deg", heading_deg, -360.0, 360.0);
            // A heading of a fixed sensor is true north there; the tracker works with the frame's north.
            let convergence_rad = placed.map_or(0.0, |position_m| frame.convergence_rad(position_m));
            Coverage::Sector {
                range_m: check.positive("range_m", range_m, FAR_M),
                min_range_m: check.number("min_range_m", min_range_m, 0.0, FAR_M),
                heading_rad: wrap_angle(heading_deg.to_radians() + convergence_rad),
                width_rad: check.positive("width_deg", width_deg, 360.0).to_radians(),
            }
        }
        Shape::Polygon => {
            let points_m = table.points_m.clone().unwrap_or_default();
            check_points("points_m", &points_m, 3, check);
            Coverage::Polygon { points_m }
        }
        Shape::Line => {
            for (key, value) in [("from_m", table.from_m), ("to_m", table.to_m)] {
                if value.is_none() {
                    check.missing(key, "[east, north] in metres", &format!("write for example {key} = [0.0, 800.0]"));
                }
            }
            let (from_m, to_m) = (table.from_m.unwrap_or_default(), table.to_m.unwrap_or([1.0, 0.0]));
            check_points("from_m", &[from_m, to_m], 2, check);
            Coverage::Line { from_m, to_m }
        }
    }
}

fn refuse_keys_of_other_shapes(table: &CoverageTable, check: &mut Checker<'_>) {
    let keys = [
        ("radius_m", table.radius_m.is_some(), Shape::Circle),
        ("range_m", table.range_m.is_some(), Shape::Sector),
        ("min_range_m", table.min_range_m.is_some(), Shape::Sector),
        ("heading_deg", table.heading_deg.is_some(), Shape::Sector),
        ("width_deg", table.width_deg.is_some(), Shape::Sector),
        ("points_m", table.points_m.is_some(), Shape::Polygon),
        ("from_m", table.from_m.is_some(), Shape::Line),
        ("to_m", table.to_m.is_some(), Shape::Line),
    ];
    for (key, given, shape) in keys {
        if given && shape != table.shape {
            let expected = format!("no such key for shape {:?}", table.shape).to_lowercase();
            check.fault(key, &expected, &format!("a key of shape {shape:?}").to_lowercase(), Some("remove it"));
        }
    }
}

/// Enough points, all of them near enough, no two neighbours in the same place.
pub(super) fn check_points(key: &str, points_m: &[[f64; 2]], at_least: usize, check: &mut Checker<'_>) {
    if points_m.len() < at_least {
        let expected = format!("at least {at_least} points [east, north] in metres");
        check.fault(key, &expected, &format!("{} points", points_m.len()), None);
    }
    if points_m.len() > 10_000 {
        check.fault(key, "at most 10000 points", &format!("{} points", points_m.len()), None);
    }
    if let Some([east_m, north_m]) =
        points_m.iter().find(|point| point.iter().any(|metres| !(-FAR_M..=FAR_M).contains(metres)))
    {
        check.fault(key, "metres within 200 km of the origin", &format!("[{east_m}, {north_m}]"), None);
    }
    if let Some(pair) = points_m.windows(2).find(|pair| pair[0] == pair[1]) {
        check.fault(key, "points that differ from their neighbours", &format!("{:?} twice", pair[0]), None);
    }
}
