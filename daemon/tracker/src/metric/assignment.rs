//! Optimal one-to-one assignment with a cut-off, component by component.

/// Pairs (row, column) that minimise the sum of `cost - cutoff²` over pairs with a cost below `cutoff²`.
///
/// `squared` holds squared distances, a row for each object. Rows and columns that cannot reach each other are solved
/// apart, so a wide scene costs no more than its densest part.
pub(super) fn within(squared: &[Vec<f64>], cutoff: f64) -> Vec<(usize, usize)> {
    let limit = cutoff * cutoff;
    let gains: Vec<Vec<f64>> =
        squared.iter().map(|row| row.iter().map(|cost| (limit - cost).max(0.0)).collect()).collect();
    largest_total(&gains)
}

/// Pairs (row, column) of positive gain that maximise the sum of gains. Gains must not be negative.
pub(super) fn largest_total(gains: &[Vec<f64>]) -> Vec<(usize, usize)> {
    let columns = gains.first().map_or(0, Vec::len);
    let mut pairs = Vec::new();
    for (rows_in, columns_in) in components(gains, columns) {
        // Rows may not outnumber columns in the solver below: turn the component if they do.
        let turned = rows_in.len() > columns_in.len();
        let (first, second) = if turned { (&columns_in, &rows_in) } else { (&rows_in, &columns_in) };
        let gain = |a: usize, b: usize| if turned { gains[second[b]][first[a]] } else { gains[first[a]][second[b]] };
        for (a, b) in cheapest(first.len(), second.len(), &|a, b| -gain(a, b)).into_iter().enumerate() {
            if gain(a, b) > 0.0 {
                pairs.push(if turned { (second[b], first[a]) } else { (first[a], second[b]) });
            }
        }
    }
    pairs
}

/// Groups of rows and columns joined by positive gains; lone ones are left out.
fn components(gains: &[Vec<f64>], columns: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let rows = gains.len();
    let mut parent: Vec<usize> = (0..rows + columns).collect();
    for (row, gains) in gains.iter().enumerate() {
        for (column, gain) in gains.iter().enumerate() {
            if *gain > 0.0 {
                let (a, b) = (root(&mut parent, row), root(&mut parent, rows + column));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut groups: Vec<(Vec<usize>, Vec<usize>)> = vec![Default::default(); rows];
    for row in 0..rows {
        let root = root(&mut parent, row);
        groups[root].0.push(row);
    }
    for column in 0..columns {
        // A column's root is a row as soon as the column is joined to anything, for the lower number becomes the root.
        let root = root(&mut parent, rows + column);
        if let Some(group) = groups.get_mut(root) {
            group.1.push(column);
        }
    }
    groups.retain(|(_, columns)| !columns.is_empty());
    groups
}

fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

/// For each row the column of the cheapest complete assignment; `rows` must not exceed `columns`.
///
/// Shortest augmenting paths with potentials (Jonker and Volgenant 1987; Crouse 2016, IEEE TAES 52(4)).
fn cheapest(rows: usize, columns: usize, cost: &impl Fn(usize, usize) -> f64) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut row_price = vec![0.0; rows];
    let mut column_price = vec![0.0; columns];
    let mut row_of = vec![NONE; columns];
    let mut column_of = vec![NONE; rows];
    for start in 0..rows {
        let mut shortest = vec![f64::INFINITY; columns];
        let mut came_from = vec![NONE; columns];
        let mut scanned_row = vec![false; rows];
        let mut scanned_column = vec![false; columns];
        let (mut row, mut reached) = (start, 0.0);
        let sink = loop {
            scanned_row[row] = true;
            let mut next = NONE;
            for column in (0..columns).filter(|column| !scanned_column[*column]) {
                let length = reached + cost(row, column) - row_price[row] - column_price[column];
                if length < shortest[column] {
                    shortest[column] = length;
                    came_from[column] = row;
                }
                let nearest = if next == NONE { f64::INFINITY } else { shortest[next] };
                // Among equals a free column ends the path at once.
                if shortest[column] < nearest || (shortest[column] == nearest && row_of[column] == NONE) {
                    next = column;
                }
            }
            reached = shortest[next];
            scanned_column[next] = true;
            if row_of[next] == NONE {
                break next;
            }
            row = row_of[next];
        };
        row_price[start] += reached;
        for other in (0..rows).filter(|other| *other != start && scanned_row[*other]) {
            row_price[other] += reached - shortest[column_of[other]];
        }
        for column in (0..columns).filter(|column| scanned_column[*column]) {
            column_price[column] -= reached - shortest[column];
        }
        let mut column = sink;
        loop {
            let row = came_from[column];
            row_of[column] = row;
            core::mem::swap(&mut column, &mut column_of[row]);
            if row == start {
                break;
            }
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The largest total by trying every choice for every row.
    fn brute_force(gains: &[Vec<f64>], taken: &mut Vec<bool>) -> f64 {
        let Some((row, rest)) = gains.split_first() else { return 0.0 };
        let mut best = brute_force(rest, taken);
        for (column, gain) in row.iter().enumerate() {
            if *gain > 0.0 && !taken[column] {
                taken[column] = true;
                best = best.max(gain + brute_force(rest, taken));
                taken[column] = false;
            }
        }
        best
    }

    fn gains() -> impl Strategy<Value = Vec<Vec<f64>>> {
        (0_usize..6, 0_usize..6).prop_flat_map(|(rows, columns)| {
            let gain = prop_oneof![Just(0.0), 0.0..10.0, (1_u8..4).prop_map(f64::from)];
            proptest::collection::vec(proptest::collection::vec(gain, columns), rows)
        })
    }

    proptest! {
        #[test]
        fn nothing_beats_the_assignment(gains in gains()) {
            let pairs = largest_total(&gains);
            let total: f64 = pairs.iter().map(|(row, column)| gains[*row][*column]).sum();
            let columns = gains.first().map_or(0, Vec::len);
            let best = brute_force(&gains, &mut vec![false; columns]);
            prop_assert!((total - best).abs() < 1e-9, "{total} against {best}");
            let mut rows: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
            let mut columns: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
            rows.sort_unstable();
            columns.sort_unstable();
            rows.dedup();
            columns.dedup();
            prop_assert_eq!((rows.len(), columns.len()), (pairs.len(), pairs.len()));
        }
    }
}
