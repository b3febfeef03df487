//! What stands behind a dot or between brackets: a member of a map, an item of a list, or one of Java's methods.

use std::rc::Rc;

use super::budget::Budget;
use super::error::{Fault, TemplateError};
use super::evaluate::{Evaluated, Given, LONGEST_TEXT, text_of};
use super::methods::{self, Method, Takes};
use super::numbers;
use super::patterns::{self, Pattern};
use super::value::Value;

/// What finding a method takes, as so many values, and finding that it is none.
const METHOD: usize = 24;
const NO_METHOD: usize = 600;

/// A member that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Member<'m> {
    pub(super) of: &'m Value,
    pub(super) name: &'m Value,
    /// What stands in parentheses; none where there are none.
    pub(super) given: Option<&'m Given>,
    pub(super) column: usize,
    pub(super) budget: &'m Budget,
}

/// Reads a member. What Java does not have is null, as Pebble has it where it is not strict.
pub(super) fn read(member: Member<'_>) -> Evaluated {
    let Member { of, name, given, column, budget } = member;
    match (of, given) {
        (Value::Null, _) => return Ok(Value::Null),
        // Without parentheses, a map is only asked for what it holds.
        (Value::Map(pairs), None) => {
            let length = if let Value::Text(name) = name { name.len() } else { 0 };
            budget.values(pairs.len().saturating_mul(16 + length / 16) / 16, column)?;
            return looked_up(pairs, name, column);
        }
        (Value::Array(items), None) => {
            return Ok(index(name).and_then(|index| items.get(index).cloned()).unwrap_or(Value::Null));
        }
        (Value::List(items), None) if is_index(name) => {
            let items = items.borrow();
            return Ok(index(name).and_then(|index| items.get(index).cloned()).unwrap_or(Value::Null));
        }
        _ => {}
    }
    budget.walk(of, if given.is_some() { 2 } else { usize::from(matches!(of, Value::Text(_))) }, column)?;
    let arguments = given.map(|given| given.positional.as_slice()).unwrap_or_default();
    for argument in arguments {
        budget.walk(argument, 1, column)?;
    }
    let name = text_of(name, column)?;
    // A method is found by its name, spelled in four ways.
    budget.values(METHOD, column)?;
    budget.bytes(name.len(), column)?;
    method(member, &name, arguments)
}

/// `Map.get`. A number is made one of the kind that the first key is.
fn looked_up(pairs: &[(Value, Value)], name: &Value, column: usize) -> Evaluated {
    let Some((first, _)) = pairs.first() else { return Ok(Value::Null) };
    let key = match (numbers::whole(name), first) {
        (None, _) => name.clone(),
        (Some(whole), Value::Long(_)) => Value::Long(whole),
        (Some(whole), Value::Int(_)) => i32::try_from(whole).map_or(Value::Null, Value::Int),
        (Some(_), Value::Double(_)) => name.clone(),
        (Some(_), other) => {
            let words = format!("the keys of the map are no numbers: the first is {}", other.kind());
            return Err(TemplateError::new(column, words));
        }
    };
    let found = pairs.iter().find(|(known, _)| known.is_same(&key));
    Ok(found.map_or(Value::Null, |(_, value)| value.clone()))
}

fn is_index(name: &Value) -> bool {
    match name {
        Value::Int(_) | Value::Long(_) => true,
        Value::Text(text) => text.parse::<i32>().is_ok(),
        _ => false,
    }
}

fn index(name: &Value) -> Option<usize> {
    match name {
        Value::Text(text) => usize::try_from(text.parse::<i32>().ok()?).ok(),
        Value::Int(_) | Value::Long(_) => usize::try_from(numbers::whole(name)?).ok(),
        _ => None,
    }
}

/// How what is given goes with what a method takes.
#[derive(PartialEq, Eq)]
enum Fit {
    Fits,
    /// Only where Pebble was told to be greedy: a `long` for an `int`.
    Greedily,
    No,
}

fn fit(method: Method, arguments: &[Value]) -> Fit {
    let mut fit = Fit::Fits;
    for (takes, argument) in method.1.iter().zip(arguments) {
        match (takes, argument) {
            (_, Value::Null)
            | (Takes::Any, _)
            | (Takes::Text, Value::Text(_))
            | (Takes::Whole, Value::Int(_))
            | (Takes::List, Value::List(_)) => {}
            (Takes::Whole, Value::Long(_) | Value::Double(_)) => fit = Fit::Greedily,
            _ => return Fit::No,
        }
    }
    fit
}

fn method(member: Member<'_>, name: &str, arguments: &[Value]) -> Evaluated {
    let Member { of, column, .. } = member;
    let what = |name: &str| format!("method {name} of {}", of.kind());
    if name.is_empty() {
        return Err(TemplateError::new(column, "the name of a member is empty"));
    }
    for spelling in methods::spellings(name) {
        if ["getClass", "wait", "notify", "notifyAll"]
            .iter()
            .any(|hidden| hidden.eq_ignore_ascii_case(&spelling))
        {
            return Err(TemplateError::new(column, format!("`{name}` may not be used in a template")));
        }
        let named = methods::of(of)
            .iter()
            .filter(|(known, takes)| known.eq_ignore_ascii_case(&spelling) && takes.len() == arguments.len());
        let mut is_greedy = false;
        for found in named {
            match fit(*found, arguments) {
                Fit::Fits
                    if arguments
                        .iter()
                        .zip(found.1)
                        .any(|(one, takes)| one.is_null() && *takes != Takes::Any) =>
                {
                    return Err(TemplateError::new(column, format!("`{}` is given null", found.0)));
                }
                Fit::Fits => return invoke(member, found.0, arguments),
                Fit::Greedily => is_greedy = true,
                Fit::No => {}
            }
        }
        // As it comes, Pebble finds no method then and prints nothing. Whether Webex has it so is not known.
        if is_greedy {
            return Err(TemplateError::not_known(
                column,
                format!("{} with a number that is no int", what(&spelling)),
            ));
        }
    }
    member.budget.values(NO_METHOD, column)?;
    let lacking = methods::spellings(name).into_iter().find_map(|spelling| methods::lacking(of, &spelling));
    lacking.map_or(Ok(Value::Null), |lacking| Err(TemplateError::not_known(column, what(&lacking))))
}

fn invoke(member: Member<'_>, name: &str, arguments: &[Value]) -> Evaluated {
    let Member { of, column, .. } = member;
    // These go letter by letter.
    if name.starts_with("compareTo") || name == "equalsIgnoreCase" {
        member.budget.walk(of, 12, column)?;
    }
    match name {
        "toString" => return Ok(Value::text(text_of(of, column)?)),
        "equals" => return Ok(Value::Bool(arguments.first().is_some_and(|other| of.is_same(other)))),
        _ => {}
    }
    let found = match of {
        Value::Text(text) => match of_text(text, name, arguments) {
            Some(found) => Some(found),
            None => return slow_of_text(member, text, name, arguments),
        },
        Value::List(items) => return of_list(member, &items.borrow(), name, arguments),
        Value::Map(pairs) => of_map(pairs, name, arguments),
        Value::Entry(pair) => match name {
            "getKey" => Some(pair.0.clone()),
            "getValue" => Some(pair.1.clone()),
            _ => None,
        },
        Value::Time(time) => of_time(time, name),
        _ => numbers::converted(of, name),
    };
    Ok(found.unwrap_or(Value::Null))
}

fn count(length: usize) -> Value {
    Value::Int(i32::try_from(length).unwrap_or(i32::MAX))
}

fn place(at: Option<usize>) -> Value {
    at.map_or(Value::Int(-1), count)
}

fn of_time(time: &jiff::Zoned, name: &str) -> Option<Value> {
    Some(Value::Int(match name {
        "getYear" => i32::from(time.year()),
        "getMonthValue" => i32::from(time.month()),
        "getDayOfMonth" => i32::from(time.day()),
        "getDayOfYear" => i32::from(time.day_of_year()),
        "getHour" => i32::from(time.hour()),
        "getMinute" => i32::from(time.minute()),
        "getSecond" => i32::from(time.second()),
        "getNano" => time.subsec_nanosecond(),
        "toEpochSecond" => return Some(Value::Long(time.timestamp().as_second())),
        _ => return None,
    }))
}

fn of_map(pairs: &[(Value, Value)], name: &str, arguments: &[Value]) -> Option<Value> {
    let argument = arguments.first().unwrap_or(&Value::Null);
    let found = || pairs.iter().find(|(key, _)| key.is_same(argument)).map(|(_, value)| value.clone());
    Some(match name {
        "size" => count(pairs.len()),
        "isEmpty" => Value::Bool(pairs.is_empty()),
        "containsKey" => Value::Bool(found().is_some()),
        "containsValue" => Value::Bool(pairs.iter().any(|(_, value)| value.is_same(argument))),
        "get" => found().unwrap_or(Value::Null),
        "getOrDefault" => found().unwrap_or_else(|| arguments.get(1).cloned().unwrap_or(Value::Null)),
        "keySet" => Value::list(pairs.iter().map(|(key, _)| key.clone()).collect()),
        "values" => Value::list(pairs.iter().map(|(_, value)| value.clone()).collect()),
        "entrySet" => Value::list(pairs.iter().map(|pair| Value::Entry(Rc::new(pair.clone()))).collect()),
        _ => return None,
    })
}

fn of_list(member: Member<'_>, items: &[Value], name: &str, arguments: &[Value]) -> Evaluated {
    let Member { column, .. } = member;
    let argument = arguments.first().unwrap_or(&Value::Null);
    let whole =
        |at: usize| arguments.get(at).and_then(numbers::whole).and_then(|at| usize::try_from(at).ok());
    let outside = || {
        TemplateError::new(
            column,
            format!("`{name}` asks for items that the list has not: it has {}", items.len()),
        )
    };
    Ok(match name {
        "size" => count(items.len()),
        "isEmpty" => Value::Bool(items.is_empty()),
        "contains" => Value::Bool(items.iter().any(|item| item.is_same(argument))),
        "containsAll" => {
            member.budget.walk(member.of, argument.with_items(<[Value]>::len).unwrap_or_default(), column)?;
            let has = |other: &Value| items.iter().any(|item| item.is_same(other));
            Value::Bool(argument.with_items(|others| others.iter().all(has)).unwrap_or(true))
        }
        "indexOf" => place(items.iter().position(|item| item.is_same(argument))),
        "lastIndexOf" => place(items.iter().rposition(|item| item.is_same(argument))),
        "get" => whole(0).and_then(|at| items.get(at)).cloned().ok_or_else(outside)?,
        "subList" => {
            let range = whole(0).zip(whole(1));
            let part = range.and_then(|(from, to)| items.get(from..to)).ok_or_else(outside)?;
            Value::list(part.to_vec())
        }
        _ => Value::Null,
    })
}

/// The methods of text that cannot fail.
fn of_text(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let argument = |at: usize| match arguments.get(at) {
        Some(Value::Text(text)) => &**text,
        _ => "",
    };
    let first = argument(0);
    let java_blank = |c: char| c <= ' ';
    let places = |found: Option<usize>| place(found.map(|at| units_before(text, at)));
    Some(match (name, arguments.first()) {
        ("length", _) => count(text.encode_utf16().count()),
        ("isEmpty", _) => Value::Bool(text.is_empty()),
        ("isBlank", _) => Value::Bool(text.trim().is_empty()),
        ("intern", _) => Value::text(text),
        ("trim", _) => Value::text(text.trim_matches(java_blank)),
        ("strip", _) => Value::text(text.trim()),
        ("stripLeading", _) => Value::text(text.trim_start()),
        ("stripTrailing", _) => Value::text(text.trim_end()),
        ("toUpperCase", _) => Value::text(text.to_uppercase()),
        ("toLowerCase", _) => Value::text(text.to_lowercase()),
        ("hashCode", _) => Value::Int(Value::text(text).java_hash()),
        ("startsWith", _) if arguments.len() == 1 => Value::Bool(text.starts_with(first)),
        ("endsWith", _) => Value::Bool(text.ends_with(first)),
        ("contains", _) => Value::Bool(text.contains(first)),
        ("contentEquals", _) => Value::Bool(text == first),
        ("equalsIgnoreCase", _) => Value::Bool(folded(text).eq(folded(first))),
        ("compareTo", _) => order(text.chars(), first.chars()),
        ("compareToIgnoreCase", _) => order(folded(text), folded(first)),
        ("indexOf", Some(Value::Text(_))) if arguments.len() == 1 => places(text.find(first)),
        ("lastIndexOf", Some(Value::Text(_))) if arguments.len() == 1 => places(text.rfind(first)),
        ("concat", _) => Value::text(format!("{text}{first}")),
        _ => return None,
    })
}

/// As `compareTo`: by the first units of 16 bits that differ, else by length.
fn order(left: impl Iterator<Item = char>, right: impl Iterator<Item = char>) -> Value {
    let units = |letter: char| {
        let mut pair = [0_u16; 2];
        let length = letter.encode_utf16(&mut pair).len();
        pair.into_iter().take(length)
    };
    let (mut left, mut right) = (left.flat_map(units), right.flat_map(units));
    loop {
        match (left.next(), right.next()) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => return Value::Int(i32::from(one) - i32::from(other)),
            (Some(_), None) => return count(left.count() + 1),
            (None, Some(_)) => {
                let more = i32::try_from(right.count() + 1).unwrap_or(i32::MAX);
                return Value::Int(-more);
            }
            (None, None) => return Value::Int(0),
        }
    }
}

/// As `equalsIgnoreCase` compares letters: by their upper case, where that is a single letter.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|letter| match letter.is_ascii() {
        true => letter.to_ascii_lowercase(),
        false => {
            let upper = single(letter.to_uppercase(), letter);
            single(upper.to_lowercase(), upper)
        }
    })
}

/// A letter, where it is one; else the other.
fn single(mut letters: impl Iterator<Item = char>, other: char) -> char {
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter,
        _ => other,
    }
}

/// Those that can fail, or take longer than looking at the text once.
fn slow_of_text(member: Member<'_>, text: &str, name: &str, arguments: &[Value]) -> Evaluated {
    let Member { column, budget, .. } = member;
    let argument = |at: usize| match arguments.get(at) {
        Some(Value::Text(text)) => &**text,
        _ => "",
    };
    match name {
        "replace" => {
            Ok(Value::text(super::filters::replaced(text, (argument(0), argument(1)), column, budget)?))
        }
        "matches" => {
            let pattern = Pattern::read(argument(0), budget, column)?;
            Ok(Value::Bool(pattern.is_whole(text, budget, column)?))
        }
        "replaceAll" | "replaceFirst" => {
            let pattern = Pattern::read(argument(0), budget, column)?;
            let regex = pattern.over(text, budget, column)?;
            // What is put in is read for each place.
            let places = regex.find_iter(text).take(budget.left().saturating_add(1)).count();
            budget.values(places.saturating_mul(48 + argument(1).len()), column)?;
            let way = (name == "replaceAll", LONGEST_TEXT);
            patterns::replace(text, regex, argument(1), way)
                .map(Value::text)
                .map_err(|fault| fault.at(column))
        }
        "split" => {
            let pattern = Pattern::read(argument(0), budget, column)?;
            let regex = pattern.over(text, budget, column)?;
            let limit = arguments.get(1).and_then(numbers::whole).unwrap_or(0);
            let parts = patterns::split(text, regex, limit, column, budget)?;
            Ok(Value::Array(Rc::new(parts.into_iter().map(Value::text).collect())))
        }
        "repeat" => {
            let times =
                arguments.first().and_then(numbers::whole).and_then(|times| usize::try_from(times).ok());
            let length = times.map(|times| times.saturating_mul(text.len()));
            match (times, length) {
                (Some(times), Some(..=LONGEST_TEXT)) => Ok(Value::text(text.repeat(times))),
                (None, _) => Err(TemplateError::new(column, "`repeat` is given less than 0")),
                _ => Err(TemplateError::new(column, "the text becomes too long")),
            }
        }
        _ => by_units(text, name, arguments).map_err(|fault| fault.at(column)),
    }
}

/// Those that go by characters of 16 bits.
fn by_units(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Fault> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let whole =
        |at: usize| arguments.get(at).and_then(numbers::whole).and_then(|at| usize::try_from(at).ok());
    let outside = || {
        Fault::Wrong(format!("`{name}` asks for characters that the text has not: it has {}", units.len()))
    };
    match name {
        "substring" | "subSequence" => {
            let end = if arguments.len() == 1 { Some(units.len()) } else { whole(1) };
            let part =
                whole(0).zip(end).and_then(|(begin, end)| units.get(begin..end)).ok_or_else(outside)?;
            // Half a character prints as `?` in Java, and otherwise is half a character.
            let text = String::from_utf16(part);
            text.map(Value::text).map_err(|_| Fault::NotUnderstood("half of a character".to_owned()))
        }
        "charAt" => {
            let unit = whole(0).and_then(|at| units.get(at)).ok_or_else(outside)?;
            let character = char::from_u32(u32::from(*unit));
            character.map(Value::Char).ok_or_else(|| Fault::NotUnderstood("half of a character".to_owned()))
        }
        "startsWith" => {
            let sought: Vec<u16> =
                arguments.first().map(ToString::to_string).unwrap_or_default().encode_utf16().collect();
            let rest = whole(1).and_then(|at| units.get(at..));
            Ok(Value::Bool(rest.is_some_and(|rest| rest.starts_with(&sought))))
        }
        // By the code of a character, or from a place on.
        _ => Err(Fault::NotUnderstood(format!("method {name} of text with such arguments"))),
    }
}

fn units_before(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.encode_utf16().count())
}
