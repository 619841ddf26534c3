//! The tables as typed in TOML, and the conversion of the smallest of them.
//!
//! No `flatten` and no untagged enums: both turn a typing error into a message about no line in particular. Where a
//! table can be written in several ways, its keys are optional and the conversion says which of them contradict.

use jiff::tz::TimeZone;
use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::SensorKind;

use super::check::Checker;
use super::schedule::ScheduleTable;
use super::uplink::UplinkTable;
use super::zone::{Class, ZoneDirection, ZoneKind};
use crate::Severity;
use crate::camera::CameraTable;
use crate::geo::SiteFrame;

/// The place a gateway stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTable {
    /// Name of the gateway: MQTT client id and topic level.
    pub id: String,
    /// Origin of the site frame.
    pub origin: LatLon,
    /// IANA time zone of schedules and texts; UTC when absent.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Everything here is an exercise: only inputs that say that they are simulated are taken, and every alert says so.
    #[serde(default)]
    pub exercise: bool,
}

/// WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatLon {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

/// A place, either in the site frame or on the globe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceTable {
    /// East of the origin, metres.
    #[serde(default)]
    pub east_m: Option<f64>,
    /// North of the origin, metres.
    #[serde(default)]
    pub north_m: Option<f64>,
    /// Latitude, WGS 84, degrees.
    #[serde(default)]
    pub lat: Option<f64>,
    /// Longitude, WGS 84, degrees.
    #[serde(default)]
    pub lon: Option<f64>,
}

/// One sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorTable {
    /// Name, as it stands in its messages.
    pub id: String,
    /// Its physical kind.
    pub kind: SensorKind,
    /// Whether it moves; its messages then say where it stood.
    #[serde(default)]
    pub mobile: bool,
    /// Number of the radio node that carries it.
    #[serde(default)]
    pub node: Option<u32>,
    /// Its names in other systems: a camera's name, a device's EUI, `model:id`, `!a1b2c3d4`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// How a camera sees; without it, it is level and looks along its coverage's sector.
    #[serde(default)]
    pub camera: Option<CameraTable>,
    /// What the fields of a LoRaWAN detector's uplinks mean.
    #[serde(default)]
    pub uplink: Option<UplinkTable>,
    /// How the bearings of a SAPIENT node lie that do not count from true north.
    #[serde(default)]
    pub sapient: Option<BearingTable>,
    /// Where it stands; optional for a line or a polygon.
    #[serde(default)]
    pub position: Option<PlaceTable>,
    /// The ground it observes.
    #[serde(default)]
    pub coverage: Option<CoverageTable>,
    /// Time between two scans.
    #[serde(default)]
    pub scan_period_s: Option<f64>,
    /// Whether scans without plots are reported too.
    #[serde(default)]
    pub reports_empty_scans: Option<bool>,
    /// Probability of detection: per scan; for PIR and seismic per second inside; for a tripwire per crossing.
    #[serde(default)]
    pub detection_probability: Option<f64>,
    /// Expected false plots in one scan.
    #[serde(default)]
    pub clutter_per_scan: Option<f64>,
    /// Expected false reports in one hour.
    #[serde(default)]
    pub false_alarms_per_hour: Option<f64>,
    /// Time after a report in which it cannot report again.
    #[serde(default)]
    pub rearm_s: Option<f64>,
    /// Standard deviation of a position, per axis.
    #[serde(default)]
    pub position_sd_m: Option<f64>,
    /// Standard deviation of a range.
    #[serde(default)]
    pub range_sd_m: Option<f64>,
    /// Standard deviation of a bearing.
    #[serde(default)]
    pub azimuth_sd_deg: Option<f64>,
    /// Standard deviation of a range rate.
    #[serde(default)]
    pub range_rate_sd_mps: Option<f64>,
    /// Usual time from measurement to arrival.
    #[serde(default)]
    pub latency_s: Option<f64>,
    /// How old what a plot shows is at the time it is stamped with.
    #[serde(default)]
    pub plot_age_s: Option<f64>,
    /// Time in which its errors stay alike.
    #[serde(default)]
    pub error_correlation_s: Option<f64>,
    /// Whether its plots may begin tracks.
    #[serde(default)]
    pub initiates: Option<bool>,
    /// How long it may be silent before that is an alert.
    #[serde(default)]
    pub silent_after_s: Option<f64>,
    /// Battery voltage below which it is an alert.
    #[serde(default)]
    pub battery_low_mv: Option<u16>,
    /// What it reports are calls for help, of a distress beacon or a button, and nobody's movement.
    #[serde(default)]
    pub distress: bool,
}

/// How bearings lie that do not count from true north.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BearingTable {
    /// Magnetic north, degrees clockwise from true north.
    #[serde(default)]
    pub magnetic_declination_deg: Option<f64>,
    /// Front of the platform, degrees clockwise from true north.
    #[serde(default)]
    pub platform_heading_deg: Option<f64>,
}

/// The shape of a coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A disc around the sensor: `radius_m`.
    Circle,
    /// A ring sector around the sensor: `range_m`, `min_range_m`, `heading_deg`, `width_deg`.
    Sector,
    /// A polygon in the site frame: `points_m`.
    Polygon,
    /// A segment in the site frame: `from_m`, `to_m`.
    Line,
}

/// The ground a sensor observes; which keys are needed depends on `shape`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageTable {
    /// Its shape.
    pub shape: Shape,
    /// Radius of a circle.
    #[serde(default)]
    pub radius_m: Option<f64>,
    /// Outer radius of a sector.
    #[serde(default)]
    pub range_m: Option<f64>,
    /// Inner radius of a sector; 0 when absent.
    #[serde(default)]
    pub min_range_m: Option<f64>,
    /// Direction of a sector's middle, degrees clockwise from true north.
    #[serde(default)]
    pub heading_deg: Option<f64>,
    /// Full opening angle of a sector, degrees.
    #[serde(default)]
    pub width_deg: Option<f64>,
    /// Corners of a polygon in order, `[east, north]`.
    #[serde(default)]
    pub points_m: Option<Vec<[f64; 2]>>,
    /// Start of a line, `[east, north]`.
    #[serde(default)]
    pub from_m: Option<[f64; 2]>,
    /// End of a line, `[east, north]`.
    #[serde(default)]
    pub to_m: Option<[f64; 2]>,
}

/// One zone or line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneTable {
    /// Name, as operators call the place.
    pub name: String,
    /// What it is for.
    pub kind: ZoneKind,
    /// Corners in order, `[east, north]` in the site frame.
    #[serde(default)]
    pub points_m: Option<Vec<[f64; 2]>>,
    /// Points of a line in order, `[east, north]`; "in" is from its left to its right.
    #[serde(default)]
    pub line_m: Option<Vec<[f64; 2]>>,
    /// Corners in order, latitude and longitude, instead of `points_m`.
    #[serde(default)]
    pub points_lat_lon: Option<Vec<[f64; 2]>>,
    /// Points of a line in order, latitude and longitude, instead of `line_m`.
    #[serde(default)]
    pub line_lat_lon: Option<Vec<[f64; 2]>>,
    /// Which crossings of a border matter; both when absent.
    #[serde(default)]
    pub direction: Option<ZoneDirection>,
    /// When the zone counts; always when absent.
    #[serde(default)]
    pub schedule: Vec<ScheduleTable>,
    /// Which classes matter; all when absent.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// Severity of its alerts, instead of the kind's own.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Existence a track needs before it counts here, instead of `[rules] min_existence`.
    #[serde(default)]
    pub min_existence: Option<f64>,
    /// Confidence below which movement raises no alert here; none: any.
    #[serde(default)]
    pub min_confidence: Option<f64>,
    /// Stay after which it is loitering, instead of `[rules] loiter_after_s`; 0 switches loitering off here.
    #[serde(default)]
    pub loiter_after_s: Option<f64>,
    /// Time inside before that is an entry, instead of `[rules] entry_hold_s`.
    #[serde(default)]
    pub entry_hold_s: Option<f64>,
    /// Movement towards this border lasts so long before it is an approach, instead of `[rules] approach_hold_s`.
    #[serde(default)]
    pub approach_hold_s: Option<f64>,
    /// Stay here before that is a possible need of help, instead of the hold times of `[rules]` for such ground.
    #[serde(default)]
    pub help_after_s: Option<f64>,
    /// A vehicle that stands so long here is told of, instead of `[rules] vehicle_stop_s`; 0: never here.
    #[serde(default)]
    pub vehicle_stop_s: Option<f64>,
    /// Where people come in: so many times as many as out of ground of the same width that nobody watches; 1 when absent.
    #[serde(default)]
    pub arrivals: Option<f64>,
    /// Where people come in: the way they walk then, clockwise from north; any when absent.
    #[serde(default)]
    pub heading_deg: Option<f64>,
}

impl SiteTable {
    pub(super) fn resolve_origin(&self, check: &mut Checker<'_>) -> SiteFrame {
        let mut origin = check.table("origin");
        // The frame's axes lose their meaning near the poles.
        let lat = origin.number("lat", self.origin.lat, -85.0, 85.0);
        let lon = origin.number("lon", self.origin.lon, -180.0, 180.0);
        SiteFrame::new(lat, lon)
    }

    pub(super) fn resolve_timezone(&self, check: &mut Checker<'_>) -> TimeZone {
        let Some(name) = &self.timezone else { return TimeZone::UTC };
        TimeZone::get(name).unwrap_or_else(|_| {
            let fix = "write for example timezone = \"Europe/Warsaw\"";
            check.fault("timezone", "an IANA time zone", &format!("\"{}\"", name.escape_debug()), Some(fix));
            TimeZone::UTC
        })
    }
}

impl PlaceTable {
    /// The place in the site frame.
    pub(super) fn resolve(&self, frame: &SiteFrame, check: &mut Checker<'_>) -> Vector2<f64> {
        const FIX: &str = "write { east_m = 120.0, north_m = 40.0 } or { lat = 52.01, lon = 23.62 }";
        match (self.east_m, self.north_m, self.lat, self.lon) {
            (Some(east_m), Some(north_m), None, None) => {
                let bound = SiteFrame::MAX_DISTANCE_M;
                Vector2::new(
                    check.number("east_m", east_m, -bound, bound),
                    check.number("north_m", north_m, -bound, bound),
                )
            }
            (None, None, Some(lat), Some(lon)) => {
                check.number("lat", lat, -90.0, 90.0);
                check.number("lon", lon, -180.0, 180.0);
                frame.to_site(lat, lon).unwrap_or_else(|| {
                    check.fault("lat", "a place within 200 km of the site's origin", &format!("{lat}, {lon}"), None);
                    Vector2::zeros()
                })
            }
            (None, None, None, None) => {
                check.missing("east_m", "a place", FIX);
                Vector2::zeros()
            }
            (Some(_), None, None, None) => {
                check.missing("north_m", "a number beside east_m", FIX);
                Vector2::zeros()
            }
            (None, Some(_), None, None) => {
                check.missing("east_m", "a number beside north_m", FIX);
                Vector2::zeros()
            }
            (None, None, Some(_), None) => {
                check.missing("lon", "a number beside lat", FIX);
                Vector2::zeros()
            }
            (None, None, None, Some(_)) => {
                check.missing("lat", "a number beside lon", FIX);
                Vector2::zeros()
            }
            _ => {
                check.fault("lat", "either east_m and north_m, or lat and lon", "a mixture of both", Some(FIX));
                Vector2::zeros()
            }
        }
    }
}
