//! The tracks file: one line for each picture, written once and never revised.

use std::io::Write;

use vedette_engine::config::Site;
use vedette_engine::geo::SiteFrame;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Picture, Track, TrackStatus};

/// Writes pictures as JSON lines. They are written out by hand: most of a line are numbers with few places, which take a
/// general writer several times as long.
#[derive(Debug)]
pub struct TrackWriter {
    frame: SiteFrame,
    /// The sensors' names, as JSON.
    sensors: Vec<String>,
    line: Vec<u8>,
}

impl TrackWriter {
    /// A writer for the tracks of this site.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        let name = |id: &String| serde_json::Value::from(id.as_str()).to_string();
        let sensors = site.sensors.iter().map(|sensor| name(&sensor.model.id)).collect();
        Self { frame: site.frame, sensors, line: Vec::new() }
    }

    /// Appends one line.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&mut self, picture: &Picture, out: &mut impl Write) -> std::io::Result<()> {
        self.line.clear();
        let (t, now) = (format_rfc3339(picture.at), format_rfc3339(picture.now));
        write!(self.line, r#"{{"t":"{t}","now":"{now}","tracks":["#)?;
        for (number, track) in picture.tracks.iter().enumerate() {
            if number > 0 {
                self.line.push(b',');
            }
            self.write_track(track);
        }
        self.line.extend_from_slice(b"]}\n");
        out.write_all(&self.line)
    }

    /// Place, velocity and so on to a millimetre or a hundredth of an arc second, which is enough for a file. The place is absent
    /// while the track is too uncertain for a point; the covariance is east-east, east-north, north-north.
    fn write_track(&mut self, track: &Track) {
        let line = &mut self.line;
        let (position, covariance) = (track.position_m, track.position_covariance_m2);
        text(line, r#"{"id":"#);
        whole(line, track.id.0);
        text(line, r#","status":""#);
        text(line, if track.status == TrackStatus::Confirmed { "confirmed" } else { "tentative" });
        text(line, r#"""#);
        if track.localised {
            let (lat, lon) = self.frame.to_wgs84(position);
            number::<7>(line, r#","lat":"#, lat);
            number::<7>(line, r#","lon":"#, lon);
            number::<3>(line, r#","east_m":"#, position.x);
            number::<3>(line, r#","north_m":"#, position.y);
        }
        number::<4>(line, r#","cov_m2":["#, covariance.m11);
        number::<4>(line, ",", covariance.m12);
        number::<4>(line, ",", covariance.m22);
        number::<4>(line, r#"],"ve_mps":"#, track.velocity_mps.x);
        number::<4>(line, r#","vn_mps":"#, track.velocity_mps.y);
        number::<6>(line, r#","existence":"#, track.existence);
        number::<6>(line, r#","class":{"person":"#, track.class.person);
        number::<6>(line, r#","animal":"#, track.class.animal);
        number::<6>(line, r#","vehicle":"#, track.class.vehicle);
        text(line, r#"},"sensors":["#);
        for (number, contribution) in track.contributions.iter().enumerate() {
            text(line, if number > 0 { "," } else { "" });
            text(line, self.sensors.get(contribution.sensor).map_or(r#""""#, String::as_str));
        }
        text(line, "]}");
    }
}

fn text(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

/// Most places of a number, and where its point is among its digits: 15 and a sign come before.
const MOST_PLACES: usize = 7;
const POINT: usize = 17;

/// A text, then a number to so many places, without zeros at its end but for the first.
fn number<const PLACES: usize>(line: &mut Vec<u8>, before: &str, value: f64) {
    text(line, before);
    let scaled = value * const { power_of_ten(PLACES) as f64 };
    if scaled.abs() >= 1e15 || scaled.is_nan() {
        // No figure of a track: as JSON writes it.
        text(line, &serde_json::Value::from(value).to_string());
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 1e15, and without its sign")]
    let steps = (scaled.abs() + 0.5) as u64;
    let (whole, fraction) = (steps / const { power_of_ten(PLACES) }, steps % const { power_of_ten(PLACES) });
    let mut digits = [b'0'; POINT + 1 + MOST_PLACES];
    digits[POINT] = b'.';
    put_digits(&mut digits[POINT + 1..=POINT + PLACES], fraction);
    let mut first = put_digits(&mut digits[..POINT], whole).min(POINT - 1);
    if scaled < 0.0 && steps > 0 {
        first -= 1;
        digits[first] = b'-';
    }
    let last = digits[POINT + 2..=POINT + PLACES].iter().rposition(|digit| *digit != b'0');
    line.extend_from_slice(&digits[first..last.map_or(POINT + 2, |last| POINT + 3 + last)]);
}

fn whole(line: &mut Vec<u8>, value: u64) {
    let mut digits = [b'0'; 20];
    let first = put_digits(&mut digits, value).min(digits.len() - 1);
    line.extend_from_slice(&digits[first..]);
}

/// All pairs of digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut pair = 0;
    while pair < 100 {
        pairs[pair as usize] = [b'0' + pair / 10, b'0' + pair % 10];
        pair += 1;
    }
    pairs
};

/// Writes a number's digits at the end of `digits`, two at a time, and gives where they begin.
fn put_digits(digits: &mut [u8], value: u64) -> usize {
    let (mut place, mut rest) = (digits.len(), value);
    while rest >= 10 && place > 1 {
        place -= 2;
        digits[place..place + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 && place > 0 {
        place -= 1;
        digits[place] = b'0' + (rest % 10) as u8;
    }
    place
}

const fn power_of_ten(places: usize) -> u64 {
    let (mut power, mut place) = (1, 0);
    while place < places {
        power *= 10;
        place += 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written<const PLACES: usize>(value: f64) -> String {
        let mut line = Vec::new();
        number::<PLACES>(&mut line, "", value);
        String::from_utf8(line).expect("digits")
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_to_its_places(value in -1e9..1e9_f64, small in -1.0..1.0_f64) {
            for value in [value, small] {
                let read: f64 = written::<4>(value).parse().expect("a number");
                prop_assert!((read - (value * 1e4).round() / 1e4).abs() <= f64::EPSILON * value.abs());
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        let some = [0.0, -0.0, 1.0, -12.5, 0.062_5, 0.000_04, -0.000_04, 123.000_06].map(written::<4>);
        assert_eq!(some, ["0.0", "0.0", "1.0", "-12.5", "0.0625", "0.0", "0.0", "123.0001"]);
        assert_eq!((written::<4>(f64::NAN), written::<4>(1e300).parse::<f64>()), ("null".to_owned(), Ok(1e300)));
    }
}
