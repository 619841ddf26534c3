//! A radar at a border sees a walker go over it; what an own unit carries tells places meanwhile.

use vedette_engine::time::{format_rfc3339, parse_rfc3339};
use vedette_engine::{Alert, AlertKind, Durable, Engine, Frame, FrameContent, Input, Output, Timestamp};

/// All but the own unit, and the site's name.
pub(crate) const SITE: &str = r#"
[site]
id = "patrol"
origin = { lat = 52.0, lon = 23.6 }

[[sensor]]
id = "radar-1"
kind = "radar"
position = { east_m = 0.0, north_m = -300.0 }
coverage = { shape = "sector", range_m = 900.0, heading_deg = 0.0, width_deg = 120.0 }
scan_period_s = 1.0
detection_probability = 0.95
clutter_per_scan = 0.01
position_sd_m = 3.0

[[zone]]
name = "border"
kind = "border"
line_m = [[-400.0, 0.0], [400.0, 0.0]]
"#;

/// When the walk begins.
pub(crate) fn start() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:08Z").expect("a time")
}

/// A latitude so far north of the site's origin, in 1e-7 of a degree.
pub(crate) fn latitude_e7(north_m: f64) -> f64 {
    520_000_000.0 + north_m / 0.011_126_6
}

pub(crate) fn message(codec: &str, text: String) -> FrameContent {
    FrameContent::Message { codec: codec.into(), topic: None, retained: false, bytes: text.into_bytes() }
}

/// Hands over one input; the alerts that come of it.
pub(crate) fn take(engine: &mut Engine, now: Timestamp, input: Input) -> Vec<Alert> {
    let mut out = Vec::new();
    engine.handle(now, input, &mut out);
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    };
    out.into_iter().filter_map(alert).collect()
}

pub(crate) fn hear(engine: &mut Engine, now: Timestamp, content: FrameContent) -> Vec<Alert> {
    take(engine, now, Input::Frame(Frame { source: "x".into(), received: now, content }))
}

/// The walker goes from south to north across the line for a minute and a half; each ten seconds somebody tells something, knowing the
/// second and where the walker is.
pub(crate) fn walk(engine: &mut Engine, tells: impl Fn(u32, f64) -> Option<FrameContent>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for second in 0_u32..90 {
        let (now, north_m) = (start().plus_seconds(f64::from(second)), 1.5 * f64::from(second) - 70.0);
        let stamp = format_rfc3339(now);
        let scan = format!(
            r#"{{"v":1,"sensor":"radar-1","t":"{stamp}","plots":[{{"kind":"position","east_m":0,"north_m":{north_m}}}]}}"#
        );
        alerts.extend(hear(engine, now, message("native", scan)));
        if second % 10 == 0 {
            alerts.extend(tells(second, north_m).into_iter().flat_map(|content| hear(engine, now, content)));
        }
    }
    alerts
}

/// By what each revision of a crossing is explained.
pub(crate) fn crossings(alerts: &[Alert]) -> Vec<Option<&str>> {
    let crossings = alerts.iter().filter(|alert| alert.kind == AlertKind::Crossing);
    crossings.map(|alert| alert.suppressed.as_ref().map(|by| by.rule.as_str())).collect()
}
