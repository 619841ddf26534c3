//! How undetected walkers walk: from cell to cell in each direction, seldom turning, some leaving and others coming.

use nalgebra::Vector2;

use super::{A_HEADING, HEADINGS, RENEWED_WALKERS, Undetected, single};

/// Share of the objects that turn into a neighbouring direction each second: what a walker's random acceleration does.
const TURNS_PER_S: f64 = 0.003;

impl Undetected {
    /// First-order upwind transport in each direction, then turning and renewal. In `moved` the walkers of each direction
    /// are put as they are in between.
    pub(super) fn advance_one_step(&mut self, moved: &mut Vec<f32>) {
        for walkers in &mut self.walkers {
            walkers.iter_mut().zip(&self.unfound).for_each(|(walkers, unfound)| *walkers *= unfound);
        }
        self.unfound.fill(1.0);
        let step_s = self.grid.step_s();
        let share = (self.speed_mps * step_s / self.grid.cell_m).min(0.5);
        let cells = self.unfound.len();
        moved.clear();
        for heading in 0..HEADINGS {
            self.transport(heading, direction(heading) * share, moved);
        }
        let moved_towards = |heading: usize| &moved[heading % HEADINGS * cells..][..cells];
        let renewed = RENEWED_WALKERS * step_s / self.life_s;
        let kept = single((1.0 - 2.0 * TURNS_PER_S * step_s) * (1.0 - renewed));
        let turned = single(TURNS_PER_S * step_s * (1.0 - renewed));
        let renewed = single(renewed);
        self.walking.fill(0.0);
        for (heading, walkers) in self.walkers.iter_mut().enumerate() {
            let beside = moved_towards(heading + 1).iter().zip(moved_towards(heading + HEADINGS - 1));
            let before = moved_towards(heading).iter().zip(beside);
            for ((after, sum), (straight, (left, right))) in walkers.iter_mut().zip(&mut self.walking).zip(before) {
                *after = kept * straight + (turned * (left + right) + renewed);
                *sum += *after * A_HEADING;
            }
        }
        self.enter();
    }

    /// Appends the walkers of one direction after a step, in cells. Beyond the grid nobody watches: intensity one. Rows lie one
    /// behind the other, so all but the border cells are done in one go.
    fn transport(&self, heading: usize, step: Vector2<f64>, moved: &mut Vec<f32>) {
        let before = self.walkers[heading].as_slice();
        let (east, north) = (single(step.x.abs()), single(step.y.abs()));
        let stays = 1.0 - east - north;
        let from_beyond = |cell: &f32| cell * stays + north;
        let from_inside = |(cell, (from, passes)): (&f32, (&f32, &f32))| cell * stays + north * (from * passes);
        let start = moved.len();
        if step.y > 0.0 {
            let (border, others) = before.split_at(self.grid.columns);
            moved.extend(border.iter().map(from_beyond));
            moved.extend(others.iter().zip(before.iter().zip(&self.passes_north)).map(from_inside));
        } else {
            let (others, border) = before.split_at(before.len() - self.grid.columns);
            let upwind = &before[self.grid.columns..];
            moved.extend(others.iter().zip(upwind.iter().zip(&self.passes_north)).map(from_inside));
            moved.extend(border.iter().map(from_beyond));
        }
        if east > 0.0 {
            let after = &mut moved[start..];
            let last = before.len() - 1;
            let (border, inner, from) = if step.x > 0.0 {
                (0, 1..before.len(), &before[..last])
            } else {
                (self.grid.columns - 1, 0..last, &before[1..])
            };
            for ((after, from), passes) in after[inner].iter_mut().zip(from).zip(&self.passes_east) {
                *after += east * (from * passes);
            }
            after[border..].iter_mut().step_by(self.grid.columns).for_each(|after| *after += east);
        }
    }
}

/// Unit vector of a direction, east and north.
pub(super) fn direction(heading: usize) -> Vector2<f64> {
    const DIAGONAL: f64 = core::f64::consts::FRAC_1_SQRT_2;
    const DIRECTIONS: [(f64, f64); HEADINGS] = [
        (0.0, 1.0),
        (DIAGONAL, DIAGONAL),
        (1.0, 0.0),
        (DIAGONAL, -DIAGONAL),
        (0.0, -1.0),
        (-DIAGONAL, -DIAGONAL),
        (-1.0, 0.0),
        (-DIAGONAL, DIAGONAL),
    ];
    let (east, north) = DIRECTIONS[heading % HEADINGS];
    Vector2::new(east, north)
}
