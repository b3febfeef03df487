//! ConfiguredNames that one section gives and another one uses, and the name or key that somebody probably meant.

use std::collections::BTreeSet;

use super::section::Section;

/// The names that exist, whether or not what they name could be read: a contact center with a fault of its
/// own is not also an unknown contact center.
pub(super) struct ConfiguredNames {
    kind: &'static str,
    table: &'static str,
    names: BTreeSet<String>,
}

impl ConfiguredNames {
    pub(super) fn new(kind: &'static str, table: &'static str, names: impl Iterator<Item = String>) -> Self {
        Self { kind, table, names: names.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Reports a name that does not exist.
    pub(super) fn check(&self, section: &Section<'_>, key: &str, name: &str) {
        if self.names.contains(name) {
            return;
        }
        let hint = match nearest(name, &self.names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("use the name of a [{}.NAME] section, or add one", self.table),
        };
        section.problem(key, format!("names no configured {}: {name:?}", self.kind), hint);
    }
}

/// The known key that was probably meant: at most half of its letters differ, so that two swapped ones
/// in a short name are still found. One that differs in capitals only is always near.
pub(crate) fn nearest<'k>(key: &str, known: &'k BTreeSet<String>) -> Option<&'k String> {
    known
        .iter()
        .map(|candidate| match candidate.eq_ignore_ascii_case(key) {
            true => (0, candidate),
            false => (distance(key, candidate), candidate),
        })
        .filter(|(distance, candidate)| *distance * 2 <= candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or changed to get from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, left) in from.chars().enumerate() {
        let mut beside = row + 1;
        let mut current = vec![beside];
        for (right, pair) in to.chars().zip(above.windows(2)) {
            if let [diagonal, top] = pair {
                beside = (diagonal + usize::from(left != right)).min(top + 1).min(beside + 1);
                current.push(beside);
            }
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}
