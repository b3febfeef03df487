//! Runs a [`Program`] over a text by backtracking, as ECMA-262, section 22.2.2 describes it, and counts
//! its steps while it does: that is the one thing no ECMAScript engine for Rust offers.

use super::charset::is_word;
use super::memory::{Memory, OutOfSteps, Round, Steps, UNSET, Undo};
use super::program::{Loop, Op, Program};
use super::syntax::{Assertion, Times};

/// A program at work on a text.
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program,
    pub(super) text: &'a [u16],
    pub(super) memory: &'a mut Memory,
    pub(super) steps: &'a mut Steps,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        program: &'a Program,
        text: &'a [u16],
        memory: &'a mut Memory,
        steps: &'a mut Steps,
    ) -> Self {
        memory.rounds.clear();
        memory.rounds.resize(program.loops.len(), Round::default());
        Self { program, text, memory, steps }
    }

    /// The first match at `from` or later: its start and end. The groups are then in [`Machine::slots`].
    pub(super) fn find(&mut self, from: usize) -> Result<Option<(usize, usize)>, OutOfSteps> {
        self.steps.spend(self.program.slots + self.program.loops.len())?;
        self.memory.undo.clear();
        self.memory.failed.clear();
        self.memory.slots.clear();
        self.memory.slots.resize(self.program.slots, UNSET);
        for start in from..=self.text.len() {
            if let Some(end) = self.run(0, start)? {
                return Ok(Some((start, end)));
            }
        }
        Ok(None)
    }

    /// Start and end of every group, two by two.
    pub(super) fn slots(&self) -> &[usize] {
        &self.memory.slots
    }

    /// Runs from an instruction to its `Done`. Where it fails, everything it changed is as before.
    fn run(&mut self, mut op: usize, mut at: usize) -> Result<Option<usize>, OutOfSteps> {
        let base = self.memory.undo.len();
        loop {
            self.steps.spend(1)?;
            let next = match self.program.ops.get(op).copied().unwrap_or(Op::Done) {
                Op::Done => return Ok(Some(at)),
                other => self.step(other, op, at)?,
            };
            match next {
                Some(next) => (op, at) = next,
                None => match self.backtrack(base)? {
                    Some(next) => (op, at) = next,
                    None => return Ok(None),
                },
            }
        }
    }

    /// One instruction: where to go on, or nothing if this way is wrong.
    #[inline]
    fn step(&mut self, op: Op, here: usize, at: usize) -> Result<Option<(usize, usize)>, OutOfSteps> {
        Ok(match op {
            Op::Set { set, back } => self.read(set, at, back).map(|at| (here + 1, at)),
            Op::Run { set, times, back } => {
                self.read_run((set, back), times, here, at)?.map(|at| (here + 1, at))
            }
            Op::Assert(assertion) => self.holds(assertion, at).then_some((here + 1, at)),
            Op::Save { slot } => {
                self.set_slot(slot, at);
                Some((here + 1, at))
            }
            Op::BackReference { group, back } => self.read_again(group, at, back)?.map(|at| (here + 1, at)),
            Op::Split { other } => {
                self.memory.undo.push(Undo::GoTo { op: other, at });
                Some((here + 1, at))
            }
            Op::Jump { to } => Some((to, at)),
            Op::LoopStart { index } => {
                self.set_round(index, Round { done: 0, began: at });
                Some((here + 1, at))
            }
            Op::LoopHead { index } => self.round_or_leave(index, here, at).map(|to| (to, at)),
            Op::LoopEnter { index } => {
                self.begin_round(index, at)?;
                Some((here + 1, at))
            }
            Op::LoopTail { index } => self.end_round(index, at).map(|to| (to, at)),
            Op::Look { negate, end } => self.look(here + 1, at, negate)?.then_some((end, at)),
            Op::Done => None,
        })
    }

    #[inline]
    pub(super) fn read(&self, set: usize, at: usize, back: bool) -> Option<usize> {
        let place = if back { at.checked_sub(1)? } else { at };
        let unit = *self.text.get(place)?;
        let accepted = self.program.sets.get(set)?.contains(unit);
        accepted.then_some(if back { place } else { at + 1 })
    }

    /// As many as the run may take, or as few if it is lazy, with the rest left to backtracking.
    fn read_run(
        &mut self,
        set: (usize, bool),
        times: Times,
        here: usize,
        from: usize,
    ) -> Result<Option<usize>, OutOfSteps> {
        let wanted = if times.greedy { times.max } else { times.min };
        let (mut at, mut least, mut count) = (from, from, 0);
        while count < wanted {
            let Some(next) = self.read(set.0, at, set.1) else {
                break;
            };
            at = next;
            count += 1;
            if count == times.min {
                least = at;
            }
        }
        self.steps.spend(at.abs_diff(from))?;
        if count < times.min {
            return Ok(None);
        }
        if times.greedy && at != least {
            self.memory.undo.push(Undo::Shrink { op: here, at, least });
        } else if !times.greedy && times.max > times.min {
            let more = usize::try_from(times.max - times.min).unwrap_or(usize::MAX);
            self.memory.undo.push(Undo::Grow { op: here, at, more });
        }
        Ok(Some(at))
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let word = |place: Option<usize>| {
            place.and_then(|place| self.text.get(place)).is_some_and(|&unit| is_word(unit))
        };
        let boundary = || word(at.checked_sub(1)) != word(Some(at));
        match assertion {
            Assertion::Start => at == 0,
            Assertion::End => at == self.text.len(),
            Assertion::WordBoundary => boundary(),
            Assertion::NoWordBoundary => !boundary(),
        }
    }

    /// What the group took, once more; nothing at all if it took no part yet.
    fn read_again(&mut self, group: usize, at: usize, back: bool) -> Result<Option<usize>, OutOfSteps> {
        let slot = |slot: usize| self.memory.slots.get(slot).copied().unwrap_or(UNSET);
        let (start, end) = (slot(group), slot(group + 1));
        if start == UNSET || end == UNSET {
            return Ok(Some(at));
        }
        let length = end.abs_diff(start);
        self.steps.spend(length)?;
        let (from, to) =
            if back { (at.checked_sub(length), Some(at)) } else { (Some(at), at.checked_add(length)) };
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(None);
        };
        let same = self.text.get(from..to).is_some_and(|again| self.text.get(start..end) == Some(again));
        Ok(same.then_some(if back { from } else { to }))
    }

    fn the_loop(&self, index: usize) -> Option<(Loop, Round)> {
        Some((*self.program.loops.get(index)?, *self.memory.rounds.get(index)?))
    }

    fn round_or_leave(&mut self, index: usize, here: usize, at: usize) -> Option<usize> {
        let (own, round) = self.the_loop(index)?;
        if round.done < own.times.min {
            return Some(here + 1);
        }
        if round.done >= own.times.max {
            return Some(own.exit);
        }
        let (now, later) = if own.times.greedy { (here + 1, own.exit) } else { (own.exit, here + 1) };
        self.memory.undo.push(Undo::GoTo { op: later, at });
        Some(now)
    }

    fn begin_round(&mut self, index: usize, at: usize) -> Result<(), OutOfSteps> {
        let Some((own, round)) = self.the_loop(index) else {
            return Ok(());
        };
        self.set_round(index, Round { began: at, ..round });
        self.steps.spend(own.end_slot - own.first_slot)?;
        for slot in own.first_slot..own.end_slot {
            self.set_slot(slot, UNSET);
        }
        Ok(())
    }

    /// A round beyond the required ones that read nothing is a wrong way: it would go round for ever.
    fn end_round(&mut self, index: usize, at: usize) -> Option<usize> {
        let (own, round) = self.the_loop(index)?;
        if round.done >= own.times.min && round.began == at {
            return None;
        }
        self.set_round(index, Round { done: round.done.saturating_add(1), ..round });
        Some(own.head)
    }

    /// Whether a look-around holds. Its captures stay, its other ways do not.
    fn look(&mut self, op: usize, at: usize, negate: bool) -> Result<bool, OutOfSteps> {
        let base = self.memory.undo.len();
        let found = self.run(op, at)?.is_some();
        if !found {
            return Ok(negate);
        }
        self.steps.spend(self.memory.undo.len() - base)?;
        if negate {
            while self.memory.undo.len() > base {
                self.take_back();
            }
            return Ok(false);
        }
        let mut kept = base;
        for place in base..self.memory.undo.len() {
            if let Some(&change @ (Undo::Slot { .. } | Undo::Round { .. })) = self.memory.undo.get(place) {
                if let Some(to) = self.memory.undo.get_mut(kept) {
                    *to = change;
                }
                kept += 1;
            }
        }
        self.memory.undo.truncate(kept);
        Ok(true)
    }
}
