//! The radio medium between modems: path loss, shadowing, airtime, collisions, capture and half duplex.
//!
//! Without I/O and clock: tell it who sends what ([`Medium::transmit`]), ask when the next frame ends
//! ([`Medium::next_end_us`]), and collect who heard it ([`Medium::end`]).

use vedette_wire::{LoRa, SealedFrame};

use crate::random::Random;

/// Loss at one metre at 868 MHz, free space.
const LOSS_AT_1_M_DB: f64 = 31.2;
/// Thermal noise of 125 kHz with a noise figure of 6 dB.
const NOISE_DBM: f64 = -117.0;
/// Signal to noise a LoRa receiver needs, for spreading factors 7 to 12 (Semtech SX1276 data sheet, table 13).
const NEEDED_SNR_DB: [f64; 6] = [-7.5, -10.0, -12.5, -15.0, -17.5, -20.0];
/// A frame survives others that are this much weaker (Bor et al. 2016, "Do LoRa low-power wide-area networks scale?").
const CAPTURE_DB: f64 = 6.0;

/// How the air is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MediumOptions {
    /// Radio settings of all stations.
    pub lora: LoRa,
    /// Transmit power.
    pub power_dbm: f64,
    /// Exponent of the path loss: 2 in free space, 3 to 4 with antennas near the ground.
    pub path_exponent: f64,
    /// Standard deviation of the shadowing of a pair of stations.
    pub shadowing_db: f64,
    /// Standard deviation of the fading of a single frame.
    pub fading_db: f64,
}

/// One station heard a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Reception {
    /// Who heard it.
    pub station: usize,
    /// Signal strength.
    pub rssi_dbm: i16,
    /// Signal to noise ratio, quarter decibels.
    pub snr_qdb: i16,
    /// The frame.
    pub frame: SealedFrame,
}

/// What happened on the air so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediumCounts {
    /// Frames sent.
    pub sent: u64,
    /// Frames heard, each station counted.
    pub heard: u64,
    /// Frames within reach of a station that another frame spoilt there.
    pub collided: u64,
    /// Frames a station missed because it was sending itself.
    pub deaf: u64,
    /// Frames too weak for a station.
    pub faint: u64,
    /// Of these, frames that missed the station they were meant for, as `[collided, deaf, faint]`.
    pub missed_by_addressee: [u64; 3],
    /// Time on the air of each station, microseconds.
    pub airtime_us: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Transmission {
    from: usize,
    to: Option<usize>,
    frame: SealedFrame,
    start_us: u64,
    end_us: u64,
    /// Strength at each station.
    level_dbm: Vec<f64>,
    ended: bool,
}

/// The air of a site.
#[derive(Clone, Debug)]
pub struct Medium {
    options: MediumOptions,
    random: Random,
    /// Mean strength of each station at each other, by sender.
    mean_dbm: Vec<Vec<f64>>,
    on_air: Vec<Transmission>,
    counts: MediumCounts,
}

impl Medium {
    /// Stations at these places, east and north in metres.
    #[must_use]
    pub fn new(options: MediumOptions, places_m: &[[f64; 2]], seed: u64) -> Self {
        let mut random = Random::stream(seed, "medium");
        let mut mean_dbm = vec![vec![f64::NEG_INFINITY; places_m.len()]; places_m.len()];
        for (a, place_a) in places_m.iter().enumerate() {
            for (b, place_b) in places_m.iter().enumerate().skip(a + 1) {
                let range_m = libm::hypot(place_a[0] - place_b[0], place_a[1] - place_b[1]).max(1.0);
                let shadowing_db = options.shadowing_db * random.normal();
                let loss_db = LOSS_AT_1_M_DB + 10.0 * options.path_exponent * libm::log10(range_m) + shadowing_db;
                (mean_dbm[a][b], mean_dbm[b][a]) = (options.power_dbm - loss_db, options.power_dbm - loss_db);
            }
        }
        let counts = MediumCounts { airtime_us: vec![0; places_m.len()], ..MediumCounts::default() };
        Self { options, random, mean_dbm, on_air: Vec::new(), counts }
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> &MediumCounts {
        &self.counts
    }

    /// A station begins to send to another, or to all of them; gives the end of its frame.
    pub fn transmit(&mut self, now_us: u64, from: usize, to: Option<usize>, frame: SealedFrame) -> u64 {
        let airtime_us = self.options.lora.airtime_us(frame.len());
        let fading_db = self.options.fading_db;
        let means = &self.mean_dbm[from];
        let level_dbm = means.iter().map(|mean| mean + fading_db * self.random.normal()).collect();
        let end_us = now_us + airtime_us;
        self.on_air.push(Transmission { from, to, frame, start_us: now_us, end_us, level_dbm, ended: false });
        self.counts.sent += 1;
        self.counts.airtime_us[from] += airtime_us;
        end_us
    }

    /// When the next frame ends.
    #[must_use]
    pub fn next_end_us(&self) -> Option<u64> {
        self.on_air.iter().filter(|sending| !sending.ended).map(|sending| sending.end_us).min()
    }

    /// Whether a station hears somebody at this time.
    #[must_use]
    pub fn is_busy(&self, now_us: u64, station: usize) -> bool {
        let heard = |sending: &Transmission| {
            sending.from != station
                && (sending.start_us..sending.end_us).contains(&now_us)
                && sending.level_dbm[station] >= self.sensitivity_dbm()
        };
        self.on_air.iter().any(heard)
    }

    /// The sender and receivers of the next frame that ends by `now_us`; call again until `None`.
    pub fn end(&mut self, now_us: u64) -> Option<(usize, Vec<Reception>)> {
        let due = self.on_air.iter().enumerate().filter(|(_, sending)| !sending.ended && sending.end_us <= now_us);
        let (index, _) = due.min_by_key(|(_, sending)| sending.end_us)?;
        self.on_air[index].ended = true;
        let ended = self.on_air[index].clone();
        let stations = 0..self.mean_dbm.len();
        let receptions = stations.filter(|&station| station != ended.from);
        let receptions = receptions.filter_map(|station| self.reception(&ended, station)).collect();
        // A frame that ended spoils those it overlapped until they have ended, too.
        let oldest_us = self.on_air.iter().filter(|sending| !sending.ended).map(|sending| sending.start_us).min();
        self.on_air.retain(|sending| !sending.ended || oldest_us.is_some_and(|oldest| sending.end_us > oldest));
        Some((ended.from, receptions))
    }

    fn reception(&mut self, ended: &Transmission, station: usize) -> Option<Reception> {
        let addressed = u64::from(ended.to == Some(station));
        let level_dbm = ended.level_dbm[station];
        if level_dbm < self.sensitivity_dbm() {
            self.counts.faint += 1;
            self.counts.missed_by_addressee[2] += addressed;
            return None;
        }
        let overlapping = self
            .on_air
            .iter()
            .filter(|other| other.from != ended.from && other.start_us < ended.end_us && ended.start_us < other.end_us);
        let (mut deaf, mut strongest_dbm) = (false, f64::NEG_INFINITY);
        for other in overlapping {
            deaf |= other.from == station;
            strongest_dbm = strongest_dbm.max(other.level_dbm[station]);
        }
        if deaf {
            self.counts.deaf += 1;
            self.counts.missed_by_addressee[1] += addressed;
            return None;
        }
        if strongest_dbm > level_dbm - CAPTURE_DB {
            self.counts.collided += 1;
            self.counts.missed_by_addressee[0] += addressed;
            return None;
        }
        self.counts.heard += 1;
        #[expect(clippy::cast_possible_truncation, reason = "casts saturate")]
        let (rssi_dbm, snr_qdb) =
            (libm::round(level_dbm) as i16, libm::round(4.0 * (level_dbm - NOISE_DBM).min(12.0)) as i16);
        Some(Reception { station, rssi_dbm, snr_qdb, frame: ended.frame.clone() })
    }

    fn sensitivity_dbm(&self) -> f64 {
        let index = usize::from(self.options.lora.spreading_factor.clamp(7, 12) - 7);
        NOISE_DBM + NEEDED_SNR_DB[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: MediumOptions = MediumOptions {
        lora: LoRa { spreading_factor: 7, bandwidth_khz: 125 },
        power_dbm: 14.0,
        path_exponent: 3.5,
        shadowing_db: 0.0,
        fading_db: 0.0,
    };

    fn frame(byte: u8) -> SealedFrame {
        SealedFrame::from_iter([byte; 30])
    }

    /// Who heard which sender, after everything has ended.
    fn heard(medium: &mut Medium) -> Vec<(usize, usize)> {
        let mut pairs = vec![];
        while let Some((from, receptions)) = medium.end(u64::MAX) {
            pairs.extend(receptions.iter().map(|reception| (from, reception.station)));
        }
        pairs
    }

    #[test]
    fn a_frame_reaches_who_is_near_and_nobody_else() {
        let mut medium = Medium::new(OPTIONS, &[[0.0, 0.0], [300.0, 0.0], [5_000.0, 0.0]], 1);
        let end_us = medium.transmit(0, 0, None, frame(1));
        assert!(medium.is_busy(end_us - 1, 1));
        assert!(!medium.is_busy(end_us, 1));
        assert!(!medium.is_busy(1, 2));
        assert_eq!(medium.end(end_us - 1), None);
        assert_eq!(heard(&mut medium), [(0, 1)]);
        assert_eq!(medium.counts().faint, 1);
    }

    #[test]
    fn equal_frames_collide_and_a_much_stronger_one_is_captured() {
        let mut equal = Medium::new(OPTIONS, &[[0.0, 0.0], [200.0, 0.0], [-200.0, 0.0]], 1);
        equal.transmit(0, 1, None, frame(1));
        equal.transmit(30_000, 2, None, frame(2));
        assert_eq!(heard(&mut equal), []);
        let mut near_and_far = Medium::new(OPTIONS, &[[0.0, 0.0], [50.0, 0.0], [-400.0, 0.0]], 1);
        near_and_far.transmit(0, 1, None, frame(1));
        near_and_far.transmit(30_000, 2, None, frame(2));
        assert_eq!(heard(&mut near_and_far), [(1, 0)]);
    }

    #[test]
    fn a_frame_that_ended_spoils_the_one_it_overlapped() {
        let mut medium = Medium::new(OPTIONS, &[[0.0, 0.0], [200.0, 0.0], [-200.0, 0.0]], 1);
        let first_end_us = medium.transmit(0, 1, None, frame(1));
        medium.transmit(first_end_us - 1, 2, None, frame(2));
        assert_eq!(heard(&mut medium), []);
        assert!(medium.on_air.is_empty());
        medium.transmit(10_000_000, 1, None, frame(3));
        assert_eq!(heard(&mut medium).len(), 2, "nothing is left over");
    }

    #[test]
    fn who_sends_hears_nothing() {
        let mut medium = Medium::new(OPTIONS, &[[0.0, 0.0], [100.0, 0.0]], 1);
        medium.transmit(0, 0, Some(1), frame(1));
        medium.transmit(1_000, 1, None, frame(2));
        assert_eq!(heard(&mut medium), []);
        assert_eq!(medium.counts().deaf, 2);
        assert_eq!(medium.counts().missed_by_addressee, [0, 1, 0]);
    }

    #[test]
    fn the_same_seed_gives_the_same_air() {
        let options = MediumOptions { shadowing_db: 6.0, fading_db: 3.0, ..OPTIONS };
        let run = || {
            let mut medium = Medium::new(options, &[[0.0, 0.0], [700.0, 0.0], [0.0, 900.0], [800.0, 800.0]], 9);
            for round in 0..200 {
                medium.transmit(round * 40_000, (round % 4) as usize, None, frame(round as u8));
            }
            (heard(&mut medium), medium.counts().clone())
        };
        let (pairs, counts) = run();
        assert_eq!(run(), (pairs, counts.clone()));
        assert_eq!(counts.heard + counts.collided + counts.deaf + counts.faint, 3 * counts.sent);
        assert!(counts.heard > 0 && counts.collided > 0 && counts.faint > 0, "{counts:?}");
    }
}
