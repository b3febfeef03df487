//! Which lines of a text changed.

/// How many pairs of lines are compared at most; beyond, all lines count as changed.
const MAX_PAIRS: usize = 4_000_000;

/// A line that is only in one of two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// It is only in the first.
    Removed(String),
    /// It is only in the second.
    Added(String),
}

/// The lines that differ, in order, by the longest common sequence.
pub(super) fn changed(before: &str, after: &str) -> Vec<Line> {
    let mut before: Vec<&str> = before.lines().collect();
    let mut after: Vec<&str> = after.lines().collect();
    let common = before.iter().zip(&after).take_while(|(left, right)| left == right).count();
    before.drain(..common);
    after.drain(..common);
    while before.last().is_some() && before.last() == after.last() {
        before.pop();
        after.pop();
    }
    let removed = |line: &&str| Line::Removed((*line).to_owned());
    let added = |line: &&str| Line::Added((*line).to_owned());
    if before.len().saturating_mul(after.len()) > MAX_PAIRS {
        return before.iter().map(removed).chain(after.iter().map(added)).collect();
    }
    let lengths = common_lengths(&before, &after);
    let length =
        |left: usize, right: usize| lengths.get(left).and_then(|row| row.get(right)).copied().unwrap_or(0);
    let (mut left, mut right) = (0, 0);
    let mut lines = Vec::new();
    loop {
        match (before.get(left), after.get(right)) {
            (Some(old), Some(new)) if old == new => {
                left += 1;
                right += 1;
            }
            (Some(old), Some(_)) if length(left + 1, right) >= length(left, right + 1) => {
                lines.push(removed(old));
                left += 1;
            }
            (_, Some(new)) => {
                lines.push(added(new));
                right += 1;
            }
            (Some(old), None) => {
                lines.push(removed(old));
                left += 1;
            }
            (None, None) => return lines,
        }
    }
}

/// For each pair of places, how many lines the rests have in common.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<Vec<u32>> {
    let mut rows = vec![vec![0; after.len() + 1]];
    for old in before.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; after.len() + 1];
        for (place, new) in after.iter().enumerate().rev() {
            let at = |row: &[u32], place: usize| row.get(place).copied().unwrap_or(0);
            let best = if old == new {
                at(&below, place + 1) + 1
            } else {
                at(&below, place).max(at(&row, place + 1))
            };
            if let Some(cell) = row.get_mut(place) {
                *cell = best;
            }
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}
