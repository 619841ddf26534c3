//! The sensors behind alerts that were worth nothing, as a gateway's status and a centre's budget show them.

use std::fmt::Write as _;

use vedette_gateway::engine::budget::{LISTED, SUGGESTED, SensorWorth};

use crate::plain::wrapped;

/// A correlation that is worth a word.
const NOTEWORTHY: f64 = 0.3;

/// The worst sensors, and what would help the worst three of them; nothing when none did harm.
pub(crate) fn told(ranked: &[SensorWorth]) -> String {
    let noisy: Vec<&SensorWorth> = ranked.iter().filter(|worth| worth.nuisance > 0.0).take(LISTED).collect();
    if noisy.is_empty() {
        return String::new();
    }
    let mut text = "\nsensor           nuisance   real   (alerts, each shared among its sensors)\n".to_owned();
    for worth in &noisy {
        let _ = write!(text, "{:<16} {:>8.1} {:>6.1}", worth.sensor, worth.nuisance, worth.real);
        if let Some((wind, rain)) = worth.with_weather {
            for (name, correlation) in [("wind", wind), ("rain", rain)] {
                if correlation >= NOTEWORTHY {
                    let _ = write!(text, "   comes with {name} (correlation {correlation:.2})");
                }
            }
        }
        text.push('\n');
    }
    for suggestion in noisy.iter().take(SUGGESTED).filter_map(|worth| worth.suggestion()) {
        text.push_str(&wrapped("", "    ", &suggestion));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_three_sensors_are_told_with_what_would_help() {
        let worth = |sensor: &str, nuisance: f64, factor: Option<f64>| SensorWorth {
            sensor: sensor.to_owned(),
            nuisance,
            real: 1.0,
            with_weather: Some((0.8, 0.1)),
            false_alarm_factor: factor,
            change: None,
        };
        let changed =
            SensorWorth { change: Some("clutter_per_scan = 2.0".to_owned()), ..worth("trip-1", 4.0, Some(2.0)) };
        let text =
            told(&[worth("pir-3", 9.0, Some(4.0)), worth("radar", 5.0, None), changed, worth("x", 3.5, Some(2.0))]);
        assert_eq!(text.matches("comes with wind (correlation 0.80)").count(), 4, "{text}");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            words.matches("in its [[sensor]] table write").count(),
            2,
            "the fourth is none of the worst three: {text}"
        );
        assert!(words.contains(
            "pir-3: claimed more than came true; in its [[sensor]] table write a false_alarms_per_hour, or a \
             clutter_per_scan where it scans, 4.0 times as high"
        ));
        assert!(words.contains("write clutter_per_scan = 2.0, 2.0 times as high as it is"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(told(&[worth("pir-3", 0.0, None)]), "");
    }
}
