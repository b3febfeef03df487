//! What the machine remembers, and how much it may still do.

use std::error::Error;
use std::fmt;

/// A slot of a group that took no part.
pub(super) const UNSET: usize = usize::MAX;

/// The steps were used up before the answer was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfSteps;

impl fmt::Display for OutOfSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pattern took more steps than it may")
    }
}

impl Error for OutOfSteps {}

/// How much work may still be done. A step is one instruction, one code unit read or one thing undone.
#[derive(Debug, Clone, Copy)]
pub struct Steps(u32);

impl Steps {
    /// So many steps.
    pub fn new(steps: u32) -> Self {
        Self(steps)
    }

    /// How many are left.
    pub fn left(self) -> u32 {
        self.0
    }

    /// Takes some off.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> Result<(), OutOfSteps> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.checked_sub(steps));
        self.0 = left.unwrap_or(0);
        left.map(drop).ok_or(OutOfSteps)
    }
}

/// What to do when a way turns out to be wrong: take the next one, or undo a change and look further back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undo {
    GoTo {
        op: usize,
        at: usize,
    },
    /// A greedy run that may give back down to `least`.
    Shrink {
        op: usize,
        at: usize,
        least: usize,
    },
    /// A lazy run that may take `more`.
    Grow {
        op: usize,
        at: usize,
        more: usize,
    },
    Slot {
        slot: usize,
        old: usize,
    },
    Round {
        index: usize,
        old: Round,
    },
}

/// How often a loop went round, and where the current round began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Round {
    pub(super) done: u32,
    pub(super) began: usize,
}

/// The memory of the machine, kept from pattern to pattern.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) slots: Vec<usize>,
    pub(super) rounds: Vec<Round>,
    pub(super) undo: Vec<Undo>,
    /// A bit for every instruction and place from where no match follows.
    pub(super) failed: Vec<u64>,
}
