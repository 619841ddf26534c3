//! Bounds of the configuration's numbers, kept while it is read: the message says where, what it got and what it expected.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// A tenth of a second to a week.
pub(super) fn wait_s<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(from, 0.1, 604_800.0, "seconds from 0.1 to 604800")
}

/// An hour to a hundred years.
pub(super) fn keep_days<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(from, 1.0 / 24.0, 36_525.0, "days from 0.042 (an hour) to 36525")
}

fn within<'de, D: Deserializer<'de>>(
    from: D,
    least: f64,
    greatest: f64,
    expected: &'static str,
) -> Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    // A value that is no number is in no range.
    if !(least..=greatest).contains(&value) {
        return Err(D::Error::invalid_value(Unexpected::Float(value), &expected));
    }
    Ok(value)
}

pub(super) fn port<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    whole(from, "a TCP port from 1 to 65535")
}

pub(super) fn keep_alive_s<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    whole(from, "whole seconds from 1 to 65535")
}

fn whole<'de, D: Deserializer<'de>>(from: D, expected: &'static str) -> Result<u16, D::Error> {
    let value = i64::deserialize(from)?;
    let small = u16::try_from(value).ok().filter(|value| *value > 0);
    small.ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(value), &expected))
}
