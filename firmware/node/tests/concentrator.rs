//! The concentrator passes on what it should, when it should.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use vedette_node::concentrator::{Concentrator, Output};
use vedette_wire::SealedFrame;
use vedette_wire::link::{Configure, Downward, Outcome, ToModem, Transmit, Upward};
use vedette_wire::payload::ResetCause;

const START_MS: u64 = (1 << 32) - 10_000;

struct Rig {
    concentrator: Concentrator,
    out: Vec<Output>,
    now_ms: u64,
}

impl Rig {
    /// A concentrator ten seconds before its ticks wrap.
    fn new() -> Self {
        let mut out = vec![];
        let concentrator = Concentrator::start(START_MS, ResetCause::PowerOn, &mut |output| out.push(output));
        Self { concentrator, out, now_ms: START_MS }
    }

    fn heard(&mut self, frame: &[u8]) {
        let frame = SealedFrame::from_slice(frame).unwrap();
        self.concentrator.heard(self.now_ms, -90, 20, frame, &mut |output| self.out.push(output));
    }

    fn transmit(&mut self, id: u16, at_ticks: Option<u32>) {
        let frame = SealedFrame::from_slice(&[id as u8; 30]).unwrap();
        let message = Downward::Transmit(Transmit { id, at_ticks, frame });
        self.concentrator.command(self.now_ms, message, &mut |output| self.out.push(output));
    }

    /// Runs for a while; the modem takes 70 ms for each frame.
    fn run_for(&mut self, duration_ms: u64) {
        let end_ms = self.now_ms + duration_ms;
        while self.now_ms < end_ms {
            let sent = self.sends();
            self.concentrator.poll(self.now_ms, &mut |output| self.out.push(output));
            if self.sends() > sent {
                self.now_ms += 70;
                self.concentrator.sent();
            }
            self.now_ms += 1;
        }
    }

    fn sends(&self) -> usize {
        self.out.iter().filter(|output| matches!(output, Output::ToModem(ToModem::Send { .. }))).count()
    }

    fn outcomes(&self) -> Vec<(u16, u32, Outcome)> {
        let answers = self.out.iter().filter_map(|output| match output {
            Output::ToGateway(Upward::Transmitted(answer)) => Some((answer.id, answer.ticks, answer.outcome)),
            _ => None,
        });
        answers.collect()
    }

    fn received(&self) -> usize {
        self.out.iter().filter(|output| matches!(output, Output::ToGateway(Upward::Received(_)))).count()
    }

    fn configure(&mut self, duty_permille: u16) {
        let settings = Configure {
            frequency_khz: 868_300,
            spreading_factor: 7,
            bandwidth_khz: 125,
            power_dbm: 14,
            duty_permille,
            status_period_s: 10,
        };
        self.concentrator.command(self.now_ms, Downward::Configure(settings), &mut |output| self.out.push(output));
    }
}

#[test]
fn it_says_hello_and_tunes_its_modem() {
    let rig = Rig::new();
    assert!(matches!(rig.out[..], [Output::ToGateway(Upward::Started(_)), Output::ToModem(ToModem::Tune(_))]));
}

#[test]
fn an_echo_is_dropped_and_a_retransmission_is_not() {
    let mut rig = Rig::new();
    let (frame, sealed_anew) = ([1; 30], [2; 30]);
    for frame in [frame, frame, sealed_anew, frame, sealed_anew] {
        rig.heard(&frame);
        rig.run_for(100);
    }
    assert_eq!(rig.received(), 2);
    rig.run_for(6_000);
    rig.heard(&frame);
    assert_eq!(rig.received(), 3);
}

#[test]
fn frames_for_a_moment_go_out_then_across_the_wrap_of_the_ticks() {
    let mut rig = Rig::new();
    let beacon_ticks = (START_MS as u32).wrapping_add(15_000);
    rig.transmit(1, Some(beacon_ticks));
    rig.run_for(20_000);
    assert_eq!(rig.outcomes(), [(1, beacon_ticks, Outcome::Sent)]);
    rig.transmit(2, Some(beacon_ticks));
    rig.run_for(100);
    assert_eq!(rig.outcomes()[1].2, Outcome::Late);
}

#[test]
fn acknowledgements_wait_for_the_channel_and_give_up_when_nobody_listens_any_more() {
    let mut rig = Rig::new();
    rig.concentrator.carrier(true);
    rig.transmit(1, None);
    rig.run_for(1_000);
    assert!(rig.outcomes().is_empty());
    rig.concentrator.carrier(false);
    rig.run_for(20);
    assert_eq!(rig.outcomes()[0].2, Outcome::Sent);
    rig.concentrator.carrier(true);
    rig.transmit(2, None);
    rig.run_for(3_000);
    assert_eq!(rig.outcomes()[1].2, Outcome::Radio);
}

#[test]
fn a_full_queue_and_a_spent_duty_cycle_are_said() {
    let mut rig = Rig::new();
    for id in 0..17 {
        rig.transmit(id, None);
    }
    assert_eq!(rig.outcomes().len(), 1);
    assert_eq!(rig.outcomes()[0].2, Outcome::QueueFull);
    rig.run_for(2_000);
    assert_eq!(rig.sends(), 16);

    let mut rig = Rig::new();
    rig.configure(1);
    for id in 0..80 {
        rig.transmit(id, None);
        rig.run_for(200);
    }
    let refused = rig.outcomes().iter().filter(|(_, _, outcome)| *outcome == Outcome::DutyCycle).count();
    // 3.6 s an hour hold 50 frames of 72 ms.
    assert_eq!((rig.sends(), refused), (50, 30));
}

#[test]
fn status_comes_at_its_period_and_counts() {
    let mut rig = Rig::new();
    rig.configure(10);
    rig.heard(&[1; 30]);
    rig.heard(&[1; 30]);
    rig.heard(&[1; 3]);
    rig.transmit(1, None);
    rig.run_for(35_000);
    let statuses: Vec<_> = rig
        .out
        .iter()
        .filter_map(|output| match output {
            Output::ToGateway(Upward::Status(status)) => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses.len(), 4);
    let last = statuses.last().unwrap();
    assert_eq!((last.received, last.duplicates, last.damaged, last.transmitted), (1, 1, 1, 1));
}

proptest! {
    #[test]
    fn every_transmit_is_answered_once(commands in prop::collection::vec((any::<Option<u32>>(), 0..3_000_u64, any::<bool>()), 1..40)) {
        let mut rig = Rig::new();
        let count = commands.len();
        for (id, (at_ticks, pause_ms, busy)) in commands.into_iter().enumerate() {
            let soon = at_ticks.map(|random| (rig.now_ms as u32).wrapping_add(random % 5_000).wrapping_sub(500));
            rig.transmit(id as u16, soon);
            rig.concentrator.carrier(busy);
            rig.run_for(pause_ms);
        }
        rig.concentrator.carrier(false);
        rig.run_for(10_000);
        let mut answered: Vec<u16> = rig.outcomes().iter().map(|(id, _, _)| *id).collect();
        answered.sort_unstable();
        prop_assert_eq!(answered, (0..count as u16).collect::<Vec<_>>());
    }
}
