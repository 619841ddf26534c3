//! gpsd's JSON: reports of class TPV; everything else it says is passed over.

use serde::Deserialize;
use vedette_engine::time::parse_rfc3339;

use super::{Fix, GnssError, Place};

/// Asks gpsd to report.
pub const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";
/// Standard deviation of a place that comes without one.
const USUAL_SD_M: f64 = 10.0;
/// The report is made after the fix, and travels: its time is no better than this.
const LEAST_TIME_SD_S: f64 = 0.1;

#[derive(Deserialize)]
struct Report {
    class: String,
    #[serde(default)]
    mode: u8,
    time: Option<String>,
    ept: Option<f64>,
    lat: Option<f64>,
    lon: Option<f64>,
    epx: Option<f64>,
    epy: Option<f64>,
}

/// The fix in a line, where it is a report with one.
///
/// # Errors
/// When it is not what gpsd writes.
pub fn fix(line: &[u8]) -> Result<Option<Fix>, GnssError> {
    let wrong = |field: &'static str, expected: &'static str, got: String| GnssError::Field { field, expected, got };
    let report: Report =
        serde_json::from_slice(line).map_err(|error| wrong("line", "a report in JSON", error.to_string()))?;
    // Modes below 2 have no fix.
    if report.class != "TPV" || report.mode < 2 {
        return Ok(None);
    }
    let time = match &report.time {
        Some(text) => {
            let time = parse_rfc3339(text).ok_or_else(|| wrong("time", "an RFC 3339 time", text.clone()))?;
            Some((time, report.ept.filter(|sd_s| *sd_s > 0.0).unwrap_or(0.0).max(LEAST_TIME_SD_S)))
        }
        None => None,
    };
    let place = match (report.lat, report.lon) {
        (Some(lat), Some(lon)) if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) => {
            // gpsd's estimates are 95 % values.
            let sd_m = report.epx.zip(report.epy).map_or(USUAL_SD_M, |(x, y)| f64::max(x, y) / 2.0);
            Some(Place { lat, lon, sd_m: sd_m.clamp(0.1, 1_000.0) })
        }
        (Some(lat), Some(lon)) => return Err(wrong("lat", "a place on the globe", format!("{lat}, {lon}"))),
        _ => None,
    };
    Ok(Some(Fix { time, place }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_report_with_a_fix_is_time_and_place() {
        let line = br#"{"class":"TPV","device":"/dev/x","mode":3,"time":"2026-03-01T02:14:07.000Z","ept":0.005,"lat":54.93,"lon":23.95,"altHAE":129.4,"epx":6.2,"epy":8.4,"speed":0.01}"#;
        let fix = fix(line).expect("a report").expect("a fix");
        assert_eq!(fix.place, Some(Place { lat: 54.93, lon: 23.95, sd_m: 4.2 }));
        assert_eq!(fix.time, parse_rfc3339("2026-03-01T02:14:07Z").map(|time| (time, 0.1)));
    }

    #[test]
    fn other_reports_and_those_without_a_fix_are_passed_over_and_broken_ones_named() {
        assert_eq!(fix(br#"{"class":"SKY","satellites":[]}"#), Ok(None));
        assert_eq!(fix(br#"{"class":"TPV","mode":1,"time":"2026-03-01T02:14:07.000Z"}"#), Ok(None));
        for broken in [
            &br#"{"class":"TPV","mode":3,"lat":540.0,"lon":1.0}"#[..],
            br#"{"class":"TPV","mode":3,"time":"now"}"#,
            b"{",
        ] {
            assert!(fix(broken).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = fix(&line);
        }
    }
}
