//! The tree of a pattern, and what can be wrong with one.

use std::error::Error;
use std::fmt;

use super::charset::CharSet;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Matches without reading anything.
    Empty,
    /// One code unit out of a set.
    Set(CharSet),
    /// `^`, `$`, `\b`, `\B`.
    Assert(Assertion),
    /// `( )` and `(?<name> )`, counted from 1.
    Group { number: u32, body: Box<Node> },
    /// `\1` or `\k<name>`.
    BackReference(u32),
    /// One after the other.
    Sequence(Vec<Node>),
    /// `a|b`: the first that lets the rest match.
    Choice(Vec<Node>),
    /// `*`, `+`, `?`, `{min,max}`; the capture groups `first_group..end_group` lie inside.
    Repeat { body: Box<Node>, times: Times, first_group: u32, end_group: u32 },
    /// `(?= )`, `(?! )`, `(?<= )`, `(?<! )`.
    Look { body: Box<Node>, behind: bool, negate: bool },
}

/// How often something is repeated, and whether more is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) greedy: bool,
}

/// A condition on a place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assertion {
    Start,
    End,
    WordBoundary,
    NoWordBoundary,
}

/// A pattern that cannot be read, in the words of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// What is wrong, and where.
    pub problem: String,
    /// What to write instead.
    pub hint: &'static str,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem, self.hint)
    }
}

impl Error for PatternError {}

impl PatternError {
    pub(super) fn new(problem: impl Into<String>, hint: &'static str) -> Self {
        Self { problem: problem.into(), hint }
    }
}
