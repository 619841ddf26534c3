//! Readings to detections: places into the site frame, true north into the frame's, the sensor's figures where a plot has none.

mod frame;
pub(crate) mod utm;

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{Coverage, Detection, Measurement, Pose, Scan};

pub use frame::{SiteFrame, wrap_angle};

use crate::codec::{Fault, Measured, Plot, PlotReport, Reason, Report, Spot, Stand};
use crate::config::{Sensor, Site};

/// The scan that a sensor's plots make; plots that this sensor cannot have are reported and left out.
pub(crate) fn to_scan(plots: &PlotReport, site: &Site, report: &mut Report) -> Option<Scan> {
    let sensor = &site.sensors[plots.sensor];
    let at = match plots.at {
        Some(stand) => Some(pose(stand, sensor, site).map_err(|fault| report.fault(fault)).ok()?),
        None => None,
    };
    if sensor.model.mobile && at.is_none() && !plots.plots.iter().all(|plot| stands_alone(&plot.measured)) {
        report.fault(Fault::new(Reason::MissingField, "at", "the place of a mobile sensor", "nothing"));
        return None;
    }
    let stands_at_m = at.map_or(sensor.model.position_m, |pose| pose.position_m);
    let given = plots.plots.len();
    // One angle serves all plots of a scan; most plots are positions and need none.
    let needs_north = plots.plots.iter().any(|plot| has_azimuth(&plot.measured));
    let convergence_rad = if needs_north { site.frame.convergence_rad(stands_at_m) } else { 0.0 };
    let mut detections = Vec::with_capacity(given);
    for plot in &plots.plots {
        match detection(plot, sensor, site, convergence_rad, at.is_some()) {
            Ok(detection) => detections.push(detection),
            Err(fault) => report.fault(fault.of_plot(plot.index)),
        }
    }
    // An empty scan says that there was nothing; plots that were refused do not.
    (given == 0 || !detections.is_empty()).then_some(Scan { sensor: plots.sensor, time: plots.time, at, detections })
}

fn has_azimuth(measured: &Measured) -> bool {
    matches!(measured, Measured::RangeBearing { .. } | Measured::Bearing { .. })
}

/// Whether the plot says by itself where it is.
fn stands_alone(measured: &Measured) -> bool {
    matches!(measured, Measured::Position { .. })
}

fn pose(stand: Stand, sensor: &Sensor, site: &Site) -> Result<Pose, Fault> {
    if !sensor.model.mobile {
        let fix = "no place, since the sensor is not configured as mobile";
        return Err(Fault::new(Reason::WrongSensor, "at", fix, "a place"));
    }
    let position_m = place(stand.spot, site).map_err(|fault| Fault { field: "at".to_owned(), ..fault })?;
    let heading_rad =
        stand.heading_deg.map(|deg| wrap_angle(deg.to_radians() + site.frame.convergence_rad(position_m)));
    Ok(Pose { position_m, heading_rad, sd_m: stand.sd_m.unwrap_or(0.0) })
}

/// A place in the site frame.
pub(crate) fn place(spot: Spot, site: &Site) -> Result<Vector2<f64>, Fault> {
    match spot {
        Spot::Site { east_m, north_m } => Ok(Vector2::new(east_m, north_m)),
        Spot::Wgs84 { lat, lon } => site.frame.to_site(lat, lon).ok_or_else(|| {
            let got = format!("{lat}, {lon}");
            Fault::new(Reason::OutOfRange, "lat", "a place within 200 km of the site's origin", &got)
        }),
    }
}

fn detection(
    plot: &Plot,
    sensor: &Sensor,
    site: &Site,
    convergence_rad: f64,
    placed_now: bool,
) -> Result<Detection, Fault> {
    let model = &sensor.model;
    let needs_place = matches!(plot.measured, Measured::Range { .. }) || has_azimuth(&plot.measured);
    if needs_place && !sensor.placed && !placed_now {
        let expected = "a sensor with a configured position";
        return Err(Fault::new(Reason::WrongSensor, "kind", expected, "a range or bearing"));
    }
    let azimuth_rad = |deg: f64| wrap_angle(deg.to_radians() + convergence_rad);
    let azimuth_sd_rad = |deg: Option<f64>| deg.map_or(model.azimuth_sd_rad, f64::to_radians);
    let measurement = match plot.measured {
        Measured::Position { spot, sd_m, covariance_m2 } => {
            let variance_m2 = {
                let sd_m = sd_m.unwrap_or(model.position_sd_m);
                sd_m * sd_m
            };
            let covariance_m2 =
                covariance_m2.map_or(Matrix2::identity() * variance_m2, |[ee, en, nn]| Matrix2::new(ee, en, en, nn));
            Measurement::Position { position_m: place(spot, site)?, covariance_m2 }
        }
        Measured::RangeBearing {
            range_m,
            range_sd_m,
            azimuth_deg,
            azimuth_sd_deg,
            range_rate_mps,
            range_rate_sd_mps,
        } => Measurement::RangeBearing {
            range_m,
            range_sd_m: range_sd_m.unwrap_or(model.range_sd_m),
            azimuth_rad: azimuth_rad(azimuth_deg),
            azimuth_sd_rad: azimuth_sd_rad(azimuth_sd_deg),
            range_rate_mps: range_rate_mps.map(|rate| (rate, range_rate_sd_mps.unwrap_or(model.range_rate_sd_mps))),
        },
        Measured::Bearing { azimuth_deg, azimuth_sd_deg } => Measurement::Bearing {
            azimuth_rad: azimuth_rad(azimuth_deg),
            azimuth_sd_rad: azimuth_sd_rad(azimuth_sd_deg),
        },
        Measured::Range { range_m, range_sd_m } => {
            Measurement::Range { range_m, range_sd_m: range_sd_m.unwrap_or(model.range_sd_m) }
        }
        Measured::Presence { strength } => Measurement::Presence { strength },
        Measured::Crossing { direction } => {
            if !matches!(model.coverage, Coverage::Line { .. }) {
                let expected = "a sensor whose coverage is a line";
                return Err(Fault::new(Reason::WrongSensor, "kind", expected, "a crossing"));
            }
            Measurement::Crossing { direction }
        }
    };
    Ok(Detection { measurement, class: plot.class, confidence: plot.confidence, object: plot.object })
}
