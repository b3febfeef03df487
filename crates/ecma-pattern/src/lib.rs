//! Patterns of ECMAScript, run with a limit on their steps.
//!
//! Where people who are not programmers bring JavaScript regular expressions, and something waits for them, no pattern may
//! take longer than it is allowed to. A backtracking engine without a limit can take seconds on 28 digits (`^(\d+)+$`); an engine that cannot
//! backtrack knows neither look-around nor back references. So this is the backtracking machine of ECMA-262,
//! section 22.2.2, over UTF-16 code units and without flags, with a counter. Tests compare it with Node.js.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod backtrack;
mod charset;
mod class;
mod escape;
mod machine;
mod memory;
mod parse;
mod program;
mod scan;
mod syntax;

pub use charset::is_space;
pub use memory::{Memory, OutOfSteps, Steps};
pub use scan::Groups;
pub use syntax::PatternError;

use machine::Machine;
use program::Program;

/// A pattern, compiled.
#[derive(Debug)]
pub struct Pattern {
    program: Program,
    groups: Groups,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// It is not a pattern of ECMAScript, or longer or deeper nested than we allow.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let parsed = parse::parse(pattern)?;
        let program = Program::new(&parsed.node, parsed.groups.count());
        Ok(Self { program, groups: parsed.groups })
    }

    /// Its capture groups.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Calls `found` for every match of a global search, in order.
    ///
    /// # Errors
    /// The steps were used up, or `found` gave up.
    pub fn for_each_match<E: From<OutOfSteps>>(
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
pub struct Match<'a> {
    text: &'a [u16],
    start: usize,
    end: usize,
    slots: &'a [usize],
}

impl<'a> Match<'a> {
    /// Where it starts and ends.
    pub fn range(&self) -> (usize, usize) {
        (self.start, self.end)
    }

    /// The match itself.
    pub fn whole(&self) -> &'a [u16] {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// All before it.
    pub fn before(&self) -> &'a [u16] {
        self.text.get(..self.start).unwrap_or_default()
    }

    /// All after it.
    pub fn after(&self) -> &'a [u16] {
        self.text.get(self.end..).unwrap_or_default()
    }

    /// What a group took, counted from 1; empty if it took no part.
    pub fn group(&self, number: usize) -> &'a [u16] {
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
