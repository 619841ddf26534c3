//! Field names, and the place of a mobile sensor while it is being read.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

pub(super) use crate::codec::scalar::Scalar;
use crate::codec::{Fault, Reason, Report, Spot, Stand};

/// Every field the format knows, in messages, plots and below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Version,
    Mode,
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
            "mode" => Self::Mode,
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
            Self::Mode => "mode",
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
