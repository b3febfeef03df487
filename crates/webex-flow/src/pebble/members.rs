//! What stands behind a dot or between brackets: a member of a map, an item of a list, or one of Java's methods.

use super::error::TemplateError;
use super::evaluate::{Evaluated, Given, text_of};
use super::numbers;
use super::value::Value;

/// Reads a member. What is not there is null, as Pebble has it where it is not strict.
pub(super) fn read(of: &Value, name: &Value, given: Option<&Given>, column: usize) -> Evaluated {
    match of {
        Value::Null => Ok(Value::Null),
        Value::Map(pairs) => {
            let found = pairs.iter().find(|(key, _)| key.is_same(name)).map(|(_, value)| value.clone());
            match (found, name) {
                (Some(value), _) => Ok(value),
                (None, Value::Text(method)) => map_method(of, pairs, method, given, column),
                (None, _) => Ok(Value::Null),
            }
        }
        Value::List(_) | Value::Array(_) => {
            let items = of.items().unwrap_or_default();
            match (numbers::whole(name), name) {
                (Some(index), _) => {
                    let index = usize::try_from(index).ok();
                    Ok(index.and_then(|index| items.get(index).cloned()).unwrap_or(Value::Null))
                }
                (None, Value::Text(method)) => list_method(&items, method, given, column),
                (None, _) => Ok(Value::Null),
            }
        }
        Value::Text(text) => match name {
            Value::Text(method) => text_method(text, method, given, column),
            _ => Ok(Value::Null),
        },
        _ => match name {
            Value::Text(method) if **method == *"toString" => Ok(Value::text(text_of(of, column)?)),
            _ => Ok(Value::Null),
        },
    }
}

fn count(length: usize) -> Value {
    Value::Int(i32::try_from(length).unwrap_or(i32::MAX))
}

fn first(given: Option<&Given>) -> Value {
    given.and_then(|given| given.positional.first().cloned()).unwrap_or(Value::Null)
}

fn map_method(
    of: &Value,
    pairs: &[(Value, Value)],
    method: &str,
    given: Option<&Given>,
    column: usize,
) -> Evaluated {
    let argument = first(given);
    Ok(match method {
        "size" => count(pairs.len()),
        "isEmpty" | "empty" => Value::Bool(pairs.is_empty()),
        "containsKey" => Value::Bool(pairs.iter().any(|(key, _)| key.is_same(&argument))),
        "get" => pairs
            .iter()
            .find(|(key, _)| key.is_same(&argument))
            .map_or(Value::Null, |(_, value)| value.clone()),
        "keySet" => Value::list(pairs.iter().map(|(key, _)| key.clone()).collect()),
        "values" => Value::list(pairs.iter().map(|(_, value)| value.clone()).collect()),
        "toString" => Value::text(text_of(of, column)?),
        _ => Value::Null,
    })
}

fn list_method(items: &[Value], method: &str, given: Option<&Given>, column: usize) -> Evaluated {
    let argument = first(given);
    Ok(match method {
        "size" | "length" => count(items.len()),
        "isEmpty" | "empty" => Value::Bool(items.is_empty()),
        "contains" => Value::Bool(items.iter().any(|item| item.is_same(&argument))),
        "get" => {
            let index = numbers::whole(&argument).and_then(|index| usize::try_from(index).ok());
            match index.and_then(|index| items.get(index)) {
                Some(item) => item.clone(),
                None => {
                    return Err(TemplateError::new(column, "`get` asks for an item that the list has not"));
                }
            }
        }
        "toString" => Value::text(text_of(&Value::list(items.to_vec()), column)?),
        _ => Value::Null,
    })
}

fn text_method(text: &str, method: &str, given: Option<&Given>, column: usize) -> Evaluated {
    let arguments = given.map(|given| given.positional.as_slice()).unwrap_or_default();
    let argument = |index: usize| -> Result<String, TemplateError> {
        match arguments.get(index) {
            Some(value) => text_of(value, column),
            None => Err(TemplateError::new(column, format!("`{method}` is given too little"))),
        }
    };
    let units: Vec<u16> = text.encode_utf16().collect();
    let found = |at: Option<usize>| at.map_or(Value::Int(-1), |at| count(units_before(text, at)));
    Ok(match method {
        "length" => count(units.len()),
        "isEmpty" | "empty" => Value::Bool(text.is_empty()),
        "isBlank" | "blank" => Value::Bool(text.trim().is_empty()),
        "toString" | "intern" => Value::text(text),
        "trim" | "strip" => Value::text(text.trim()),
        "toUpperCase" => Value::text(text.to_uppercase()),
        "toLowerCase" => Value::text(text.to_lowercase()),
        "startsWith" => Value::Bool(text.starts_with(&argument(0)?)),
        "endsWith" => Value::Bool(text.ends_with(&argument(0)?)),
        "contains" => Value::Bool(text.contains(&argument(0)?)),
        "equals" => Value::Bool(matches!(arguments.first(), Some(Value::Text(other)) if **other == *text)),
        "equalsIgnoreCase" => Value::Bool(argument(0)?.to_lowercase() == text.to_lowercase()),
        "indexOf" => found(text.find(&argument(0)?)),
        "lastIndexOf" => found(text.rfind(&argument(0)?)),
        "concat" => Value::text(format!("{text}{}", argument(0)?)),
        "replace" => {
            let (from, to) = (argument(0)?, argument(1)?);
            Value::text(super::filters::replaced(text, &from, &to, column)?)
        }
        "substring" => {
            let place = |index: usize| {
                arguments.get(index).and_then(numbers::whole).map(|at| usize::try_from(at).ok())
            };
            let begin = place(0).flatten();
            let end = place(1).unwrap_or(Some(units.len()));
            let part = begin.zip(end).and_then(|(begin, end)| units.get(begin..end));
            match part {
                Some(part) => Value::text(String::from_utf16_lossy(part)),
                None => return Err(TemplateError::new(column, outside("substring", units.len()))),
            }
        }
        "charAt" => {
            let at = arguments.first().and_then(numbers::whole).and_then(|at| usize::try_from(at).ok());
            match at.and_then(|at| units.get(at)) {
                Some(unit) => {
                    Value::Char(char::from_u32(u32::from(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
                }
                None => return Err(TemplateError::new(column, outside("charAt", units.len()))),
            }
        }
        _ => Value::Null,
    })
}

fn outside(method: &str, length: usize) -> String {
    format!("`{method}` asks for characters that the text has not: it has {length}")
}

fn units_before(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.encode_utf16().count())
}
