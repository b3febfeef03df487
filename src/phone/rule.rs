//! A translation rule: `[min,max]->pattern->selector`, and what can be wrong with it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use ecma_pattern::{Groups, Match, Memory, OutOfSteps, Pattern, Steps, is_space};
use serde::Serialize;

use super::cleanup::LONGEST_NUMBER;

/// The steps one rule may take on one number; at load it is refused if it needs more on a hard one.
pub(super) const STEPS_PER_RULE: u32 = 100_000;
/// The most UTF-16 code units a rule may leave behind.
pub(super) const LONGEST_RESULT: usize = 1_024;

/// The most characters a selector may have.
const LONGEST_SELECTOR: usize = 256;

/// Why a rule was left out, although it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    Steps,
    Length,
}

impl LeftOut {
    /// In words.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Steps => "left out: its pattern takes too many steps on this number",
            Self::Length => "left out: its result is too long for a phone number",
        }
    }
}

impl From<OutOfSteps> for LeftOut {
    fn from(_: OutOfSteps) -> Self {
        Self::Steps
    }
}

/// How many steps may be tried for the rules of a set, all together, while they are read: some 20 ms. Rules beyond that
/// are taken untried; on a number that is too hard for one it is left out.
#[derive(Debug)]
pub(super) struct StepBudget(u32);

impl StepBudget {
    /// For one rule set.
    pub(super) fn new() -> Self {
        Self(1_000_000)
    }

    fn has(&self, steps: u32) -> bool {
        self.0 >= steps
    }

    /// A number costs something besides its steps.
    fn spend(&mut self, steps: u32) {
        self.0 = self.0.saturating_sub(steps).saturating_sub(200);
    }
}

/// A rule that was read.
#[derive(Debug)]
pub(super) struct Rule {
    name: String,
    lengths: (u64, u64),
    pattern: Pattern,
    selector: Selector,
    reported: AtomicBool,
}

impl Rule {
    /// Reads a rule, and tries it on hard numbers as long as the patience lasts.
    ///
    /// # Errors
    /// A part of it cannot be read, or its pattern can run away.
    pub(super) fn parse(name: &str, text: &str, patience: &mut StepBudget) -> Result<Self, Vec<RuleProblem>> {
        let mut parts = text.splitn(3, "->").map(trim);
        let lengths = read_predicate(name, parts.next().unwrap_or_default());
        let pattern = read_pattern(name, parts.next());
        let selector = read_selector(name, parts.next().unwrap_or_default());
        let (lengths, pattern, selector) = match (lengths, pattern, selector) {
            (Ok(lengths), Ok(pattern), Ok(selector)) => (lengths, pattern, selector),
            (lengths, pattern, selector) => {
                let problems = [lengths.err(), pattern.err(), selector.err()];
                return Err(problems.into_iter().flatten().collect());
            }
        };
        let selector = Selector::new(selector, pattern.groups());
        let rule =
            Self { name: name.to_owned(), lengths, pattern, selector, reported: AtomicBool::new(false) };
        rule.check_that_it_ends(text, patience).map_err(|problem| vec![problem])?;
        Ok(rule)
    }

    fn check_that_it_ends(&self, text: &str, patience: &mut StepBudget) -> Result<(), RuleProblem> {
        let longest = usize::try_from(self.lengths.1).map_or(LONGEST_NUMBER, |max| max.min(LONGEST_NUMBER));
        let (mut memory, mut out) = (Memory::default(), Vec::new());
        for number in hard_numbers(text, longest) {
            if !patience.has(STEPS_PER_RULE) {
                return Ok(());
            }
            let mut steps = Steps::new(STEPS_PER_RULE);
            let outcome = self.replace(&number, &mut out, &mut memory, &mut steps);
            patience.spend(STEPS_PER_RULE - steps.left());
            if outcome == Err(LeftOut::Steps) {
                let problem = "can run away: on some numbers it tries too many ways to match";
                let hint = "do not repeat what is itself repeated, as in `(\\d+)+`; or narrow the lengths it runs on";
                return Err(RuleProblem::new(Some(&self.name), RulePart::Pattern, problem, hint));
            }
        }
        Ok(())
    }

    /// Its name in the contact center settings.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it runs on a number that had this length after the clean-up.
    pub(super) fn covers(&self, original_length: usize) -> bool {
        let (min, max) = self.lengths;
        u64::try_from(original_length).is_ok_and(|length| (min..=max).contains(&length))
    }

    /// Replaces every match in `text` and writes the whole text into `out`; returns whether there was any match.
    pub(super) fn replace(
        &self,
        text: &[u16],
        out: &mut Vec<u16>,
        memory: &mut Memory,
        steps: &mut Steps,
    ) -> Result<bool, LeftOut> {
        out.clear();
        let (mut copied, mut any) = (0, false);
        let replace = |found: Match<'_>| {
            let (start, end) = found.range();
            out.extend_from_slice(text.get(copied..start).unwrap_or_default());
            self.selector.expand(found, out);
            (copied, any) = (end, true);
            if out.len() > LONGEST_RESULT { Err(LeftOut::Length) } else { Ok(()) }
        };
        self.pattern.for_each_match(text, memory, steps, replace)?;
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        if out.len() > LONGEST_RESULT { Err(LeftOut::Length) } else { Ok(any) }
    }

    /// Logs, the first time only, that the rule was left out.
    pub(super) fn report(&self, why: LeftOut) {
        if !self.reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(rule = %self.name, "translation rule {}", why.reason());
        }
    }
}

/// White space as JavaScript sees it.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| u16::try_from(u32::from(c)).is_ok_and(is_space))
}

fn read_predicate(rule: &str, text: &str) -> Result<(u64, u64), RuleProblem> {
    parse_predicate(text).ok_or_else(|| {
        let problem = format!("`{text}` is not a range of lengths");
        RuleProblem::new(Some(rule), RulePart::Predicate, problem, "write `[min,max]`, as in `[1,17]`")
    })
}

fn read_pattern(rule: &str, text: Option<&str>) -> Result<Pattern, RuleProblem> {
    let wrong = |problem, hint| RuleProblem::new(Some(rule), RulePart::Pattern, problem, hint);
    let Some(text) = text else {
        let hint = "write `[min,max]->pattern` or `[min,max]->pattern->selector`";
        return Err(wrong("is missing".to_owned(), hint));
    };
    Pattern::new(text).map_err(|error| wrong(error.problem, error.hint))
}

fn read_selector<'a>(rule: &str, text: &'a str) -> Result<&'a str, RuleProblem> {
    let length = text.chars().count();
    if length <= LONGEST_SELECTOR {
        return Ok(text);
    }
    let problem = format!("has {length} characters, at most {LONGEST_SELECTOR} are allowed");
    let hint = "write what takes the place of a match, as in `+1 $2`";
    Err(RuleProblem::new(Some(rule), RulePart::Selector, problem, hint))
}

fn parse_predicate(text: &str) -> Option<(u64, u64)> {
    let (min, max) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(',')?;
    let number = |text: &str| {
        let digits = trim(text);
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // A length beyond u64 exceeds every number, as u64::MAX does.
        all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    Some((number(min)?, number(max)?))
}

/// A replacement text, parsed once. GetSubstitution of ECMA-262, section 22.1.3.19.1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector(Vec<SelectorPart>);

#[derive(Debug, PartialEq, Eq)]
enum SelectorPart {
    Text(Vec<u16>),
    Match,
    Before,
    After,
    Group(usize),
}

impl Selector {
    /// Parses a replacement text. There is no wrong one: a symbol without a meaning is plain text.
    pub(super) fn new(text: &str, groups: &Groups) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let (before, from_dollar) = rest.split_at(dollar);
            literal.push_str(before);
            let (part, length) = symbol(from_dollar, groups);
            match part {
                Some(part) => {
                    flush(&mut literal, &mut parts);
                    parts.push(part);
                }
                None => literal.push('$'),
            }
            rest = from_dollar.get(length..).unwrap_or_default();
        }
        literal.push_str(rest);
        flush(&mut literal, &mut parts);
        Self(parts)
    }

    /// Appends what takes the place of this match.
    fn expand(&self, found: Match<'_>, out: &mut Vec<u16>) {
        for part in &self.0 {
            out.extend_from_slice(match part {
                SelectorPart::Text(text) => text,
                SelectorPart::Match => found.whole(),
                SelectorPart::Before => found.before(),
                SelectorPart::After => found.after(),
                SelectorPart::Group(number) => found.group(*number),
            });
        }
    }
}

fn flush(literal: &mut String, parts: &mut Vec<SelectorPart>) {
    if !literal.is_empty() {
        parts.push(SelectorPart::Text(literal.encode_utf16().collect()));
        literal.clear();
    }
}

/// The symbol at the start of `text`, which is a `$`, and its length; no part where it is a plain `$`.
fn symbol(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let next = text.as_bytes().get(1).copied();
    match next {
        Some(b'$') => (None, 2),
        Some(b'&') => (Some(SelectorPart::Match), 2),
        Some(b'`') => (Some(SelectorPart::Before), 2),
        Some(b'\'') => (Some(SelectorPart::After), 2),
        Some(b'0'..=b'9') => numbered(text, groups),
        Some(b'<') if groups.named() => named(text, groups),
        _ => (None, 1),
    }
}

/// Two digits where there is such a group, else one.
fn numbered(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let known = |length: usize| {
        let digits = text.get(1..=length).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        let number: u32 = digits.parse().ok()?;
        let number = (1..=groups.count()).contains(&number).then_some(number)?;
        Some((Some(SelectorPart::Group(usize::try_from(number).ok()?)), 1 + length))
    };
    known(2).or_else(|| known(1)).unwrap_or((None, 1))
}

fn named(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let Some((name, _)) = text.get(2..).and_then(|rest| rest.split_once('>')) else {
        return (None, 1);
    };
    let length = "$<>".len() + name.len();
    let units: Vec<u16> = name.encode_utf16().collect();
    let number = groups.by_name(&units).and_then(|number| usize::try_from(number).ok());
    // JavaScript gives `undefined` for an unknown group name, and inserts nothing.
    (Some(number.map_or(SelectorPart::Text(Vec::new()), SelectorPart::Group)), length)
}

/// Numbers of this length, made of what numbers hold and of what the rule itself speaks of.
fn hard_numbers(rule: &str, length: usize) -> impl Iterator<Item = Vec<u16>> {
    const DIGITS: [&str; 7] = ["1", "0", "12", "1234567890", "1,", "1 ", "1#*"];
    const ENDS: [(&str, &str); 5] = [("", ""), ("", "#"), ("", "x"), ("+", ""), ("+49", " ")];
    let mut cores: Vec<String> = DIGITS.map(str::to_owned).to_vec();
    let own = rule.chars().filter(|c| !cores_hold(c));
    for character in own.take(40).map(String::from) {
        if !cores.contains(&character) {
            cores.push(character);
        }
    }
    cores.into_iter().flat_map(move |core| ENDS.map(|(head, tail)| number(head, &core, tail, length)))
}

fn cores_hold(character: &char) -> bool {
    "10[]()->\\{}^$?".contains(*character)
}

fn number(head: &str, core: &str, tail: &str, length: usize) -> Vec<u16> {
    let body = length.saturating_sub(head.len() + tail.len());
    head.encode_utf16()
        .chain(core.encode_utf16().cycle().take(body))
        .chain(tail.encode_utf16())
        .take(length)
        .collect()
}

/// The part of a rule set that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RulePart {
    /// The JSON around the rules.
    Json,
    /// `[min,max]`.
    Predicate,
    /// Between the arrows.
    Pattern,
    /// After the second arrow.
    Selector,
}

impl fmt::Display for RulePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Predicate => "predicate",
            Self::Pattern => "pattern",
            Self::Selector => "selector",
        })
    }
}

/// One thing that is wrong with a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleProblem {
    rule: Option<String>,
    part: RulePart,
    problem: String,
    hint: String,
}

impl RuleProblem {
    pub(super) fn new(
        rule: Option<&str>,
        part: RulePart,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { rule: rule.map(str::to_owned), part, problem: problem.into(), hint: hint.into() }
    }

    /// The name of the rule, unless the rule set as a whole is meant.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Which part of it.
    pub fn part(&self) -> RulePart {
        self.part
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = &self.rule {
            write!(f, "rule \"{rule}\", ")?;
        }
        write!(f, "{}: {}; {}", self.part, self.problem, self.hint)
    }
}

impl std::error::Error for RuleProblem {}

#[cfg(test)]
mod tests {
    use ecma_pattern::{Memory, OutOfSteps, Pattern, Steps};

    use super::*;

    fn replaced(pattern: &str, selector: &str, text: &str) -> String {
        let pattern = Pattern::new(pattern).unwrap();
        let selector = Selector::new(selector, pattern.groups());
        let text: Vec<u16> = text.encode_utf16().collect();
        let mut out = Vec::new();
        let found = |found: Match<'_>| {
            selector.expand(found, &mut out);
            Ok::<_, OutOfSteps>(())
        };
        pattern.for_each_match(&text, &mut Memory::default(), &mut Steps::new(10_000), found).unwrap();
        String::from_utf16(&out).unwrap()
    }

    #[test]
    fn symbols_stand_for_the_match_and_its_surroundings() {
        assert_eq!(replaced("3", "[$$|$&|$`|$']", "12345"), "[$|3|12|45]");
        assert_eq!(replaced("3", "$ $x $", "12345"), "$ $x $");
    }

    #[test]
    fn two_digits_count_only_where_that_group_exists() {
        assert_eq!(replaced("(1)(2)", "$2$10$02$00$0$3", "12"), "2102$00$0$3");
        assert_eq!(replaced(&"(1)".repeat(11), "$11,$12", &"1".repeat(11)), "1,12");
        assert_eq!(replaced("1", "$1", "1"), "$1");
    }

    #[test]
    fn names_count_only_where_the_pattern_has_any() {
        assert_eq!(replaced("(?<a>1)(?<b>2)?", "$<a>$<b>$<c>$<", "1"), "1$<");
        assert_eq!(replaced("(1)", "$<a>", "1"), "$<a>");
    }
}
