//! From the file as typed to the scenario as meant: defaults, ranges, references.

mod sensor;

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use vedette_wire::LoRa;

use super::error::ScenarioError;
use super::typed;
use super::{
    Agent, Attack, Channel, EPOCH, Layout, OwnUnit, River, Road, Scenario, Site, Timestamp, Traffic, Weather, Zone,
    ZoneShape,
};
use crate::geometry::Point;
use crate::radio::AirOptions;

impl Scenario {
    /// Reads and checks a scenario file.
    ///
    /// # Errors
    /// When the file cannot be read or does not make sense; the error says where.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// The scenario of the demonstration, which is built in.
    ///
    /// # Errors
    /// None, as long as the built-in file is the tested one.
    pub fn demo() -> Result<Self, ScenarioError> {
        Self::parse(include_str!("../../../config/scenarios/demo.toml"), Path::new("demo.toml"))
    }

    /// Checks the text of a scenario file; `path` is used in errors only.
    ///
    /// # Errors
    /// When it does not make sense; the error says where.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let file: typed::File = toml::from_str(text).map_err(|error| ScenarioError::Syntax {
            path: path.to_owned(),
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        Place { text, path }.scenario(file)
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The file, to point into.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
}

/// A table of the file, to point at its keys.
struct Table<'a> {
    place: &'a Place<'a>,
    span: Range<usize>,
}

impl Table<'_> {
    fn error(&self, key: &str, expected: impl Into<String>, got: impl Display) -> ScenarioError {
        ScenarioError::Value {
            path: self.place.path.to_owned(),
            line: self.line_of(key),
            key: key.to_owned(),
            expected: expected.into(),
            got: got.to_string(),
        }
    }

    /// The line of the key in the table, or else the line of the table's head.
    fn line_of(&self, key: &str) -> usize {
        let head = line_at(self.place.text, self.span.start);
        for (line, content) in (head..).zip(self.place.text.lines().skip(head - 1)) {
            if line > head && content.starts_with('[') {
                break;
            }
            if content.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.'])) {
                return line;
            }
        }
        head
    }

    fn probability(&self, key: &str, value: f64) -> Result<f64, ScenarioError> {
        if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(self.error(key, "a probability, 0 to 1", value)) }
    }

    fn positive(&self, key: &str, value: f64) -> Result<f64, ScenarioError> {
        if value > 0.0 && value.is_finite() { Ok(value) } else { Err(self.error(key, "a number above 0", value)) }
    }

    fn not_negative(&self, key: &str, value: f64) -> Result<f64, ScenarioError> {
        if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(self.error(key, "a number of 0 or more", value)) }
    }

    fn range(&self, key: &str, [low, high]: [f64; 2]) -> Result<[f64; 2], ScenarioError> {
        if low >= 0.0 && low <= high && high.is_finite() {
            Ok([low, high])
        } else {
            Err(self.error(key, "a range [low, high] with 0 <= low <= high", format!("[{low}, {high}]")))
        }
    }

    fn at_least(&self, key: &str, least: usize, points: Vec<Point>) -> Result<Vec<Point>, ScenarioError> {
        if points.len() >= least && points.iter().flatten().all(|value| value.is_finite()) {
            Ok(points)
        } else {
            Err(self.error(key, format!("{least} finite points or more"), points.len()))
        }
    }
}

impl Place<'_> {
    fn table<T>(&self, spanned: Spanned<T>) -> (Table<'_>, T) {
        (Table { place: self, span: spanned.span() }, spanned.into_inner())
    }

    fn scenario(&self, file: typed::File) -> Result<Scenario, ScenarioError> {
        let (table, header) = self.table(file.scenario);
        let begins = header.begins.map_or(EPOCH, |begins| Timestamp::from_micros(begins.as_microsecond()));
        if begins < EPOCH {
            return Err(table.error("begins", "2026-03-01T00:00:00Z or later", begins.as_micros()));
        }
        let duration_s = table.positive("duration_s", header.duration_s)?;
        let (_, site) = self.table(file.site);
        let zones = file.zone.into_iter().map(|zone| self.zone(zone)).collect::<Result<_, _>>()?;
        let agents: Vec<Agent> = file.agent.into_iter().map(|agent| self.agent(agent)).collect::<Result<_, _>>()?;
        let weather = self.weather(file.weather)?;
        let forests = file.forest.into_iter().map(|forest| self.forest(forest)).collect::<Result<_, _>>()?;
        let rivers = file.river.into_iter().map(|river| self.river(river)).collect::<Result<_, _>>()?;
        let roads = file.road.into_iter().map(|road| self.road(road)).collect::<Result<_, _>>()?;
        let attacks = file.attack.into_iter().map(|attack| self.attack(attack)).collect::<Result<_, _>>()?;
        let traffic = file.traffic.into_iter().map(|traffic| self.traffic(traffic)).collect::<Result<_, _>>()?;
        Ok(Scenario {
            name: header.name,
            summary: header.summary,
            layout: Layout {
                begins,
                duration_s,
                site: Site { id: site.id, lat: site.origin.lat, lon: site.origin.lon, timezone: site.timezone },
                zones,
                sensors: self.sensors(file.sensor)?,
                units: agents
                    .iter()
                    .filter_map(|agent| Some(OwnUnit { id: agent.unit.clone()?, people: agent.count }))
                    .collect(),
                weather,
                forests,
                rivers,
                roads,
            },
            agents,
            traffic,
            attacks,
            power_lost_s: header.power_lost_s,
            expect: file.expect,
            air: self.air(file.channel.radio.as_ref())?,
            radio: self.channel(file.channel.radio)?,
            broker: self.channel(file.channel.broker)?,
        })
    }

    fn channel(&self, channel: Option<Spanned<typed::Channel>>) -> Result<Channel, ScenarioError> {
        let (table, typed) = match channel {
            Some(channel) => self.table(channel),
            None => (Table { place: self, span: 0..0 }, typed::Channel::default()),
        };
        Ok(Channel {
            loss: table.probability("loss", typed.loss)?,
            delay_s: table.range("delay_s", typed.delay_s)?,
            clock_offset_sd_s: table.not_negative("clock_offset_sd_s", typed.clock_offset_sd_s)?,
            clock_drift_sd_ppm: table.not_negative("clock_drift_sd_ppm", typed.clock_drift_sd_ppm)?,
            duplicated: table.probability("duplicated", typed.duplicated)?,
            corrupted: table.probability("corrupted", typed.corrupted)?,
            outages_s: typed
                .outages_s
                .into_iter()
                .map(|outage| table.range("outages_s", outage))
                .collect::<Result<_, _>>()?,
        })
    }

    fn air(&self, channel: Option<&Spanned<typed::Channel>>) -> Result<AirOptions, ScenarioError> {
        let Some(channel) = channel else { return Ok(AirOptions::default()) };
        let table = Table { place: self, span: channel.span() };
        let typed = channel.get_ref();
        if !(7..=12).contains(&typed.spreading_factor) {
            return Err(table.error("spreading_factor", "7 to 12", typed.spreading_factor));
        }
        if typed.channels == 0 {
            return Err(table.error("channels", "1 or more", 0));
        }
        let defaults = AirOptions::default();
        let lora = LoRa { spreading_factor: typed.spreading_factor, ..defaults.lora };
        Ok(AirOptions { lora, channels: typed.channels, loss: typed.loss, ..defaults })
    }

    fn weather(&self, typed: Vec<Spanned<Weather>>) -> Result<Vec<Weather>, ScenarioError> {
        let mut weather: Vec<Weather> = Vec::with_capacity(typed.len());
        for point in typed {
            let (table, point) = self.table(point);
            if weather.last().is_some_and(|last| last.at_s >= point.at_s) {
                return Err(table.error("at_s", "a time after the one before", point.at_s));
            }
            table.not_negative("wind_mps", point.wind_mps)?;
            table.not_negative("rain_mmph", point.rain_mmph)?;
            table.positive("visibility_m", point.visibility_m)?;
            table.not_negative("wildlife", point.wildlife)?;
            weather.push(point);
        }
        Ok(weather)
    }

    fn forest(&self, forest: Spanned<typed::Forest>) -> Result<Vec<Point>, ScenarioError> {
        let (table, forest) = self.table(forest);
        table.at_least("points_m", 3, forest.points_m)
    }

    fn river(&self, river: Spanned<River>) -> Result<River, ScenarioError> {
        let (table, river) = self.table(river);
        Ok(River {
            line_m: table.at_least("line_m", 2, river.line_m)?,
            width_m: table.positive("width_m", river.width_m)?,
        })
    }

    fn road(&self, road: Spanned<Road>) -> Result<Road, ScenarioError> {
        let (table, road) = self.table(road);
        table.positive("speed_mps", road.speed_mps[0])?;
        Ok(Road {
            line_m: table.at_least("line_m", 2, road.line_m)?,
            vehicles_per_hour: table.not_negative("vehicles_per_hour", road.vehicles_per_hour)?,
            speed_mps: table.range("speed_mps", road.speed_mps)?,
        })
    }

    fn attack(&self, attack: Spanned<Attack>) -> Result<Attack, ScenarioError> {
        let (table, attack) = self.table(attack);
        table.not_negative("at_s", attack.at_s)?;
        Ok(attack)
    }

    fn traffic(&self, traffic: Spanned<Traffic>) -> Result<Traffic, ScenarioError> {
        let (table, traffic) = self.table(traffic);
        table.not_negative("per_hour", traffic.per_hour)?;
        table.range("speed_mps", traffic.speed_mps)?;
        table.positive("speed_mps", traffic.speed_mps[0])?;
        if traffic.count[0] == 0 || traffic.count[0] > traffic.count[1] {
            return Err(table.error("count", "[least, greatest] from 1 on", traffic.count[0]));
        }
        Ok(traffic)
    }

    fn zone(&self, zone: Spanned<typed::Zone>) -> Result<Zone, ScenarioError> {
        let (table, zone) = self.table(zone);
        let shape = match (zone.line_m, zone.points_m) {
            (Some(line), None) => ZoneShape::Line(table.at_least("line_m", 2, line)?),
            (None, Some(corners)) => ZoneShape::Polygon(table.at_least("points_m", 3, corners)?),
            _ => return Err(table.error("zone", "either line_m or points_m", "both or none")),
        };
        Ok(Zone { name: zone.name, kind: zone.kind, direction: zone.direction, shape })
    }

    fn agent(&self, agent: Spanned<typed::Agent>) -> Result<Agent, ScenarioError> {
        let (table, agent) = self.table(agent);
        if agent.count == 0 {
            return Err(table.error("count", "1 or more", 0));
        }
        table.positive("speed_mps", agent.speed_mps[0])?;
        Ok(Agent {
            kind: agent.kind,
            count: agent.count,
            spacing_m: table.not_negative("spacing_m", agent.spacing_m)?,
            start_s: table.range("start_s", agent.start_s)?,
            speed_mps: table.range("speed_mps", agent.speed_mps)?,
            route_m: table.at_least("route_m", 2, agent.route_m)?,
            route_sd_m: table.not_negative("route_sd_m", agent.route_sd_m)?,
            wander_m: table.not_negative("wander_m", agent.wander_m)?,
            unit: agent.unit,
            position_every_s: table.positive("position_every_s", agent.position_every_s)?,
        })
    }
}
