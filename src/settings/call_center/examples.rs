//! `[[call_centers.NAME.translations.examples]]`: numbers, and what the rules of a contact center must make of them.

use std::fmt;

use super::super::section::{Section, section};
use super::super::{Problem, Settings};
use super::CallCenter;
use crate::phone::{PhoneNumber, Translation};

section! {
    /// A number, and what the rules must make of it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TranslationExample in "call_centers.NAME.translations.examples" |section| {
        /// Whose rules.
        field: NumberField = choice(&[("from", NumberField::From), ("to", NumberField::To)]);
        /// As Webex sends it.
        input: PhoneNumber = number();
        /// As Salesforce must get it.
        output: PhoneNumber = number();
    }
}

/// The two sets of rules of a contact center.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberField {
    /// For the caller's number.
    From,
    /// For the dialed number.
    To,
}

impl fmt::Display for NumberField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::From => "from",
            Self::To => "to",
        })
    }
}

/// An example that the rules do not meet. Its numbers print masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongExample {
    /// The contact center.
    pub call_center: String,
    /// Its key in the configuration.
    pub key: String,
    /// The example.
    pub example: TranslationExample,
    /// What the rules make of its input; none where it is longer than any number.
    pub got: Option<PhoneNumber>,
}

impl WrongExample {
    /// What is wrong and what to do, with the numbers masked.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let TranslationExample { field, input, output } = &self.example;
        let problem = match &self.got {
            Some(got) => format!("the rules of `{field}` make {got} of {input}, where {output} is wanted"),
            None => format!("{input} is longer than any number"),
        };
        let center = &self.call_center;
        let hint = format!(
            "correct the rules or the example; `scv-bridge translate --call-center {center} --field {field} NUMBER` shows what each rule does"
        );
        Problem { key: self.key.clone(), problem, hint }
    }
}

impl Section<'_> {
    /// A number as somebody writes it.
    fn number(&mut self, key: &str) -> Option<PhoneNumber> {
        self.required(key, "a number, such as \"+14693150217\"").map(PhoneNumber::from)
    }

    /// The list of examples.
    pub(super) fn examples(&mut self, key: &str) -> Option<Vec<TranslationExample>> {
        let sections = self.items(key);
        Some(sections.into_iter().filter_map(|section| section.read(TranslationExample::read)).collect())
    }
}

impl CallCenter {
    /// The rules of a field.
    #[must_use]
    pub fn rules(&self, field: NumberField) -> &Translation {
        match field {
            NumberField::From => &self.translations.from,
            NumberField::To => &self.translations.to,
        }
    }

    /// The examples that the rules do not meet.
    #[must_use]
    pub fn wrong_examples(&self) -> Vec<WrongExample> {
        let examples = self.translations.examples.iter().enumerate();
        let wrong = examples.filter_map(|(place, example)| {
            let got = self.rules(example.field).translate(example.input.expose()).ok().map(PhoneNumber::from);
            (got.as_ref() != Some(&example.output)).then(|| WrongExample {
                call_center: self.name.clone(),
                key: format!("call_centers.{}.translations.examples[{place}]", self.name),
                example: example.clone(),
                got,
            })
        });
        wrong.collect()
    }
}

impl Settings {
    /// The examples of all contact centers that their rules do not meet.
    #[must_use]
    pub fn wrong_examples(&self) -> Vec<WrongExample> {
        self.call_centers.values().flat_map(CallCenter::wrong_examples).collect()
    }
}
