//! `vedette warn`: what the early warning of surges would have said to a series of counts.

mod counts;
mod verdict;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use jiff::tz::TimeZone;
use vedette_gateway::engine::surge::{Observation, Settings, Warning, Watch};

use crate::clock_time::to_the_minute;
use crate::outcome::{Outcome, Wrong};
use crate::plain::printable;
use counts::Series;
use verdict::Verdict;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Counts by zone: a CSV file with the columns t (beginning of the hour or day, RFC 3339; or a date), zone and count, and, where
    /// known, exposure (part of the sensor hours that were watched) and surge (1 where a surge is known to have been)
    #[arg(long, value_name = "COUNTS.csv")]
    backtest: PathBuf,
    /// Hours of day and days are those of the clocks on the wall there, such as Europe/Warsaw: `site.timezone` of the gateway. UTC when
    /// absent
    #[arg(long, value_name = "ZONE", value_parser = timezone)]
    timezone: Option<TimeZone>,
    /// Count of a zone in a day that is expected before anything is known of it
    #[arg(long, value_name = "N", default_value_t = Settings::default().expected_per_day)]
    expected_per_day: f64,
    /// False warnings that are accepted in a year and zone
    #[arg(long, value_name = "N", default_value_t = Settings::default().false_warnings_per_year)]
    false_per_year: f64,
    /// Ratio of rates the cumulated sum is designed to find soonest
    #[arg(long, value_name = "RATIO", default_value_t = Settings::default().rise)]
    rise: f64,
    /// Print the table only, not each warning
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let path = &arguments.backtest;
    // The bounds of [rules]: beyond them a backtest tells nothing of what a gateway would say.
    for (name, value, above, most) in [
        ("expected-per-day", arguments.expected_per_day, 0.0, 100_000.0),
        ("false-per-year", arguments.false_per_year, 0.0, 100.0),
        ("rise", arguments.rise, 1.0, 100.0),
    ] {
        if !(value > above && value <= most) {
            return Err(Wrong(format!("--{name}: expected a number above {above}, up to {most}, got {value}")).into());
        }
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let series = counts::read(&text, arguments.timezone.clone()).with_context(|| path.display().to_string())?;
    let settings = Settings {
        expected_per_day: arguments.expected_per_day,
        false_warnings_per_year: arguments.false_per_year,
        buckets_per_day: series.buckets_per_day,
        rise: arguments.rise,
        ..Settings::default()
    };
    let warnings = backtest(&series, &settings);
    let verdict = Verdict::new(&series, &warnings);
    let mut out = std::io::stdout().lock();
    if !arguments.quiet {
        for warning in &warnings {
            writeln!(out, "{}", line(warning, &series, &verdict))?;
        }
    }
    write!(out, "{verdict}")?;
    Ok(Outcome::Done)
}

fn timezone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "expected the name of a time zone such as Europe/Warsaw".to_owned())
}

fn backtest(series: &Series, settings: &Settings) -> Vec<Warning> {
    let mut watch = Watch::default();
    let mut warnings = Vec::new();
    for (&bucket, rows) in &series.buckets {
        let seen: Vec<Observation<'_>> =
            rows.iter().map(|(zone, row)| Observation { zone, count: row.count, exposure: row.exposure }).collect();
        warnings.extend(watch.observe(settings, bucket, &seen));
    }
    warnings
}

/// One warning, for people.
fn line(warning: &Warning, series: &Series, verdict: &Verdict) -> String {
    let Warning { zone, bucket, buckets, count, expected, chance, .. } = warning;
    let time = to_the_minute(series.time(bucket + 1));
    let (zone, unit) = (printable(zone), series.unit());
    let per_year = chance * series.buckets_per_year();
    let truth = match verdict.surge_of(warning) {
        Some(began) => format!("; surge since {}", to_the_minute(series.time(began))),
        None if series.labelled => "; false".to_owned(),
        None => String::new(),
    };
    format!(
        "{time}  {zone}: {count} in {buckets} {unit}, {expected:.2} expected, by chance {per_year:.2} times a year{truth}"
    )
}
