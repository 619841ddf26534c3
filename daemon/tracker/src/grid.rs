//! Cells of a line cut into equal parts: the rows and columns of the spatial indices.

/// Number of the cell that holds a coordinate, with cells of this side.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a site is millions of metres at most"
)]
pub(crate) fn cell_of(coordinate_m: f64, side_m: f64) -> i64 {
    let place = coordinate_m / side_m;
    // The next number below, without a call: it is asked for each plot and each track.
    let towards_zero = place as i64;
    towards_zero - i64::from(towards_zero as f64 > place)
}

/// A number of cells, or of what lies in them.
#[expect(clippy::cast_precision_loss, reason = "grids and scans are small")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The whole cells in a number of them; none in a negative one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and grids are small")]
pub(crate) fn whole(cells: f64) -> usize {
    cells as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_coordinate_lies_in_its_cell(coordinate_m in -1e7..1e7_f64, side_m in 1.0..500.0_f64) {
            let low_m = cell_of(coordinate_m, side_m) as f64 * side_m;
            prop_assert!(low_m <= coordinate_m + 1e-6 && coordinate_m < low_m + side_m + 1e-6);
        }
    }

    #[test]
    fn edges_belong_to_the_cell_above() {
        assert_eq!([-100.0, -99.9, -0.1, 0.0, 99.9, 100.0].map(|place| cell_of(place, 100.0)), [-1, -1, -1, 0, 0, 1]);
    }
}
