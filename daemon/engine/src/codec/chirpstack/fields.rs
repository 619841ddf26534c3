//! One field of a decoded object by its path (`status.motion`), without keeping the others.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::codec::scalar::Scalar;
use crate::codec::{Fault, Reason};

/// The value at the path; null when there is none.
pub(super) fn find<'t>(object: &'t RawValue, path: &str) -> Result<Scalar<'t>, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    Path { path }.deserialize(&mut deserializer).map_err(|error| {
        Fault::new(Reason::WrongType, &format!("object.{path}"), "an object with this field", &error.to_string())
    })
}

struct Path<'p> {
    path: &'p str,
}

impl<'de> DeserializeSeed<'de> for Path<'_> {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Path<'_> {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        let (first, rest) = match self.path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (self.path, None),
        };
        let mut found = Scalar::Null;
        while let Some(is_it) = map.next_key_seed(Name(first))? {
            match rest {
                Some(path) if is_it => found = map.next_value_seed(Path { path })?,
                None if is_it => found = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Whether a key is this name.
struct Name<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}
