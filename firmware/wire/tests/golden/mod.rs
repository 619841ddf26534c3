//! Files of golden bytes: a name, a colon and hexadecimal digits on each line.

use std::collections::BTreeMap;

/// All vectors by name.
pub(crate) fn vectors(text: &'static str) -> BTreeMap<&'static str, Vec<u8>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, hex) = line.split_once(": ").unwrap();
            let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
            (name, digits.chunks(2).map(byte).collect())
        })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
