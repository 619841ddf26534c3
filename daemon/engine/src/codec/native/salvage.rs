//! Second try for a message that is not JSON as a whole: the plots are cut apart by their brackets, and each is read alone.

use serde::de::DeserializeSeed;

use super::{MAX_PLOTS, Message, PlotSeed, read};
use crate::codec::{Fault, Reason};

/// Whether the message without its plots could be read; the plots that could be read are in it then.
pub(super) fn read_in_parts(text: &str, message: &mut Message) -> bool {
    let Some((start, end)) = plots_array(text) else { return false };
    let envelope = format!("{}[]{}", &text[..start], &text[end..]);
    if read(&envelope, message).is_err() {
        return false;
    }
    let mut plots = Vec::new();
    let mut index = 0;
    for item in items(&text[start + 1..end - 1]).take(MAX_PLOTS) {
        let mut deserializer = serde_json::Deserializer::from_str(item);
        let seed = PlotSeed { index, report: &mut message.report };
        if let Ok(plot) = seed.deserialize(&mut deserializer).and_then(|plot| deserializer.end().map(|()| plot)) {
            plots.extend(plot);
        } else {
            let not_finite = ["NaN", "nan", "Infinity", "inf"].iter().any(|word| item.contains(word));
            let reason = if not_finite { Reason::NotFinite } else { Reason::Malformed };
            message.report.fault(Fault::new(reason, "plots", "a JSON object", item.trim()).of_plot(index));
        }
        index += 1;
    }
    message.plots_seen = index;
    message.plots = Some(plots);
    true
}

/// Where the value of the outermost `"plots"` begins and ends, brackets included.
fn plots_array(text: &str) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    let mut start = None;
    for (at, byte, in_string) in bytes_with_context(text) {
        match (byte, in_string) {
            (b'"', _) if depth == 1 && start.is_none() && text[at..].starts_with("\"plots\"") => {
                let value = at + 7 + text[at + 7..].find(|c: char| c != ':' && !c.is_whitespace())?;
                start = text[value..].starts_with('[').then_some(value);
            }
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) => {
                depth = depth.checked_sub(1)?;
                if depth == 1
                    && let Some(start) = start.filter(|&start| start < at)
                {
                    return Some((start, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// The elements of an array's inside, cut at its outermost commas.
fn items(inside: &str) -> impl Iterator<Item = &str> {
    let mut cuts = vec![0];
    let mut depth = 0_usize;
    for (at, byte, in_string) in bytes_with_context(inside) {
        match (byte, in_string) {
            (b'{' | b'[', false) => depth += 1,
            (b'}' | b']', false) => depth = depth.saturating_sub(1),
            (b',', false) if depth == 0 => cuts.push(at + 1),
            _ => {}
        }
    }
    cuts.push(inside.len() + 1);
    let count = if inside.trim().is_empty() { 0 } else { cuts.len() - 1 };
    (0..count).map(move |item| &inside[cuts[item]..cuts[item + 1] - 1])
}

/// Each byte with its place and whether it is inside of a string; a string's opening quote counts as outside.
fn bytes_with_context(text: &str) -> impl Iterator<Item = (usize, u8, bool)> {
    let mut in_string = false;
    let mut escaped = false;
    text.bytes().enumerate().map(move |(at, byte)| {
        let inside = in_string;
        if escaped {
            escaped = false;
        } else if byte == b'\\' && in_string {
            escaped = true;
        } else if byte == b'"' {
            in_string = !in_string;
        }
        (at, byte, inside)
    })
}
