//! Places in a TOML text: from a key path to its bytes, from bytes to a key path, from bytes to line and column.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The bytes of the value at `path` (indices of arrays in decimal), or of the nearest enclosing value that exists.
pub(super) fn span_of(text: &str, path: &[String]) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut steps = path.iter();
    let mut value = {
        let (_, value) =
            root.get_ref().iter().find(|(key, _)| Some(key.get_ref().as_ref()) == path.first().map(String::as_str))?;
        steps.next();
        value
    };
    span.replace(value.span());
    for step in steps {
        let next = match value.get_ref() {
            DeValue::Table(table) => table.iter().find(|(key, _)| key.get_ref() == step).map(|(_, value)| value),
            DeValue::Array(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
            _ => None,
        };
        let Some(next) = next else { break };
        value = next;
        span.replace(value.span());
    }
    span
}

/// The path of the innermost value that holds the byte at `offset`.
pub(super) fn path_at(text: &str, offset: usize) -> Vec<String> {
    let Ok(root) = DeTable::parse(text) else { return Vec::new() };
    let mut path = Vec::new();
    descend_table(root.get_ref(), offset, &mut path);
    path
}

fn descend_table(table: &DeTable<'_>, offset: usize, path: &mut Vec<String>) -> bool {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        if key.span().contains(&offset)
            || descend_value(value.get_ref(), offset, path)
            || value.span().contains(&offset)
        {
            return true;
        }
        path.pop();
    }
    false
}

fn descend_value(value: &DeValue<'_>, offset: usize, path: &mut Vec<String>) -> bool {
    match value {
        DeValue::Table(table) => descend_table(table, offset, path),
        DeValue::Array(items) => items.iter().enumerate().any(|(index, item)| {
            path.push(index.to_string());
            let found = descend_value(item.get_ref(), offset, path) || item.span().contains(&offset);
            if !found {
                path.pop();
            }
            found
        }),
        _ => false,
    }
}

/// Line and column, both from 1, of the byte at `offset`; the column counts characters.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
