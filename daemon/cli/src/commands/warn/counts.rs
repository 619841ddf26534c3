//! Counts by zone and time, read from CSV.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use vedette_gateway::engine::Timestamp;
use vedette_gateway::engine::surge::MAX_ZONES;
use vedette_gateway::engine::time::parse_rfc3339;

use crate::plain::printable;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// When clocks are put forward or back, a day is shorter or longer by this much.
const CLOCK_CHANGE_S: i64 = HOUR_S;

/// One zone in one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) count: u32,
    pub(super) exposure: f64,
    pub(super) surge: bool,
}

impl Row {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.exposure += other.exposure;
        self.surge |= other.surge;
    }
}

/// Counts in buckets of one length.
#[derive(Debug)]
pub(super) struct Series {
    /// By bucket number (time since `first_s` in buckets), then zone.
    pub(super) buckets: BTreeMap<i64, BTreeMap<String, Row>>,
    pub(super) buckets_per_day: u32,
    /// When bucket 0 begins, seconds since 1970: days begin at the midnight that the counts go by.
    first_s: i64,
    /// Hours and days are those of the clocks on the wall there; of UTC where that is not told.
    timezone: Option<TimeZone>,
    /// It is known where surges were.
    pub(super) labelled: bool,
}

impl Series {
    pub(super) fn bucket_s(&self) -> i64 {
        DAY_S / i64::from(self.buckets_per_day)
    }

    pub(super) fn time(&self, bucket: i64) -> Timestamp {
        let wall_s = self.first_s + bucket * self.bucket_s();
        let instant = self.timezone.as_ref().and_then(|timezone| instant(wall_s, timezone));
        Timestamp::from_seconds(instant.map_or(wall_s, Instant::as_second))
    }

    /// Length of a row's time in buckets: a day has 23 or 25 hours when clocks change.
    #[expect(clippy::cast_precision_loss, reason = "some days at most")]
    fn length(&self, bucket: i64) -> f64 {
        if self.timezone.is_none() || self.buckets_per_day > 1 {
            return 1.0;
        }
        let [from, to] = [bucket, bucket + 1].map(|bucket| self.time(bucket).as_micros());
        (to - from) as f64 / (1e6 * DAY_S as f64)
    }

    pub(super) fn unit(&self) -> &'static str {
        if self.buckets_per_day == 1 { "days" } else { "h" }
    }

    pub(super) fn buckets_per_year(&self) -> f64 {
        365.0 * f64::from(self.buckets_per_day)
    }
}

/// When clocks on the wall show so many seconds since 1970: the first time, or, if they never do, when they are put forward.
fn instant(wall_s: i64, timezone: &TimeZone) -> Option<Instant> {
    let wall = TimeZone::UTC.to_datetime(Instant::from_second(wall_s).ok()?);
    timezone.to_ambiguous_timestamp(wall).compatible().ok()
}

/// What clocks on the wall show then, seconds since 1970.
fn wall_s(t: i64, timezone: &TimeZone) -> anyhow::Result<i64> {
    let instant = Instant::from_second(t).context("t: expected a time within the calendar")?;
    Ok(t + i64::from(timezone.to_offset(instant).seconds()))
}

/// Where the columns are.
struct Columns {
    t: usize,
    zone: usize,
    count: usize,
    exposure: Option<usize>,
    surge: Option<usize>,
}

impl Columns {
    fn read(header: &str) -> anyhow::Result<Self> {
        let names: Vec<&str> = header.trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
        let at = |name: &str| names.iter().position(|&known| known == name);
        let needed = |name: &str| at(name).with_context(|| format!("line 1: expected a column {name}, got {header:?}"));
        Ok(Self {
            t: needed("t")?,
            zone: needed("zone")?,
            count: needed("count")?,
            exposure: at("exposure"),
            surge: at("surge"),
        })
    }

    fn row(&self, line: &str, timezone: Option<&TimeZone>) -> anyhow::Result<(i64, String, Row)> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let field =
            |index: usize| fields.get(index).copied().with_context(|| format!("expected more than {index} fields"));
        let text = field(self.t)?;
        let t = parse_rfc3339(text).or_else(|| midnight(text, timezone)).with_context(|| {
            format!("t: expected a time such as 2026-03-01T02:00:00Z, or a date such as 2026-03-01, got {text:?}")
        })?;
        let text = field(self.count)?;
        let count = text.parse().with_context(|| format!("count: expected a whole number, got {text:?}"))?;
        let exposure = match self.exposure.map(field).transpose()? {
            None => 1.0,
            Some(text) => text
                .parse::<f64>()
                .ok()
                .filter(|exposure| (0.0..=1e6).contains(exposure))
                .with_context(|| format!("exposure: expected a number from 0, got {text:?}"))?,
        };
        let surge = match self.surge.map(field).transpose()? {
            None | Some("0" | "") => false,
            Some("1") => true,
            Some(text) => bail!("surge: expected 0 or 1, got {text:?}"),
        };
        let zone = field(self.zone)?;
        ensure!(!zone.is_empty(), "zone: expected a name, got nothing");
        Ok((t.as_micros().div_euclid(1_000_000), zone.to_owned(), Row { count, exposure, surge }))
    }
}

/// The beginning of a date.
fn midnight(date: &str, timezone: Option<&TimeZone>) -> Option<Timestamp> {
    let utc = parse_rfc3339(&format!("{date}T00:00:00Z"))?;
    let Some(timezone) = timezone else { return Some(utc) };
    Some(Timestamp::from_micros(instant(utc.as_micros().div_euclid(1_000_000), timezone)?.as_microsecond()))
}

/// Reads counts; the spacing of the times says whether they are of hours or of days. With a time zone they go by the clocks on the wall
/// there, as in the daemon: the hour that comes twice in autumn is one, watched for two, and days have 23 to 25 hours.
pub(super) fn read(text: &str, timezone: Option<TimeZone>) -> anyhow::Result<Series> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().context("line 1: expected a header t,zone,count, got nothing")?;
    let columns = Columns::read(header)?;
    let rows: Vec<(usize, i64, String, Row)> = lines
        .map(|(index, line)| {
            let row = columns.row(line, timezone.as_ref());
            let (t, zone, row) = row.with_context(|| format!("line {}", index + 1))?;
            Ok((index + 1, t, zone, row))
        })
        .collect::<anyhow::Result<_>>()?;
    let zones: BTreeSet<&str> = rows.iter().map(|(_, _, zone, _)| zone.as_str()).collect();
    ensure!(zones.len() <= MAX_ZONES, "expected at most {MAX_ZONES} zones, got {}", zones.len());
    let mut times: BTreeMap<i64, usize> = BTreeMap::new();
    for &(number, t, ..) in &rows {
        times.entry(t).or_insert(number);
    }
    let buckets_per_day = buckets_per_day(&times)?;
    let bucket_s = DAY_S / i64::from(buckets_per_day);
    // Midnight by the clock of a place moves by an hour twice a year: without its name the nearest one is meant.
    let (first_s, early_s) = match (times.keys().next(), &timezone) {
        (Some(first), None) if buckets_per_day == 1 => (first.rem_euclid(DAY_S), DAY_S / 2),
        _ => (0, 0),
    };
    let mut series =
        Series { buckets: BTreeMap::new(), buckets_per_day, first_s, timezone, labelled: columns.surge.is_some() };
    let mut known = BTreeSet::new();
    for (number, t, zone, row) in rows {
        let wall_s = series.timezone.as_ref().map_or(Ok(t), |timezone| wall_s(t, timezone))?;
        let bucket = (wall_s - first_s + early_s).div_euclid(bucket_s);
        let place = if series.timezone.is_some() { t } else { bucket };
        ensure!(
            known.insert((place, zone.clone())),
            "line {number}: expected one row for a zone and time, got a second for {}",
            printable(&zone)
        );
        let row = Row { exposure: row.exposure * series.length(bucket), ..row };
        let rows = series.buckets.entry(bucket).or_default();
        rows.entry(zone).and_modify(|first| first.add(row)).or_insert(row);
    }
    Ok(series)
}

/// By the times that are nearest to each other, each with its line.
fn buckets_per_day(times: &BTreeMap<i64, usize>) -> anyhow::Result<u32> {
    let pairs = times.iter().zip(times.iter().skip(1));
    let nearest = pairs.map(|((a, line), (b, other))| (b - a, *line.max(other))).min();
    match nearest {
        Some((HOUR_S, _)) => Ok(24),
        Some((spacing_s, _)) if (spacing_s - DAY_S).abs() <= CLOCK_CHANGE_S => Ok(1),
        Some((spacing_s, line)) => {
            bail!("line {line}: expected counts of hours or of days, got times {spacing_s} s apart")
        }
        None => bail!("expected counts at two times at least, got {}", times.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock_time::to_the_second;

    #[test]
    fn columns_go_by_name() {
        let series =
            read("zone,exposure,count,t\nnorth,0.5,3,2026-03-01T00:00:00Z\nnorth,1,0,2026-03-01T01:00:00Z\n", None)
                .unwrap();
        assert_eq!(series.buckets_per_day, 24);
        let first = series.buckets.values().next().unwrap();
        assert_eq!(first["north"], Row { count: 3, exposure: 0.5, surge: false });
        assert!(!series.labelled);
    }

    #[test]
    fn faults_name_line_field_and_what_was_expected() {
        let fault = |text: &str| format!("{:#}", read(text, None).unwrap_err());
        assert_eq!(fault(""), "line 1: expected a header t,zone,count, got nothing");
        assert_eq!(fault("t,count\n"), "line 1: expected a column zone, got \"t,count\"");
        let rows = |row: &str| format!("t,zone,count,exposure,surge\n{row}\n");
        assert!(fault(&rows("yesterday,n,1,1,0")).starts_with("line 2: t: expected a time such as"));
        assert!(
            fault(&rows("2026-03-01T00:00:00Z,n,-1,1,0"))
                .starts_with("line 2: count: expected a whole number, got \"-1\"")
        );
        assert_eq!(
            fault(&rows("2026-03-01T00:00:00Z,n,1,NaN,0")),
            "line 2: exposure: expected a number from 0, got \"NaN\""
        );
        assert_eq!(fault(&rows("2026-03-01T00:00:00Z,n,1,1,yes")), "line 2: surge: expected 0 or 1, got \"yes\"");
        assert_eq!(fault(&rows("2026-03-01T00:00:00Z,n,1,1,0")), "expected counts at two times at least, got 1");
        let odd = rows("2026-03-01T00:00:00Z,n,1,1,0\n2026-03-01T00:20:00Z,n,1,1,0");
        assert_eq!(fault(&odd), "line 3: expected counts of hours or of days, got times 1200 s apart");
    }

    /// Places that put their clocks forward, wherever their midnight falls in the days of UTC.
    #[test]
    fn days_are_those_of_the_place_and_may_be_an_hour_shorter_or_longer() {
        let series = |rows: &[&str]| {
            let lines: String = rows.iter().map(|t| format!("{t},n,1\n")).collect();
            read(&format!("t,zone,count\n{lines}"), None).unwrap()
        };
        for offsets in [["+01:00", "+02:00"], ["Z", "+01:00"], ["-05:00", "-04:00"], ["+12:00", "+13:00"]] {
            let [winter, summer] = offsets;
            let times = [("28", winter), ("29", winter), ("30", summer), ("31", summer)];
            let times = times.map(|(day, offset)| format!("2026-03-{day}T00:00:00{offset}"));
            let series = series(&times.each_ref().map(String::as_str));
            let buckets: Vec<i64> = series.buckets.keys().copied().collect();
            assert!(
                series.buckets_per_day == 1 && buckets.windows(2).all(|pair| pair[0] + 1 == pair[1]),
                "{buckets:?}"
            );
            assert_eq!(buckets.len(), 4, "{offsets:?}");
            assert_eq!(Some(series.time(buckets[0])), parse_rfc3339(&times[0]));
        }
        assert_eq!(series(&["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]).buckets.len(), 2);
        assert_eq!(series(&["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]).buckets.len(), 2);
        let dates = series(&["2026-01-01", "2026-01-02"]);
        assert_eq!(Some(dates.time(*dates.buckets.keys().next().unwrap())), parse_rfc3339("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn more_zones_than_are_watched_are_refused() {
        let rows = |zones: usize| {
            let rows =
                (0..zones).map(|zone| format!("2026-03-01T00:00:00Z,z{zone},1\n2026-03-01T01:00:00Z,z{zone},1\n"));
            format!("t,zone,count\n{}", rows.collect::<String>())
        };
        assert!(read(&rows(256), None).is_ok());
        assert_eq!(format!("{:#}", read(&rows(257), None).unwrap_err()), "expected at most 256 zones, got 257");
    }

    fn warsaw() -> Option<TimeZone> {
        TimeZone::get("Europe/Warsaw").ok()
    }

    /// From 22:00 UTC of the day before to 23:00 UTC of the day after, one event an hour.
    fn by_the_hour(from: &str, hours: i64) -> Series {
        let first_s = parse_rfc3339(from).unwrap().as_micros() / 1_000_000;
        let row = |hour| format!("{},n,1\n", to_the_second(Timestamp::from_seconds(first_s + 3_600 * hour)));
        let lines: String = (0..hours).map(row).collect();
        read(&format!("t,zone,count\n{lines}"), warsaw()).unwrap()
    }

    #[test]
    fn hours_of_day_are_those_of_the_clocks_on_the_wall_when_these_change_too() {
        let of_day = |series: &Series| -> Vec<(i64, u32, f64)> {
            series.buckets.iter().map(|(bucket, rows)| (bucket % 24, rows["n"].count, rows["n"].exposure)).collect()
        };
        let autumn = by_the_hour("2026-10-24T22:00:00Z", 25);
        let hours: Vec<(i64, u32, f64)> =
            (0..24).map(|hour| if hour == 2 { (2, 2, 2.0) } else { (hour, 1, 1.0) }).collect();
        assert_eq!(of_day(&autumn), hours);
        let spring = by_the_hour("2026-03-28T23:00:00Z", 23);
        let hours: Vec<(i64, u32, f64)> = (0..24).filter(|hour| *hour != 2).map(|hour| (hour, 1, 1.0)).collect();
        assert_eq!(of_day(&spring), hours);
        // Each begins when its first row says.
        let first = *autumn.buckets.keys().next().unwrap();
        let begins = |bucket: i64| to_the_second(autumn.time(bucket));
        assert_eq!(
            [begins(first), begins(first + 2), begins(first + 3)].map(|time| time[11..13].to_owned()),
            ["22", "00", "02"]
        );
    }

    #[test]
    fn days_of_a_place_have_23_to_25_hours() {
        let series = |dates: &[&str]| {
            let lines: String = dates.iter().map(|date| format!("{date},n,1\n")).collect();
            read(&format!("t,zone,count\n{lines}"), warsaw()).unwrap()
        };
        let exposures = |series: &Series| -> Vec<f64> {
            assert!(series.buckets_per_day == 1, "days");
            series.buckets.values().map(|rows| (rows["n"].exposure * 24.0).round()).collect()
        };
        assert_eq!(exposures(&series(&["2026-03-28", "2026-03-29", "2026-03-30"])), [24.0, 23.0, 24.0]);
        assert_eq!(exposures(&series(&["2026-10-24", "2026-10-25", "2026-10-26"])), [24.0, 25.0, 24.0]);
        // The same days, by the times at which they begin.
        let times = series(&["2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]);
        assert_eq!(exposures(&times), [24.0, 25.0, 24.0]);
        let twice = read("t,zone,count\n2026-10-24,n,1\n2026-10-25,n,1\n2026-10-25,n,1\n", warsaw());
        assert!(format!("{:#}", twice.unwrap_err()).contains("expected one row for a zone and time"));
    }
}
