//! Reads an ECMAScript pattern without flags: ECMA-262, section 22.2.1, with Annex B.1.2, under which
//! `{`, `]` and `\-` are legal and stand for themselves.

use super::charset::{CharSet, LINE_TERMINATOR};
use super::scan::{self, Groups};
use super::syntax::{Assertion, Node, PatternError, Times};

/// The most UTF-16 code units a pattern may have.
const LONGEST_PATTERN: usize = 1_000;
/// The most parentheses that may be open at one place.
const DEEPEST_NESTING: u32 = 50;

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: Groups,
}

/// Reads a pattern.
///
/// # Errors
/// Not a pattern of ECMAScript, or one beyond our limits of length and nesting.
pub(super) fn parse(pattern: &str) -> Result<Parsed, PatternError> {
    let units: Vec<u16> = pattern.encode_utf16().collect();
    if units.len() > LONGEST_PATTERN {
        let problem = format!("has {} characters, at most {LONGEST_PATTERN} are allowed", units.len());
        return Err(PatternError::new(problem, "split the rule into several rules"));
    }
    let groups = Groups::scan(&units)?;
    let mut parser = Parser { units: &units, at: 0, groups: &groups, opened: 0, depth: 0 };
    let node = parser.disjunction()?;
    if parser.at < units.len() {
        return Err(parser.error("unmatched `)`", "remove it, or write `\\)` for the character"));
    }
    Ok(Parsed { node, groups })
}

/// A cursor over the pattern. `class.rs` and `escape.rs` add to it.
pub(super) struct Parser<'a> {
    pub(super) units: &'a [u16],
    pub(super) at: usize,
    pub(super) groups: &'a Groups,
    opened: u32,
    depth: u32,
}

impl Parser<'_> {
    /// The character at the cursor; what is not a character of its own comes out as U+FFFD.
    pub(super) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.units.get(self.at + ahead).map(|&unit| scan::as_char(unit))
    }

    pub(super) fn next_unit(&mut self) -> Option<u16> {
        let unit = self.units.get(self.at).copied();
        self.at += usize::from(unit.is_some());
        unit
    }

    /// Steps over `text` if it stands at the cursor.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(ahead, expected)| self.peek_at(ahead) == Some(expected));
        if found {
            self.at += text.chars().count();
        }
        found
    }

    pub(super) fn error(&self, problem: &str, hint: &'static str) -> PatternError {
        PatternError::new(format!("{problem} at character {}", self.at + 1), hint)
    }

    fn disjunction(&mut self) -> Result<Node, PatternError> {
        let mut choices = vec![self.alternative()?];
        while self.eat("|") {
            choices.push(self.alternative()?);
        }
        Ok(match choices.len() {
            1 => choices.remove(0),
            _ => Node::Choice(choices),
        })
    }

    fn alternative(&mut self) -> Result<Node, PatternError> {
        let mut terms = Vec::new();
        while self.peek().is_some_and(|next| next != '|' && next != ')') {
            terms.push(self.term()?);
        }
        Ok(match terms.len() {
            0 => Node::Empty,
            1 => terms.remove(0),
            _ => Node::Sequence(terms),
        })
    }

    fn term(&mut self) -> Result<Node, PatternError> {
        let first_group = self.opened + 1;
        let atom = self.atom()?;
        let quantified = self.quantifier()?;
        let Some(times) = quantified else { return Ok(atom) };
        if matches!(atom, Node::Assert(_) | Node::Look { behind: true, .. }) {
            return Err(self.nothing_to_repeat());
        }
        Ok(Node::Repeat { body: Box::new(atom), times, first_group, end_group: self.opened + 1 })
    }

    fn nothing_to_repeat(&self) -> PatternError {
        self.error(
            "nothing to repeat",
            "put a character or a group before `*`, `+`, `?` or `{`, or write `\\+` for the character",
        )
    }

    fn atom(&mut self) -> Result<Node, PatternError> {
        match self.peek() {
            Some('(') => self.group(),
            Some('*' | '+' | '?') => Err(self.nothing_to_repeat()),
            Some('{') if self.braces().is_some() => Err(self.nothing_to_repeat()),
            _ => self.single(),
        }
    }

    fn single(&mut self) -> Result<Node, PatternError> {
        let Some(unit) = self.next_unit() else {
            return Ok(Node::Empty);
        };
        match scan::as_char(unit) {
            '^' => Ok(Node::Assert(Assertion::Start)),
            '$' => Ok(Node::Assert(Assertion::End)),
            '.' => Ok(Node::Set(CharSet::except(LINE_TERMINATOR))),
            '[' => self.class().map(Node::Set),
            '\\' => self.escape(),
            _ => Ok(Node::Set(CharSet::one(unit))),
        }
    }

    fn group(&mut self) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEEPEST_NESTING {
            let problem = format!("more than {DEEPEST_NESTING} parentheses are open");
            return Err(self.error(&problem, "write the pattern with fewer nested groups"));
        }
        let node = self.group_body()?;
        self.depth -= 1;
        Ok(node)
    }

    fn group_body(&mut self) -> Result<Node, PatternError> {
        for (opening, behind, negate) in
            [("(?=", false, false), ("(?!", false, true), ("(?<=", true, false), ("(?<!", true, true)]
        {
            if self.eat(opening) {
                let body = Box::new(self.until_closed()?);
                return Ok(Node::Look { body, behind, negate });
            }
        }
        if self.eat("(?:") {
            return self.until_closed().map(|body| match body {
                // Stays one thing for a quantifier, which must not refuse `(?:^)*` as it refuses `^*`.
                Node::Assert(_) | Node::Look { .. } => Node::Sequence(vec![body]),
                other => other,
            });
        }
        if self.eat("(?<") {
            self.at = scan::name(self.units, self.at).map_or(self.at, |(_, end)| end);
        } else if self.eat("(?") {
            let hint = "known are `(?:`, `(?=`, `(?!`, `(?<=`, `(?<!` and `(?<name>`";
            return Err(self.error("unknown kind of group", hint));
        } else {
            self.at += 1;
        }
        self.opened += 1;
        let number = self.opened;
        let body = Box::new(self.until_closed()?);
        Ok(Node::Group { number, body })
    }

    fn until_closed(&mut self) -> Result<Node, PatternError> {
        let body = self.disjunction()?;
        if self.eat(")") {
            return Ok(body);
        }
        Err(PatternError::new("a `(` is never closed", "close it with `)`, or write `\\(` for the character"))
    }

    fn quantifier(&mut self) -> Result<Option<Times>, PatternError> {
        let (min, max, length) = match self.peek() {
            Some('*') => (0, u32::MAX, 1),
            Some('+') => (1, u32::MAX, 1),
            Some('?') => (0, 1, 1),
            Some('{') => match self.braces() {
                Some(braces) => braces,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        if min > max {
            return Err(self.error("numbers of `{ , }` out of order", "write the smaller number first"));
        }
        self.at += length;
        let greedy = !self.eat("?");
        Ok(Some(Times { min, max, greedy }))
    }

    /// `{n}`, `{n,}` or `{n,m}` at the cursor: its numbers and its length. Anything else stands for itself.
    fn braces(&self) -> Option<(u32, u32, usize)> {
        let rest = self.units.get(self.at + 1..)?;
        let (min, after_min) = scan::number(rest)?;
        if scan::is(rest.get(after_min), '}') {
            return Some((min, min, after_min + 2));
        }
        if !scan::is(rest.get(after_min), ',') {
            return None;
        }
        let (max, digits) = scan::number(rest.get(after_min + 1..)?).unwrap_or((u32::MAX, 0));
        let end = after_min + 1 + digits;
        scan::is(rest.get(end), '}').then_some((min, max, end + 2))
    }
}
