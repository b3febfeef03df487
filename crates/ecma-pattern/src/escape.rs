//! Escapes: `\d`, `\b`, `\1`, `\x30`, `\-` and their like.

use super::charset::{CharSet, DIGITS, Range, SPACE, WORD, complement};
use super::parse::Parser;
use super::scan;
use super::syntax::{Assertion, Node, PatternError};

impl Parser<'_> {
    /// What follows a `\` outside a class.
    pub(super) fn escape(&mut self) -> Result<Node, PatternError> {
        match self.peek() {
            Some('b') => Ok(self.assertion(Assertion::WordBoundary)),
            Some('B') => Ok(self.assertion(Assertion::NoWordBoundary)),
            Some('k') if self.groups.named() => self.named_reference(),
            Some('1'..='9') => {
                let rest = self.units.get(self.at..).unwrap_or_default();
                match scan::number(rest) {
                    Some((number, length)) if number <= self.groups.count() => {
                        self.at += length;
                        Ok(Node::BackReference(number))
                    }
                    _ => self.character_escape(false).map(|unit| Node::Set(CharSet::one(unit))),
                }
            }
            _ => match self.class_escape() {
                Some(ranges) => Ok(Node::Set(CharSet::new(&ranges))),
                None => self.character_escape(false).map(|unit| Node::Set(CharSet::one(unit))),
            },
        }
    }

    fn assertion(&mut self, assertion: Assertion) -> Node {
        self.at += 1;
        Node::Assert(assertion)
    }

    fn named_reference(&mut self) -> Result<Node, PatternError> {
        let number = is_open(self)
            .then(|| scan::name(self.units, self.at + 2))
            .flatten()
            .and_then(|(name, end)| Some((self.groups.by_name(&name)?, end)));
        let Some((number, end)) = number else {
            return Err(
                self.error("`\\k` without the name of a group", "write `\\k<name>` with a name that exists")
            );
        };
        self.at = end;
        Ok(Node::BackReference(number))
    }

    /// `d`, `D`, `s`, `S`, `w`, `W` at the cursor.
    pub(super) fn class_escape(&mut self) -> Option<Vec<Range>> {
        let ranges = match self.peek()? {
            'd' => DIGITS.to_vec(),
            'D' => complement(DIGITS),
            's' => SPACE.to_vec(),
            'S' => complement(SPACE),
            'w' => WORD.to_vec(),
            'W' => complement(WORD),
            _ => return None,
        };
        self.at += 1;
        Some(ranges)
    }

    /// The one character a `\` and what follows stand for.
    pub(super) fn character_escape(&mut self, in_class: bool) -> Result<u16, PatternError> {
        let Some(unit) = self.next_unit() else {
            return Err(PatternError::new(
                "ends with a single `\\`",
                "write `\\\\` for the character, or remove it",
            ));
        };
        Ok(match scan::as_char(unit) {
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'v' => 0x0B,
            'c' => self.control(in_class),
            'x' => self.hexadecimal(2).unwrap_or(unit),
            'u' => self.hexadecimal(4).unwrap_or(unit),
            '0'..='7' => self.octal(unit),
            'k' if self.groups.named() => {
                return Err(self.error("invalid escape `\\k`", "write `k`, or `\\k<name>` outside `[ ]`"));
            }
            _ => unit,
        })
    }

    /// `\cJ` is a control character; any other `\c` is a backslash, and the `c` stays to be read.
    fn control(&mut self, in_class: bool) -> u16 {
        let letter = self.units.get(self.at).copied().filter(|&unit| {
            let c = scan::as_char(unit);
            c.is_ascii_alphabetic() || (in_class && (c.is_ascii_digit() || c == '_'))
        });
        match letter {
            Some(letter) => {
                self.at += 1;
                letter % 32
            }
            None => {
                self.at -= 1;
                u16::from(b'\\')
            }
        }
    }

    fn hexadecimal(&mut self, length: usize) -> Option<u16> {
        let digits = self.units.get(self.at..self.at + length)?;
        let value = digits.iter().try_fold(0, |value, &unit| {
            let digit = scan::as_char(unit).to_digit(16)?;
            Some(value << 4 | u16::try_from(digit).ok()?)
        })?;
        self.at += length;
        Some(value)
    }

    /// Up to three octal digits, at most `\377`, the first of them already read.
    fn octal(&mut self, first: u16) -> u16 {
        let digit = |unit: u16| scan::as_char(unit).to_digit(8).and_then(|digit| u16::try_from(digit).ok());
        let mut value = digit(first).unwrap_or_default();
        let longest = if value < 4 { 2 } else { 1 };
        for _ in 0..longest {
            let Some(next) = self.units.get(self.at).copied().and_then(digit) else {
                break;
            };
            value = value * 8 + next;
            self.at += 1;
        }
        value
    }
}

fn is_open(parser: &Parser<'_>) -> bool {
    parser.peek_at(1) == Some('<')
}
