//! Classes: `[0-9]`, `[^\d#]`, `[]`, `[^]`.

use super::charset::{CharSet, Range};
use super::parse::Parser;
use super::syntax::PatternError;

/// One entry of a class: a character, which may begin a range, or a set such as `\d`, which may not.
enum Member {
    One(u16),
    Many(Vec<Range>),
}

impl Member {
    fn ranges(self) -> Vec<Range> {
        match self {
            Self::One(unit) => vec![(unit, unit)],
            Self::Many(ranges) => ranges,
        }
    }
}

impl Parser<'_> {
    /// What follows a `[`, up to its `]`.
    pub(super) fn class(&mut self) -> Result<CharSet, PatternError> {
        let negated = self.eat("^");
        let mut ranges = Vec::new();
        while !self.eat("]") {
            let first = self.member()?;
            if self.peek() != Some('-') || matches!(self.peek_at(1), None | Some(']')) {
                ranges.extend(first.ranges());
                continue;
            }
            self.at += 1;
            match (first, self.member()?) {
                (Member::One(from), Member::One(to)) if from <= to => ranges.push((from, to)),
                (Member::One(_), Member::One(_)) => {
                    return Err(self.error(
                        "range out of order in `[ ]`",
                        "write the smaller character first, or `\\-` for the character",
                    ));
                }
                // Annex B: with a set on either side the `-` stands for itself.
                (first, last) => {
                    ranges.extend(first.ranges());
                    ranges.push((u16::from(b'-'), u16::from(b'-')));
                    ranges.extend(last.ranges());
                }
            }
        }
        Ok(if negated { CharSet::except(&ranges) } else { CharSet::new(&ranges) })
    }

    fn member(&mut self) -> Result<Member, PatternError> {
        let Some(unit) = self.next_unit() else {
            return Err(PatternError::new(
                "a `[` is never closed",
                "close it with `]`, or write `\\[` for the character",
            ));
        };
        if unit != u16::from(b'\\') {
            return Ok(Member::One(unit));
        }
        if self.eat("b") {
            return Ok(Member::One(0x08));
        }
        match self.class_escape() {
            Some(ranges) => Ok(Member::Many(ranges)),
            None => self.character_escape(true).map(Member::One),
        }
    }
}
