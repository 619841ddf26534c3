//! What is wrong with a configuration, told so that it can be put right at once.

use std::fmt;
use std::path::{Path, PathBuf};

use vedette_engine::config::ConfigFault;

use super::spans::{line_and_column, path_at, span_of};

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's message.
        error: String,
    },
    /// The file can be read and is wrong.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Wrong {
        /// Each thing that is wrong.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line's text.
    pub source: String,
    /// The key, with dots; empty for the whole file.
    pub key: String,
    /// What would be right.
    pub expected: String,
    /// What stands there.
    pub got: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, source, key, expected, got, fix } = self;
        write!(f, "{}:{line}:{column}: ", file.display())?;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        writeln!(f, "{got}")?;
        let margin = " ".repeat(line.to_string().len());
        writeln!(f, "  {line} | {source}")?;
        writeln!(f, "  {margin} | {}^", " ".repeat(column - 1))?;
        write!(f, "  expected: {expected}")?;
        if let Some(fix) = fix {
            write!(f, "\n  fix: {fix}")?;
        }
        Ok(())
    }
}

/// The problem behind an error of the TOML reader or of a table's shape.
pub(super) fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, expected_instead(message)));
    let name = got.split('`').nth(1).unwrap_or_default();
    let key = path_at(text, offset);
    let (got, expected, fix) = if let Some(unknown) = got.strip_prefix("unknown field ") {
        (
            format!("unknown key {unknown}"),
            expected.to_owned(),
            nearest(name, expected).map(|near| format!("write `{near}`")),
        )
    } else if got.starts_with("unknown variant ") {
        (
            format!("unknown value \"{name}\""),
            expected.to_owned(),
            nearest(name, expected).map(|near| format!("write \"{near}\"")),
        )
    } else if got.starts_with("missing field ") {
        (format!("key `{name}` is missing"), format!("`{name} = ..` in this table"), Some(format!("add `{name}`")))
    } else if let Some(wrong) = got.strip_prefix("invalid type: ").or_else(|| got.strip_prefix("invalid value: ")) {
        let is_port = key.last().is_some_and(|key| key == "port") && expected == "u16";
        (wrong.to_owned(), if is_port { "a port from 1 to 65535" } else { kind_of_value(expected) }.to_owned(), None)
    } else {
        (got.to_owned(), expected.to_owned(), None)
    };
    place(file, text, offset, key.join("."), Words { expected, got, fix })
}

/// The problem behind a value that has the right shape and cannot be right.
pub(super) fn from_fault(file: &Path, text: &str, fault: &ConfigFault) -> Problem {
    let offset = span_of(text, &fault.path).map_or(0, |span| span.start);
    let words = Words { expected: fault.expected.clone(), got: fault.got.clone(), fix: fault.fix.clone() };
    place(file, text, offset, fault.path.join("."), words)
}

struct Words {
    expected: String,
    got: String,
    fix: Option<String>,
}

fn place(file: &Path, text: &str, offset: usize, key: String, words: Words) -> Problem {
    let (line, column) = line_and_column(text, offset);
    let source = text.lines().nth(line - 1).unwrap_or_default().to_owned();
    let Words { expected, got, fix } = words;
    Problem { file: file.to_path_buf(), line, column, source, key, expected, got, fix }
}

/// What would be right where the reader of a value does not say it.
fn expected_instead(message: &str) -> &'static str {
    if message.contains("invalid socket address") {
        "an address and a port such as \"127.0.0.1:9464\", no name"
    } else if message.contains("invalid IP") {
        "an address such as \"127.0.0.1\""
    } else {
        "valid TOML"
    }
}

/// The deserializer's names for kinds of values, in a reader's words.
fn kind_of_value(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a sequence" => "a list in [ ]",
        other => other,
    }
}

/// The name among those quoted in `expected` that is nearest to `name`, when near enough to be meant.
fn nearest(name: &str, expected: &str) -> Option<String> {
    let candidates = expected.split('`').skip(1).step_by(2);
    candidates
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| {
            distance * 2 <= candidate.len().max(name.len()) || candidate.starts_with(name) && !name.is_empty()
        })
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
