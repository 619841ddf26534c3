//! Zones, sensors and paths on the ground, north up, as SVG.

use std::collections::BTreeSet;
use std::fmt::Write;

use vedette_gateway::engine::config::{Ground, Site};
use vedette_gateway::engine::{Coverage, Measurement};

use super::chart::frame;
use super::collect::Story;
use super::night::Night;
use super::page::escape;

const WIDTH: f64 = 960.0;
const MAX_HEIGHT: f64 = 720.0;
const MARGIN: f64 = 16.0;
/// Ellipses drawn along a track.
const ELLIPSES: usize = 12;
/// Plots drawn; more hide the track.
const MAX_PLOTS: usize = 600;
/// Square root of the 95 % quantile of the chi-squared distribution with two degrees of freedom.
const ELLIPSE_95: f64 = 2.447_746_830_680_816;

type Place = (f64, f64);

/// The piece of ground that is shown, and its scale.
struct View {
    west_m: f64,
    north_m: f64,
    scale: f64,
    height: f64,
    body: String,
}

impl View {
    /// A view that holds all of `places`, with some room around them.
    fn around(places: &[Place]) -> Self {
        let bound = |pick: fn(&Place) -> f64, start: f64, fold: fn(f64, f64) -> f64| {
            places.iter().map(pick).filter(|value| value.is_finite()).fold(start, fold)
        };
        let (mut west, mut east) =
            (bound(|p| p.0, f64::INFINITY, f64::min), bound(|p| p.0, f64::NEG_INFINITY, f64::max));
        let (mut south, mut north) =
            (bound(|p| p.1, f64::INFINITY, f64::min), bound(|p| p.1, f64::NEG_INFINITY, f64::max));
        if west > east {
            (west, east, south, north) = (-500.0, 500.0, -500.0, 500.0);
        }
        let room = 0.08 * f64::max(east - west, north - south) + 15.0;
        (west, east, south, north) = (west - room, east + room, south - room, north + room);
        // A long thin strip gets a little more ground, and a tall one is narrowed to a page.
        let tall = f64::max(north - south, 0.3 * (east - west));
        let middle = f64::midpoint(north, south);
        north = middle + tall / 2.0;
        let scale = f64::min((WIDTH - 2.0 * MARGIN) / (east - west), (MAX_HEIGHT - 2.0 * MARGIN) / tall);
        let west_m = f64::midpoint(east, west) - (WIDTH / 2.0 - MARGIN) / scale;
        Self { west_m, north_m: north, scale, height: tall * scale + 2.0 * MARGIN, body: String::new() }
    }

    fn at(&self, (east_m, north_m): Place) -> Place {
        (MARGIN + (east_m - self.west_m) * self.scale, MARGIN + (self.north_m - north_m) * self.scale)
    }

    fn chain(&self, places: impl Iterator<Item = Place>) -> String {
        let mut path = String::new();
        for place in places {
            let (x, y) = self.at(place);
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
        }
        path
    }

    fn path(&mut self, class: &str, d: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{d}\"/>");
    }

    fn name(&mut self, place: Place, text: &str) {
        let (x, y) = self.at(place);
        let _ =
            write!(self.body, "<text class=\"halo\" x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 6.0, y - 5.0, escape(text));
    }

    fn zones(&mut self, site: &Site) {
        for zone in &site.zones {
            let (class, points, close) = match &zone.ground {
                Ground::Line(points) => ("zone", points, ""),
                Ground::Polygon(points) => ("area", points, "Z"),
            };
            let d = self.chain(points.iter().map(|point| (point.x, point.y))) + close;
            self.path(class, &d);
            let shown = |x: f64, y: f64| (0.0..WIDTH - 90.0).contains(&x) && (14.0..self.height).contains(&y);
            let corner = points.iter().map(|point| (point.x, point.y)).find(|place| {
                let (x, y) = self.at(*place);
                shown(x, y)
            });
            // A line that runs through the picture is named where it enters.
            let at_edge = points.first().map(|point| (self.west_m + 20.0 / self.scale, point.y));
            if let Some(place) = corner.or(at_edge) {
                self.name(place, &zone.name);
            }
        }
    }

    fn coverage(&mut self, coverage: &Coverage, (east, north): Place, class: &str) {
        let d = match coverage {
            Coverage::Circle { radius_m } => {
                let ring = (0..48).map(|side| f64::from(side) * std::f64::consts::TAU / 48.0);
                self.chain(ring.map(|turn| (east + radius_m * turn.sin(), north + radius_m * turn.cos()))) + "Z"
            }
            Coverage::Sector { range_m, min_range_m, heading_rad, width_rad } => {
                let arc = |range: f64, back: bool| {
                    (0..=32).map(move |step| {
                        let share = f64::from(if back { 32 - step } else { step }) / 32.0 - 0.5;
                        let turn = heading_rad + share * width_rad;
                        (east + range * turn.sin(), north + range * turn.cos())
                    })
                };
                self.chain(arc(*range_m, false).chain(arc(*min_range_m, true))) + "Z"
            }
            Coverage::Polygon { points_m } => self.chain(points_m.iter().map(|point| (point[0], point[1]))) + "Z",
            Coverage::Line { from_m, to_m } => {
                self.chain([*from_m, *to_m].into_iter().map(|point| (point[0], point[1])))
            }
        };
        self.path(class, &d);
    }

    /// Sensors: those that spoke filled, those that were expected and silent dashed, the rest faint.
    fn sensors(&mut self, site: &Site, spoke: &BTreeSet<usize>, silent: &BTreeSet<usize>) {
        for (index, sensor) in site.sensors.iter().enumerate() {
            let place = (sensor.model.position_m.x, sensor.model.position_m.y);
            let (class, named) = match (spoke.contains(&index), silent.contains(&index)) {
                (true, _) => ("cover", true),
                (false, true) => ("mute", true),
                (false, false) => ("rest", false),
            };
            self.coverage(&sensor.model.coverage, place, class);
            let (x, y) = self.at(place);
            let inside = (0.0..WIDTH).contains(&x) && (0.0..self.height).contains(&y);
            if inside {
                let id = escape(&sensor.model.id);
                let dot = if named { "dot" } else { "rest" };
                let _ = write!(
                    self.body,
                    "<circle class=\"{dot}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"><title>{id}</title></circle>"
                );
                if named {
                    self.name(place, &sensor.model.id);
                }
            }
        }
    }

    fn plots(&mut self, story: &Story) {
        for plot in story.plots.iter().take(MAX_PLOTS) {
            let Some(sensor) = story.site.sensors.get(plot.sensor) else { continue };
            let (east, north) = (sensor.model.position_m.x, sensor.model.position_m.y);
            let polar = |range: f64, turn: f64| (east + range * turn.sin(), north + range * turn.cos());
            let place = match plot.measurement {
                Some(Measurement::Position { position_m, .. }) => (position_m.x, position_m.y),
                Some(Measurement::RangeBearing { range_m, azimuth_rad, .. }) => polar(range_m, azimuth_rad),
                Some(Measurement::Bearing { azimuth_rad, .. }) => {
                    let range_m = match sensor.model.coverage {
                        Coverage::Sector { range_m, .. } => range_m,
                        Coverage::Circle { radius_m } => radius_m,
                        Coverage::Polygon { .. } | Coverage::Line { .. } => 500.0,
                    };
                    let d = self.chain([(east, north), polar(range_m, azimuth_rad)].into_iter());
                    self.path("ray", &d);
                    continue;
                }
                _ => continue,
            };
            let (x, y) = self.at(place);
            let _ = write!(self.body, "<circle class=\"spot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\"/>");
        }
    }

    fn tracks(&mut self, story: &Story) {
        for id in &story.tracks {
            let steps: Vec<_> =
                story.steps.iter().filter(|step| step.track.id == *id && step.track.localised).collect();
            let places = steps.iter().map(|step| (step.track.position_m.x, step.track.position_m.y));
            let d = self.chain(places);
            self.path("path", &d);
            for step in steps.iter().step_by((steps.len() / ELLIPSES).max(1)) {
                let covariance = &step.track.position_covariance_m2;
                let (mean, half) =
                    (f64::midpoint(covariance.m11, covariance.m22), (covariance.m11 - covariance.m22) / 2.0);
                let spread = half.hypot(covariance.m12);
                let axis = |variance: f64| ELLIPSE_95 * variance.max(0.0).sqrt() * self.scale;
                let turn_deg = f64::atan2(2.0 * covariance.m12, covariance.m11 - covariance.m22).to_degrees() / 2.0;
                let (x, y) = self.at((step.track.position_m.x, step.track.position_m.y));
                let _ = write!(
                    self.body,
                    "<ellipse class=\"ellipse\" cx=\"{x:.1}\" cy=\"{y:.1}\" rx=\"{:.1}\" ry=\"{:.1}\" transform=\"rotate({:.1} {x:.1} {y:.1})\"/>",
                    axis(mean + spread),
                    axis(mean - spread),
                    -turn_deg
                );
            }
            if let (Some(first), Some(last)) = (steps.first(), steps.last()) {
                self.name((first.track.position_m.x, first.track.position_m.y), &format!("track {}", id.0));
                let (x, y) = self.at((last.track.position_m.x, last.track.position_m.y));
                let _ = write!(self.body, "<circle class=\"end\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>");
            }
        }
    }

    /// A bar of a round length, and north.
    fn svg(mut self, title: &str) -> String {
        let round = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];
        let length_m = round.into_iter().rev().find(|length| length * self.scale <= 160.0).unwrap_or(1.0);
        let (end, y) = (WIDTH - MARGIN, self.height - MARGIN);
        let start = end - length_m * self.scale;
        let _ = write!(
            self.body,
            "<path class=\"axis\" fill=\"none\" d=\"M{start:.1} {:.1}V{y:.1}H{end:.1}V{:.1}\"/>\
             <text class=\"halo\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{length_m} m</text>\
             <text class=\"halo\" x=\"{end:.1}\" y=\"{:.1}\" text-anchor=\"end\">north ↑</text>",
            y - 5.0,
            y - 5.0,
            f64::midpoint(start, end),
            y - 8.0,
            MARGIN + 8.0,
        );
        frame(title, WIDTH, self.height, &self.body)
    }
}

/// The ground of one alert.
pub(super) fn of_story(story: &Story) -> String {
    let spoke: BTreeSet<usize> = story.plots.iter().map(|plot| plot.sensor).collect();
    let silent: BTreeSet<usize> =
        story.evidence.iter().filter(|(_, evidence)| evidence.silent.is_some()).map(|(index, _)| *index).collect();
    let steps = story.steps.iter().filter(|step| step.track.localised);
    let mut places: Vec<Place> = steps.map(|step| (step.track.position_m.x, step.track.position_m.y)).collect();
    for index in spoke.union(&silent) {
        if let Some(sensor) = story.site.sensors.get(*index) {
            places.push((sensor.model.position_m.x, sensor.model.position_m.y));
        }
    }
    if places.is_empty() {
        places =
            story.site.sensors.iter().map(|sensor| (sensor.model.position_m.x, sensor.model.position_m.y)).collect();
    }
    let mut view = View::around(&places);
    view.sensors(&story.site, &spoke, &silent);
    view.zones(&story.site);
    view.plots(story);
    view.tracks(story);
    view.svg("map: zones, the sensors that spoke, those expected and silent, and the track with its ellipses")
}

/// The ground of a whole log.
pub(super) fn of_night(night: &Night) -> String {
    let spoke: BTreeSet<usize> = night
        .activity
        .iter()
        .enumerate()
        .filter(|(_, activity)| activity.messages > 0)
        .map(|(index, _)| index)
        .collect();
    let sensors = night.site.sensors.iter().map(|sensor| (sensor.model.position_m.x, sensor.model.position_m.y));
    let places: Vec<Place> =
        sensors.chain(night.tracks.values().flat_map(|track| track.path.iter().copied())).collect();
    let mut view = View::around(&places);
    for (index, sensor) in night.site.sensors.iter().enumerate() {
        let place = (sensor.model.position_m.x, sensor.model.position_m.y);
        view.coverage(&sensor.model.coverage, place, if spoke.contains(&index) { "cover" } else { "mute" });
    }
    view.zones(&night.site);
    for track in night.tracks.values() {
        let d = view.chain(track.path.iter().copied());
        view.path("path", &d);
    }
    view.svg("map: zones, sensors and the paths of all confirmed tracks")
}
