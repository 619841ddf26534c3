//! Prometheus' text format, version 0.0.4. Written from a snapshot at each scrape, so that a series which is gone (a
//! source that was removed) is gone from the page too, and no recorder is global.

use std::fmt::Write as _;

/// What kind of number a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A page of series.
#[derive(Debug, Default)]
pub(super) struct Text {
    body: String,
    family: String,
}

impl Text {
    /// Begins a family of series: those that follow until the next one have its name.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) -> &mut Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        name.clone_into(&mut self.family);
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self
    }

    /// One series of the family.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.body.push_str(&self.family);
        for (index, (name, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.body, "{}{name}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.body.push('}');
        }
        let _ = match value {
            f64::INFINITY => writeln!(self.body, " +Inf"),
            f64::NEG_INFINITY => writeln!(self.body, " -Inf"),
            _ => writeln!(self.body, " {value}"),
        };
        self
    }

    /// One series without labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_families_told_once() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "What.").sample(&[("x", "1\"2\\3\n"), ("y", "z")], 3.0).sample(&[], 0.5);
        text.single("b", Kind::Gauge, "Other.", f64::INFINITY);
        let page = "# HELP a_total What.\n# TYPE a_total counter\na_total{x=\"1\\\"2\\\\3\\n\",y=\"z\"} 3\na_total 0.5\n\
                    # HELP b Other.\n# TYPE b gauge\nb inf\n";
        assert_eq!(text.finish(), page.replace("inf", "+Inf"));
    }
}
