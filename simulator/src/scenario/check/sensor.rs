//! Sensors of a scenario as meant: rows made out, values that the kind gives, coverages.

use std::collections::BTreeSet;

use toml::Spanned;

use super::{Place, Table};
use crate::geometry::{Point, between};
use crate::random::Random;
use crate::scenario::error::ScenarioError;
use crate::scenario::{Clutter, Coverage, Measures, Sensor, SensorKind, typed};

impl Place<'_> {
    pub(super) fn sensors(&self, typed: Vec<Spanned<typed::Sensor>>) -> Result<Vec<Sensor>, ScenarioError> {
        let mut sensors = Vec::new();
        let mut ids = BTreeSet::new();
        let mut nodes = BTreeSet::new();
        for sensor in typed {
            let (table, sensor) = self.table(sensor);
            for sensor in row(&table, &sensor)? {
                if !ids.insert(sensor.id.clone()) {
                    return Err(table.error("id", "a name used once", &sensor.id));
                }
                if sensor.node.is_some_and(|node| !nodes.insert(node)) {
                    return Err(table.error("node", "a node number used once", sensor.node.unwrap_or_default()));
                }
                sensors.push(sensor);
            }
        }
        Ok(sensors)
    }
}

/// The sensor, or as many as its row says, each moved by the row's step and a fixed scatter of its own.
fn row(table: &Table<'_>, typed: &typed::Sensor) -> Result<Vec<Sensor>, ScenarioError> {
    let first = sensor(table, typed)?;
    let Some(row) = typed.row else { return Ok(vec![first]) };
    let mut scatter = Random::stream(0, &first.id);
    let mut sensors = Vec::with_capacity(row.count);
    for index in 0..row.count {
        #[expect(clippy::cast_precision_loss, reason = "rows are short")]
        let step = index as f64;
        let offset = row.step_m.map(|metres| metres * step + scatter.normal() * row.scatter_m);
        let mut sensor = first.clone();
        sensor.id = format!("{}-{index}", first.id);
        sensor.node = first.node.and_then(|node| node.checked_add(u32::try_from(index).ok()?));
        sensor.position_m = plus(first.position_m, offset);
        match &mut sensor.coverage {
            Coverage::Line { from_m, to_m } => {
                *from_m = plus(*from_m, offset);
                *to_m = plus(*to_m, offset);
            }
            Coverage::Polygon { points_m } => points_m.iter_mut().for_each(|point| *point = plus(*point, offset)),
            Coverage::Circle { .. } | Coverage::Sector { .. } => {}
        }
        sensors.push(sensor);
    }
    Ok(sensors)
}

fn plus(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

fn sensor(table: &Table<'_>, typed: &typed::Sensor) -> Result<Sensor, ScenarioError> {
    let kind = typed.kind;
    let coverage = coverage(table, typed.coverage.clone())?;
    let position_m = match (&coverage, typed.position_m) {
        (_, Some(position)) => position,
        (Coverage::Line { from_m, to_m }, None) => between(*from_m, *to_m, 0.5),
        _ => return Err(table.error("position_m", "a position (only a line needs none)", "nothing")),
    };
    let scans = matches!(kind, SensorKind::Radar | SensorKind::Camera);
    if matches!(coverage, Coverage::Line { .. }) != (kind == SensorKind::Tripwire) {
        return Err(table.error("coverage", "a line for a tripwire, an area for all else", kind.name()));
    }
    let clutter = match (typed.clutter_per_scan, typed.false_alarms_per_hour) {
        (Some(count), None) if scans => Clutter::PerScan(table.not_negative("clutter_per_scan", count)?),
        (None, Some(rate)) if !scans => Clutter::PerHour(table.not_negative("false_alarms_per_hour", rate)?),
        (None, None) if scans => Clutter::PerScan(0.1),
        (None, None) => Clutter::PerHour(0.1),
        _ => {
            return Err(table.error(
                "clutter_per_scan",
                "clutter_per_scan if it scans, else false_alarms_per_hour",
                kind.name(),
            ));
        }
    };
    let scan_period_s = match (scans, typed.scan_period_s) {
        (true, period) => Some(table.positive("scan_period_s", period.unwrap_or(1.0))?),
        (false, None) => None,
        (false, Some(period)) => {
            return Err(table.error("scan_period_s", "nothing for a sensor that does not scan", period));
        }
    };
    let measures =
        typed.measures.unwrap_or(if kind == SensorKind::Camera { Measures::Bearing } else { Measures::RangeBearing });
    let detection_probability = typed.detection_probability.unwrap_or(0.9);
    Ok(Sensor {
        id: typed.id.clone(),
        kind,
        node: typed.node,
        position_m,
        coverage,
        measures,
        scan_period_s,
        reports_empty_scans: typed.reports_empty_scans.unwrap_or(kind == SensorKind::Radar),
        detection_probability: table.probability("detection_probability", detection_probability)?,
        clutter,
        rearm_s: table.not_negative("rearm_s", typed.rearm_s.unwrap_or(if scans { 0.0 } else { 5.0 }))?,
        position_sd_m: table.positive("position_sd_m", typed.position_sd_m.unwrap_or(5.0))?,
        range_sd_m: table.positive("range_sd_m", typed.range_sd_m.unwrap_or(5.0))?,
        azimuth_sd_deg: table.positive("azimuth_sd_deg", typed.azimuth_sd_deg.unwrap_or(0.5))?,
        silent_after_s: typed.silent_after_s,
        classifies: typed.classifies,
        fault: typed.fault,
        clock_step: typed.clock_step,
        sees_in_dark: typed.sees_in_dark,
    })
}

fn coverage(table: &Table<'_>, typed: typed::Coverage) -> Result<Coverage, ScenarioError> {
    Ok(match typed {
        typed::Coverage::Circle { radius_m } => Coverage::Circle { radius_m: table.positive("coverage", radius_m)? },
        typed::Coverage::Sector { range_m, min_range_m, heading_deg, width_deg } => {
            table.range("coverage", [min_range_m, range_m])?;
            table.range("coverage", [width_deg, 360.0])?;
            Coverage::Sector { range_m, min_range_m, heading_deg, width_deg }
        }
        typed::Coverage::Polygon { points_m } => {
            Coverage::Polygon { points_m: table.at_least("coverage", 3, points_m)? }
        }
        typed::Coverage::Line { from_m, to_m } => Coverage::Line { from_m, to_m },
    })
}
