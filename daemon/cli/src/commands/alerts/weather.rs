//! Weather by the hour, read from CSV.

use anyhow::{Context, ensure};
use vedette_gateway::engine::budget::Weather;
use vedette_gateway::engine::time::parse_rfc3339;

/// Reads the columns t, `wind_mps`, `rain_mm`.
pub(super) fn read(text: &str) -> anyhow::Result<Vec<Weather>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header = lines.next().map(|(_, line)| line.trim());
    ensure!(
        header == Some("t,wind_mps,rain_mm"),
        "line 1: expected the header t,wind_mps,rain_mm, got {:?}",
        header.unwrap_or("")
    );
    lines.map(|(index, line)| hour(line).with_context(|| format!("line {}", index + 1))).collect()
}

fn hour(line: &str) -> anyhow::Result<Weather> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [t, wind, rain] = fields[..] else { anyhow::bail!("expected t,wind_mps,rain_mm, got {} fields", fields.len()) };
    let number = |name: &str, text: &str| {
        let value = text.parse::<f64>().ok().filter(|value| (0.0..1e4).contains(value));
        value.with_context(|| format!("{name}: expected a number from 0, got {text:?}"))
    };
    let at = parse_rfc3339(t).with_context(|| format!("t: expected a time such as 2026-03-01T02:00:00Z, got {t:?}"))?;
    Ok(Weather { at, wind_mps: number("wind_mps", wind)?, rain_mm: number("rain_mm", rain)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_hours_and_faults_name_them() {
        let read_one = |line: &str| read(&format!("t,wind_mps,rain_mm\n{line}\n"));
        let hours = read_one("2026-03-01T02:00:00Z, 11.5, 0").unwrap();
        assert!((hours[0].wind_mps - 11.5).abs() < 1e-12);
        let fault = |line: &str| format!("{:#}", read_one(line).unwrap_err());
        assert_eq!(
            fault("2026-03-01T02:00:00Z,strong,0"),
            "line 2: wind_mps: expected a number from 0, got \"strong\""
        );
        assert_eq!(fault("now,1,0"), "line 2: t: expected a time such as 2026-03-01T02:00:00Z, got \"now\"");
        assert!(format!("{:#}", read("").unwrap_err()).starts_with("line 1: expected the header"));
    }
}
