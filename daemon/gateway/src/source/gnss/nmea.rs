//! NMEA 0183 sentences of a GNSS receiver: RMC has date, time and place, GST the standard deviations, GGA whether there is a
//! fix. Checksums are needed: serial lines lose bytes.

use vedette_engine::Timestamp;
use vedette_engine::time::parse_rfc3339;

use super::{Fix, GnssError, Place};

/// Longest sentence, with some room beyond the standard's 82.
const MAX_BYTES: usize = 120;
/// Standard deviation of a place while no GST tells one.
const USUAL_SD_M: f64 = 10.0;
/// The sentence ends some tenths of a second after the moment it tells, and a line at 9600 baud takes as long.
const TIME_SD_S: f64 = 0.5;

/// What sentences before the last said.
#[derive(Debug, Default)]
pub struct Sentences {
    /// Of the last GST.
    sd_m: Option<f64>,
    /// The last GGA said that there is no fix.
    without_fix: bool,
}

impl Sentences {
    /// Takes the next line; a fix with each valid RMC.
    ///
    /// # Errors
    /// When the checksum or a field is wrong. Lines that are no sentences are passed over: receivers print text, too.
    pub fn take(&mut self, line: &[u8]) -> Result<Option<Fix>, GnssError> {
        let Some(fields) = sentence(line)? else { return Ok(None) };
        let fields: Vec<&str> = fields.split(',').collect();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        // The first two letters tell the constellation.
        match field(0).get(2..) {
            Some("GGA") => {
                self.without_fix = matches!(field(6), "" | "0");
                Ok(None)
            }
            Some("GST") => {
                let sd = |index: usize| field(index).parse::<f64>().ok().filter(|sd_m| *sd_m > 0.0);
                self.sd_m = sd(6).zip(sd(7)).map(|(lat_m, lon_m)| lat_m.max(lon_m));
                Ok(None)
            }
            Some("RMC") if field(2) == "A" && !self.without_fix => {
                let time = Some((time(field(1), field(9))?, TIME_SD_S));
                let lat = angle("latitude", field(3), field(4), ["N", "S"], 90.0)?;
                let lon = angle("longitude", field(5), field(6), ["E", "W"], 180.0)?;
                let sd_m = self.sd_m.unwrap_or(USUAL_SD_M).clamp(0.1, 1_000.0);
                Ok(Some(Fix { time, place: Some(Place { lat, lon, sd_m }) }))
            }
            _ => Ok(None),
        }
    }
}

/// The fields of a sentence whose checksum is right; none when the line is no sentence.
fn sentence(line: &[u8]) -> Result<Option<&str>, GnssError> {
    let Some(start) = line.iter().position(|byte| *byte == b'$') else { return Ok(None) };
    let line = &line[start + 1..];
    if line.len() > MAX_BYTES {
        return Ok(None);
    }
    let Ok(text) = std::str::from_utf8(line) else { return Ok(None) };
    let Some((body, sum)) = text.rsplit_once('*') else {
        let expected = "two hexadecimal digits after an asterisk".to_owned();
        return Err(GnssError::Checksum { expected, got: "nothing".to_owned() });
    };
    let expected = format!("{:02X}", body.bytes().fold(0, |sum, byte| sum ^ byte));
    if !sum.trim().eq_ignore_ascii_case(&expected) {
        return Err(GnssError::Checksum { expected, got: sum.chars().take(8).collect() });
    }
    Ok(Some(body))
}

fn wrong(field: &'static str, expected: &'static str, got: &str) -> GnssError {
    GnssError::Field { field, expected, got: got.chars().take(20).collect() }
}

/// `hhmmss.ss` and `ddmmyy`; receivers of this kind are younger than 2000.
fn time(clock: &str, date: &str) -> Result<Timestamp, GnssError> {
    let digits =
        |text: &str, length: usize| text.len() >= length && text.bytes().take(length).all(|b| b.is_ascii_digit());
    if !digits(clock, 6) || !clock.is_ascii() {
        return Err(wrong("time", "hhmmss", clock));
    }
    if !digits(date, 6) || date.len() != 6 {
        return Err(wrong("date", "ddmmyy", date));
    }
    let (day, month, year) = (&date[0..2], &date[2..4], &date[4..6]);
    let (hour, minute, second) = (&clock[0..2], &clock[2..4], &clock[4..]);
    let text = format!("20{year}-{month}-{day}T{hour}:{minute}:{}Z", second.trim_end_matches('.'));
    parse_rfc3339(&text).ok_or_else(|| wrong("time", "a time of a day", clock))
}

/// `dddmm.mmmm` and a letter, as degrees.
fn angle(name: &'static str, text: &str, side: &str, sides: [&str; 2], limit: f64) -> Result<f64, GnssError> {
    let number: f64 = text.parse().map_err(|_| wrong(name, "degrees and minutes", text))?;
    let degrees = (number / 100.0).trunc();
    let minutes = number - 100.0 * degrees;
    let value = degrees + minutes / 60.0;
    if !(0.0..=limit).contains(&value) || minutes >= 60.0 {
        return Err(wrong(name, "degrees and minutes", text));
    }
    match side {
        _ if side == sides[0] => Ok(value),
        _ if side == sides[1] => Ok(-value),
        _ => Err(wrong(name, "N, S, E or W", side)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_sum(body: &str) -> String {
        format!("${body}*{:02X}", body.bytes().fold(0, |sum, byte| sum ^ byte))
    }

    #[test]
    fn sentences_of_one_second_are_one_fix() {
        let mut sentences = Sentences::default();
        let mut take = |body: &str| sentences.take(with_sum(body).as_bytes()).expect("a sentence");
        assert_eq!(take("GPGGA,194111.00,5455.8000,N,02357.0000,E,1,09,0.9,102.3,M,27.1,M,,"), None);
        assert_eq!(take("GPGST,194111.00,6.2,4.1,3.0,12.0,3.2,3.6,7.9"), None);
        let fix = take("GNRMC,194111.50,A,5455.8000,S,02357.0000,W,0.02,77.5,211126,,,A").expect("a fix");
        let place = fix.place.expect("a place");
        assert!((place.lat + 54.93).abs() < 1e-9 && (place.lon + 23.95).abs() < 1e-9 && place.sd_m == 3.6);
        assert_eq!(fix.time.map(|(time, _)| time), parse_rfc3339("2026-11-21T19:41:11.5Z"));
        assert_eq!(take("GPRMC,194112.00,V,,,,,,,211126,,,N"), None, "not valid");
        assert_eq!(take("GPGGA,194113.00,,,,,0,00,,,M,,M,,"), None);
        assert_eq!(take("GPRMC,194113.00,A,5455.8000,N,02357.0000,E,0.02,77.5,211126,,,A"), None, "no fix");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let told = |line: &str| Sentences::default().take(line.as_bytes()).expect_err("wrong").to_string();
        assert_eq!(told("$GPRMC,1*00"), "checksum: expected 56, got 00");
        assert!(told("$GPRMC,194111.00,A").starts_with("checksum: expected two hexadecimal digits"));
        let body = |lat: &str, date: &str, clock: &str| {
            with_sum(&format!("GPRMC,{clock},A,{lat},N,02357.0000,E,0,0,{date},,,A"))
        };
        assert_eq!(told(&body("9955.8", "211126", "194111")), "latitude: expected degrees and minutes, got 9955.8");
        assert_eq!(told(&body("5466.8", "211126", "194111")), "latitude: expected degrees and minutes, got 5466.8");
        assert_eq!(told(&body("5455.8", "2111", "194111")), "date: expected ddmmyy, got 2111");
        assert_eq!(told(&body("5455.8", "211126", "254111")), "time: expected a time of a day, got 254111");
        assert_eq!(told(&body("NaN", "211126", "194111")), "latitude: expected degrees and minutes, got NaN");
        assert_eq!(Sentences::default().take(b"u-blox starting"), Ok(None));
    }

    proptest! {
        #[test]
        fn no_line_panics(body in "(GP(RMC|GGA|GST))?[,0-9A-Z.é]{0,60}", line in proptest::collection::vec(any::<u8>(), 0..90)) {
            let mut sentences = Sentences::default();
            let _ = sentences.take(with_sum(&body).as_bytes());
            let _ = sentences.take(&line);
        }
    }
}
