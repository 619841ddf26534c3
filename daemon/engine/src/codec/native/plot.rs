//! One plot: an object whose fields may come in any order, judged when it has been read whole.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use vedette_tracker::{ClassProbabilities, Direction};

use super::fields::{Field, Scalar, spot, within};
use crate::codec::{Fault, Measured, Plot, Reason, Report, Spot};
use crate::geo::SiteFrame;

/// Farthest distance and position that a ground sensor can mean.
const FAR_M: f64 = SiteFrame::MAX_DISTANCE_M;
/// Smallest standard deviation: below it is a claim, not a measurement, and it would make filters singular.
const SD_MIN: f64 = 1e-3;
const SD_MAX: f64 = 1e4;

/// Reads one plot; a bad one is reported and read to its end.
pub(super) struct PlotSeed<'r> {
    pub(super) index: usize,
    pub(super) report: &'r mut Report,
}

impl<'de> DeserializeSeed<'de> for PlotSeed<'_> {
    type Value = Option<Plot>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Plot>, D::Error> {
        let (fields, ignored_fields) = match Item::deserialize(deserializer)? {
            Item::Fields(fields, ignored_fields) => (fields, ignored_fields),
            Item::Other => {
                let fault = Fault::new(Reason::WrongType, "plots", "an object", "another value");
                self.report.fault(fault.of_plot(self.index));
                return Ok(None);
            }
        };
        self.report.ignored_fields += ignored_fields;
        Ok(match fields.judge(self.index) {
            Ok(plot) => Some(plot),
            Err(fault) => {
                self.report.fault(fault.of_plot(self.index));
                None
            }
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Position,
    RangeBearing,
    Bearing,
    Range,
    Presence,
    Crossing,
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "position" => Kind::Position,
        "range_bearing" => Kind::RangeBearing,
        "bearing" => Kind::Bearing,
        "range" => Kind::Range,
        "presence" => Kind::Presence,
        "crossing" => Kind::Crossing,
        _ => return None,
    })
}

fn direction_named(name: &str) -> Option<Direction> {
    match name {
        "in" => Some(Direction::In),
        "out" => Some(Direction::Out),
        _ => None,
    }
}

/// The fields of a plot while it is being read; `fault` is the first field of a wrong type.
#[derive(Default)]
struct Fields {
    kind: Option<Kind>,
    direction: Option<Direction>,
    east_m: Option<f64>,
    north_m: Option<f64>,
    lat: Option<f64>,
    lon: Option<f64>,
    sd_m: Option<f64>,
    covariance_m2: Option<[f64; 3]>,
    range_m: Option<f64>,
    range_sd_m: Option<f64>,
    azimuth_deg: Option<f64>,
    azimuth_sd_deg: Option<f64>,
    range_rate_mps: Option<f64>,
    range_rate_sd_mps: Option<f64>,
    strength: Option<f64>,
    confidence: Option<f64>,
    class: Option<[f64; 3]>,
    fault: Option<Fault>,
}

enum Item {
    Fields(Box<Fields>, u64),
    Other,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a plot")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut fields = Fields::default();
        let mut ignored_fields = 0;
        while let Some(field) = map.next_key::<Field>()? {
            let result = match field {
                Field::Kind => {
                    named(&map.next_value()?, field, "a kind of plot", kind_named).map(|kind| fields.kind = kind)
                }
                Field::Direction => named(&map.next_value()?, field, "\"in\" or \"out\"", direction_named)
                    .map(|direction| fields.direction = direction),
                Field::CovarianceM2 => {
                    map.next_value::<Three>()?.covariance().map(|three| fields.covariance_m2 = three)
                }
                Field::Class => map.next_value::<Three>()?.classes().map(|three| fields.class = three),
                _ => {
                    if let Some(slot) = fields.slot(field) {
                        map.next_value::<Scalar<'_>>()?.as_number(field.name()).map(|number| *slot = number)
                    } else {
                        ignored_fields += 1;
                        map.next_value::<IgnoredAny>().map(|_| Ok(()))?
                    }
                }
            };
            if let Err(fault) = result {
                fields.fault.get_or_insert(fault);
            }
        }
        Ok(Item::Fields(Box::new(fields), ignored_fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Item, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item::Other)
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Item, E> {
        Ok(Item::Other)
    }
}

fn named<T>(
    scalar: &Scalar<'_>,
    field: Field,
    expected: &str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let mut report = Report::default();
    let parsed = scalar.parsed(field.name(), expected, parse, &mut report);
    match report.faults.pop() {
        Some(fault) => Err(fault),
        None => Ok(parsed),
    }
}

impl Fields {
    /// Where the number of a field goes; none when plots have no such field.
    fn slot(&mut self, field: Field) -> Option<&mut Option<f64>> {
        Some(match field {
            Field::EastM => &mut self.east_m,
            Field::NorthM => &mut self.north_m,
            Field::Lat => &mut self.lat,
            Field::Lon => &mut self.lon,
            Field::SdM => &mut self.sd_m,
            Field::RangeM => &mut self.range_m,
            Field::RangeSdM => &mut self.range_sd_m,
            Field::AzimuthDeg => &mut self.azimuth_deg,
            Field::AzimuthSdDeg => &mut self.azimuth_sd_deg,
            Field::RangeRateMps => &mut self.range_rate_mps,
            Field::RangeRateSdMps => &mut self.range_rate_sd_mps,
            Field::Strength => &mut self.strength,
            Field::Confidence => &mut self.confidence,
            _ => return None,
        })
    }

    fn judge(mut self: Box<Self>, index: usize) -> Result<Plot, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let Some(kind) = self.kind else {
            return Err(Fault::new(Reason::MissingField, "kind", "a kind of plot", "nothing"));
        };
        let measured = match kind {
            Kind::Position => self.position()?,
            Kind::RangeBearing => Measured::RangeBearing {
                range_m: self.range()?,
                range_sd_m: within(Field::RangeSdM, self.range_sd_m, SD_MIN, SD_MAX)?,
                azimuth_deg: self.azimuth()?,
                azimuth_sd_deg: within(Field::AzimuthSdDeg, self.azimuth_sd_deg, SD_MIN, 180.0)?,
                range_rate_mps: within(Field::RangeRateMps, self.range_rate_mps, -1_000.0, 1_000.0)?,
                range_rate_sd_mps: within(Field::RangeRateSdMps, self.range_rate_sd_mps, SD_MIN, SD_MAX)?,
            },
            Kind::Bearing => Measured::Bearing {
                azimuth_deg: self.azimuth()?,
                azimuth_sd_deg: within(Field::AzimuthSdDeg, self.azimuth_sd_deg, SD_MIN, 180.0)?,
            },
            Kind::Range => Measured::Range {
                range_m: self.range()?,
                range_sd_m: within(Field::RangeSdM, self.range_sd_m.or(self.sd_m), SD_MIN, SD_MAX)?,
            },
            Kind::Presence => Measured::Presence { strength: within(Field::Strength, self.strength, -1e12, 1e12)? },
            Kind::Crossing => Measured::Crossing { direction: self.direction },
        };
        let class = self.class.map(class_probabilities).transpose()?;
        let confidence = within(Field::Confidence, self.confidence, 0.0, 1.0)?;
        Ok(Plot { index, measured, class, confidence, object: None })
    }

    fn position(&self) -> Result<Measured, Fault> {
        let spot = spot(self.east_m, self.north_m, self.lat, self.lon)?;
        if let Spot::Site { .. } = spot {
            within(Field::EastM, self.east_m, -FAR_M, FAR_M)?;
            within(Field::NorthM, self.north_m, -FAR_M, FAR_M)?;
        } else {
            within(Field::Lat, self.lat, -90.0, 90.0)?;
            within(Field::Lon, self.lon, -180.0, 180.0)?;
        }
        let sd_m = within(Field::SdM, self.sd_m, SD_MIN, SD_MAX)?;
        if let Some([ee, en, nn]) = self.covariance_m2 {
            let limit = SD_MAX * SD_MAX;
            let sound = ee > 0.0 && nn > 0.0 && ee <= limit && nn <= limit && en * en < ee * nn;
            if !sound {
                let expected = "a positive definite [ee, en, nn]";
                return Err(Fault::new(Reason::OutOfRange, "cov_m2", expected, &format!("[{ee}, {en}, {nn}]")));
            }
        }
        Ok(Measured::Position { spot, sd_m, covariance_m2: self.covariance_m2 })
    }

    fn range(&self) -> Result<f64, Fault> {
        within(Field::RangeM, self.range_m, 0.0, FAR_M)?
            .ok_or_else(|| Fault::new(Reason::MissingField, "range_m", "metres", "nothing"))
    }

    fn azimuth(&self) -> Result<f64, Fault> {
        within(Field::AzimuthDeg, self.azimuth_deg, -360.0, 360.0)?
            .ok_or_else(|| Fault::new(Reason::MissingField, "azimuth_deg", "degrees", "nothing"))
    }
}

/// Each between 0 and 1, scaled to a sum of one; what a sensor leaves open is spread evenly.
fn class_probabilities(given: [f64; 3]) -> Result<ClassProbabilities, Fault> {
    let sum: f64 = given.iter().sum();
    if given.iter().any(|part| !(0.0..=1.0).contains(part)) || sum <= 0.0 {
        let expected = "probabilities from 0 to 1, not all zero";
        return Err(Fault::new(Reason::OutOfRange, "class", expected, &format!("{given:?}")));
    }
    let open = f64::max(0.0, 1.0 - sum) / 3.0;
    let scale = 1.0 / f64::max(1.0, sum);
    let [person, animal, vehicle] = given.map(|part| (part + open) * scale);
    Ok(ClassProbabilities { person, animal, vehicle })
}

/// Three numbers in an array, or under the names of the classes.
enum Three {
    Null,
    Array([f64; 3]),
    Classes([f64; 3]),
    Wrong(String),
}

impl Three {
    fn covariance(self) -> Result<Option<[f64; 3]>, Fault> {
        match self {
            Self::Null => Ok(None),
            Self::Array(three) => Ok(Some(three)),
            Self::Classes(_) => Err(Fault::new(Reason::WrongType, "cov_m2", "three numbers [ee, en, nn]", "an object")),
            Self::Wrong(got) => Err(Fault::new(Reason::WrongType, "cov_m2", "three numbers [ee, en, nn]", &got)),
        }
    }

    fn classes(self) -> Result<Option<[f64; 3]>, Fault> {
        const EXPECTED: &str = "an object with person, animal, vehicle";
        match self {
            Self::Null => Ok(None),
            Self::Classes(three) => Ok(Some(three)),
            Self::Array(_) => Err(Fault::new(Reason::WrongType, "class", EXPECTED, "an array")),
            Self::Wrong(got) => Err(Fault::new(Reason::WrongType, "class", EXPECTED, &got)),
        }
    }
}

impl<'de> Deserialize<'de> for Three {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ThreeVisitor)
    }
}

struct ThreeVisitor;

impl<'de> Visitor<'de> for ThreeVisitor {
    type Value = Three;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("three numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Three, A::Error> {
        let mut three = [0.0; 3];
        let mut count = 0_usize;
        let mut wrong = None;
        while let Some(scalar) = array.next_element::<Scalar<'_>>()? {
            match (scalar, three.get_mut(count)) {
                (Scalar::Number(number), Some(slot)) => *slot = number,
                (Scalar::Number(_), None) => {}
                (other, _) => wrong = Some(format!("{other:?} inside")),
            }
            count += 1;
        }
        Ok(match wrong {
            Some(got) => Three::Wrong(got),
            None if count == 3 => Three::Array(three),
            None => Three::Wrong(format!("{count} numbers")),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Three, A::Error> {
        let mut three = [0.0; 3];
        let mut wrong = None;
        while let Some(field) = map.next_key::<Field>()? {
            let scalar = map.next_value::<Scalar<'_>>()?;
            let slot = match field {
                Field::Person => &mut three[0],
                Field::Animal => &mut three[1],
                Field::Vehicle => &mut three[2],
                _ => continue,
            };
            match scalar {
                Scalar::Number(number) => *slot = number,
                other => wrong = Some(format!("{other:?} inside")),
            }
        }
        Ok(wrong.map_or(Three::Classes(three), Three::Wrong))
    }

    fn visit_unit<E>(self) -> Result<Three, E> {
        Ok(Three::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Three, E> {
        Ok(Three::Wrong(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Three, E> {
        Ok(Three::Wrong(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Three, E> {
        Ok(Three::Wrong(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Three, E> {
        Ok(Three::Wrong(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Three, E> {
        Ok(Three::Wrong(format!("\"{}\"", text.escape_debug())))
    }
}
