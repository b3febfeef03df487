//! One rule: `[min,max]->pattern` or `[min,max]->pattern->selector`.

use std::sync::atomic::{AtomicBool, Ordering};

use ecma_pattern::{Match, Memory, OutOfSteps, Pattern, Steps, is_space};

use super::cleanup::LONGEST_NUMBER;
use super::probe;
use super::problem::{RulePart, RuleProblem};
use super::selector::Selector;

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

/// How many steps the rules of a set may be tried for, all together, while they are read: some 20 ms. Rules beyond that
/// are taken untried; on a number that is too hard for one it is left out, as ever.
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
        for number in probe::hard_numbers(text, longest) {
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

    /// Replaces every match in `text` and puts the whole into `out`; tells whether there was any match.
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
        // Beyond u64 it is longer than any number anyway.
        all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    Some((number(min)?, number(max)?))
}
