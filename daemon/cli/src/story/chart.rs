//! Lines, bars and points over time, as SVG.

use std::fmt::Write;

use vedette_gateway::engine::Timestamp;
use vedette_gateway::engine::config::Site;

use super::page::escape;
use super::{clock, zoned};

const WIDTH: f64 = 960.0;
/// Room for the labels of rows and of the vertical axis.
const LEFT: f64 = 130.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
/// Room for the times below.
const BOTTOM: f64 = 24.0;
/// Most labels along the time axis.
const MOST_TICKS: f64 = 8.0;
/// Steps of the time axis that read well.
const STEPS_S: [i64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/// A chart with time from left to right.
pub(super) struct Chart<'a> {
    site: &'a Site,
    from: Timestamp,
    span_s: f64,
    height: f64,
    body: String,
    title: String,
}

impl<'a> Chart<'a> {
    /// A chart of this height over `from` to `to`; `title` says what it shows to those who cannot see it.
    pub(super) fn new(title: &str, height: f64, (from, to): (Timestamp, Timestamp), site: &'a Site) -> Self {
        let span_s = to.seconds_since(from).max(1.0);
        Self { site, from, span_s, height, body: String::new(), title: title.to_owned() }
    }

    pub(super) fn x(&self, time: Timestamp) -> f64 {
        LEFT + (time.seconds_since(self.from) / self.span_s).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// Whether the time lies inside.
    pub(super) fn holds(&self, time: Timestamp) -> bool {
        (0.0..=self.span_s).contains(&time.seconds_since(self.from))
    }

    /// The height of a value where `range` fills the chart.
    pub(super) fn y(&self, value: f64, (low, high): (f64, f64)) -> f64 {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        TOP + (1.0 - share) * (self.height - TOP - BOTTOM)
    }

    pub(super) fn draw(&mut self, svg: &str) {
        self.body.push_str(svg);
    }

    /// Grid lines with labels at these values.
    pub(super) fn levels(&mut self, values: &[(f64, &str)], range: (f64, f64)) {
        for (value, label) in values {
            let y = self.y(*value, range);
            let _ = write!(
                self.body,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                escape(label)
            );
        }
    }

    /// A dashed line at a value, with what it means.
    pub(super) fn bound(&mut self, value: f64, range: (f64, f64), label: &str) {
        let y = self.y(value, range);
        let _ = write!(
            self.body,
            "<line class=\"bound\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"dim halo\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT + 6.0,
            y - 4.0,
            escape(label)
        );
    }

    /// A line through points in the order of time.
    pub(super) fn curve(&mut self, points: impl Iterator<Item = (Timestamp, f64)>, range: (f64, f64)) {
        let mut path = String::new();
        let mut last = None;
        for (time, value) in points {
            let at = (self.x(time), self.y(value, range));
            // Half a pixel says nothing new.
            if last.is_some_and(|(x, y): (f64, f64)| (x - at.0).abs() < 0.5 && (y - at.1).abs() < 0.5) {
                continue;
            }
            let _ = write!(path, "{}{:.1} {:.1}", if path.is_empty() { 'M' } else { 'L' }, at.0, at.1);
            last = Some(at);
        }
        let _ = write!(self.body, "<path class=\"curve\" d=\"{path}\"/>");
    }

    pub(super) fn dot(&mut self, time: Timestamp, value: f64, range: (f64, f64), class: &str, tip: &str) {
        let (x, y) = (self.x(time), self.y(value, range));
        let tip = escape(tip);
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{tip}</title></circle>"
        );
    }

    /// A vertical line with a mark above it.
    pub(super) fn event(&mut self, time: Timestamp, mark: &str, tip: &str) {
        let (x, foot) = (self.x(time), self.height - BOTTOM);
        let anchor = anchor_at(x);
        let _ = write!(
            self.body,
            "<line class=\"event\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{foot:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}<title>{}</title></text>",
            TOP - 3.0,
            escape(mark),
            escape(tip)
        );
    }

    /// A label at the left of a row.
    pub(super) fn label(&mut self, y: f64, text: &str) {
        // Longer names would run into the chart.
        let short: String =
            if text.chars().count() > 18 { text.chars().take(17).chain(['…']).collect() } else { text.to_owned() };
        let _ = write!(
            self.body,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            escape(&short)
        );
    }

    /// The finished SVG with its time axis.
    pub(super) fn svg(mut self) -> String {
        let step_s = STEPS_S.into_iter().find(|&step| self.span_s / step as f64 <= MOST_TICKS).unwrap_or(7 * 86_400);
        let foot = self.height - BOTTOM;
        let _ = write!(
            self.body,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{foot:.1}\" y2=\"{foot:.1}\"/>",
            WIDTH - RIGHT
        );
        let end = self.from.plus_seconds(self.span_s);
        let mut tick = Timestamp::from_seconds((self.from.whole_seconds() / step_s + 1) * step_s);
        while tick <= end {
            let x = self.x(tick);
            let label = if step_s % 60 == 0 { zoned(tick, self.site, "%H:%M") } else { clock(tick, self.site) };
            let label = if step_s >= 86_400 { zoned(tick, self.site, "%d %b") } else { label };
            let anchor = anchor_at(x);
            let _ = write!(
                self.body,
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{foot:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"dim\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>",
                foot + 4.0,
                foot + 17.0
            );
            tick = tick.plus_seconds(step_s as f64);
        }
        frame(&self.title, WIDTH, self.height, &self.body)
    }
}

/// A label at the very edge would be cut off in the middle.
fn anchor_at(x: f64) -> &'static str {
    if x > WIDTH - 40.0 { "end" } else { "middle" }
}

/// Bars side by side, each with a label below and its count above.
pub(super) fn bars(title: &str, bars: &[(String, u64)]) -> String {
    const HEIGHT: f64 = 170.0;
    let most = bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let width = (WIDTH - RIGHT) / bars.len().max(1) as f64;
    let room = HEIGHT - BOTTOM - 2.0 * TOP;
    let mut body = String::new();
    for (index, (label, count)) in bars.iter().enumerate() {
        let (x, tall) = (index as f64 * width, *count as f64 / most as f64 * room);
        let middle = x + width / 2.0;
        let _ = write!(
            body,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count}</text>\
             <text class=\"dim\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x + 3.0,
            HEIGHT - BOTTOM - tall,
            width - 6.0,
            HEIGHT - BOTTOM - tall - 4.0,
            HEIGHT - 7.0,
            escape(label)
        );
    }
    frame(title, WIDTH, HEIGHT, &body)
}

/// An SVG of this size; `title` is what it shows.
pub(super) fn frame(title: &str, width: f64, height: f64, body: &str) -> String {
    let title = escape(title);
    format!(
        "<div class=\"wide\"><svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\" \
         xmlns=\"http://www.w3.org/2000/svg\">{body}</svg></div>"
    )
}
