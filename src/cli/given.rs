//! What an operator has given, as it may be repeated: a text of any length could be pasted.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use crate::domain::cut;

/// The most characters of it that a message repeats.
const LONGEST: usize = 80;

/// A parser of an argument whose error repeats no more of the value than a line holds.
#[derive(Clone)]
pub(super) struct Given<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Given<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parsed = match value.to_str() {
            Some(text) => (self.0)(text),
            None => Err("is not UTF-8".to_owned()),
        };
        parsed.map_err(|why| {
            let name = argument.map_or_else(String::new, |argument| format!(" for '{argument}'"));
            let given = shortened(&value.to_string_lossy());
            let message = format!("invalid value '{given}'{name}: {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// A text of others, on one line.
pub(super) fn shortened(text: &str) -> String {
    let line: String = text.chars().take(LONGEST + 1).map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(line, LONGEST)
}
