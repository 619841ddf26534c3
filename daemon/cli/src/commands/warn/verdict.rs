//! Warnings against the surges that are known to have been.

use std::collections::BTreeMap;
use std::fmt;

use vedette_gateway::engine::surge::Warning;

use super::counts::Series;
use crate::plain::printable;

/// A warning this many days after a surge's end is still about it: it takes a day for a zone to be quiet again.
const ABOUT_UNTIL_DAYS: i64 = 1;

/// A surge and when it was warned of.
#[derive(Debug)]
struct Surge {
    began: i64,
    ended: i64,
    warned: Option<i64>,
}

#[derive(Debug, Default)]
struct Zone {
    buckets: usize,
    events: u64,
    surges: Vec<Surge>,
    /// The last hour or day that was counted was one of a surge.
    in_surge: bool,
    warnings: usize,
    wrong: usize,
}

/// What the warnings were worth, by zone.
pub(super) struct Verdict {
    zones: BTreeMap<String, Zone>,
    labelled: bool,
    about_until: i64,
    buckets_per_day: f64,
    buckets_per_year: f64,
}

impl Verdict {
    pub(super) fn new(series: &Series, warnings: &[Warning]) -> Self {
        let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
        for (&bucket, rows) in &series.buckets {
            for (name, row) in rows {
                let zone = zones.entry(name.clone()).or_default();
                zone.buckets += 1;
                zone.events += u64::from(row.count);
                match zone.surges.last_mut() {
                    // Hours that nobody counted end no surge.
                    Some(last) if row.surge && zone.in_surge => last.ended = bucket,
                    _ if row.surge => zone.surges.push(Surge { began: bucket, ended: bucket, warned: None }),
                    _ => {}
                }
                zone.in_surge = row.surge;
            }
        }
        let mut verdict = Self {
            zones,
            labelled: series.labelled,
            about_until: ABOUT_UNTIL_DAYS * i64::from(series.buckets_per_day),
            buckets_per_day: f64::from(series.buckets_per_day),
            buckets_per_year: series.buckets_per_year(),
        };
        for warning in warnings {
            verdict.judge(warning);
        }
        verdict
    }

    fn judge(&mut self, warning: &Warning) {
        let about_until = self.about_until;
        let Some(zone) = self.zones.get_mut(&warning.zone) else { return };
        zone.warnings += 1;
        match zone.surges.iter_mut().find(|surge| surge.covers(warning.bucket, about_until)) {
            Some(surge) => {
                surge.warned.get_or_insert(warning.bucket);
            }
            None => zone.wrong += 1,
        }
    }

    /// When the surge began that a warning is about.
    pub(super) fn surge_of(&self, warning: &Warning) -> Option<i64> {
        let surges = &self.zones.get(&warning.zone)?.surges;
        Some(surges.iter().find(|surge| surge.covers(warning.bucket, self.about_until))?.began)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of warnings and hours")]
    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, zone: &Zone) -> fmt::Result {
        let years = zone.buckets as f64 / self.buckets_per_year;
        let days = zone.buckets as f64 / self.buckets_per_day;
        write!(f, "{:<16} {days:>7.0} {:>8} {:>8}", printable(name), zone.events, zone.warnings)?;
        if !self.labelled {
            return writeln!(f, " {:>12.2}", zone.warnings as f64 / years);
        }
        let mut delays: Vec<i64> = zone.surges.iter().filter_map(Surge::delay).collect();
        delays.sort_unstable();
        let within_a_day = delays.iter().filter(|&&delay| delay as f64 <= self.buckets_per_day).count();
        let median = delays.get(delays.len() / 2).map_or("-".to_owned(), ToString::to_string);
        let longest = delays.last().map_or("-".to_owned(), ToString::to_string);
        writeln!(
            f,
            " {:>12.2} {:>7} {:>6} {within_a_day:>12} {median:>12} {longest:>13}",
            zone.wrong as f64 / years,
            zone.surges.len(),
            delays.len(),
        )
    }
}

impl Surge {
    fn covers(&self, bucket: i64, about_until: i64) -> bool {
        (self.began..=self.ended + about_until).contains(&bucket)
    }

    /// Buckets from the beginning until the warning, which comes at the end of its bucket.
    fn delay(&self) -> Option<i64> {
        Some(self.warned? - self.began + 1)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<16} {:>7} {:>8} {:>8}", "zone", "days", "events", "warnings")?;
        if self.labelled {
            let unit = if self.buckets_per_day > 1.0 { "h" } else { "d" };
            writeln!(
                f,
                " {:>12} {:>7} {:>6} {:>12} {:>12} {:>13}",
                "false a year",
                "surges",
                "found",
                "within a day",
                format!("median delay {unit}"),
                format!("longest delay {unit}"),
            )?;
        } else {
            writeln!(f, " {:>12}", "a year")?;
        }
        for (name, zone) in &self.zones {
            self.row(f, name, zone)?;
        }
        if self.zones.len() > 1 {
            self.row(f, "all", &self.all())?;
        }
        Ok(())
    }
}

impl Verdict {
    fn all(&self) -> Zone {
        let mut all = Zone::default();
        for zone in self.zones.values() {
            all.buckets += zone.buckets;
            all.events += zone.events;
            all.warnings += zone.warnings;
            all.wrong += zone.wrong;
            let copy = |surge: &Surge| Surge { began: surge.began, ended: surge.ended, warned: surge.warned };
            all.surges.extend(zone.surges.iter().map(copy));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts;
    use super::*;

    #[test]
    fn a_gap_in_a_surge_makes_no_second_one_and_a_quiet_hour_does() {
        let surges = |hours: &[(u32, u32)]| {
            let lines: String =
                hours.iter().map(|(t, surge)| format!("2026-03-01T{t:02}:00:00Z,n,3,{surge}\n")).collect();
            let series = counts::read(&format!("t,zone,count,surge\n{lines}"), None).expect("counts");
            let verdict = Verdict::new(&series, &[]);
            verdict.zones["n"].surges.iter().map(|surge| surge.ended - surge.began + 1).collect::<Vec<i64>>()
        };
        assert_eq!(surges(&[(0, 0), (1, 1), (2, 1), (5, 1), (6, 0)]), [5]);
        assert_eq!(surges(&[(0, 1), (1, 0), (2, 1), (5, 0), (6, 1)]), [1, 1, 1]);
    }

    #[test]
    fn names_of_zones_give_the_terminal_no_orders() {
        let series =
            counts::read("t,zone,count\n2026-03-01,\u{1b}[31mred,1\n2026-03-02,north,1\n", None).expect("counts");
        assert!(!Verdict::new(&series, &[]).to_string().contains('\u{1b}'));
    }
}
