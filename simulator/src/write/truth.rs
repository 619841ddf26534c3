//! Truth as a table of times, numbers and positions.

use std::io::{self, Write};

use crate::Scene;
use crate::scenario::EPOCH;
use crate::truth::{STEP_S, step_number};

/// Writes `t,id,x,y`: seconds after 2026-03-01T00:00:00Z, the object's number, east and north in metres; by time, then
/// by number.
///
/// # Errors
/// When the output fails.
pub fn write_truth(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "t,id,x,y")?;
    let begins_s = scene.layout.begins.seconds_since(EPOCH);
    let walkers = &scene.truth.walkers;
    let last = walkers.iter().map(|walker| walker.first_step + walker.path_m.len()).max().unwrap_or(0);
    // Walkers that are there, by number: entered when their first step comes, dropped after their last.
    let mut arriving: Vec<usize> = (0..walkers.len()).collect();
    arriving.sort_by_key(|id| (core::cmp::Reverse(walkers[*id].first_step), core::cmp::Reverse(*id)));
    let mut present = std::collections::BTreeSet::new();
    for step in 0..last {
        while arriving.last().is_some_and(|id| walkers[*id].first_step <= step) {
            present.extend(arriving.pop());
        }
        present.retain(|id| step < walkers[*id].first_step + walkers[*id].path_m.len());
        let t = begins_s + step_number(step) * STEP_S;
        for id in &present {
            let [east, north] = walkers[*id].path_m[step - walkers[*id].first_step];
            writeln!(out, "{t:.3},{id},{east:.4},{north:.4}")?;
        }
    }
    Ok(())
}
