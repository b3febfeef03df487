//! The phone number rules of a contact center.

use super::section::Section;
use crate::phone::{RulePart, RuleProblem, Translation};

/// The rule sets of a contact center.
#[derive(Debug, Clone, Default)]
pub struct Translations {
    /// For the caller's number: `from`, `fromNumber`, END_USER participants.
    pub from: Translation,
    /// For the dialed number: `to`, `dialedNumber`.
    pub to: Translation,
}

impl Translations {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let from = rule_set(&mut section, "from");
        let to = rule_set(&mut section, "to");
        section.finish();
        Some(Self { from: from?, to: to? })
    }
}

fn rule_set(section: &mut Section<'_>, key: &str) -> Option<Translation> {
    let text = section.text_or(key, "{}")?;
    match Translation::parse(&text) {
        Ok(translation) => Some(translation),
        Err(problems) => {
            for problem in problems {
                section.problem(key, describe(&problem), hint(&text, &problem));
            }
            None
        }
    }
}

/// The rule, its part, and what is wrong with it.
fn describe(problem: &RuleProblem) -> String {
    let rule = problem.rule().map_or_else(String::new, |rule| format!("rule {rule:?}, "));
    format!("{rule}{}: {}", problem.part(), problem.problem())
}

/// What to do about it. Double quotes of TOML take backslashes away that JSON needs.
fn hint(text: &str, problem: &RuleProblem) -> String {
    let escape = problem.part() == RulePart::Json && problem.problem().contains("escape");
    if escape && text.contains('\\') {
        return format!("{}; in the file in single quotes, not double ones", problem.hint());
    }
    problem.hint().to_owned()
}
