//! How many objects move together: a range around each track, from its neighbours and the companions nobody has seen.

use nalgebra::Vector2;

use crate::bernoulli::Outlook;
use crate::gaussian::Gaussian;
use crate::grid::as_f64;
use crate::sweep::longer_side;

/// Objects nearer than this that move alike are together.
const TOGETHER_M: f64 = 20.0;
const ALIKE_MPS: f64 = 1.0;

/// Probability left out on each side of the range.
const TAIL: f64 = 0.025;

/// Numbers of unseen companions that are less likely than this are left out.
const NEGLIGIBLE: f64 = 1e-9;

/// Counts above this are not told apart.
const MOST_COUNTED: usize = 64;

/// For each track the 95 % range of the number of objects it moves with, itself included and given that it exists.
pub(crate) fn counts(tracks: &[Outlook<'_>]) -> Vec<(u32, u32)> {
    let along = longer_side(tracks.iter().map(|outlook| outlook.state.position()));
    let mut placed: Vec<(f64, usize)> =
        tracks.iter().enumerate().map(|(place, outlook)| (outlook.state.mean[along], place)).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranges = vec![(1, 1); tracks.len()];
    let mut existence = Vec::new();
    for (position, (here, place)) in placed.iter().enumerate() {
        let behind = placed[..position].iter().rev().take_while(|other| here - other.0 <= TOGETHER_M);
        let ahead = placed[position + 1..].iter().take_while(|other| other.0 - here <= TOGETHER_M);
        let beside = behind.chain(ahead).filter(|other| together(&tracks[*place].state, &tracks[other.1].state));
        existence.clear();
        existence.extend(beside.map(|other| tracks[other.1].existence));
        ranges[*place] = range(&existence, tracks[*place].track.companions);
    }
    ranges
}

fn together(a: &Gaussian, b: &Gaussian) -> bool {
    let near = |offset: Vector2<f64>, limit: f64| offset.norm() <= limit;
    near(a.position() - b.position(), TOGETHER_M) && near(a.velocity() - b.velocity(), ALIKE_MPS)
}

/// Quantiles of one plus the neighbours that exist (Poisson binomial) plus the unseen (Poisson).
fn range(existence: &[f64], unseen: f64) -> (u32, u32) {
    let mut probability = [0.0; MOST_COUNTED];
    let (mut term, mut counted) = (libm::exp(-unseen), 0);
    while counted < MOST_COUNTED && (term > NEGLIGIBLE || as_f64(counted) <= unseen) {
        probability[counted] = term;
        counted += 1;
        term *= unseen / as_f64(counted);
    }
    for exists in existence.iter().take(MOST_COUNTED) {
        counted = (counted + 1).min(MOST_COUNTED);
        for count in (0..counted).rev() {
            let from_below = if count > 0 { probability[count - 1] * exists } else { 0.0 };
            probability[count] = probability[count] * (1.0 - exists) + from_below;
        }
    }
    let quantile = |level: f64| -> u32 {
        let mut sum = 0.0;
        let below = probability[..counted].iter().take_while(|p| {
            sum += **p;
            sum < level
        });
        u32::try_from(below.count() + 1).unwrap_or(u32::MAX)
    };
    (quantile(TAIL), quantile(1.0 - TAIL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_and_surely_so_is_one() {
        assert_eq!(range(&[], 0.0), (1, 1));
    }

    #[test]
    fn sure_neighbours_all_count() {
        assert_eq!(range(&[1.0, 1.0, 1.0], 0.0), (4, 4));
    }

    #[test]
    fn an_even_chance_widens_the_range() {
        assert_eq!(range(&[0.5, 1.0], 0.0), (2, 3));
    }

    #[test]
    fn many_unseen_companions_are_many() {
        let (low, high) = range(&[], 40.0);
        assert!((25..=35).contains(&low) && (48..=58).contains(&high), "{low} to {high}");
        assert_eq!(range(&[], 1_000.0).1, u32::try_from(MOST_COUNTED).expect("small") + 1);
    }

    #[test]
    fn unseen_companions_raise_only_the_upper_end() {
        assert_eq!(range(&[], 0.5), (1, 3));
    }
}
