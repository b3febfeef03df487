//! A rule set: what a contact center does to its numbers.

use std::fmt;
use std::sync::Arc;

use ecma_pattern::{Memory, Steps, is_space};
use serde::Serialize;
use serde_json::{Map, Value};

use super::cleanup::{NumberTooLong, clean_up, is_number, subscriber};
use super::rule::{Rule, RulePart, RuleProblem, STEPS_PER_RULE, StepBudget};

/// The steps of one translation, over all its rules: far below 5 ms.
const STEPS_PER_TRANSLATION: u32 = 200_000;

/// A rule set, compiled once. `Default` has no rules. Clones share the rules.
#[derive(Clone, Default)]
pub struct Translation {
    rules: Arc<[Rule]>,
}

impl Translation {
    /// Reads a rule set as it stands in the contact center settings: one JSON object of rule names and rules.
    /// An empty text has no rules.
    ///
    /// # Errors
    /// Everything that is wrong, at once. That a pattern can run away is wrong, as far as some 20 ms suffice to find it.
    pub fn parse(rules_json: &str) -> Result<Self, Vec<RuleProblem>> {
        if rules_json.trim().is_empty() {
            return Ok(Self::default());
        }
        let named: Map<String, Value> = serde_json::from_str(rules_json).map_err(|wrong| {
            let hint = "paste the whole object from the contact center settings, as in {\"name\":\"[1,17]->[^\\\\d]+\"}";
            vec![RuleProblem::new(None, RulePart::Json, wrong.to_string(), hint)]
        })?;
        let mut problems = Vec::new();
        let mut rules = Vec::new();
        let mut patience = StepBudget::new();
        for (name, rule) in as_javascript(named) {
            match read(&name, &rule, &mut patience) {
                Ok(rule) => rules.push(rule),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if problems.is_empty() { Ok(Self { rules: rules.into() }) } else { Err(problems) }
    }

    /// How many rules there are.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Translates a value of a phone number field. Of one without any digit only the scheme and the host of a
    /// URI go.
    ///
    /// # Errors
    /// The number has more than 64 characters after the clean-up.
    pub fn translate(&self, value: &str) -> Result<String, NumberTooLong> {
        self.run(value, |_, _, _| {})
    }

    /// Translates, and returns the effect of every rule.
    ///
    /// # Errors
    /// As [`Translation::translate`].
    pub fn explain(&self, value: &str) -> Result<Explanation, NumberTooLong> {
        let mut steps = Vec::with_capacity(self.rules.len());
        let result = self.run(value, |rule, effect, text| {
            steps.push(TranslationStep {
                rule: rule.name().to_owned(),
                applied: effect == RuleEffect::Applied,
                effect,
                result: String::from_utf16_lossy(text),
            });
        })?;
        let subscriber = subscriber(value);
        let cleaned = if is_number(&subscriber) { clean_up(&subscriber)? } else { subscriber.into_owned() };
        Ok(Explanation { input: value.to_owned(), cleaned, result, steps })
    }

    fn run(
        &self,
        value: &str,
        mut seen: impl FnMut(&Rule, RuleEffect, &[u16]),
    ) -> Result<String, NumberTooLong> {
        let subscriber = subscriber(value);
        if !is_number(&subscriber) {
            return Ok(subscriber.into_owned());
        }
        let cleaned = clean_up(&subscriber)?;
        if self.rules.is_empty() {
            return Ok(cleaned);
        }
        // UTF-16 code units, because patterns and `$` symbols count in them; a cleaned number is ASCII.
        let mut text: Vec<u16> = cleaned.bytes().map(u16::from).collect();
        let original_length = text.len();
        let mut next = Vec::with_capacity(2 * original_length);
        let mut memory = Memory::default();
        let mut left = STEPS_PER_TRANSLATION;
        for rule in self.rules.iter() {
            let effect = if rule.covers(original_length) {
                let mut steps = Steps::new(left.min(STEPS_PER_RULE));
                let given = steps.left();
                let outcome = rule.replace(&text, &mut next, &mut memory, &mut steps);
                left -= given - steps.left();
                RuleEffect::of(rule, outcome)
            } else {
                RuleEffect::OtherLength
            };
            if effect == RuleEffect::Applied {
                std::mem::swap(&mut text, &mut next);
            }
            seen(rule, effect, &text);
        }
        Ok(to_string(trim(&text)))
    }
}

impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules.iter().map(Rule::name)).finish()
    }
}

fn read(name: &str, rule: &Value, patience: &mut StepBudget) -> Result<Rule, Vec<RuleProblem>> {
    match rule {
        Value::String(text) => Rule::parse(name, text, patience),
        _ => Err(vec![RuleProblem::new(
            Some(name),
            RulePart::Json,
            "the rule is not a string",
            "write it as \"[min,max]->pattern->selector\"",
        )]),
    }
}

fn trim(text: &[u16]) -> &[u16] {
    let start = text.iter().position(|&unit| !is_space(unit)).unwrap_or(text.len());
    let end = text.iter().rposition(|&unit| !is_space(unit)).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// Half a surrogate pair becomes U+FFFD, as in everything JavaScript writes as UTF-8.
fn to_string(text: &[u16]) -> String {
    let ascii: Option<Vec<u8>> =
        text.iter().map(|&unit| u8::try_from(unit).ok().filter(u8::is_ascii)).collect();
    ascii.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| String::from_utf16_lossy(text))
}

/// The effect of a rule on a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleEffect {
    Applied,
    NoMatch,
    OtherLength,
    LeftOut(&'static str),
}

impl RuleEffect {
    fn of(rule: &Rule, outcome: Result<bool, super::rule::LeftOut>) -> Self {
        match outcome {
            Ok(true) => Self::Applied,
            Ok(false) => Self::NoMatch,
            Err(why) => {
                rule.report(why);
                Self::LeftOut(why.reason())
            }
        }
    }
}

/// A translation step by step, for people. It contains the number in full: not for logs.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The value as it came.
    pub input: String,
    /// After the clean-up; its length decides which rules run.
    pub cleaned: String,
    /// The result.
    pub result: String,
    /// Every rule, in the order they run.
    pub steps: Vec<TranslationStep>,
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation").field("input", &super::mask(&self.input)).finish_non_exhaustive()
    }
}

/// The effect of one rule.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TranslationStep {
    /// The rule's name.
    pub rule: String,
    /// Whether the length was right and the pattern matched.
    pub applied: bool,
    /// The number after the rule.
    pub result: String,
    #[serde(skip)]
    effect: RuleEffect,
}

impl TranslationStep {
    /// Why the rule was or was not applied, in words.
    pub fn reason(&self) -> &'static str {
        match self.effect {
            RuleEffect::Applied => "applied",
            RuleEffect::NoMatch => "no match",
            RuleEffect::OtherLength => "other length",
            RuleEffect::LeftOut(why) => why,
        }
    }
}

/// Names that are array indices first, ascending, then the others as written: OrdinaryOwnPropertyKeys of
/// ECMA-262, section 10.1.11.1.
fn as_javascript<T>(entries: impl IntoIterator<Item = (String, T)>) -> Vec<(String, T)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    // A stable sort: everything that is not an index compares equal and stays where it was written.
    entries.sort_by_key(|(name, _)| array_index(name).unwrap_or(u32::MAX));
    entries
}

/// An array index is a whole number below 2^32 - 1, written as JavaScript would write it.
fn array_index(name: &str) -> Option<u32> {
    let canonical = name == "0" || name.bytes().next().is_some_and(|first| (b'1'..=b'9').contains(&first));
    let index = name.parse().ok()?;
    (canonical && index < u32::MAX).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_first_and_the_rest_stays_as_written() {
        let written = ["b", "10", "01", "2", "4294967295", "-1", "+3", "4294967294", "0", "a", "1.5", ""];
        let order: Vec<String> = as_javascript(written.map(|name| (name.to_owned(), ())))
            .into_iter()
            .map(|(name, ())| name)
            .collect();
        assert_eq!(
            order,
            ["0", "2", "10", "4294967294", "b", "01", "4294967295", "-1", "+3", "a", "1.5", ""]
        );
    }
}
