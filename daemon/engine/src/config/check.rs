//! Collects the faults of a configuration with the path of keys that leads to each.

use serde::{Deserialize, Serialize};

/// One value that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: expected {expected}, got {got}{}", .path.join("."), .fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default())]
pub struct ConfigFault {
    /// Keys from the top of the file to the value; indices of tables in arrays as decimal numbers from 0. When the
    /// fault is a missing key, the path ends in that key.
    pub path: Vec<String>,
    /// What would be right, with its unit.
    pub expected: String,
    /// What stands there.
    pub got: String,
    /// What to write instead.
    pub fix: Option<String>,
}

/// A place in the configuration and the list that faults go to.
pub(crate) struct Checker<'a> {
    faults: &'a mut Vec<ConfigFault>,
    path: Vec<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(faults: &'a mut Vec<ConfigFault>) -> Self {
        Self { faults, path: Vec::new() }
    }

    /// The place one key further in.
    pub(crate) fn table(&mut self, key: &str) -> Checker<'_> {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        Checker { faults: self.faults, path }
    }

    /// The place of one element of an array.
    pub(crate) fn element(&mut self, index: usize) -> Checker<'_> {
        self.table(&index.to_string())
    }

    /// Records a fault of the value under `key`.
    pub(crate) fn fault(&mut self, key: &str, expected: &str, got: &str, fix: Option<&str>) {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        let (expected, got, fix) = (expected.to_owned(), got.to_owned(), fix.map(str::to_owned));
        self.faults.push(ConfigFault { path, expected, got, fix });
    }

    /// Records that a key is needed here.
    pub(crate) fn missing(&mut self, key: &str, expected: &str, fix: &str) {
        self.fault(key, expected, "nothing", Some(fix));
    }

    /// A number inside `low..=high`; the value itself is passed on in any case, so that checking can go on.
    pub(crate) fn number(&mut self, key: &str, value: f64, low: f64, high: f64) -> f64 {
        if !(low..=high).contains(&value) {
            self.fault(key, &format!("a number from {low} to {high}"), &value.to_string(), None);
        }
        value
    }

    /// A number above zero and up to `high`.
    pub(crate) fn positive(&mut self, key: &str, value: f64, high: f64) -> f64 {
        if !(value > 0.0 && value <= high) {
            self.fault(key, &format!("a number above 0 and up to {high}"), &value.to_string(), None);
        }
        value
    }

    /// A probability above zero: zero would mean that a sensor never reports.
    pub(crate) fn probability(&mut self, key: &str, value: f64) -> f64 {
        if !(value > 0.0 && value <= 1.0) {
            self.fault(key, "a probability above 0 and up to 1", &value.to_string(), None);
        }
        value
    }

    /// A name that can be a topic level and a file name.
    pub(crate) fn name(&mut self, key: &str, value: &str) {
        let allowed = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        if value.is_empty() || value.len() > 64 || value.trim() != value || !value.chars().all(allowed) {
            let expected = "1 to 64 letters, digits, dots, dashes or underscores";
            self.fault(key, expected, &format!("\"{}\"", value.escape_debug()), None);
        }
    }
}
