//! The replay window against a model that remembers everything.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vedette_wire::{ReplayWindow, Standing, WINDOW};

/// Every counter ever taken in.
#[derive(Default)]
struct Model(BTreeSet<u32>);

impl Model {
    fn standing(&self, counter: u32) -> Standing {
        match self.0.last() {
            Some(&newest) if u64::from(counter) + u64::from(WINDOW) <= u64::from(newest) => {
                Standing::TooOld { oldest: newest - WINDOW + 1 }
            }
            _ if self.0.contains(&counter) => Standing::Repeat,
            _ => Standing::Fresh,
        }
    }
}

fn counters() -> impl Strategy<Value = Vec<u32>> {
    let start = prop_oneof![Just(0), 0..200_u32, any::<u32>(), (u32::MAX - 200)..=u32::MAX];
    let step = prop_oneof![8 => -70..70_i64, 1 => -100_000..100_000_i64];
    (start, prop::collection::vec(step, 1..200)).prop_map(|(start, steps)| {
        let mut at = i64::from(start);
        let moved = steps.into_iter().map(|step| {
            at = (at + step).clamp(0, u32::MAX.into());
            at as u32
        });
        moved.collect()
    })
}

proptest! {
    #[test]
    fn the_window_agrees_with_the_model(counters in counters()) {
        let (mut window, mut model) = (ReplayWindow::new(), Model::default());
        for counter in counters {
            let standing = window.standing(counter);
            prop_assert_eq!(standing, model.standing(counter));
            window.accept(counter);
            if standing == Standing::Fresh {
                model.0.insert(counter);
                prop_assert_eq!(window.standing(counter), Standing::Repeat);
            }
            prop_assert_eq!(window.newest(), model.0.last().copied());
            prop_assert_eq!(ReplayWindow::from_bytes(window.to_bytes()), Ok(window));
        }
    }

    #[test]
    fn stored_bytes_either_restore_exactly_or_are_refused(bytes: [u8; 12], seen in any::<u64>(), newest in 0..100_u32) {
        let mut small = [0; 12];
        small[..4].copy_from_slice(&newest.to_le_bytes());
        small[4..].copy_from_slice(&seen.to_le_bytes());
        for bytes in [bytes, small] {
            if let Ok(window) = ReplayWindow::from_bytes(bytes) {
                prop_assert_eq!(window.to_bytes(), bytes);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_closed_window_is_fresh_ahead_only(counter: u32, other: u32, near in -100..100_i64) {
        let window = ReplayWindow::through(counter);
        let near = u32::try_from(i64::from(counter) + near).unwrap_or(0);
        for other in [other, near] {
            prop_assert_eq!(window.standing(other) == Standing::Fresh, other > counter);
        }
        prop_assert_eq!(ReplayWindow::from_bytes(window.to_bytes()), Ok(window));
    }
}

#[test]
fn damaged_windows_are_refused() {
    let stored = |newest: u32, seen: u64| {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&newest.to_le_bytes());
        bytes[4..].copy_from_slice(&seen.to_le_bytes());
        ReplayWindow::from_bytes(bytes)
    };
    assert!(stored(0, 0).is_ok());
    assert!(stored(5, 0).is_err(), "a newest counter without its bit");
    assert!(stored(5, 0b10).is_err(), "the newest counter's own bit is missing");
    assert!(stored(5, 1 << 6 | 1).is_err(), "a counter below zero");
    assert!(stored(5, 1 << 5 | 1).is_ok());
    assert!(stored(63, u64::MAX).is_ok());
}
