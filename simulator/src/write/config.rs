//! The gateway's configuration that fits a scenario: what the tracker may know of the sensors, and no more.

use std::fmt;
use std::io::{self, Write};

use crate::geometry::Point;
use crate::scenario::{Clutter, Coverage, Layout, Measures, Sensor, Zone, ZoneShape};

/// Writes the configuration as TOML.
///
/// # Errors
/// When the output fails.
pub fn write_config(layout: &Layout, out: &mut impl Write) -> io::Result<()> {
    let site = &layout.site;
    writeln!(out, "[site]\nid = {}", quoted(&site.id))?;
    writeln!(out, "origin = {{ lat = {:?}, lon = {:?} }}", site.lat, site.lon)?;
    if let Some(timezone) = &site.timezone {
        writeln!(out, "timezone = {}", quoted(timezone))?;
    }
    for unit in &layout.units {
        writeln!(out, "\n[[unit]]\nid = {}\npeople = {}", quoted(&unit.id), unit.people)?;
    }
    for zone in &layout.zones {
        write_zone(zone, out)?;
    }
    for sensor in &layout.sensors {
        write_sensor(sensor, out)?;
    }
    Ok(())
}

fn write_zone(zone: &Zone, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n[[zone]]\nname = {}\nkind = {}", quoted(&zone.name), quoted(&zone.kind))?;
    if let Some(direction) = &zone.direction {
        writeln!(out, "direction = {}", quoted(direction))?;
    }
    match &zone.shape {
        ZoneShape::Line(line) => writeln!(out, "line_m = {}", Points(line)),
        ZoneShape::Polygon(corners) => writeln!(out, "points_m = {}", Points(corners)),
    }
}

fn write_sensor(sensor: &Sensor, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n[[sensor]]\nid = {}\nkind = \"{}\"", quoted(&sensor.id), sensor.kind.name())?;
    if let Some(node) = sensor.node {
        writeln!(out, "node = {node}")?;
    }
    if !matches!(sensor.coverage, Coverage::Line { .. }) {
        let [east, north] = sensor.position_m;
        writeln!(out, "position = {{ east_m = {east:?}, north_m = {north:?} }}")?;
    }
    writeln!(out, "coverage = {}", Shape(&sensor.coverage))?;
    writeln!(out, "detection_probability = {:?}", sensor.detection_probability)?;
    match sensor.clutter {
        Clutter::PerScan(count) => writeln!(out, "clutter_per_scan = {count:?}")?,
        Clutter::PerHour(rate) => writeln!(out, "false_alarms_per_hour = {rate:?}")?,
    }
    if let Some(silent_after_s) = sensor.silent_after_s {
        writeln!(out, "silent_after_s = {silent_after_s:?}")?;
    }
    let Some(period) = sensor.scan_period_s else {
        return writeln!(out, "rearm_s = {:?}", sensor.rearm_s);
    };
    writeln!(out, "scan_period_s = {period:?}\nreports_empty_scans = {}", sensor.reports_empty_scans)?;
    match sensor.measures {
        Measures::Position => writeln!(out, "position_sd_m = {:?}", sensor.position_sd_m),
        Measures::RangeBearing => {
            writeln!(out, "range_sd_m = {:?}\nazimuth_sd_deg = {:?}", sensor.range_sd_m, sensor.azimuth_sd_deg)
        }
        Measures::Bearing => writeln!(out, "azimuth_sd_deg = {:?}", sensor.azimuth_sd_deg),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

struct Points<'a>(&'a [Point]);

impl fmt::Display for Points<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, [east, north]) in self.0.iter().enumerate() {
            write!(f, "{}[{east:?}, {north:?}]", if index == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

struct Shape<'a>(&'a Coverage);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Coverage::Circle { radius_m } => write!(f, "{{ shape = \"circle\", radius_m = {radius_m:?} }}"),
            Coverage::Sector { range_m, min_range_m, heading_deg, width_deg } => write!(
                f,
                "{{ shape = \"sector\", range_m = {range_m:?}, min_range_m = {min_range_m:?}, \
                 heading_deg = {heading_deg:?}, width_deg = {width_deg:?} }}"
            ),
            Coverage::Polygon { points_m } => {
                write!(f, "{{ shape = \"polygon\", points_m = {} }}", Points(points_m))
            }
            Coverage::Line { from_m, to_m } => write!(
                f,
                "{{ shape = \"line\", from_m = [{:?}, {:?}], to_m = [{:?}, {:?}] }}",
                from_m[0], from_m[1], to_m[0], to_m[1]
            ),
        }
    }
}
