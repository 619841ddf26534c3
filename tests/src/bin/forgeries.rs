//! Mutated and replayed radio frames in great number at the gateway's door: none is taken in.
//!
//! A node's genuine frames are sealed one after the other. Each is heard once; around it come frames that were changed in
//! one to many bits, cut, lengthened, given another header, put together from two, or are just noise, and genuine ones that
//! were recorded before: a moment ago, or long ago.
//!
//! `cargo run --release -p e2e --bin forgeries -- --frames 10000000`

use std::collections::VecDeque;

use anyhow::ensure;
use clap::Parser;
use vedette_gateway::radio::{Heard, KeyRing, NodeKeys, Nodes};
use vedette_sim::random::Random;
use vedette_wire::{Direction, Key, SealedFrame, Sealer};

/// Mutated and replayed radio frames in great number at the gateway's door.
#[derive(Parser)]
struct Arguments {
    /// How many frames that must not be taken in.
    #[arg(long, default_value_t = 10_000_000)]
    frames: u64,
    /// Seed of what is done to them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const NODE: u32 = 17;
/// Forged and replayed frames for each genuine one.
const FOR_EACH: u64 = 50;
/// Genuine frames that are recorded to be replayed: more than the window remembers.
const RECORDED: usize = 200;
/// Room for what lengthening adds.
const LENGTHENED: usize = 16;

#[derive(Default)]
struct Count {
    genuine: u64,
    mutated: u64,
    replayed: u64,
    /// Mutated or replayed frames that were taken in as new.
    accepted: u64,
    /// Genuine frames that were refused.
    refused: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut random = Random::stream(arguments.seed, "forgeries");
    let mut secret = [0; 16];
    for byte in &mut secret {
        *byte = octet(&mut random);
    }
    let key = Key::new(secret);
    let ring = KeyRing::from([(NODE, NodeKeys { node: NODE, exercise: false, keys: vec![(0, key)] })]);
    let nodes = Nodes::new(&ring, [], 0)?;
    let mut sealer = Sealer::new(&key, Direction::Up, 0, NODE, 0, u32::MAX);
    let mut recorded: VecDeque<SealedFrame> = VecDeque::new();
    let mut count = Count::default();
    while count.mutated + count.replayed < arguments.frames {
        let payload: Vec<u8> = (0..1 + random.below(24)).map(|_| octet(&mut random)).collect();
        let genuine = sealer.seal(&payload)?;
        // Half of the forgeries come before the genuine frame, half after it.
        attack(&nodes, &genuine, &recorded, &mut random, &mut count);
        count.genuine += 1;
        let heard = nodes.hear(&genuine, || true);
        count.refused += u64::from(!matches!(heard, Ok(Some(Heard::Fresh { .. }))));
        recorded.push_back(genuine.clone());
        if recorded.len() > RECORDED {
            recorded.pop_front();
        }
        attack(&nodes, &genuine, &recorded, &mut random, &mut count);
    }
    let Count { genuine, mutated, replayed, accepted, refused } = count;
    println!("genuine={genuine} refused={refused}");
    println!("frames={} mutated={mutated} replayed={replayed} accepted={accepted}", mutated + replayed);
    ensure!(accepted == 0, "{accepted} frames were taken in that no node sent, or that were taken in before");
    ensure!(refused == 0, "{refused} genuine frames were refused");
    Ok(())
}

fn attack(
    nodes: &Nodes,
    genuine: &SealedFrame,
    recorded: &VecDeque<SealedFrame>,
    random: &mut Random,
    count: &mut Count,
) {
    for _ in 0..FOR_EACH / 2 {
        let replay = !recorded.is_empty() && random.chance(0.4);
        let frame = if replay {
            count.replayed += 1;
            recorded[random.below(recorded.len())].to_vec()
        } else {
            count.mutated += 1;
            mutated(genuine, recorded, random)
        };
        count.accepted += u64::from(matches!(nodes.hear(&frame, || true), Ok(Some(Heard::Fresh { .. }))));
    }
}

/// A frame that differs from `genuine`.
fn mutated(genuine: &[u8], recorded: &VecDeque<SealedFrame>, random: &mut Random) -> Vec<u8> {
    let mut frame = genuine.to_vec();
    match random.below(6) {
        0 => frame[random.below(genuine.len())] ^= 1 << random.below(8),
        1 => {
            for _ in 0..2 + random.below(16) {
                frame[random.below(genuine.len())] ^= octet(random);
            }
        }
        2 => frame.truncate(random.below(genuine.len())),
        3 => frame.extend((0..1 + random.below(LENGTHENED)).map(|_| octet(random))),
        4 if !recorded.is_empty() => {
            // The head of one, the tail of another.
            let other = &recorded[random.below(recorded.len())];
            let cut = random.below(genuine.len().min(other.len()));
            frame.truncate(cut);
            frame.extend_from_slice(&other[cut..]);
        }
        _ => {
            // The header says something else: another counter, node, key or direction.
            let header = genuine.len().min(10);
            frame[random.below(header)] = octet(random);
        }
    }
    if frame == genuine || recorded.iter().any(|other| frame == other[..]) {
        frame[0] ^= 0xff;
    }
    frame
}

fn octet(random: &mut Random) -> u8 {
    random.bits().to_le_bytes()[0]
}
