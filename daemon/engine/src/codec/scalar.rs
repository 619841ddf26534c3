//! Tolerant JSON values: a value of a wrong type is reported, and reading goes on behind it.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Fault, Reason, Report};

/// Any JSON value; of arrays and objects only that they were there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::codec) enum Scalar<'de> {
    #[default]
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

    pub(in crate::codec) fn wrong_type(&self, field: &str, expected: &str) -> Fault {
        Fault::new(Reason::WrongType, field, expected, &self.describe())
    }

    /// The number; null counts as absent.
    pub(in crate::codec) fn as_number(&self, field: &str) -> Result<Option<f64>, Fault> {
        match self {
            Self::Number(value) => Ok(Some(*value)),
            Self::Null => Ok(None),
            _ => Err(self.wrong_type(field, "a number")),
        }
    }

    pub(in crate::codec) fn number(&self, field: &str, report: &mut Report) -> Option<f64> {
        self.as_number(field).unwrap_or_else(|fault| {
            report.fault(fault);
            None
        })
    }

    pub(in crate::codec) fn text(self, field: &str, report: &mut Report) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into_owned()),
            Self::Null => None,
            _ => {
                report.fault(self.wrong_type(field, "a string"));
                None
            }
        }
    }

    pub(in crate::codec) fn parsed<T>(
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

    /// As [`Self::number`], also for numbers written as text, as some systems do.
    pub(in crate::codec) fn number_or_text(&self, field: &str, report: &mut Report) -> Option<f64> {
        match self {
            Self::Text(text) => {
                let parsed = text.trim().parse().ok();
                if parsed.is_none() {
                    report.fault(self.wrong_type(field, "a number"));
                }
                parsed
            }
            _ => self.number(field, report),
        }
    }

    /// A flag, written as a boolean, as a number (zero is false) or as a word.
    pub(in crate::codec) fn flag(&self, field: &str, report: &mut Report) -> Option<bool> {
        let flag = match self {
            Self::Bool(value) => Some(*value),
            Self::Number(number) if number.is_finite() => Some(*number > 0.0),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "on" | "yes" | "1" | "active" | "open" => Some(true),
                "false" | "off" | "no" | "0" | "inactive" | "closed" | "close" => Some(false),
                _ => None,
            },
            Self::Null => return None,
            Self::Number(_) | Self::Array | Self::Object => None,
        };
        if flag.is_none() {
            report.fault(self.wrong_type(field, "true or false"));
        }
        flag
    }

    /// A name, written as text or as a number.
    pub(in crate::codec) fn name(&self, field: &str, report: &mut Report) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.trim().to_owned()),
            Self::Number(number) if number.is_finite() => Some(number.to_string()),
            Self::Null => None,
            _ => {
                report.fault(self.wrong_type(field, "a name or a number"));
                None
            }
        }
    }

    /// A whole number from 0 that a double holds exactly.
    pub(in crate::codec) fn count(&self, field: &str, report: &mut Report) -> Option<u64> {
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

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
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
