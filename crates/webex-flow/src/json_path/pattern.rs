//! Patterns of `=~`, written for Java and run by an engine of linear time.

use std::cell::Cell;

use regex::{Regex, RegexBuilder};

use super::compile::Refusal;
use super::evaluate::Failure;
use super::steps::Steps;
use crate::pattern_size::states;

/// The largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 18;
/// How many states the patterns of a path may have together: far more than anyone writes.
const MOST_STATES: usize = 5_000;
/// How many of them where a text of a document is read as a path.
pub(super) const FEW_STATES: usize = 200;
/// What a pattern counts besides.
const PATTERN: usize = 50;

/// How many states the patterns of a path may still have.
pub(super) struct Room(Cell<usize>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Cell::new(MOST_STATES))
    }

    pub(super) fn small() -> Self {
        Self(Cell::new(FEW_STATES))
    }

    /// Takes so many, where there are so many left.
    fn take(&self, states: usize) -> Option<()> {
        self.0.set(self.0.get().checked_sub(states)?);
        Some(())
    }
}

/// A pattern that has to match the whole text.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    states: usize,
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn compile(pattern: &str, flags: &str, room: &Room) -> Result<Self, Refusal> {
        let refused = || Refusal::Literal(format!("/{pattern}/ is no pattern that we support"));
        let unicode = flags.contains('U');
        let source = if unicode { pattern.to_owned() } else { with_ascii_classes(pattern) };
        let states = states(&source, unicode);
        room.take(states.saturating_add(PATTERN)).ok_or_else(refused)?;
        let has = |flag| flags.contains(flag);
        let regex = RegexBuilder::new(&format!(r"\A(?:{source})\z"))
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(SIZE_LIMIT)
            .build();
        Ok(Self { regex: regex.map_err(|_| refused())?, states })
    }

    /// Whether it matches a text.
    pub(super) fn is_match(&self, text: &str, steps: &Steps) -> Result<bool, Failure> {
        steps.charge(1)?;
        steps.each(text.len().saturating_mul(1 + self.states / 4))?;
        Ok(self.regex.is_match(text))
    }

    /// Whether both are written alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

/// The flags Java has: Unix lines, case, comments, many lines, dot matches all, case and classes of Unicode.
pub(super) fn is_flag(character: char) -> bool {
    matches!(character, 'd' | 'i' | 'x' | 'm' | 's' | 'u' | 'U')
}

/// In Java `\d`, `\w` and `\s` know ASCII only, unless a flag says otherwise. The sets may stand in brackets too.
fn with_ascii_classes(pattern: &str) -> String {
    let mut source = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            source.push(character);
            continue;
        }
        match characters.next() {
            Some('d') => source.push_str("[0-9]"),
            Some('D') => source.push_str("[^0-9]"),
            Some('w') => source.push_str("[a-zA-Z0-9_]"),
            Some('W') => source.push_str("[^a-zA-Z0-9_]"),
            Some('s') => source.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => source.push_str(r"[^ \t\n\x0B\f\r]"),
            Some('/') => source.push('/'),
            Some(escaped) => {
                source.push('\\');
                source.push(escaped);
            }
            None => source.push('\\'),
        }
    }
    source
}
