//! RFC 3339 text to [`Timestamp`] and back.

use vedette_tracker::Timestamp;

/// The instant written as RFC 3339, in any offset, or nothing when it is not one.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    parse_utc(text.as_bytes())
        .or_else(|| text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp::from_micros(time.as_microsecond())))
}

/// The instant in UTC with microseconds, as `2026-03-01T02:14:07.250000Z`; instants that no calendar has (before year
/// -9999 or after 9999) are written as the nearest one that it has.
#[must_use]
pub fn format_rfc3339(time: Timestamp) -> String {
    let nearest = if time.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let time = jiff::Timestamp::from_microsecond(time.as_micros()).unwrap_or(nearest);
    format!("{time:.6}")
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction]Z` alone: this is in every message, and the general parser takes several times longer.
fn parse_utc(text: &[u8]) -> Option<Timestamp> {
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .try_fold(0_i64, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
    };
    if text.len() < 20 || text.last() != Some(&b'Z') {
        return None;
    }
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if punctuation.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // A leap second is left to the general parser.
    if !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let fraction = &text[19..text.len() - 1];
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            (0..6).try_fold(0_i64, |value, index| match digits.get(index) {
                None => Some(value * 10),
                Some(digit) => digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')),
            })?
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_micros(seconds * 1_000_000 + micros))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in -30_000_000_000_000_000_i64..200_000_000_000_000_000) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(parse_rfc3339(&format_rfc3339(time)), Some(time));
        }

        #[test]
        fn the_short_way_agrees_with_the_general_parser(
            year in 0_i64..=9_999, month in 0_i64..=13, day in 0_i64..=32, second in 0_i64..=61, fraction in "(\\.[0-9]{1,7})?",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T23:59:{second:02}{fraction}Z");
            let general = text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp::from_micros(time.as_microsecond()));
            prop_assert_eq!(parse_rfc3339(&text), general);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse_rfc3339(&text);
        }
    }

    #[test]
    fn an_offset_is_understood() {
        assert_eq!(parse_rfc3339("2026-03-01T03:14:07.25+01:00"), parse_rfc3339("2026-03-01T02:14:07.250Z"));
        assert_eq!(format_rfc3339(Timestamp::from_micros(0)), "1970-01-01T00:00:00.000000Z");
    }
}
