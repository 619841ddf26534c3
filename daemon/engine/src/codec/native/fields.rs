//! Field names and tolerant values: a value of a wrong type is reported, and reading goes on behind it.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::codec::{Fault, Reason, Report, Spot, Stand};

/// Every field the format knows, in messages, plots and below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Version,
    Sensor,
    Time,
    Received,
    Number,
    At,
    Plots,
    Kind,
    EastM,
    NorthM,
    Lat,
    Lon,
    HeadingDeg,
    SdM,
    CovarianceM2,
    RangeM,
    RangeSdM,
    AzimuthDeg,
    AzimuthSdDeg,
    RangeRateMps,
    RangeRateSdMps,
    Strength,
    Direction,
    Class,
    Confidence,
    Person,
    Animal,
    Vehicle,
    Unknown,
}

impl Field {
    fn named(name: &str) -> Self {
        match name {
            "v" => Self::Version,
            "sensor" => Self::Sensor,
            "t" => Self::Time,
            "received" => Self::Received,
            "seq" => Self::Number,
            "at" => Self::At,
            "plots" => Self::Plots,
            "kind" => Self::Kind,
            "east_m" => Self::EastM,
            "north_m" => Self::NorthM,
            "lat" => Self::Lat,
            "lon" => Self::Lon,
            "heading_deg" => Self::HeadingDeg,
            "sd_m" => Self::SdM,
            "cov_m2" => Self::CovarianceM2,
            "range_m" => Self::RangeM,
            "range_sd_m" => Self::RangeSdM,
            "azimuth_deg" => Self::AzimuthDeg,
            "azimuth_sd_deg" => Self::AzimuthSdDeg,
            "range_rate_mps" => Self::RangeRateMps,
            "range_rate_sd_mps" => Self::RangeRateSdMps,
            "strength" => Self::Strength,
            "direction" => Self::Direction,
            "class" => Self::Class,
            "confidence" => Self::Confidence,
            "person" => Self::Person,
            "animal" => Self::Animal,
            "vehicle" => Self::Vehicle,
            _ => Self::Unknown,
        }
    }

    /// The field's name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Version => "v",
            Self::Sensor => "sensor",
            Self::Time => "t",
            Self::Received => "received",
            Self::Number => "seq",
            Self::At => "at",
            Self::Plots => "plots",
            Self::Kind => "kind",
            Self::EastM => "east_m",
            Self::NorthM => "north_m",
            Self::Lat => "lat",
            Self::Lon => "lon",
            Self::HeadingDeg => "heading_deg",
            Self::SdM => "sd_m",
            Self::CovarianceM2 => "cov_m2",
            Self::RangeM => "range_m",
            Self::RangeSdM => "range_sd_m",
            Self::AzimuthDeg => "azimuth_deg",
            Self::AzimuthSdDeg => "azimuth_sd_deg",
            Self::RangeRateMps => "range_rate_mps",
            Self::RangeRateSdMps => "range_rate_sd_mps",
            Self::Strength => "strength",
            Self::Direction => "direction",
            Self::Class => "class",
            Self::Confidence => "confidence",
            Self::Person => "person",
            Self::Animal => "animal",
            Self::Vehicle => "vehicle",
            Self::Unknown => "unknown",
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Field;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a field name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Field, E> {
                Ok(Field::named(name))
            }
        }

        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// Any JSON value; of arrays and objects only that they were there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'de> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'de, str>),
    Array,
    Object,
}

impl Scalar<'_> {
    fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => format!("\"{}\"", text.escape_debug()),
            Self::Array => "an array".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }

    fn wrong_type(&self, field: &str, expected: &str) -> Fault {
        Fault::new(Reason::WrongType, field, expected, &self.describe())
    }

    /// The number; null counts as absent.
    pub(super) fn as_number(&self, field: &str) -> Result<Option<f64>, Fault> {
        match self {
            Self::Number(value) => Ok(Some(*value)),
            Self::Null => Ok(None),
            _ => Err(self.wrong_type(field, "a number")),
        }
    }

    pub(super) fn number(&self, field: &str, report: &mut Report) -> Option<f64> {
        self.as_number(field).unwrap_or_else(|fault| {
            report.fault(fault);
            None
        })
    }

    pub(super) fn text(self, field: &str, report: &mut Report) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into_owned()),
            Self::Null => None,
            _ => {
                report.fault(self.wrong_type(field, "a string"));
                None
            }
        }
    }

    pub(super) fn parsed<T>(
        &self,
        field: &str,
        expected: &str,
        parse: fn(&str) -> Option<T>,
        report: &mut Report,
    ) -> Option<T> {
        let parsed = match self {
            Self::Text(text) => parse(text),
            Self::Null => return None,
            _ => None,
        };
        if parsed.is_none() {
            report.fault(self.wrong_type(field, expected));
        }
        parsed
    }

    /// A whole number from 0 that a double holds exactly.
    pub(super) fn count(&self, field: &str, report: &mut Report) -> Option<u64> {
        match *self {
            Self::Number(value) if (0.0..=9_007_199_254_740_992.0).contains(&value) && libm::trunc(value) == value =>
            {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
                Some(value as u64)
            }
            Self::Null => None,
            _ => {
                report.fault(self.wrong_type(field, "a whole number from 0"));
                None
            }
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "no field has a meaning beyond 53 bits")]
    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no field has a meaning beyond 53 bits")]
    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Scalar<'de>, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

/// The object `at` while it is being read: where a mobile sensor stood.
#[derive(Clone, Debug, Default)]
pub(super) struct Spotted {
    pub(super) east_m: Option<f64>,
    pub(super) north_m: Option<f64>,
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
    heading_deg: Option<f64>,
    sd_m: Option<f64>,
    fault: Option<Fault>,
}

impl Spotted {
    pub(super) fn stand(self, report: &mut Report) -> Option<Stand> {
        let stand = || {
            if let Some(fault) = self.fault.clone() {
                return Err(fault);
            }
            let spot = spot(self.east_m, self.north_m, self.lat, self.lon)?;
            let heading_deg = within(Field::HeadingDeg, self.heading_deg, -360.0, 360.0)?;
            let sd_m = within(Field::SdM, self.sd_m, 0.0, 10_000.0)?;
            Ok(Stand { spot, heading_deg, sd_m })
        };
        stand().map_err(|fault| report.fault(Fault { field: format!("at.{}", fault.field), ..fault })).ok()
    }
}

impl<'de> Deserialize<'de> for Spotted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpottedVisitor;

        impl<'de> Visitor<'de> for SpottedVisitor {
            type Value = Spotted;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spotted, A::Error> {
                let mut spotted = Spotted::default();
                while let Some(field) = map.next_key::<Field>()? {
                    let number = map.next_value::<Scalar<'_>>()?.as_number(field.name());
                    let slot = match field {
                        Field::EastM => &mut spotted.east_m,
                        Field::NorthM => &mut spotted.north_m,
                        Field::Lat => &mut spotted.lat,
                        Field::Lon => &mut spotted.lon,
                        Field::HeadingDeg => &mut spotted.heading_deg,
                        Field::SdM => &mut spotted.sd_m,
                        _ => continue,
                    };
                    match number {
                        Ok(number) => *slot = number,
                        Err(fault) => spotted.fault = Some(fault),
                    }
                }
                Ok(spotted)
            }
        }

        deserializer.deserialize_map(SpottedVisitor)
    }
}

/// The place that two of four numbers name.
pub(super) fn spot(
    east_m: Option<f64>,
    north_m: Option<f64>,
    lat: Option<f64>,
    lon: Option<f64>,
) -> Result<Spot, Fault> {
    let missing = |field| Fault::new(Reason::MissingField, field, "east_m and north_m, or lat and lon", "nothing");
    match (east_m, north_m, lat, lon) {
        (Some(east_m), Some(north_m), None, None) => Ok(Spot::Site { east_m, north_m }),
        (None, None, Some(lat), Some(lon)) => Ok(Spot::Wgs84 { lat, lon }),
        (Some(_), None, None, None) => Err(missing("north_m")),
        (None, None, Some(_), None) => Err(missing("lon")),
        (None, None, None, Some(_)) => Err(missing("lat")),
        (None, _, None, None) => Err(missing("east_m")),
        _ => {
            Err(Fault::new(Reason::OutOfRange, "lat", "either east_m and north_m, or lat and lon", "a mixture of both"))
        }
    }
}

/// The value, when it is absent or inside `low..=high`.
pub(super) fn within(field: Field, value: Option<f64>, low: f64, high: f64) -> Result<Option<f64>, Fault> {
    match value {
        Some(number) if !number.is_finite() => {
            Err(Fault::new(Reason::NotFinite, field.name(), "a finite number", &number.to_string()))
        }
        Some(number) if !(low..=high).contains(&number) => {
            let expected = format!("a number from {low} to {high}");
            Err(Fault::new(Reason::OutOfRange, field.name(), &expected, &number.to_string()))
        }
        _ => Ok(value),
    }
}
