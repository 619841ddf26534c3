//! When a zone counts: weekdays and hours in the site's time zone.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::check::Checker;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// One span of hours on some days, as typed: `{ days = ["mon", "tue"], from = "22:00", to = "06:00" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTable {
    /// Days on which the span begins; every day when absent.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// Beginning, "HH:MM" local time.
    pub from: String,
    /// End, "HH:MM" local time; a span that ends before it begins runs past midnight.
    pub to: String,
}

/// Spans of local time; an empty list means always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(Vec<Span>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    /// Indexed by days from Monday.
    days: [bool; 7],
    from_minute: u16,
    to_minute: u16,
}

impl Schedule {
    pub(super) fn resolve(tables: &[ScheduleTable], check: &mut Checker<'_>) -> Self {
        let mut array = check.table("schedule");
        let span = |(index, table): (usize, &ScheduleTable)| {
            let mut check = array.element(index);
            let mut days = [table.days.is_empty(); 7];
            for &day in &table.days {
                days[day as usize] = true;
            }
            let from_minute = minute_of_day("from", &table.from, &mut check);
            let to_minute = minute_of_day("to", &table.to, &mut check);
            Span { days, from_minute, to_minute }
        };
        Self(tables.iter().enumerate().map(span).collect())
    }

    /// Whether the schedule covers `time` in this zone.
    #[must_use]
    pub fn covers(&self, time: Timestamp, timezone: &TimeZone) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Ok(instant) = jiff::Timestamp::from_microsecond(time.as_micros()) else { return false };
        let local = timezone.to_datetime(instant);
        let today = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let yesterday = (today + 6) % 7;
        self.0.iter().any(|span| {
            if span.from_minute < span.to_minute {
                span.days[today] && (span.from_minute..span.to_minute).contains(&minute)
            } else {
                (span.days[today] && minute >= span.from_minute) || (span.days[yesterday] && minute < span.to_minute)
            }
        })
    }
}

fn minute_of_day(key: &str, text: &str, check: &mut Checker<'_>) -> u16 {
    let parsed = text.split_once(':').and_then(|(hours, minutes)| {
        let two_digits = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
    });
    parsed.unwrap_or_else(|| {
        let fix = format!("write for example {key} = \"22:00\"");
        check.fault(
            key,
            "a time of day from \"00:00\" to \"24:00\"",
            &format!("\"{}\"", text.escape_debug()),
            Some(&fix),
        );
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(days: &[Weekday], from: &str, to: &str) -> Schedule {
        let mut faults = Vec::new();
        let table = ScheduleTable { days: days.to_vec(), from: from.into(), to: to.into() };
        let schedule = Schedule::resolve(&[table], &mut Checker::new(&mut faults));
        assert_eq!(faults, []);
        schedule
    }

    fn at(text: &str) -> Timestamp {
        crate::time::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_night_that_begins_on_friday_ends_on_saturday() {
        let night = schedule(&[Weekday::Fri], "22:00", "06:00");
        let warsaw = TimeZone::get("Europe/Warsaw").unwrap();
        // 2026-03-06 is a Friday; Warsaw is one hour ahead of UTC.
        assert!(!night.covers(at("2026-03-06T20:59:59Z"), &warsaw));
        assert!(night.covers(at("2026-03-06T21:00:00Z"), &warsaw));
        assert!(night.covers(at("2026-03-07T04:59:59Z"), &warsaw));
        assert!(!night.covers(at("2026-03-07T05:00:00Z"), &warsaw));
        assert!(!night.covers(at("2026-03-07T21:00:00Z"), &warsaw));
    }

    #[test]
    fn summer_time_moves_the_span() {
        let day = schedule(&[], "08:00", "16:00");
        let warsaw = TimeZone::get("Europe/Warsaw").unwrap();
        assert!(!day.covers(at("2026-01-10T06:30:00Z"), &warsaw));
        assert!(day.covers(at("2026-07-10T06:30:00Z"), &warsaw));
    }

    #[test]
    fn a_time_that_does_not_exist_is_a_fault_with_its_path() {
        let mut faults = Vec::new();
        let table = ScheduleTable { days: vec![], from: "25:00".into(), to: "6:00".into() };
        Schedule::resolve(&[table], &mut Checker::new(&mut faults));
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.join(".")).collect();
        assert_eq!(paths, ["schedule.0.from", "schedule.0.to"]);
    }
}
