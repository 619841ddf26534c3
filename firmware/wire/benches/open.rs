//! Speed of what a gateway does with each radio frame: authenticate and open it, and decode its payload.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use vedette_wire::payload::{Event, EventKind, Events, GroundSource, MAX_EVENTS};
use vedette_wire::{Direction, Key, Opener, Payload, ReplayWindow, Sealer};

fn main() {
    divan::main();
}

const FRAMES: u32 = 1_000;

fn full_payload() -> Payload {
    let event = Event {
        kind: EventKind::Seismic(GroundSource::Footsteps),
        age_ticks: 480,
        age_at_least: false,
        strength_half_db: 30,
        duration_ticks: 64,
    };
    Payload::Events(Events { first: 1, events: (0..MAX_EVENTS).map(|_| event).collect() })
}

/// The longest frames there are, from 64 nodes in turn.
fn frames() -> (Vec<Opener>, Vec<Vec<u8>>) {
    let payload = full_payload().encode().unwrap_or_default();
    let key = |node: u32| Key::new([node as u8; 16]);
    let openers = (0..64).map(|node| {
        let mut opener = Opener::new(node, Direction::Up);
        assert!(opener.add_key(0, &key(node), ReplayWindow::new()).is_ok());
        opener
    });
    let frames = (0..FRAMES).map(|index| {
        let node = index % 64;
        let mut sealer = Sealer::new(&key(node), Direction::Up, 0, node, index, index + 1);
        sealer.seal(&payload).unwrap_or_default().to_vec()
    });
    (openers.collect(), frames.collect())
}

#[divan::bench]
fn open_accept_decode(bencher: Bencher<'_, '_>) {
    let (openers, frames) = frames();
    bencher.counter(ItemsCount::new(FRAMES)).with_inputs(|| openers.clone()).bench_local_values(|mut openers| {
        for (index, frame) in frames.iter().enumerate() {
            let opener = &mut openers[index % 64];
            let opened = opener.open(black_box(frame));
            assert!(opened.as_ref().is_ok_and(|opened| Payload::decode(&opened.payload).is_ok()));
            if let Ok(opened) = opened {
                opener.accept(&opened);
            }
        }
        openers
    });
}

#[divan::bench]
fn refuse_forged(bencher: Bencher<'_, '_>) {
    let (openers, mut frames) = frames();
    for frame in &mut frames {
        frame[20] ^= 1;
    }
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        for (index, frame) in frames.iter().enumerate() {
            assert!(openers[index % 64].open(black_box(frame)).is_err());
        }
    });
}

#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let payload = full_payload().encode().unwrap_or_default();
    let sealer = Sealer::new(&Key::new([1; 16]), Direction::Up, 0, 1, 0, u32::MAX);
    bencher.counter(ItemsCount::new(FRAMES)).with_inputs(|| sealer.clone()).bench_local_values(|mut sealer| {
        for _ in 0..FRAMES {
            assert!(sealer.seal(black_box(&payload)).is_ok());
        }
    });
}
