//! Names that one section gives and another one uses.

use super::nearest::nearest;
use super::section::Section;
use std::collections::BTreeSet;

/// The names that exist, whether or not what they name could be read: a contact center with a fault of its
/// own is not also an unknown contact center.
pub(super) struct Names {
    kind: &'static str,
    table: &'static str,
    names: BTreeSet<String>,
}

impl Names {
    pub(super) fn new(kind: &'static str, table: &'static str, names: impl Iterator<Item = String>) -> Self {
        Self { kind, table, names: names.collect() }
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
