//! Filters and tests.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::sha::sha256;

use super::Environment;
use super::budget::Budget;
use super::dates;
use super::error::TemplateError;
use super::escape;
use super::evaluate::{Evaluated, Given, LONGEST_TEXT, text_of};
use super::numbers;
use super::patterns::{self, Pattern};
use super::value::Value;
use crate::utf16;

/// The filters that are known here.
pub(super) const FILTERS: [&str; 30] = [
    "abbreviate",
    "abs",
    "base64decode",
    "base64encode",
    "capitalize",
    "date",
    "default",
    "epoch",
    "escape",
    "first",
    "join",
    "json",
    "last",
    "length",
    "lower",
    "merge",
    "nl2br",
    "numberformat",
    "raw",
    "replace",
    "reverse",
    "rsort",
    "sha256",
    "slice",
    "sort",
    "split",
    "title",
    "trim",
    "upper",
    "urlencode",
];
/// The tests that are known here.
pub(super) const TESTS: [&str; 7] = ["defined", "empty", "even", "iterable", "map", "null", "odd"];
/// The functions that are known here.
pub(super) const FUNCTIONS: [&str; 4] = ["max", "min", "now", "range"];

/// What reading or writing a time takes, as so many values, by the pattern that is taken where none is given.
const DATE: usize = 128;
/// What a pair of a map takes that is made, as so many values.
const HASHED: usize = 16;

/// A filter and what it is applied to.
pub(super) struct Call<'c> {
    pub(super) name: &'c str,
    pub(super) input: Value,
    pub(super) given: Given,
    pub(super) column: usize,
    pub(super) environment: &'c Environment,
    pub(super) budget: &'c Budget,
}

impl Call<'_> {
    pub(super) fn wrong(&self, words: impl Into<String>) -> TemplateError {
        TemplateError::new(self.column, words)
    }

    /// The arguments in the order of these names; what is not given is null.
    pub(super) fn bind<const N: usize>(&self, names: [&str; N]) -> Result<[Value; N], TemplateError> {
        self.given.bind(names, self.name, self.column)
    }

    /// The input of a filter that takes text and nothing else.
    fn text(&self) -> Result<&str, TemplateError> {
        match &self.input {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong(format!("`{}` takes text, and this is {}", self.name, other.kind()))),
        }
    }

    /// A text among the arguments; none where it is not given.
    pub(super) fn text_argument(&self, value: &Value, name: &str) -> Result<Option<String>, TemplateError> {
        match value {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.to_string())),
            other => {
                let words = format!("`{name}` of `{}` is text, and this is {}", self.name, other.kind());
                Err(self.wrong(words))
            }
        }
    }
}

/// Applies a filter. Null goes through most of them unchanged.
pub(super) fn apply(call: &Call<'_>) -> Evaluated {
    let is_addition = matches!(call.name, "epoch" | "json");
    if !FILTERS.contains(&call.name) || is_addition && !call.environment.has_additions() {
        return Err(TemplateError::unknown(call.column, "filter", call.name));
    }
    call.budget.walk(&call.input, times(call.name), call.column)?;
    for value in call.given.positional.iter().chain(call.given.named.iter().map(|(_, value)| value)) {
        call.budget.walk(value, 1, call.column)?;
    }
    match call.name {
        "default" => return default(call),
        "length" => return Ok(length(&call.input)),
        "merge" => return merge(call),
        "abs" => return abs(call),
        "json" => return Ok(Value::text(call.input.to_json().to_string())),
        _ => {}
    }
    if call.input.is_null() {
        return Ok(Value::Null);
    }
    match call.name {
        "upper" => Ok(Value::text(text_of(&call.input, call.column)?.to_uppercase())),
        "lower" => Ok(Value::text(text_of(&call.input, call.column)?.to_lowercase())),
        "trim" => Ok(Value::text(call.text()?.trim_matches(|c: char| c <= ' '))),
        "title" => Ok(Value::text(title(call.text()?))),
        "capitalize" => Ok(Value::text(capitalize(call.text()?))),
        "urlencode" => Ok(Value::text(escape::url_encode(call.text()?))),
        "sha256" => Ok(Value::text(hex(&sha256(call.text()?.as_bytes())))),
        "base64encode" => Ok(Value::text(BASE64.encode(text_of(&call.input, call.column)?))),
        "base64decode" => base64_decode(call),
        "nl2br" => Ok(Value::text(call.text()?.replace("\r\n", "\n").replace('\n', "<br />"))),
        "abbreviate" => abbreviate(call),
        "numberformat" => {
            let [format] = call.bind(["format"])?;
            let format = call.text_argument(&format, "format")?;
            // Reading a pattern takes as long as some values do, and so do the digits.
            call.budget.values(96 + format.as_ref().map_or(0, |format| format.len() * 4), call.column)?;
            let text = numbers::format(&call.input, format.as_deref());
            let text = text.map_err(|fault| fault.at(call.column))?;
            call.budget.bytes(text.len(), call.column)?;
            Ok(Value::text(text))
        }
        "date" | "epoch" => {
            // Each letter of a pattern takes as long as some values do, and a zone is looked for by its name.
            for value in call.given.positional.iter().chain(call.given.named.iter().map(|(_, value)| value)) {
                let letters = if let Value::Text(text) = value { text.len() } else { 0 };
                call.budget.values(64 + letters.saturating_mul(12), call.column)?;
            }
            call.budget.values(DATE, call.column)?;
            if call.name == "date" { dates::date(call) } else { dates::epoch(call) }
        }
        "escape" => escape_filter(call),
        "raw" => Ok(Value::Safe(text_of(&call.input, call.column)?.into())),
        "first" | "last" => end(call),
        "join" => join(call),
        "replace" => replace(call),
        "reverse" => {
            let Value::List(items) = &call.input else {
                return Err(call.wrong(format!("`reverse` takes a list, and this is {}", call.input.kind())));
            };
            items.borrow_mut().reverse();
            Ok(call.input.clone())
        }
        "sort" | "rsort" => sort(call),
        "slice" => slice(call),
        "split" => split(call),
        _ => Err(TemplateError::unknown(call.column, "filter", call.name)),
    }
}

/// How many times a filter looks at what it is applied to.
fn times(name: &str) -> usize {
    match name {
        // These go letter by letter, or make something of each value.
        "abbreviate" | "capitalize" | "json" | "title" => 6,
        "escape" | "urlencode" => 10,
        "join" | "slice" | "replace" | "upper" | "lower" | "raw" | "base64encode" => 3,
        _ => 2,
    }
}

/// Whether a test holds.
pub(super) fn test(name: &str, value: &Value, column: usize) -> Result<bool, TemplateError> {
    match name {
        "null" => Ok(value.is_null()),
        "defined" => Ok(!value.is_null()),
        "empty" => Ok(is_empty(value)),
        "map" => Ok(matches!(value, Value::Map(_))),
        "iterable" => Ok(matches!(value, Value::List(_) | Value::Array(_))),
        "even" | "odd" => {
            let number = match value {
                Value::Int(number) => i64::from(*number),
                Value::Long(number) => *number,
                other => {
                    let words = format!("`is {name}` takes a whole number, and this is {}", other.kind());
                    return Err(TemplateError::new(column, words));
                }
            };
            Ok((number % 2 == 0) == (name == "even"))
        }
        _ => Err(TemplateError::unknown(column, "test", name)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim_matches(|c: char| c <= ' ').is_empty(),
        Value::List(items) => items.borrow().is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        _ => false,
    }
}

fn default(call: &Call<'_>) -> Evaluated {
    let [default] = call.bind(["default"])?;
    Ok(if is_empty(&call.input) { default } else { call.input.clone() })
}

/// The length of a text to Java: mostly that of its bytes.
fn length_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

fn length(value: &Value) -> Value {
    let length = match value {
        Value::Text(text) => length_of(text),
        Value::List(items) => items.borrow().len(),
        Value::Array(items) => items.len(),
        Value::Map(pairs) => pairs.len(),
        _ => 0,
    };
    Value::Int(i32::try_from(length).unwrap_or(i32::MAX))
}

fn abs(call: &Call<'_>) -> Evaluated {
    match &call.input {
        Value::Int(number) => Ok(Value::Int(number.wrapping_abs())),
        Value::Long(number) => Ok(Value::Long(number.wrapping_abs())),
        Value::Double(number) => Ok(Value::Double(number.abs())),
        other => Err(call.wrong(format!("`abs` takes a number, and this is {}", other.kind()))),
    }
}

fn merge(call: &Call<'_>) -> Evaluated {
    let [items] = call.bind(["items"])?;
    match (&call.input, &items) {
        (Value::Null, Value::Null) => Err(call.wrong("`merge` is given nothing to merge")),
        (Value::Null, _) => Ok(items),
        (_, Value::Null) => Ok(call.input.clone()),
        (Value::Map(left), Value::Map(right)) => {
            call.budget.values(HASHED * (left.len() + right.len()), call.column)?;
            let all = left.iter().chain(right.iter()).cloned().collect();
            Ok(Value::hash_map(all, left.len() + right.len() + 16))
        }
        (Value::Map(left), Value::List(right)) => {
            let right = right.borrow();
            call.budget.values(HASHED * (left.len() + right.len()), call.column)?;
            let all = left.iter().cloned().chain(right.iter().map(|item| (item.clone(), item.clone())));
            Ok(Value::hash_map(all.collect(), left.len() + right.len() + 16))
        }
        (Value::List(left), Value::List(right)) => {
            Ok(Value::list(left.borrow().iter().chain(right.borrow().iter()).cloned().collect()))
        }
        (Value::List(left), Value::Map(right)) => {
            let entries = right.iter().map(|pair| Value::Entry(Rc::new(pair.clone())));
            Ok(Value::list(left.borrow().iter().cloned().chain(entries).collect()))
        }
        (Value::List(_) | Value::Map(_), other) => {
            Err(call.wrong(format!("`merge` is given a list or a map, and this is {}", other.kind())))
        }
        (other, _) => Err(call.wrong(format!("`merge` takes a list or a map, and this is {}", other.kind()))),
    }
}

fn title(text: &str) -> String {
    let mut begins = true;
    let letters = text.chars().map(|c| {
        let upper = begins && !c.is_whitespace();
        begins = c.is_whitespace();
        if upper { upper_case(c) } else { c }
    });
    letters.collect()
}

fn capitalize(text: &str) -> String {
    let mut is_done = false;
    let letters = text.chars().map(|c| match is_done || c.is_whitespace() {
        true => c,
        false => {
            is_done = true;
            upper_case(c)
        }
    });
    letters.collect()
}

/// A letter whose upper case is no single letter stays, as `Character.toTitleCase` has it.
fn upper_case(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => letter,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn base64_decode(call: &Call<'_>) -> Evaluated {
    let text = text_of(&call.input, call.column)?;
    let bytes =
        BASE64.decode(text).map_err(|_| call.wrong("`base64decode` takes Base64, and this is none"))?;
    Ok(Value::text(String::from_utf8_lossy(&bytes).into_owned()))
}

fn abbreviate(call: &Call<'_>) -> Evaluated {
    let text = call.text()?;
    let [length] = call.bind(["length"])?;
    let Value::Long(most) = length else {
        return Err(
            call.wrong(format!("`length` of `abbreviate` is a whole number, and this is {}", length.kind()))
        );
    };
    let most = usize::try_from(most).map_err(|_| call.wrong("`length` of `abbreviate` is less than 0"))?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let begin = |length: usize| String::from_utf16_lossy(units.get(..length).unwrap_or(&units));
    Ok(Value::text(match units.len() {
        length if length < most || length <= 3 => text.to_owned(),
        _ if most <= 3 => begin(most),
        _ => begin(most - 3) + "...",
    }))
}

fn escape_filter(call: &Call<'_>) -> Evaluated {
    let [strategy] = call.bind(["strategy"])?;
    if matches!(call.input, Value::Safe(_)) {
        return Ok(call.input.clone());
    }
    let strategy = call.text_argument(&strategy, "strategy")?;
    let text = text_of(&call.input, call.column)?;
    let escaped = escape::escape(&text, strategy.as_deref().unwrap_or("html"));
    let escaped =
        escaped.ok_or_else(|| call.wrong("the strategy of `escape` is html, js, css, url_param or json"))?;
    Ok(Value::Safe(escaped.into()))
}

/// The first or the last.
fn end(call: &Call<'_>) -> Evaluated {
    let is_first = call.name == "first";
    match &call.input {
        Value::Text(text) => {
            let found = if is_first { text.chars().next() } else { text.chars().next_back() };
            found.map(Value::Char).ok_or_else(|| call.wrong(format!("`{}` takes no empty text", call.name)))
        }
        Value::List(_) | Value::Array(_) => {
            let found = call
                .input
                .with_items(|items| if is_first { items.first().cloned() } else { items.last().cloned() });
            Ok(found.flatten().unwrap_or(Value::Null))
        }
        other => {
            Err(call.wrong(format!("`{}` takes text or a list, and this is {}", call.name, other.kind())))
        }
    }
}

fn join(call: &Call<'_>) -> Evaluated {
    let [separator] = call.bind(["separator"])?;
    let separator = call.text_argument(&separator, "separator")?.unwrap_or_default();
    let joined = call.input.with_items(|items| {
        let mut joined = String::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                joined += &separator;
            }
            joined += &text_of(item, call.column)?;
            if joined.len() > LONGEST_TEXT {
                return Err(call.wrong("the text becomes too long"));
            }
        }
        Ok(Value::text(joined))
    });
    joined
        .unwrap_or_else(|| Err(call.wrong(format!("`join` takes a list, and this is {}", call.input.kind()))))
}

fn replace(call: &Call<'_>) -> Evaluated {
    let [pairs] = call.bind(["replace_pairs"])?;
    let Value::Map(pairs) = &pairs else {
        let words = "`replace` takes a map such as {'from': 'to'}";
        return Err(call.wrong(format!("{words}, and this is {}", pairs.kind())));
    };
    let mut text = text_of(&call.input, call.column)?;
    for (from, to) in pairs.iter() {
        if from.is_null() || to.is_null() {
            return Err(call.wrong("`replace` replaces no null"));
        }
        call.budget.text(text.len(), call.column)?;
        let (from, to) = (text_of(from, call.column)?, text_of(to, call.column)?);
        text = replaced(&text, (&from, &to), call.column, call.budget)?;
    }
    Ok(Value::text(text))
}

/// A text with all of one thing replaced by another, unless that becomes too long.
pub(super) fn replaced(
    text: &str,
    (from, to): (&str, &str),
    column: usize,
    budget: &Budget,
) -> Result<String, TemplateError> {
    let places = text.matches(from).take(budget.left().saturating_add(1)).count();
    budget.values(places.saturating_mul(3), column)?;
    let length = text.len().saturating_add(places.saturating_mul(to.len()));
    if length > LONGEST_TEXT * 2 {
        return Err(TemplateError::new(column, "the text becomes too long"));
    }
    Ok(text.replace(from, to))
}

/// Sorts the list itself: every variable that holds it sees that.
fn sort(call: &Call<'_>) -> Evaluated {
    let items = match &call.input {
        Value::List(items) => Rc::clone(items),
        // Sorting gives a list of it; sorting backwards takes lists only.
        Value::Array(items) if call.name == "sort" => Rc::new(RefCell::new(items.to_vec())),
        other => {
            return Err(call.wrong(format!("`{}` takes a list, and this is {}", call.name, other.kind())));
        }
    };
    let mut sorted = items.borrow().clone();
    // Each is compared with some of the others.
    let rounds = usize::try_from(sorted.len().max(2).ilog2()).unwrap_or_default();
    call.budget.walk(&call.input, rounds, call.column)?;
    let comparable = sorted.windows(2).all(|pair| match pair {
        [left, right] => natural(left, right).is_some(),
        _ => true,
    });
    if !comparable {
        return Err(
            call.wrong(format!("`{}` takes a list of texts, or one of numbers of one kind", call.name))
        );
    }
    sorted.sort_by(|left, right| natural(left, right).unwrap_or(Ordering::Equal));
    if call.name == "rsort" {
        sorted.reverse();
    }
    *items.borrow_mut() = sorted;
    Ok(Value::List(items))
}

/// `Comparable.compareTo` of two values of the same type.
fn natural(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Long(left), Value::Long(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => Some(left.total_cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Char(left), Value::Char(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(utf16::compare(left, right)),
        _ => None,
    }
}

fn slice(call: &Call<'_>) -> Evaluated {
    let [from, to] = call.bind(["fromIndex", "toIndex"])?;
    let index = |value: &Value, name: &str| match value {
        Value::Null => Ok(None),
        value => match numbers::whole(value) {
            Some(index) => Ok(Some(index)),
            None => Err(call.wrong(format!("`{name}` of `slice` is a number, and this is {}", value.kind()))),
        },
    };
    let (from, to) = (index(&from, "fromIndex")?.unwrap_or(0), index(&to, "toIndex")?);
    let (length, what) = match &call.input {
        Value::Text(text) => (length_of(text), "text"),
        Value::List(items) => (items.borrow().len(), "list"),
        Value::Array(items) => (items.len(), "list"),
        other => {
            return Err(call.wrong(format!("`slice` takes text or a list, and this is {}", other.kind())));
        }
    };
    let outside = || {
        let to = to.map_or_else(String::new, |to| format!(", {to}"));
        call.wrong(format!("`slice({from}{to})` does not fit: the {what} has a length of {length}"))
    };
    let bound = |index: i64| usize::try_from(index).ok().filter(|index| *index <= length);
    let begin = bound(from).ok_or_else(outside)?;
    let end = match to {
        // Unlike that of other languages, it refuses an empty slice.
        Some(to) => bound(to).filter(|end| begin < *end).ok_or_else(outside)?,
        None => length,
    };
    match &call.input {
        Value::List(items) => {
            Ok(Value::list(items.borrow().get(begin..end).map(<[Value]>::to_vec).unwrap_or_default()))
        }
        Value::Array(items) => {
            Ok(Value::Array(Rc::new(items.get(begin..end).map(<[Value]>::to_vec).unwrap_or_default())))
        }
        Value::Text(text) if text.is_ascii() => Ok(Value::text(text.get(begin..end).unwrap_or_default())),
        other => {
            let units: Vec<u16> = other.to_string().encode_utf16().collect();
            Ok(Value::text(String::from_utf16_lossy(units.get(begin..end).unwrap_or_default())))
        }
    }
}

/// `String.split`, by a pattern.
fn split(call: &Call<'_>) -> Evaluated {
    let [delimiter, limit] = call.bind(["delimiter", "limit"])?;
    let delimiter = call.text_argument(&delimiter, "delimiter")?;
    let delimiter = delimiter.ok_or_else(|| call.wrong("`split` needs a delimiter"))?;
    let limit = match &limit {
        Value::Null => 0,
        value => numbers::whole(value).ok_or_else(|| {
            call.wrong(format!("`limit` of `split` is a number, and this is {}", value.kind()))
        })?,
    };
    let text = call.text()?;
    let pattern = Pattern::read(&delimiter, call.budget, call.column)?;
    let regex = pattern.over(text, call.budget, call.column)?;
    let parts = patterns::split(text, regex, limit, call.column, call.budget)?;
    Ok(Value::Array(Rc::new(parts.into_iter().map(Value::text).collect())))
}
