//! Patterns of ECMAScript, run with a limit on their steps.
//!
//! Translation rules are JavaScript regular expressions written by administrators, and a call waits for them.
//! A backtracking engine without a limit can take seconds on 28 digits (`^(\d+)+$`); an engine that cannot
//! backtrack knows neither look-around nor back references. So this is the backtracking machine of ECMA-262,
//! section 22.2.2, over UTF-16 code units and without flags, with a counter. Tests compare it with Node.js.

mod backtrack;
pub(super) mod charset;
mod class;
mod escape;
mod machine;
mod memory;
mod parse;
mod program;
mod scan;
mod syntax;

pub(super) use memory::{Memory, OutOfSteps, Steps};
pub(super) use scan::Groups;
pub(super) use syntax::PatternError;

use machine::Machine;
use program::Program;

/// A pattern, compiled.
#[derive(Debug)]
pub(super) struct Pattern {
    program: Program,
    groups: Groups,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is not a pattern of ECMAScript, or longer or deeper nested than we allow.
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        let parsed = parse::parse(pattern)?;
        let program = Program::new(&parsed.node, parsed.groups.count());
        Ok(Self { program, groups: parsed.groups })
    }

    /// Its capture groups.
    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Calls `found` for every match of a global search, in order.
    ///
    /// # Errors
    /// The steps were used up, or `found` gave up.
    pub(super) fn for_each_match<E: From<OutOfSteps>>(
        &self,
        text: &[u16],
        memory: &mut Memory,
        steps: &mut Steps,
        mut found: impl FnMut(Match<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut machine = Machine::new(&self.program, text, memory, steps);
        let mut from = 0;
        while let Some((start, end)) = machine.find(from)? {
            found(Match { text, start, end, slots: machine.slots() })?;
            from = if end == start { end + 1 } else { end };
        }
        Ok(())
    }
}

/// A match and its groups.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    text: &'a [u16],
    start: usize,
    end: usize,
    slots: &'a [usize],
}

impl<'a> Match<'a> {
    /// Where it starts and ends.
    pub(super) fn range(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// The match itself.
    pub(super) fn whole(&self) -> &'a [u16] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// All before it.
    pub(super) fn before(&self) -> &'a [u16] {
        self.text.get(..self.start).unwrap_or_default()
    }

    /// All after it.
    pub(super) fn after(&self) -> &'a [u16] {
        self.text.get(self.end..).unwrap_or_default()
    }

    /// What a group took, counted from 1; empty if it took no part.
    pub(super) fn group(&self, number: usize) -> &'a [u16] {
        let Some(slot) = number.checked_sub(1).map(|index| index * 2) else {
            return &[];
        };
        let (start, end) = (self.slots.get(slot), self.slots.get(slot + 1));
        let (Some(&start), Some(&end)) = (start, end) else {
            return &[];
        };
        self.text.get(start..end).unwrap_or_default()
    }
}
