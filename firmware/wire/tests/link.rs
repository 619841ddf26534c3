//! The serial link: any splitting of the bytes gives the same messages, and no damage passes.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use vedette_wire::link::{
    Accumulator, Bench, Configure, Downward, Fed, FromModem, LinkError, MAX_LINE, MAX_SAMPLES, Message, Outcome,
    Received, Started, Status, TickClock, ToModem, Transmit, Transmitted, Upward,
};
use vedette_wire::payload::{ResetCause, Time};
use vedette_wire::{Key, MAX_FRAME, SealedFrame};

fn frame() -> impl Strategy<Value = SealedFrame> {
    prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 1..=MAX_FRAME)
        .prop_map(|bytes| bytes.into_iter().collect())
}

fn upward() -> impl Strategy<Value = Upward> {
    let outcome = prop::sample::select(vec![
        Outcome::Sent,
        Outcome::Late,
        Outcome::DutyCycle,
        Outcome::QueueFull,
        Outcome::Radio,
    ]);
    let reset = prop::sample::select((0..=4).filter_map(ResetCause::of_code).collect::<Vec<_>>());
    prop_oneof![
        (any::<u32>(), any::<i16>(), any::<i16>(), frame()).prop_map(|(ticks, rssi_dbm, snr_qdb, frame)| {
            Upward::Received(Received { ticks, rssi_dbm, snr_qdb, frame })
        }),
        (any::<u16>(), any::<u32>(), outcome).prop_map(|(id, ticks, outcome)| Upward::Transmitted(Transmitted {
            id,
            ticks,
            outcome
        })),
        any::<([u32; 7], [u16; 2])>().prop_map(|(long, [duty_permille, queued])| {
            let [ticks, received, duplicates, damaged, transmitted, refused, link_errors] = long;
            Upward::Status(Status {
                ticks,
                received,
                duplicates,
                damaged,
                transmitted,
                refused,
                link_errors,
                duty_permille,
                queued,
            })
        }),
        (any::<u32>(), any::<[u8; 4]>(), reset).prop_map(|(ticks, numbers, reset)| {
            let [min_version, current_version, firmware_major, firmware_minor] = numbers;
            Upward::Started(Started { ticks, min_version, current_version, firmware_major, firmware_minor, reset })
        }),
    ]
}

fn configure() -> impl Strategy<Value = Configure> {
    let radio = (137_000..=1_020_000_u32, 7..=12_u8, prop::sample::select(vec![125_u16, 250, 500]), -9..=30_i8);
    (radio, 1..=1000_u16, 1..=3600_u16).prop_map(|(radio, duty_permille, status_period_s)| {
        let (frequency_khz, spreading_factor, bandwidth_khz, power_dbm) = radio;
        Configure { frequency_khz, spreading_factor, bandwidth_khz, power_dbm, duty_permille, status_period_s }
    })
}

fn from_modem() -> impl Strategy<Value = FromModem> {
    prop_oneof![
        (any::<i16>(), any::<i16>(), frame()).prop_map(|(rssi_dbm, snr_qdb, frame)| FromModem::Heard {
            rssi_dbm,
            snr_qdb,
            frame
        }),
        any::<bool>().prop_map(|busy| FromModem::Carrier { busy }),
        any::<u16>().prop_map(|airtime_ms| FromModem::Sent { airtime_ms }),
    ]
}

fn to_modem() -> impl Strategy<Value = ToModem> {
    prop_oneof![frame().prop_map(|frame| ToModem::Send { frame }), configure().prop_map(ToModem::Tune)]
}

fn bench() -> impl Strategy<Value = Bench> {
    let keys = any::<([u8; 16], [u8; 16])>();
    let provision = (any::<u32>(), any::<u8>(), any::<u8>(), any::<u32>(), keys).prop_map(
        |(node, epoch, site_epoch, first_counter, (key, site_key))| Bench::Provision {
            node,
            epoch,
            key: Key::new(key),
            site_epoch,
            site_key: Key::new(site_key),
            first_counter,
        },
    );
    let samples = prop::collection::vec(any::<i16>(), 0..=MAX_SAMPLES);
    let stimulus = (any::<[bool; 4]>(), samples).prop_map(|([pir, tamper, beam_left, beam_right], samples)| {
        Bench::Stimulus { pir, tamper, beam_left, beam_right, samples: samples.into_iter().collect() }
    });
    prop_oneof![provision, stimulus]
}

fn downward() -> impl Strategy<Value = Downward> {
    prop_oneof![
        (any::<u16>(), any::<Option<u32>>(), frame()).prop_map(|(id, at_ticks, frame)| Downward::Transmit(Transmit {
            id,
            at_ticks,
            frame
        })),
        configure().prop_map(Downward::Configure),
        (any::<u32>(), 0..16_u8, any::<u8>()).prop_map(|(unix_s, sixteenths, sd_ticks)| Downward::Time(Time {
            unix_s,
            sixteenths,
            sd_ticks
        })),
    ]
}

/// Feeds the pieces one after the other; gives the messages and the faults.
fn take_all<M: Message>(pieces: &[&[u8]]) -> (Vec<M>, Vec<LinkError>) {
    let (mut accumulator, mut messages, mut faults) = (Accumulator::<M>::new(), Vec::new(), Vec::new());
    for piece in pieces {
        let mut input = *piece;
        loop {
            match accumulator.feed(input) {
                Fed::Consumed => break,
                Fed::Message { message, rest } => {
                    messages.push(message);
                    input = rest;
                }
                Fed::Fault { error, rest } => {
                    faults.push(error);
                    input = rest;
                }
            }
        }
    }
    (messages, faults)
}

/// Every cut and every flipped bit of one frame: nothing but the frame itself may decode.
fn assert_damage_is_refused<M: Message + PartialEq>(message: &M) -> Result<(), TestCaseError> {
    let line = message.encode().unwrap();
    for len in 0..line.len() - 1 {
        prop_assert!(M::decode(&mut line[..len].to_vec()).is_err(), "cut to {} bytes", len);
    }
    for bit in 0..line.len() * 8 {
        let mut flipped = line.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (messages, _) = take_all::<M>(&[&[0], &flipped, &[0]]);
        prop_assert!(messages.is_empty(), "bit {} flipped", bit);
    }
    Ok(())
}

proptest! {
    #[test]
    fn messages_survive_any_splitting(
        messages in prop::collection::vec(upward(), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = vec![0];
        for message in &messages {
            bytes.extend(message.encode().unwrap());
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(take_all::<Upward>(&pieces), (messages, vec![]));
    }

    #[test]
    fn downward_messages_decode_to_themselves(message in downward()) {
        let line = message.encode().unwrap();
        prop_assert!(line.len() <= MAX_LINE);
        prop_assert_eq!(take_all::<Downward>(&[&line]), (vec![message], vec![]));
    }

    #[test]
    fn noise_before_and_between_frames_costs_only_itself(
        message in upward(),
        noise in prop::collection::vec(1..=255_u8, 1..MAX_LINE),
        overlong in prop::collection::vec(1..=255_u8, MAX_LINE + 1..400),
    ) {
        let line = message.encode().unwrap();
        let (messages, faults) = take_all::<Upward>(&[&noise, &[0], &line, &noise, &[0], &line, &overlong, &[0, 0], &line]);
        prop_assert_eq!(messages, vec![message.clone(), message.clone(), message]);
        prop_assert_eq!(faults.len(), 3);
        prop_assert_eq!(faults[0], LinkError::Noise { len: noise.len() });
        prop_assert_eq!(faults[2], LinkError::Overlong);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        take_all::<Upward>(&[&bytes]);
        take_all::<Downward>(&[&bytes]);
        take_all::<FromModem>(&[&bytes]);
        take_all::<ToModem>(&[&bytes]);
        take_all::<Bench>(&[&bytes]);
    }

    #[test]
    fn damaged_upward_frames_are_refused(message in upward()) {
        assert_damage_is_refused(&message)?;
    }

    #[test]
    fn damaged_downward_frames_are_refused(message in downward()) {
        assert_damage_is_refused(&message)?;
    }

    #[test]
    fn modem_and_bench_messages_decode_to_themselves_and_refuse_damage(from in from_modem(), to in to_modem(), bench in bench()) {
        prop_assert_eq!(take_all::<FromModem>(&[&from.encode().unwrap()]).0, vec![from.clone()]);
        prop_assert_eq!(take_all::<ToModem>(&[&to.encode().unwrap()]).0, vec![to.clone()]);
        prop_assert_eq!(take_all::<Bench>(&[&bench.encode().unwrap()]).0, vec![bench.clone()]);
        assert_damage_is_refused(&from)?;
        assert_damage_is_refused(&to)?;
        assert_damage_is_refused(&bench)?;
    }

    #[test]
    fn unwrapped_ticks_follow_the_true_clock(start: u32, steps in prop::collection::vec((1..0x7FFF_0000_u32, 0..0x7FFF_u32), 1..200)) {
        let (mut clock, mut truth) = (TickClock::new(), u64::from(start));
        let origin = clock.unwrap_ticks(start).wrapping_sub(truth);
        for (step, late) in steps {
            truth += u64::from(step);
            prop_assert_eq!(clock.unwrap_ticks(truth as u32).wrapping_sub(origin), truth);
            let earlier = truth.saturating_sub(u64::from(late));
            prop_assert_eq!(clock.unwrap_ticks(earlier as u32).wrapping_sub(origin), earlier);
        }
    }
}

#[test]
fn a_downward_frame_is_no_upward_message() {
    let time = Downward::Time(Time { unix_s: 1, sixteenths: 2, sd_ticks: 3 }).encode().unwrap();
    assert_eq!(take_all::<Upward>(&[&time]).1, [LinkError::Noise { len: time.len() - 1 }]);
    assert_eq!(take_all::<Upward>(&[&[0], &time]).1, [LinkError::Kind { got: 0x83 }]);
}

#[test]
fn settings_out_of_range_have_no_encoding() {
    let good = Configure {
        frequency_khz: 868_100,
        spreading_factor: 7,
        bandwidth_khz: 125,
        power_dbm: 14,
        duty_permille: 10,
        status_period_s: 60,
    };
    assert!(Downward::Configure(good).encode().is_ok());
    for bad in [
        Configure { frequency_khz: 2_400_000, ..good },
        Configure { spreading_factor: 6, ..good },
        Configure { bandwidth_khz: 200, ..good },
        Configure { power_dbm: 31, ..good },
        Configure { duty_permille: 0, ..good },
        Configure { status_period_s: 0, ..good },
    ] {
        assert!(matches!(Downward::Configure(bad).encode(), Err(LinkError::Range { .. })), "{bad:?}");
    }
}
