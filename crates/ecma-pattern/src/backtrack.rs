//! The way back: what the [`Machine`] does when a way of matching turns out to be wrong.

use super::machine::Machine;
use super::memory::{OutOfSteps, Round, Undo};
use super::program::Op;

impl Machine<'_> {
    /// Writes one end of a group, so that it can be undone.
    pub(super) fn set_slot(&mut self, slot: usize, value: usize) {
        if let Some(place) = self.memory.slots.get_mut(slot) {
            self.memory.undo.push(Undo::Slot { slot, old: *place });
            *place = value;
        }
    }

    /// Writes how far a loop is, so that it can be undone.
    pub(super) fn set_round(&mut self, index: usize, value: Round) {
        if let Some(place) = self.memory.rounds.get_mut(index) {
            self.memory.undo.push(Undo::Round { index, old: *place });
            *place = value;
        }
    }

    /// The latest way not yet tried, down to `base`, with everything since then undone.
    pub(super) fn backtrack(&mut self, base: usize) -> Result<Option<(usize, usize)>, OutOfSteps> {
        while self.memory.undo.len() > base {
            self.steps.spend(1)?;
            if let Some((op, at)) = self.take_back()
                && !self.known_to_fail(op, at)?
            {
                return Ok(Some((op, at)));
            }
        }
        Ok(None)
    }

    /// Whether this way was taken before in this search, in vain; if not, it counts as taken now.
    fn known_to_fail(&mut self, op: usize, at: usize) -> Result<bool, OutOfSteps> {
        if !self.program.stateless.get(op).copied().unwrap_or_default() {
            return Ok(false);
        }
        let width = self.text.len() + 1;
        if self.memory.failed.is_empty() {
            let words = (self.program.ops.len() * width).div_ceil(64);
            self.steps.spend(words / 8)?;
            self.memory.failed.resize(words, 0);
        }
        let bit = op * width + at;
        let Some(word) = self.memory.failed.get_mut(bit / 64) else {
            return Ok(false);
        };
        let known = *word >> (bit % 64) & 1 == 1;
        *word |= 1 << (bit % 64);
        Ok(known)
    }

    /// Undoes the latest change, or names the latest way not yet tried.
    pub(super) fn take_back(&mut self) -> Option<(usize, usize)> {
        match self.memory.undo.pop()? {
            Undo::GoTo { op, at } => Some((op, at)),
            Undo::Shrink { op, at, least } => {
                let at = if at > least { at - 1 } else { at + 1 };
                if at != least {
                    self.memory.undo.push(Undo::Shrink { op, at, least });
                }
                Some((op + 1, at))
            }
            Undo::Grow { op, at, more } => {
                let Some(&Op::Run { set, back, .. }) = self.program.ops.get(op) else {
                    return None;
                };
                let at = self.read(set, at, back)?;
                if more > 1 {
                    self.memory.undo.push(Undo::Grow { op, at, more: more - 1 });
                }
                Some((op + 1, at))
            }
            Undo::Slot { slot, old } => {
                if let Some(place) = self.memory.slots.get_mut(slot) {
                    *place = old;
                }
                None
            }
            Undo::Round { index, old } => {
                if let Some(place) = self.memory.rounds.get_mut(index) {
                    *place = old;
                }
                None
            }
        }
    }
}
