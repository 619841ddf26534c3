//! JSON of other systems into structs that name only what is used; the rest is passed over without being kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Fault, Reason};

/// Longest message.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The message as text. Words that JSON does not have (`NaN`, `Infinity`), but some programs write, become strings, so
/// that they are a fault of their field and not of the whole message.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "message", "at most 1048576 bytes", &got));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let got = format!("another byte at {}", error.valid_up_to());
        Fault::new(Reason::InvalidText, "message", "UTF-8", &got)
    })?;
    Ok(if text.contains("NaN") || text.contains("Infinity") {
        Cow::Owned(with_quoted_words(text))
    } else {
        Cow::Borrowed(text)
    })
}

fn with_quoted_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 16);
    let (mut inside, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = (!inside).then(|| ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| rest.starts_with(word)));
        if let Some(word) = word.flatten() {
            quoted.push('"');
            quoted.push_str(word);
            quoted.push('"');
            rest = &rest[word.len()..];
            continue;
        }
        inside ^= next == '"' && !escaped;
        escaped = inside && next == '\\' && !escaped;
        quoted.push(next);
        rest = &rest[next.len_utf8()..];
    }
    quoted
}

/// Reads one message. A value of a wrong type is a fault that names its path.
pub(super) fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Fault> {
    serde_json::from_str(text).or_else(|_| explain(text))
}

/// Reads one item of a list, so that a fault in it is a fault of this item alone.
pub(super) fn item<'t, T: Deserialize<'t>>(raw: &'t RawValue, place: &str) -> Result<T, Fault> {
    read(raw.get()).map_err(|fault| {
        let field = if fault.field == "message" || fault.field == "." {
            place.to_owned()
        } else {
            format!("{place}.{}", fault.field)
        };
        Fault { field, ..fault }
    })
}

/// A second, slower pass that knows where it is; only faulty messages pay for it.
fn explain<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "message" } else { path.as_str() };
        let inner = error.inner();
        let told = inner.to_string();
        let told = told.split(" at line").next().unwrap_or(&told);
        if !inner.is_data() {
            return Fault::new(Reason::Malformed, "message", "one JSON value", told);
        }
        if let Some(name) = told.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            let field = if path == "message" { name.to_owned() } else { format!("{path}.{name}") };
            return Fault::new(Reason::MissingField, &field, "a value", "nothing");
        }
        let (got, expected) = told.split_once(", expected ").unwrap_or((told, "another value"));
        let got = ["invalid type: ", "invalid value: ", "invalid "].iter().find_map(|start| got.strip_prefix(start));
        Fault::new(Reason::WrongType, path, named(expected), got.unwrap_or(told))
    })
}

/// What the parser expected, in words of the format.
fn named(expected: &str) -> &str {
    match expected {
        "f64" => "a number",
        "u32" => "a whole number from 0 to 4294967295",
        "a borrowed string" | "a string" => "a string",
        "a sequence" => "an array",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_json_does_not_have_are_quoted_outside_of_strings_alone() {
        let text = text(br#"{"NaN \" NaN":[NaN,-Infinity,Infinity,"NaN"],"x":"\\"}"#).expect("UTF-8");
        assert_eq!(text, r#"{"NaN \" NaN":["NaN","-Infinity","Infinity","NaN"],"x":"\\"}"#);
    }

    #[test]
    fn a_fault_of_an_item_names_the_place_of_the_item() {
        #[derive(Debug, Deserialize)]
        struct Inner {
            #[expect(dead_code, reason = "only its type matters")]
            x: f64,
        }
        #[derive(Debug, Deserialize)]
        struct Outer<'a> {
            #[serde(borrow)]
            items: Vec<&'a RawValue>,
        }
        let outer: Outer<'_> = read(r#"{"items":[{"x":1.5},{"x":"far"},7]}"#).expect("a list");
        let faults: Vec<_> =
            outer.items.iter().map(|raw| item::<Inner>(raw, "items").map_err(|f| f.to_string())).collect();
        assert!(faults[0].is_ok());
        assert!(
            faults[1].as_ref().is_err_and(|fault| fault.starts_with("items.x: expected a number, got string")),
            "{faults:?}"
        );
        assert!(faults[2].as_ref().is_err_and(|fault| fault.starts_with("items: expected an object")), "{faults:?}");
    }
}
