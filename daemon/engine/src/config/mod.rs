//! The part of the configuration the engine works with: tables as typed in TOML, and the one conversion into what is meant.
//!
//! The `*Table` structs hold what a person typed; unknown keys are errors there. [`EngineConfig::resolve`] checks them
//! once and makes a [`Site`]; after that nothing is checked again. Faults name their place by a path of keys, which
//! whoever holds the text can turn into a line.

mod check;
mod rules;
mod schedule;
mod sensor;
mod tables;
mod unit;
mod uplink;
mod weather;
mod zone;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use vedette_tracker::{EntryZone, ModelError, Tracker};

pub use check::ConfigFault;
pub use rules::{AlignTable, RulesTable};
pub use schedule::{Schedule, ScheduleTable, Weekday};
pub use sensor::Sensor;
pub use tables::{BearingTable, CoverageTable, LatLon, PlaceTable, SensorTable, Shape, SiteTable, ZoneTable};
pub use unit::{Unit, UnitTable};
pub use uplink::{Uplink, UplinkTable};
pub use vedette_tracker::TrackerConfig;
pub use weather::WeatherTable;
pub use zone::{Class, Ground, Zone, ZoneDirection, ZoneKind};

use crate::Mode;
use crate::codec::{Quiet, codec_named};
use crate::geo::SiteFrame;
pub(crate) use check::Checker;

/// Site, sensors, zones and settings as typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// The site.
    pub site: SiteTable,
    /// The sensors; their order is the index order of everything that names a sensor by number.
    #[serde(default)]
    pub sensor: Vec<SensorTable>,
    /// Zones and lines.
    #[serde(default)]
    pub zone: Vec<ZoneTable>,
    /// Own units, whose positions explain tracks.
    #[serde(default)]
    pub unit: Vec<UnitTable>,
    /// The weather station, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<WeatherTable>,
    /// Filter settings.
    #[serde(default)]
    pub tracker: TrackerConfig,
    /// How long scans wait for each other.
    #[serde(default)]
    pub align: AlignTable,
    /// When alerts are raised, updated and closed.
    #[serde(default)]
    pub rules: RulesTable,
    /// Formats that the sources deliver, as the gateway knows them; empty when nobody does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<String>,
}

/// What the configuration means; every value in range, every angle in radians of the site frame.
#[derive(Clone, Debug)]
pub struct Site {
    /// Name of the gateway.
    pub id: String,
    /// Its frame: east and north metres around the origin.
    pub frame: SiteFrame,
    /// Time zone of schedules and texts.
    pub timezone: TimeZone,
    /// What inputs are and alerts become: [`Mode::Actual`] or [`Mode::Exercise`].
    pub mode: Mode,
    /// The sensors, in configured order.
    pub sensors: Vec<Sensor>,
    /// The zones, in configured order.
    pub zones: Vec<Zone>,
    /// The own units, in configured order.
    pub units: Vec<Unit>,
    /// The weather station, where there is one.
    pub weather: Option<WeatherTable>,
    /// Filter settings.
    pub tracker: TrackerConfig,
    /// How long scans wait for each other.
    pub align: AlignTable,
    /// When alerts are raised, updated and closed.
    pub rules: RulesTable,
    /// Some sensors may come by a format that tells of events alone.
    pub events_alone: bool,
    by_id: BTreeMap<String, usize>,
    by_node: BTreeMap<u32, Vec<usize>>,
}

impl EngineConfig {
    /// Checks everything and converts it into what is meant.
    ///
    /// # Errors
    /// All faults at once, in the order of the tables.
    pub fn resolve(&self) -> Result<Site, Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let mut check = Checker::new(&mut faults);
        let frame = self.site.resolve_origin(&mut check.table("site"));
        let timezone = self.site.resolve_timezone(&mut check.table("site"));
        check.table("site").name("id", &self.site.id);
        let sensors = sensor::resolve_all(&self.sensor, &frame, &mut check);
        let zones = zone::resolve_all(&self.zone, &frame, &mut check);
        unit::check_all(&self.unit, &self.sensor, &mut check);
        if let Some(weather) = &self.weather {
            weather.check(&mut check.table("weather"));
        }
        self.align.check(&mut check.table("align"));
        self.rules.check(&mut check.table("rules"));
        if !faults.is_empty() {
            return Err(faults);
        }
        let models = sensors.iter().map(|sensor| &sensor.model);
        Tracker::check(&self.tracker, models).map_err(|error| vec![model_fault(&error, &sensors)])?;
        let mut by_id: BTreeMap<String, usize> =
            sensors.iter().enumerate().map(|(index, sensor)| (sensor.model.id.clone(), index)).collect();
        for (index, table) in self.sensor.iter().enumerate() {
            for alias in &table.aliases {
                by_id.entry(alias.clone()).or_insert(index);
            }
        }
        let mut by_node = BTreeMap::<u32, Vec<usize>>::new();
        for (index, sensor) in sensors.iter().enumerate() {
            if let Some(node) = sensor.node {
                by_node.entry(node).or_default().push(index);
            }
        }
        let units = self.unit.clone();
        let tells_all = |name: &String| codec_named(name).is_some_and(|codec| codec.quiet == Quiet::Told);
        let events_alone = self.formats.is_empty() || !self.formats.iter().all(tells_all);
        let (tracker, align, rules) = (self.tracker.clone(), self.align.clone(), self.rules.clone());
        Ok(Site {
            id: self.site.id.clone(),
            frame,
            mode: if self.site.exercise { Mode::Exercise } else { Mode::Actual },
            timezone,
            sensors,
            zones,
            units,
            weather: self.weather.clone(),
            tracker,
            align,
            rules,
            events_alone,
            by_id,
            by_node,
        })
    }

    /// All faults at once; none when [`Self::resolve`] succeeds.
    #[must_use]
    pub fn faults(&self) -> Vec<ConfigFault> {
        self.resolve().err().unwrap_or_default()
    }
}

impl Site {
    /// Index of the sensor with this name or alias.
    #[must_use]
    pub fn sensor_named(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Where people come in inside the watched ground.
    pub(crate) fn entries(&self) -> Vec<EntryZone> {
        self.zones.iter().filter_map(|zone| zone.entry.clone()).collect()
    }

    /// Index of the own unit with this name or alias.
    #[must_use]
    pub fn unit_named(&self, name: &str) -> Option<usize> {
        self.units.iter().position(|unit| unit.id == name || unit.aliases.iter().any(|alias| alias == name))
    }

    /// Whether this is the name or an alias of the weather station.
    #[must_use]
    pub fn is_weather_station(&self, name: &str) -> bool {
        let is_named = |station: &WeatherTable| station.id == name || station.aliases.iter().any(|alias| alias == name);
        self.weather.as_ref().is_some_and(is_named)
    }

    /// Index of the own unit that carries this radio node.
    #[must_use]
    pub fn unit_of_node(&self, node: u32) -> Option<usize> {
        self.units.iter().position(|unit| unit.node == Some(node))
    }

    /// Indices of the sensors that a radio node carries.
    #[must_use]
    pub fn sensors_of_node(&self, node: u32) -> &[usize] {
        self.by_node.get(&node).map_or(&[], Vec::as_slice)
    }
}

/// What the filter says about a model, in the words of the configuration.
fn model_fault(error: &ModelError, sensors: &[Sensor]) -> ConfigFault {
    let ModelError::OutOfRange { what, whose, got, expected } = error;
    let mut path = match sensors.iter().position(|sensor| sensor.model.id == *whose) {
        Some(index) => vec!["sensor".to_owned(), index.to_string()],
        None => vec!["tracker".to_owned()],
    };
    path.push((*what).to_owned());
    ConfigFault { path, expected: (*expected).to_owned(), got: got.to_string(), fix: None }
}
