//! A pattern as instructions for the [machine](super::machine).
//!
//! Repetitions count instead of being written out, so a program is never much longer than its pattern,
//! whatever `{1000}` it holds.

use super::charset::CharSet;
use super::syntax::{Assertion, Node, Times};

/// One instruction. `back` reads leftwards: everything inside a look-behind does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// Read one code unit of the set.
    Set {
        set: usize,
        back: bool,
    },
    /// Read a run of code units of the set; one instruction for what patterns consist of mostly.
    Run {
        set: usize,
        times: Times,
        back: bool,
    },
    Assert(Assertion),
    /// Note the place as one end of a capture group.
    Save {
        slot: usize,
    },
    BackReference {
        group: usize,
        back: bool,
    },
    /// Go on; should that fail, go on at `other`.
    Split {
        other: usize,
    },
    Jump {
        to: usize,
    },
    /// Come to a loop from outside.
    LoopStart {
        index: usize,
    },
    /// Decide whether to go round or to leave.
    LoopHead {
        index: usize,
    },
    /// Begin a round: its captures are undefined again.
    LoopEnter {
        index: usize,
    },
    /// End a round.
    LoopTail {
        index: usize,
    },
    /// Try what follows up to its `Done`, without moving; then go on at `end`.
    Look {
        negate: bool,
        end: usize,
    },
    Done,
}

/// What the loop instructions share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loop {
    pub(super) times: Times,
    pub(super) head: usize,
    pub(super) exit: usize,
    pub(super) first_slot: usize,
    pub(super) end_slot: usize,
}

/// A compiled pattern.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) sets: Vec<CharSet>,
    pub(super) loops: Vec<Loop>,
    pub(super) slots: usize,
    /// Which instructions fail at a place for good once they failed there: see [`Program::mark_stateless`].
    pub(super) stateless: Vec<bool>,
}

impl Program {
    /// Compiles a tree with this many capture groups.
    pub(super) fn new(node: &Node, groups: u32) -> Self {
        let mut program = Self { slots: slot(groups + 1), ..Self::default() };
        program.node(node, false);
        program.ops.push(Op::Done);
        program.mark_stateless();
        program
    }

    /// From outside loops and look-arounds, and without back references, the rest of a match depends on the
    /// place alone, not on how one came there. So no such place needs to be tried twice.
    fn mark_stateless(&mut self) {
        let repeats = self.ops.iter().any(|op| matches!(op, Op::BackReference { .. }));
        self.stateless = vec![!repeats; self.ops.len()];
        let loops = self.loops.iter().map(|own| (own.head, own.exit));
        let looks = self.ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Look { end, .. } => Some((at + 1, *end)),
            _ => None,
        });
        for (from, to) in loops.chain(looks) {
            self.stateless.iter_mut().take(to).skip(from).for_each(|stateless| *stateless = false);
        }
    }

    fn node(&mut self, node: &Node, back: bool) {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                let set = self.set(set);
                self.ops.push(Op::Set { set, back });
            }
            Node::Assert(assertion) => self.ops.push(Op::Assert(*assertion)),
            Node::Group { number, body } => {
                let (start, end) = (slot(*number), slot(*number) + 1);
                self.ops.push(Op::Save { slot: if back { end } else { start } });
                self.node(body, back);
                self.ops.push(Op::Save { slot: if back { start } else { end } });
            }
            Node::BackReference(number) => {
                self.ops.push(Op::BackReference { group: slot(*number), back });
            }
            Node::Sequence(parts) if back => parts.iter().rev().for_each(|part| self.node(part, back)),
            Node::Sequence(parts) => parts.iter().for_each(|part| self.node(part, back)),
            Node::Choice(choices) => self.choice(choices, back),
            Node::Repeat { body, times, first_group, end_group } => match &**body {
                Node::Set(set) => {
                    let set = self.set(set);
                    self.ops.push(Op::Run { set, times: *times, back });
                }
                body => self.repeat(body, *times, (*first_group, *end_group), back),
            },
            Node::Look { body, behind, negate } => {
                let look = self.placeholder();
                self.node(body, *behind);
                self.ops.push(Op::Done);
                self.put(look, Op::Look { negate: *negate, end: self.ops.len() });
            }
        }
    }

    fn choice(&mut self, choices: &[Node], back: bool) {
        let mut jumps = Vec::new();
        let Some((last, earlier)) = choices.split_last() else {
            return;
        };
        for choice in earlier {
            let split = self.placeholder();
            self.node(choice, back);
            jumps.push(self.placeholder());
            self.put(split, Op::Split { other: self.ops.len() });
        }
        self.node(last, back);
        let to = self.ops.len();
        for jump in jumps {
            self.put(jump, Op::Jump { to });
        }
    }

    fn repeat(&mut self, body: &Node, times: Times, groups: (u32, u32), back: bool) {
        let index = self.loops.len();
        let head = self.ops.len() + 1;
        let (first_slot, end_slot) = (slot(groups.0), slot(groups.1));
        self.loops.push(Loop { times, head, exit: head, first_slot, end_slot });
        self.ops.extend([Op::LoopStart { index }, Op::LoopHead { index }, Op::LoopEnter { index }]);
        self.node(body, back);
        self.ops.push(Op::LoopTail { index });
        if let Some(own) = self.loops.get_mut(index) {
            own.exit = self.ops.len();
        }
    }

    fn set(&mut self, set: &CharSet) -> usize {
        self.sets.iter().position(|known| known == set).unwrap_or_else(|| {
            self.sets.push(set.clone());
            self.sets.len() - 1
        })
    }

    fn placeholder(&mut self) -> usize {
        self.ops.push(Op::Done);
        self.ops.len() - 1
    }

    fn put(&mut self, at: usize, op: Op) {
        if let Some(place) = self.ops.get_mut(at) {
            *place = op;
        }
    }
}

/// Where the start of a capture group is kept; its end is kept next to it.
fn slot(group: u32) -> usize {
    usize::try_from(group).unwrap_or(usize::MAX / 4).saturating_sub(1) * 2
}
