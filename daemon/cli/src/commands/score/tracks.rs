//! Tracks as `vedette replay --tracks` writes them.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use vedette_gateway::engine::metric::TrackLine;
use vedette_gateway::engine::time::parse_rfc3339;

use crate::text_file;

/// The lines of a file, and what is not in them.
pub(super) struct Tracks {
    pub(super) lines: Vec<TrackLine>,
    /// Confirmed tracks, once for each line, that tell no place in the site frame.
    pub(super) without_place: usize,
}

#[derive(Deserialize)]
struct Line {
    t: String,
    now: Option<String>,
    tracks: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: serde_json::Value,
    #[serde(default)]
    status: Status,
    east_m: Option<f64>,
    north_m: Option<f64>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Confirmed,
    Tentative,
}

impl Tracks {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut tracks = Self { lines: Vec::new(), without_place: 0 };
        for (index, line) in text_file::open(path)?.lines().enumerate() {
            let place = || format!("{}:{}", path.display(), index + 1);
            tracks.take(&line.with_context(place)?).with_context(place)?;
        }
        Ok(tracks)
    }

    fn take(&mut self, line: &str) -> anyhow::Result<()> {
        let Line { t, now, tracks } = serde_json::from_str(line)?;
        let time = |text: &str| parse_rfc3339(text).with_context(|| format!("expected a time, got {text:?}"));
        let t = time(&t)?;
        let now = now.as_deref().map_or(Ok(t), time)?;
        let mut places = Vec::with_capacity(tracks.len());
        for Row { id, status, east_m, north_m } in tracks {
            if status != Status::Confirmed {
                continue;
            }
            let (Some(east_m), Some(north_m)) = (east_m, north_m) else {
                self.without_place += 1;
                continue;
            };
            ensure!(east_m.is_finite() && north_m.is_finite(), "a track's position is not finite");
            places.push((id.to_string(), [east_m, north_m].into()));
        }
        self.lines.push(TrackLine { t, now, tracks: places });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(row: &str) -> anyhow::Result<Tracks> {
        let mut tracks = Tracks { lines: Vec::new(), without_place: 0 };
        tracks.take(&format!("{{\"t\":\"2026-03-01T00:00:01Z\",\"tracks\":[{row}]}}"))?;
        Ok(tracks)
    }

    #[test]
    fn confirmed_tracks_without_a_place_are_counted() {
        let counts = |row| take(row).map(|tracks| (tracks.lines[0].tracks.len(), tracks.without_place)).expect("read");
        assert_eq!(counts(r#"{"id":1,"status":"confirmed","east_m":1.0,"north_m":2.0}"#), (1, 0));
        assert_eq!(counts(r#"{"id":1,"status":"confirmed","lat":52.0,"lon":23.0}"#), (0, 1));
        assert_eq!(counts(r#"{"id":1,"status":"tentative"}"#), (0, 0));
    }

    #[test]
    fn an_unknown_status_is_refused() {
        let error = take(r#"{"id":1,"status":"Confirmed","east_m":1.0,"north_m":2.0}"#).err().expect("refused");
        assert!(error.to_string().contains("expected `confirmed` or `tentative`"), "{error}");
    }
}
