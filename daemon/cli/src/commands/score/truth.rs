//! The truth: where each object was when.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use vedette_gateway::engine::metric::{ScoreError, TruthPoint};

use crate::text_file;

const HEADER: &str = "t,id,x,y";

/// Greatest time from the epoch, about 30 years, and greatest distance from the origin: beyond is a mistake.
const MOST_S: f64 = 1e9;
const MOST_M: f64 = 1e7;

/// The points of a file, and where they stand in it.
pub(super) struct Truth {
    pub(super) points: Vec<TruthPoint>,
    /// Each point's line, from 1.
    lines: Vec<usize>,
}

impl Truth {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut truth = Self { points: Vec::new(), lines: Vec::new() };
        for (index, line) in text_file::open(path)?.lines().enumerate() {
            let place = || format!("{}:{}", path.display(), index + 1);
            let line = line.with_context(place)?;
            if index == 0 {
                check_header(&line).with_context(place)?;
            } else {
                truth.points.push(point(&line).with_context(place)?);
                truth.lines.push(index + 1);
            }
        }
        Ok(truth)
    }

    /// An error of the metric in the words of the file.
    pub(super) fn explain(&self, error: &ScoreError) -> String {
        match error {
            ScoreError::ObjectTwice { id, t, first, second } => {
                let line = |point: usize| self.lines.get(point).copied().unwrap_or_default();
                let (first, second) = (line(*first), line(*second));
                format!("expected object {id} once at t = {t}, got it in line {first} and in line {second}")
            }
            other => other.to_string(),
        }
    }
}

fn check_header(line: &str) -> anyhow::Result<()> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    ensure!(columns.join(",") == HEADER, "expected the header {HEADER}, got {:?}", line.trim_end());
    Ok(())
}

fn point(line: &str) -> anyhow::Result<TruthPoint> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [t, id, x, y] = fields[..] else { bail!("expected {HEADER}, got {} fields", fields.len()) };
    let number = |column: &str, text: &str, most: f64| {
        let value = text.parse::<f64>().with_context(|| format!("{column}: expected a number, got {text:?}"))?;
        ensure!(value.abs() <= most, "{column}: expected a number from {:e} to {most:e}, got {text}", -most);
        Ok(value)
    };
    let position_m = [number("x", x, MOST_M)?, number("y", y, MOST_M)?].into();
    Ok(TruthPoint { t: number("t", t, MOST_S)?, id: id.to_owned(), position_m })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("truth.csv");
        std::fs::write(&path, text).expect("written");
        let name = path.display().to_string();
        Truth::read(&path).map(|truth| truth.points.len()).map_err(|error| format!("{error:#}").replace(&name, "truth"))
    }

    #[test]
    fn the_header_is_read() {
        assert_eq!(read("\u{feff}t,id,x,y\r\n1,a,2,3\r\n"), Ok(1));
        assert_eq!(read("id,t,x,y\na,1,2,3\n"), Err("truth:1: expected the header t,id,x,y, got \"id,t,x,y\"".into()));
        assert_eq!(read("1,a,2,3\n"), Err("truth:1: expected the header t,id,x,y, got \"1,a,2,3\"".into()));
    }

    #[test]
    fn numbers_that_cannot_be_are_refused_with_their_line() {
        for wrong in ["nan,a,0,0", "inf,a,0,0", "2e9,a,0,0", "1,a,NaN,0", "1,a,0,-inf", "1,a,1e8,0"] {
            let error = read(&format!("t,id,x,y\n1,b,0,0\n{wrong}\n")).expect_err(wrong);
            assert!(error.starts_with("truth:3: ") && error.contains("expected a number from"), "{error}");
        }
    }
}
