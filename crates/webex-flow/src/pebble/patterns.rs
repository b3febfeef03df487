//! Regular expressions of Java, as far as they mean the same here: in linear time.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::budget::Budget;
use super::error::{Fault, TemplateError};
use crate::pattern_size::states;

/// The largest program that a pattern may become, in bytes.
const LARGEST: usize = 1 << 15;
/// What compiling a pattern takes as so many values, and each of its states besides.
const COMPILED: usize = 4_000;
const STATE: usize = 80;
/// The most that a counted repetition may count.
const MOST: u32 = 100;

/// A pattern, and over which texts it means what it means to Java.
pub(super) struct Pattern {
    regex: Regex,
    /// Where letters beyond ASCII would be taken otherwise.
    needs_ascii: bool,
    /// `$` is before a line break at the end too, in Java.
    needs_no_break: bool,
    /// About how many states it has.
    states: usize,
    /// The pattern that has to match the whole text.
    whole: OnceCell<Option<Regex>>,
}

/// The patterns that a rendering has read: one in a loop is compiled once.
#[derive(Default)]
pub(super) struct Known(RefCell<HashMap<String, Rc<Pattern>>>);

impl Pattern {
    /// Reads a pattern.
    pub(super) fn read(pattern: &str, budget: &Budget, column: usize) -> Result<Rc<Self>, TemplateError> {
        budget.values(4, column)?;
        budget.bytes(pattern.len(), column)?;
        if let Some(known) = budget.patterns.0.borrow().get(pattern) {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(Self::compile(pattern, budget, column)?);
        budget.patterns.0.borrow_mut().insert(pattern.to_owned(), Rc::clone(&read));
        Ok(read)
    }

    fn compile(pattern: &str, budget: &Budget, column: usize) -> Result<Self, TemplateError> {
        let not_understood =
            || Fault::NotUnderstood(format!("pattern `{}`", pattern.chars().take(80).collect::<String>()));
        let mut reader = Reader { rest: pattern.chars().peekable(), out: String::new(), ..Reader::default() };
        let read = reader.read();
        read.ok_or_else(|| not_understood().at(column))?;
        // Compiling one takes as long as thousands of values do, and longer where it counts.
        let states = states(&reader.out, false);
        budget.values(COMPILED.saturating_add(states.saturating_mul(STATE)), column)?;
        let regex = RegexBuilder::new(&reader.out)
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST * 8)
            .nest_limit(50)
            .build();
        let regex = regex.map_err(|_| not_understood().at(column))?;
        let Reader { needs_ascii, needs_no_break, .. } = reader;
        Ok(Self { regex, needs_ascii, needs_no_break, states, whole: OnceCell::new() })
    }

    /// The expression, to be found in this text again and again.
    pub(super) fn over(&self, text: &str, budget: &Budget, column: usize) -> Result<&Regex, TemplateError> {
        // Java finds nothing once more right behind something, we do not.
        if !self.regex.as_str().is_empty() && self.regex.is_match("") {
            return Err(TemplateError::not_known(column, "pattern that nothing matches"));
        }
        self.once(text, budget, column)
    }

    fn once(&self, text: &str, budget: &Budget, column: usize) -> Result<&Regex, TemplateError> {
        budget.values(16, column)?;
        budget.values(text.len().saturating_mul(1 + self.states) / 8, column)?;
        if self.needs_ascii && !text.is_ascii()
            || self.needs_no_break && text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        {
            return Err(TemplateError::not_known(column, "pattern over such a text"));
        }
        Ok(&self.regex)
    }

    /// Whether the whole text is one match.
    pub(super) fn is_whole(&self, text: &str, budget: &Budget, column: usize) -> Result<bool, TemplateError> {
        self.once(text, budget, column)?;
        if self.whole.get().is_none() {
            budget.values(COMPILED.saturating_add(self.states.saturating_mul(STATE)), column)?;
        }
        // The first match need not be the longest: one that must reach the end has to be looked for.
        let whole = self.whole.get_or_init(|| {
            RegexBuilder::new(&format!(r"\A(?:{})\z", self.regex.as_str())).size_limit(LARGEST).build().ok()
        });
        match whole {
            Some(whole) => Ok(whole.is_match(text)),
            None => Err(TemplateError::not_known(column, "pattern so large")),
        }
    }
}

/// Writes a pattern of Java as one of ours; what could mean something else is refused.
struct Reader<'p> {
    rest: std::iter::Peekable<std::str::Chars<'p>>,
    out: String,
    needs_ascii: bool,
    needs_no_break: bool,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        let rest = "".chars().peekable();
        Self { rest, out: String::new(), needs_ascii: false, needs_no_break: false }
    }
}

impl Reader<'_> {
    fn read(&mut self) -> Option<()> {
        if self.rest.clone().take(4).collect::<String>() == "(?i)" {
            self.rest.nth(3);
            self.out.push_str("(?i)");
            self.needs_ascii = true;
        }
        let mut can_repeat = false;
        while let Some(character) = self.rest.next() {
            can_repeat = match character {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' => {
                    self.out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]");
                    true
                }
                '^' => {
                    self.out.push_str(r"\A");
                    false
                }
                '$' => {
                    self.needs_no_break = true;
                    self.out.push_str(r"\z");
                    false
                }
                '(' => {
                    self.group()?;
                    false
                }
                ')' => {
                    self.out.push(')');
                    true
                }
                '|' => {
                    self.out.push('|');
                    false
                }
                '*' | '+' | '?' | '{' if can_repeat => {
                    self.repetition(character)?;
                    false
                }
                '*' | '+' | '?' | '{' | '}' | ']' => return None,
                _ => self.literal(character),
            };
        }
        Some(())
    }

    fn literal(&mut self, character: char) -> bool {
        self.out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
        // Java goes by characters of 16 bits, without consequences for these.
        true
    }

    /// What follows a backslash. Whether it can be repeated.
    fn escape(&mut self, is_in_class: bool) -> Option<bool> {
        let character = self.rest.next()?;
        let class = match character {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' => r"[ \t\n\x0B\f\r]",
            'S' => r"[^ \t\n\x0B\f\r]",
            't' => r"\t",
            'n' => r"\n",
            'r' => r"\r",
            'f' => r"\f",
            'b' if !is_in_class => {
                self.needs_ascii = true;
                self.out.push_str(r"\b");
                return Some(false);
            }
            _ if character.is_ascii_punctuation() || character == ' ' => {
                return Some(self.literal(character));
            }
            _ => return None,
        };
        self.out.push_str(class);
        Some(true)
    }

    fn class(&mut self) -> Option<bool> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_empty = true;
        loop {
            let character = self.rest.next()?;
            match character {
                ']' if is_empty => return None,
                ']' => break,
                // A class in a class, and what is common to two.
                '[' | '&' => return None,
                '\\' => drop(self.escape(true)?),
                '-' if is_empty || self.rest.peek() == Some(&']') => self.out.push_str(r"\-"),
                '-' if matches!(self.rest.peek(), Some('\\' | '[' | '-')) => return None,
                '-' => self.out.push('-'),
                '^' => self.out.push_str(r"\^"),
                '~' => self.out.push_str(r"\~"),
                _ => self.out.push(character),
            }
            is_empty = false;
        }
        self.out.push(']');
        Some(true)
    }

    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_some() {
            self.rest.next_if_eq(&':')?;
            self.out.push_str("?:");
        }
        Some(())
    }

    fn repetition(&mut self, first: char) -> Option<()> {
        self.out.push(first);
        if first == '{' {
            let mut bounds = String::new();
            while let Some(next) = self.rest.next_if(|next| *next != '}') {
                bounds.push(next);
            }
            self.rest.next()?;
            let (least, most) = bounds.split_once(',').unwrap_or((&bounds, "0"));
            let is_small = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|n| n <= MOST)
            };
            if !is_small(least) || !(most.is_empty() || is_small(most)) {
                return None;
            }
            self.out.push_str(&bounds);
            self.out.push('}');
        }
        match self.rest.peek() {
            // Possessive ones are not there.
            Some('+') => None,
            Some('?') => {
                self.rest.next();
                self.out.push('?');
                Some(())
            }
            _ => Some(()),
        }
    }
}

/// `String.split`: without empty texts at the end unless a limit is given.
pub(super) fn split<'t>(
    text: &'t str,
    regex: &Regex,
    limit: i64,
    column: usize,
    budget: &Budget,
) -> Result<Vec<&'t str>, TemplateError> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    for found in regex.find_iter(text) {
        if limit > 0 && i64::try_from(parts.len()).unwrap_or(i64::MAX) >= limit - 1 {
            break;
        }
        // An empty match at the beginning separates nothing.
        if found.end() == 0 {
            continue;
        }
        budget.values(8, column)?;
        parts.push(text.get(begin..found.start()).unwrap_or_default());
        begin = found.end();
    }
    let has_split = begin > 0 || !parts.is_empty();
    parts.push(text.get(begin..).unwrap_or_default());
    if limit == 0 && has_split {
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    Ok(parts)
}

/// `Matcher.replaceAll`, or `replaceFirst`. What is put in may name groups: `$1`.
pub(super) fn replace(
    text: &str,
    regex: &Regex,
    with: &str,
    (is_all, longest): (bool, usize),
) -> Result<String, Fault> {
    let (mut out, mut begin) = (String::new(), 0);
    let most = if is_all { usize::MAX } else { 1 };
    for captures in regex.captures_iter(text).take(most) {
        let Some(found) = captures.get(0) else { continue };
        out.push_str(text.get(begin..found.start()).unwrap_or_default());
        put_in(&mut out, with, &captures)?;
        begin = found.end();
        if out.len() > longest {
            return Err(Fault::Wrong("the text becomes too long".to_owned()));
        }
    }
    out.push_str(text.get(begin..).unwrap_or_default());
    Ok(out)
}

fn put_in(out: &mut String, with: &str, captures: &regex::Captures<'_>) -> Result<(), Fault> {
    let wrong = || Fault::Wrong(format!("`{with}` names a group that is not there"));
    let mut rest = with.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => out.push(rest.next().ok_or_else(wrong)?),
            '$' if rest.peek() == Some(&'{') => return Err(Fault::NotUnderstood("group by name".to_owned())),
            '$' => {
                let digit = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                    rest.peek()
                        .and_then(|next| next.to_digit(10))
                        .and_then(|digit| usize::try_from(digit).ok())
                };
                let mut group = digit(&mut rest).filter(|group| *group < captures.len()).ok_or_else(wrong)?;
                rest.next();
                // More digits belong to it as long as there is such a group.
                while let Some(next) = digit(&mut rest)
                    && group * 10 + next < captures.len()
                {
                    group = group * 10 + next;
                    rest.next();
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            _ => out.push(character),
        }
    }
    Ok(())
}
