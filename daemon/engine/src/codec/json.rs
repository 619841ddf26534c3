//! JSON of other systems into structs that name only what is used; the rest is passed over without being kept.

use serde::de::DeserializeOwned;

use super::{Fault, Reason};

/// Longest message.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Reads one message. A value of a wrong type is a fault that names its path.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "message", "at most 1048576 bytes", &got));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let got = format!("another byte at {}", error.valid_up_to());
        Fault::new(Reason::InvalidText, "message", "UTF-8", &got)
    })?;
    serde_json::from_str(text).or_else(|_| explain(text))
}

/// A second, slower pass that knows where it is; only faulty messages pay for it.
fn explain<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.inner();
        let told = inner.to_string();
        if inner.is_data() {
            let reason = if told.starts_with("missing field") { Reason::MissingField } else { Reason::WrongType };
            let expected = told.rsplit_once("expected ").map_or("another value", |(_, expected)| expected);
            let expected = expected.split(" at line").next().unwrap_or(expected);
            Fault::new(reason, &path, expected, &told)
        } else {
            Fault::new(Reason::Malformed, "message", "one JSON value", &told)
        }
    })
}
