//! What expressions speak of (FC1038).

use std::collections::HashSet;

use serde_json::Value;

use super::document::{Document, DocumentNode, Process};
use super::{Findings, fields};

/// Words of the language.
const WORDS: [&str; 13] =
    ["and", "or", "not", "is", "contains", "equals", "true", "false", "null", "none", "in", "if", "else"];

pub(super) fn check(
    node: &DocumentNode<'_>,
    process: &Process<'_>,
    document: &Document<'_>,
    findings: &mut Findings,
) {
    let mut texts = Vec::new();
    for (name, value) in node.properties {
        // A row of `setVariablesArray` is the first fields again, or another variable: each name is told once.
        if name != "description" {
            collect(value, &mut texts);
        }
    }
    let mut told = HashSet::new();
    for text in texts {
        for name in names(text) {
            if !is_declared(name, process, document) && told.insert(name) {
                fields::undeclared(node, name, findings);
            }
        }
    }
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if text.contains("{{") => texts.push(text),
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// Variables of the flow, what the start tells, and within an event flow what its events tell. Of what other activities tell,
/// Webex's validation knows nothing, although it is there in a call.
fn is_declared(name: &str, process: &Process<'_>, document: &Document<'_>) -> bool {
    document.variable(name).is_some() || document.main.starts.contains(name) || process.tells.contains(name)
}

/// The names that the expressions of a text begin with: `A` of `A.b`, but no filters, functions, tests and names of arguments.
/// A text with tags (`{% set x = 1 %}`) has names of its own: nothing is told of it.
fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    if text.contains("{%") {
        return names;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        rest = expression(after, &mut names);
    }
    names
}

/// Reads one expression, up to its braces or the end, and gives what follows.
fn expression<'a>(text: &'a str, names: &mut Vec<&'a str>) -> &'a str {
    let mut rest = text;
    let mut before = Before::Nothing;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("}}") {
            return rest;
        }
        if first == '"' || first == '\'' {
            rest = after_text(rest, first);
            before = Before::Value;
        } else if first.is_alphabetic() || first == '_' {
            let end =
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            let next = rest.trim_start();
            let is_argument = next.starts_with('=') && !next.starts_with("==");
            let is_test = before == Before::Is;
            let is_free = matches!(before, Before::Nothing | Before::Value);
            if is_free && !WORDS.contains(&word) && !next.starts_with('(') && !is_argument {
                names.push(word);
            }
            before = match word {
                "is" => Before::Is,
                "not" if is_test => Before::Is,
                _ => Before::Value,
            };
        } else if first.is_ascii_digit() {
            // `1e3` is no name.
            let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
            rest = rest.split_at(end).1;
            before = Before::Value;
        } else {
            before = match first {
                '.' => Before::Dot,
                '|' => Before::Filter,
                _ if first.is_whitespace() => before,
                _ => Before::Nothing,
            };
            rest = rest.split_at(first.len_utf8()).1;
        }
    }
    rest
}

/// What stands before a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Value,
    Dot,
    Filter,
    Is,
}

/// What follows a text in quotes, in which a backslash takes the next letter in.
fn after_text(text: &str, quote: char) -> &str {
    let mut letters = text.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return text.split_at(place + quote.len_utf8()).1;
        }
    }
    ""
}
