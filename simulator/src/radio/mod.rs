//! The low-power radio: nodes that keep events until they are acknowledged, and the air they share.
//!
//! Sans-IO and in seconds of the scenario, so that the same net serves virtual time and a live gateway: tell it what the
//! detectors notice ([`Net::detect`]), ask when it next has something to do, move it on, hand its arrivals to the
//! gateway and the gateway's acknowledgements back.

mod air;
mod node;

use vedette_wire::payload::{EventKind, PayloadError};
use vedette_wire::{Payload, PayloadBytes};

pub use air::AirOptions;
pub use node::NodeOptions;

use crate::random::Random;
use air::{Air, Transmission};
use node::Node;

/// A frame that reached the concentrator, not sealed yet: sealing belongs to whoever holds the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// End of the frame, seconds of the scenario.
    pub at_s: f64,
    /// Who sent it.
    pub node: u32,
    /// Its frame counter.
    pub counter: u32,
    /// The encoded payload.
    pub payload: PayloadBytes,
    /// Signal strength at the concentrator.
    pub rssi_dbm: i16,
    /// Signal to noise ratio, quarter decibels.
    pub snr_qdb: i16,
}

/// What the net has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetCounts {
    /// Frames sent.
    pub sent: u64,
    /// Of these, sent again because no acknowledgement came.
    pub repeated: u64,
    /// Frames lost because two overlapped.
    pub collided: u64,
    /// Frames lost to the channel.
    pub faded: u64,
    /// Frames that reached the concentrator.
    pub arrived: u64,
    /// Time on the air of all frames sent, milliseconds.
    pub airtime_ms: u64,
    /// Events dropped because a node's memory was full.
    pub dropped: u64,
}

/// All nodes of a site and their air.
#[derive(Debug)]
pub struct Net {
    nodes: Vec<Node>,
    air: Air,
    random: Random,
    counts: NetCounts,
    jammed_s: Vec<[f64; 2]>,
}

impl Net {
    /// Nodes with these numbers, silent until they detect something or their telemetry is due.
    #[must_use]
    pub fn new(numbers: &[u32], node: &NodeOptions, air: &AirOptions, seed: u64) -> Self {
        let mut random = Random::stream(seed, "radio");
        let nodes = numbers.iter().map(|number| Node::new(*number, *node, &mut random)).collect();
        Self { nodes, air: Air::new(*air), random, counts: NetCounts::default(), jammed_s: Vec::new() }
    }

    /// Tells a node that its detector will notice something; times of one node must not decrease.
    pub fn detect(&mut self, node: u32, at_s: f64, kind: EventKind, strength_half_db: u8) {
        if let Some(node) = self.nodes.iter_mut().find(|other| other.number() == node) {
            node.plan(at_s, kind, strength_half_db);
        }
    }

    /// Nothing gets through during these spans of time.
    pub fn jam(&mut self, spans_s: &[[f64; 2]]) {
        self.jammed_s.extend_from_slice(spans_s);
    }

    fn is_jammed(&self, now_s: f64) -> bool {
        self.jammed_s.iter().any(|[from, to]| (*from..*to).contains(&now_s))
    }

    /// The node is dead from this time on.
    pub fn kill(&mut self, node: u32, at_s: f64) {
        if let Some(node) = self.nodes.iter_mut().find(|other| other.number() == node) {
            node.dies_at(at_s);
        }
    }

    /// When something will happen next.
    #[must_use]
    pub fn next_deadline_s(&self) -> f64 {
        let nodes = self.nodes.iter().map(Node::next_s).fold(f64::INFINITY, f64::min);
        nodes.min(self.air.next_end_s())
    }

    /// Everything that happens until then; frames that arrived are appended in order of arrival.
    ///
    /// # Errors
    /// When a node made a payload that cannot be encoded.
    pub fn advance(&mut self, until_s: f64, arrivals: &mut Vec<Arrival>) -> Result<(), PayloadError> {
        loop {
            let now_s = self.next_deadline_s();
            if now_s > until_s {
                return Ok(());
            }
            if let Some(ended) = self.air.end(now_s) {
                self.ended(ended, arrivals);
                continue;
            }
            let Some(index) = self.nodes.iter().position(|node| node.next_s() <= now_s) else { return Ok(()) };
            let node = &mut self.nodes[index];
            let Some(frame) = node.act(now_s, &self.air, &mut self.random) else { continue };
            let payload = frame.payload.encode()?;
            self.counts.sent += 1;
            self.counts.repeated += u64::from(frame.repeated);
            let sent = Transmission::new(index, frame.counter, payload, node.rssi_dbm());
            let airtime_s = self.air.begin(now_s, sent, &mut self.random);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
            let airtime_ms = libm::round(airtime_s * 1000.0) as u64;
            self.counts.airtime_ms += airtime_ms;
            let duty = self.air.options().duty;
            self.nodes[index].sent(now_s + airtime_s, airtime_s, duty, &mut self.random);
        }
    }

    fn ended(&mut self, ended: Transmission, arrivals: &mut Vec<Arrival>) {
        if ended.collided {
            self.counts.collided += 1;
        } else if self.random.chance(self.air.options().loss) || self.is_jammed(ended.end_s) {
            self.counts.faded += 1;
        } else {
            self.counts.arrived += 1;
            arrivals.push(Arrival {
                at_s: ended.end_s,
                node: self.nodes[ended.node].number(),
                counter: ended.counter,
                payload: ended.payload,
                rssi_dbm: ended.rssi_dbm,
                snr_qdb: (ended.rssi_dbm + 120).clamp(-20, 12) * 4,
            });
        }
    }

    /// The gateway acknowledged a frame; the acknowledgement itself may get lost on the air.
    pub fn acknowledge(&mut self, now_s: f64, node: u32, counter: u32) {
        if self.random.chance(self.air.options().loss) || self.is_jammed(now_s) {
            return;
        }
        if let Some(node) = self.nodes.iter_mut().find(|other| other.number() == node) {
            node.acknowledged(now_s, counter);
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> NetCounts {
        NetCounts { dropped: self.nodes.iter().map(Node::dropped).sum(), ..self.counts }
    }

    /// Events that no acknowledgement has released yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.nodes.iter().map(Node::waiting).sum()
    }
}

/// A frame a node wants to send.
struct Frame {
    counter: u32,
    payload: Payload,
    repeated: bool,
}

#[cfg(test)]
mod tests {
    use vedette_wire::LoRa;
    use vedette_wire::payload::{Admitted, EventCursor};

    use super::*;

    /// Runs until the time; every arrival is acknowledged at once. Returns the ages in the order of the events.
    fn run(net: &mut Net, until_s: f64, cursor: &mut EventCursor) -> Vec<f64> {
        let mut ages = Vec::new();
        loop {
            let now_s = net.next_deadline_s();
            if now_s > until_s {
                return ages;
            }
            let mut arrivals = Vec::new();
            net.advance(now_s, &mut arrivals).unwrap();
            for arrival in arrivals {
                if let Payload::Events(events) = Payload::decode(&arrival.payload).unwrap() {
                    for (number, event) in events.numbered() {
                        if matches!(cursor.admit(number), Admitted::New { .. }) {
                            ages.push(arrival.at_s - f64::from(event.age_ticks) / 16.0);
                        }
                    }
                }
                net.acknowledge(arrival.at_s + 0.1, arrival.node, arrival.counter);
            }
        }
    }

    #[test]
    fn every_event_arrives_once_and_in_order_over_a_bad_channel() {
        let air = AirOptions { loss: 0.5, ..AirOptions::default() };
        let mut net = Net::new(&[7], &NodeOptions::default(), &air, 3);
        let times: Vec<f64> = (1..=40).map(|number| f64::from(number) * 20.0).collect();
        for at_s in &times {
            net.detect(7, *at_s, EventKind::Pir, 20);
        }
        let got = run(&mut net, 20_000.0, &mut EventCursor::starting_at(Some(0)));
        assert_eq!(got.len(), times.len());
        for (got, expected) in got.iter().zip(&times) {
            assert!((got - expected).abs() < 0.2, "{got} for {expected}");
        }
        assert_eq!(net.waiting(), 0);
        assert!(net.counts().repeated > 0 && net.counts().faded > 0, "{:?}", net.counts());
    }

    #[test]
    fn a_node_keeps_to_its_duty_cycle() {
        let lora = LoRa { spreading_factor: 12, bandwidth_khz: 125 };
        let air = AirOptions { loss: 0.0, lora, channels: 1, ..AirOptions::default() };
        let mut net = Net::new(&[1], &NodeOptions { telemetry_s: 1e9, ..NodeOptions::default() }, &air, 1);
        for second in 0..7_200 {
            net.detect(1, f64::from(second), EventKind::Pir, 20);
        }
        run(&mut net, 7_200.0, &mut EventCursor::starting_at(Some(0)));
        // Two hours at 1 %, and the bucket of one hour that was full at the start.
        let allowed_ms = 72_000 + 36_000 + 3_000;
        assert!((60_000..allowed_ms).contains(&net.counts().airtime_ms), "{:?}", net.counts());
        assert!(net.counts().dropped > 0);
    }

    #[test]
    fn a_dead_node_is_silent() {
        let mut net = Net::new(&[1], &NodeOptions::default(), &AirOptions::default(), 1);
        net.kill(1, 100.0);
        net.detect(1, 50.0, EventKind::Pir, 20);
        net.detect(1, 200.0, EventKind::Pir, 20);
        let got = run(&mut net, 1e6, &mut EventCursor::starting_at(Some(0)));
        assert!(got.len() <= 1, "{got:?}");
    }
}
