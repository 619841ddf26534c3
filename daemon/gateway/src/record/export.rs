//! A recording's tables in the forms that other tools read.
//!
//! | | JSONL | CSV | GeoJSON |
//! |---|---|---|---|
//! | detections | the native messages as `vedette replay` reads them | a row for each plot | |
//! | alerts | as they went to the centre, byte for byte | a row for each revision | a point for each, its last revision |
//! | tracks | a line for each track and second | the same as rows | a line string for each, a point where there is but one |

use std::collections::{BTreeMap, btree_map};
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Alert, FrameContent, Input, Place, Timestamp};

use super::info::timestamp;
use super::messages::{Entry, Message, Messages};
use super::topic;

/// Keys of a plot that become columns, in this order.
const PLOT_COLUMNS: [&str; 15] = [
    "kind",
    "east_m",
    "north_m",
    "lat",
    "lon",
    "range_m",
    "azimuth_deg",
    "range_rate_mps",
    "strength",
    "direction",
    "confidence",
    "sd_m",
    "range_sd_m",
    "azimuth_sd_deg",
    "range_rate_sd_mps",
];

/// Which part of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// What sensors reported, as far as it came in the native format.
    Detections,
    /// Every revision of every alert.
    Alerts,
    /// The confirmed tracks, about once a second.
    Tracks,
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a head line (RFC 4180).
    Csv,
    /// One GeoJSON feature collection (RFC 7946).
    GeoJson,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Lines, rows or features.
    pub rows: u64,
    /// Messages that this form cannot hold: radio frames and foreign formats among the detections.
    pub left_out: u64,
    /// Why the rest of the file could not be read.
    pub torn: Option<String>,
}

/// Why nothing, or not all, was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Detections have no place of their own.
    #[error("detections as GeoJSON: expected alerts or tracks, for most detections are no points on a map")]
    NoMap,
    /// The result could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// A message is not what its topic promises.
    #[error("message {sequence} on {topic}: {error}")]
    Message {
        /// The topic.
        topic: String,
        /// The message's number.
        sequence: u32,
        /// What is wrong with it.
        error: String,
    },
}

/// Writes one table of the recording `source` to `out`.
///
/// # Errors
/// When `out` cannot be written or a message is not what its topic promises.
pub fn export(source: impl Read, table: Table, form: Form, out: &mut impl Write) -> Result<Exported, ExportError> {
    if (table, form) == (Table::Detections, Form::GeoJson) {
        return Err(ExportError::NoMap);
    }
    let wanted = match table {
        Table::Detections => topic::INPUT,
        Table::Alerts => topic::ALERT,
        Table::Tracks => topic::TRACK_MAP,
    };
    let mut sheet = Sheet { form, out, done: Exported::default(), map: BTreeMap::new() };
    sheet.head(table)?;
    let mut messages = Messages::new(source);
    for entry in messages.by_ref() {
        let Entry::Message(message) = entry else { continue };
        if message.channel.topic != wanted {
            continue;
        }
        let written = match table {
            Table::Detections => sheet.detections(&message),
            Table::Alerts => sheet.alert(&message),
            Table::Tracks => sheet.tracks(&message),
        };
        written.map_err(|fault| match fault {
            Fault::Write(error) => ExportError::Write(error),
            Fault::Message(error) => {
                ExportError::Message { topic: message.channel.topic.clone(), sequence: message.sequence, error }
            }
        })?;
    }
    sheet.foot()?;
    sheet.done.torn = messages.torn().map(str::to_owned);
    Ok(sheet.done)
}

enum Fault {
    Write(io::Error),
    Message(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

fn unreadable(error: &impl ToString) -> Fault {
    Fault::Message(error.to_string())
}

/// One point of a track, as the recording's map message has it.
#[derive(Serialize)]
struct TrackRow<'a> {
    t: String,
    track: &'a Value,
    lat: &'a Value,
    lon: &'a Value,
    existence: &'a Value,
    speed_mps: &'a Value,
    class: &'a Value,
}

#[derive(Deserialize)]
struct MapMessage {
    geojson: String,
}

/// The result while it grows.
struct Sheet<'a, W> {
    form: Form,
    out: &'a mut W,
    done: Exported,
    /// Features by track or alert, for GeoJSON.
    map: BTreeMap<String, Value>,
}

impl<W: Write> Sheet<'_, W> {
    fn head(&mut self, table: Table) -> io::Result<()> {
        if self.form != Form::Csv {
            return Ok(());
        }
        let head = match table {
            Table::Detections => format!("received,t,sensor,seq,{}", PLOT_COLUMNS.join(",")),
            Table::Alerts => "written,id,rev,state,severity,kind,zone,lat,lon,major_m,minor_m,orientation_deg,confidence,first_seen,last_seen,text".to_owned(),
            Table::Tracks => "t,track,lat,lon,existence,speed_mps,person,animal,vehicle".to_owned(),
        };
        writeln!(self.out, "{head}")
    }

    fn foot(&mut self) -> io::Result<()> {
        if self.form != Form::GeoJson {
            return Ok(());
        }
        let features: Vec<&Value> = self.map.values().collect();
        self.done.rows = features.len() as u64;
        serde_json::to_writer(&mut *self.out, &json!({"type": "FeatureCollection", "features": features}))?;
        self.out.write_all(b"\n")
    }

    fn detections(&mut self, message: &Message) -> Result<(), Fault> {
        let (_, input): (Timestamp, Input) =
            rmp_serde::from_slice(&message.data).map_err(|error| unreadable(&error))?;
        let Input::Frame(frame) = input else { return Ok(()) };
        let native = match frame.content {
            FrameContent::Message { codec, bytes, .. } if codec == "native" => bytes,
            FrameContent::Message { .. } | FrameContent::Radio(_) => {
                self.done.left_out += 1;
                return Ok(());
            }
        };
        // A native message that is not even an object cannot carry the time of its reception.
        let Ok(Value::Object(mut line)) = serde_json::from_slice::<Value>(&native) else {
            self.done.left_out += 1;
            return Ok(());
        };
        line.insert("received".to_owned(), format_rfc3339(frame.received).into());
        if self.form == Form::Jsonl {
            return self.line(&line);
        }
        let own = ["received", "t", "sensor", "seq"].map(|key| cell(line.get(key)));
        for plot in line.get("plots").and_then(Value::as_array).into_iter().flatten() {
            self.row(own.iter().cloned().chain(PLOT_COLUMNS.iter().map(|key| cell(plot.get(key)))))?;
        }
        Ok(())
    }

    fn alert(&mut self, message: &Message) -> Result<(), Fault> {
        if self.form == Form::Jsonl {
            self.done.rows += 1;
            self.out.write_all(&message.data)?;
            return Ok(self.out.write_all(b"\n")?);
        }
        let alert: Alert = serde_json::from_slice(&message.data).map_err(|error| unreadable(&error))?;
        if self.form == Form::GeoJson {
            if let Some(Place::Point { lat, lon, .. }) = &alert.place {
                let point = json!({"type": "Point", "coordinates": [lon, lat]});
                let feature = json!({"type": "Feature", "geometry": point, "properties": alert});
                self.map.insert(alert.id.clone(), feature);
            }
            return Ok(());
        }
        let value = serde_json::to_value(&alert).map_err(|error| unreadable(&error))?;
        let point = &value["place"]["point"];
        let ellipse = &point["ellipse"];
        let state = value["state"].as_object().and_then(|state| state.keys().next().cloned());
        let cells = [
            format_rfc3339(timestamp(message.log_time_ns)),
            alert.id.clone(),
            alert.rev.to_string(),
            state.unwrap_or_else(|| cell(Some(&value["state"]))),
            cell(Some(&value["severity"])),
            cell(Some(&value["kind"])),
            alert.zone.clone().unwrap_or_default(),
            cell(point.get("lat")),
            cell(point.get("lon")),
            cell(ellipse.get("major_m")),
            cell(ellipse.get("minor_m")),
            cell(ellipse.get("orientation_deg")),
            alert.confidence.to_string(),
            format_rfc3339(alert.first_seen),
            format_rfc3339(alert.last_seen),
            alert.text.clone(),
        ];
        self.row(cells.into_iter())
    }

    fn tracks(&mut self, message: &Message) -> Result<(), Fault> {
        let map: MapMessage = serde_json::from_slice(&message.data).map_err(|error| unreadable(&error))?;
        let map: Value = serde_json::from_str(&map.geojson).map_err(|error| unreadable(&error))?;
        let t = format_rfc3339(timestamp(message.log_time_ns));
        for feature in map["features"].as_array().into_iter().flatten() {
            let (properties, place) = (&feature["properties"], &feature["geometry"]["coordinates"]);
            match self.form {
                Form::Jsonl => self.line(&TrackRow {
                    t: t.clone(),
                    track: &properties["track"],
                    lat: &place[1],
                    lon: &place[0],
                    existence: &properties["existence"],
                    speed_mps: &properties["speed_mps"],
                    class: &properties["class"],
                })?,
                Form::Csv => {
                    let class = &properties["class"];
                    let of_track = ["track", "existence", "speed_mps"].map(|key| cell(properties.get(key)));
                    let [track, existence, speed] = of_track;
                    let classes = ["person", "animal", "vehicle"].map(|key| cell(class.get(key)));
                    let cells = [t.clone(), track, cell(place.get(1)), cell(place.get(0)), existence, speed];
                    self.row(cells.into_iter().chain(classes))?;
                }
                Form::GeoJson => self.lengthen(&t, &properties["track"], place),
            }
        }
        Ok(())
    }

    /// Adds a point to a track's line. A line has two points at least (RFC 7946, section 3.1.4): until then it is a point.
    fn lengthen(&mut self, t: &str, track: &Value, place: &Value) {
        let entry = self.map.entry(format!("{:>20}", track.to_string()));
        let btree_map::Entry::Occupied(mut line) = entry else {
            let properties = json!({"track": track, "from": t, "to": t, "times": [t]});
            let point = json!({"type": "Point", "coordinates": place});
            entry.or_insert(json!({"type": "Feature", "geometry": point, "properties": properties}));
            return;
        };
        let line = line.get_mut();
        line["properties"]["to"] = t.into();
        if line["geometry"]["type"] == "Point" {
            let first = line["geometry"]["coordinates"].take();
            line["geometry"] = json!({"type": "LineString", "coordinates": [first]});
        }
        for (list, value) in [("/geometry/coordinates", place.clone()), ("/properties/times", t.into())] {
            if let Some(Value::Array(values)) = line.pointer_mut(list) {
                values.push(value);
            }
        }
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Fault> {
        self.done.rows += 1;
        serde_json::to_writer(&mut *self.out, value).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<(), Fault> {
        self.done.rows += 1;
        let line: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
        Ok(writeln!(self.out, "{}", line.join(","))?)
    }
}

/// A JSON value as a cell: strings without their quotes, what is absent as nothing.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_and_quotes_are_one_cell() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
