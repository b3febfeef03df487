//! The functions at the end of a path.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::evaluate::{Evaluation, Failure, Found};
use super::lenient;
use super::node::number_text;
use super::steps::Steps;
use super::token::{Call, Parameter};

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Average,
    StandardDeviation,
    Sum,
    Minimum,
    Maximum,
    Concatenate,
    Length,
    Append,
    Keys,
    First,
    Last,
    Index,
}

impl Function {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "avg" => Self::Average,
            "stddev" => Self::StandardDeviation,
            "sum" => Self::Sum,
            "min" => Self::Minimum,
            "max" => Self::Maximum,
            "concat" => Self::Concatenate,
            "length" | "size" => Self::Length,
            "append" => Self::Append,
            "keys" => Self::Keys,
            "first" => Self::First,
            "last" => Self::Last,
            "index" => Self::Index,
            _ => return None,
        })
    }
}

/// Calls a function on what the path before it led to.
pub(super) fn call(call: &Call, model: &Value, evaluation: &Evaluation<'_>) -> Result<Value, Failure> {
    let Some(function) = call.function else {
        return Err(Failure::Invalid(format!("there is no function {}", call.name)));
    };
    let steps = evaluation.steps();
    let mut paths = Vec::new();
    for parameter in &call.parameters {
        paths.push(match parameter {
            Parameter::Path(path) => Some(evaluation.joined(evaluation.value(path, evaluation.root())?)?),
            Parameter::Json(_) => None,
        });
    }
    // JSON is looked at only by functions that take parameters.
    let values = || {
        let values = call.parameters.iter().zip(&paths).map(|(parameter, value)| match (parameter, value) {
            (Parameter::Json(text), _) => {
                steps.each(text.len().saturating_mul(16))?;
                let value = lenient::parse(text);
                value.map(Cow::Owned).ok_or_else(|| Failure::Invalid(format!("{text} is no JSON")))
            }
            (Parameter::Path(_), value) => {
                Ok(value.as_deref().map_or(Cow::Owned(Value::Null), Cow::Borrowed))
            }
        });
        let values: Vec<Cow<'_, Value>> = values.collect::<Result<_, Failure>>()?;
        // Each goes through the items of its lists.
        for value in values.iter().map(|value| &**value).chain([model]) {
            steps.each(value.as_array().map_or(1, |items| items.len().saturating_mul(2)))?;
        }
        Ok(values)
    };
    match function {
        Function::Length => length(call, model, evaluation),
        Function::Keys => keys(model, steps),
        Function::Append => append(model, &values()?, steps),
        Function::Concatenate => concatenate(model, &values()?, steps),
        Function::First => item(model, 0, steps),
        Function::Last => item(model, -1, steps),
        Function::Index => {
            let Value::Array(_) = model else {
                return item(model, 0, steps);
            };
            let first = *numbers(&values()?).first().ok_or(Failure::OutOfBounds)?;
            item(model, first, steps)
        }
        numeric => {
            let values = values()?;
            let mut all = match model {
                Value::Array(items) => items.iter().filter_map(Value::as_f64).collect(),
                _ => Vec::new(),
            };
            all.extend(numbers_as_double(&values));
            aggregate(numeric, &all)
        }
    }
}

/// A path in the brackets is asked for its children, unless it ends with a function itself.
fn length(call: &Call, model: &Value, evaluation: &Evaluation<'_>) -> Result<Value, Failure> {
    match call.parameters.first() {
        None => {}
        Some(Parameter::Json(_)) => return Err(Failure::Other("length takes a path".to_owned())),
        Some(Parameter::Path(path)) => {
            evaluation.steps().each(call.length.saturating_mul(2))?;
            match evaluation.value_with(&path.children(), path.is_definite(), model)? {
                Found::Many(found) => return Ok(Value::from(found.len())),
                Found::One(found) => {
                    if let Value::Array(items) = &*found {
                        return Ok(Value::from(items.len()));
                    }
                }
            }
        }
    }
    Ok(match model {
        Value::Array(items) => Value::from(items.len()),
        Value::Object(members) => Value::from(members.len()),
        _ => Value::Null,
    })
}

fn keys(model: &Value, steps: &Steps) -> Result<Value, Failure> {
    let Value::Object(members) = model else { return Ok(Value::Null) };
    for key in members.keys() {
        steps.each(4 + key.len() / 16)?;
    }
    Ok(members.keys().cloned().map(Value::String).collect())
}

fn append(model: &Value, values: &[Cow<'_, Value>], steps: &Steps) -> Result<Value, Failure> {
    for value in values.iter().map(|value| &**value).chain([model]) {
        steps.copy(value)?;
    }
    let mut model = model.clone();
    if let Value::Array(items) = &mut model {
        items.extend(values.iter().map(|value| value.as_ref().clone()));
    }
    Ok(model)
}

/// Texts of a list and of the parameters; other items of a list among the parameters count as texts too.
fn concatenate(model: &Value, values: &[Cow<'_, Value>], steps: &Steps) -> Result<Value, Failure> {
    for value in values.iter().map(|value| &**value).chain([model]) {
        steps.copy(value)?;
    }
    let mut text = String::new();
    if let Value::Array(items) = model {
        items.iter().filter_map(Value::as_str).for_each(|item| text.push_str(item));
    }
    for value in values {
        match &**value {
            Value::String(value) => text.push_str(value),
            Value::Array(items) => items.iter().for_each(|item| text.push_str(&java_text(item))),
            _ => {}
        }
    }
    Ok(Value::String(text))
}

fn java_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

fn item(model: &Value, index: i64, steps: &Steps) -> Result<Value, Failure> {
    let Value::Array(items) = model else {
        return Err(Failure::Other("this function needs a list".to_owned()));
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = if index >= 0 { index } else { length.saturating_add(index) };
    // A fault of the library: it does not find the first item from the end.
    if index < 0 && place <= 0 {
        return Err(Failure::Other(format!("the list has no item {index}")));
    }
    let item = usize::try_from(place).ok().and_then(|place| items.get(place));
    let item = item.ok_or(Failure::OutOfBounds)?;
    steps.copy(item)?;
    Ok(item.clone())
}

fn numbers(values: &[Cow<'_, Value>]) -> Vec<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "Java's intValue cuts off the fraction too")]
    numbers_as_double(values).into_iter().map(|number| number as i64).collect()
}

/// The numbers among parameters, with those in lists.
fn numbers_as_double(values: &[Cow<'_, Value>]) -> Vec<f64> {
    let mut numbers = Vec::new();
    for value in values {
        match &**value {
            Value::Array(items) => numbers.extend(items.iter().filter_map(Value::as_f64)),
            value => numbers.extend(value.as_f64()),
        }
    }
    numbers
}

#[expect(clippy::cast_precision_loss, reason = "no list has so many items")]
fn aggregate(function: Function, numbers: &[f64]) -> Result<Value, Failure> {
    if numbers.is_empty() {
        return Err(Failure::Other("there are no numbers to calculate with".to_owned()));
    }
    let count = numbers.len() as f64;
    let sum: f64 = numbers.iter().sum();
    let result = match function {
        Function::Average => sum / count,
        Function::Minimum => numbers.iter().copied().fold(f64::MAX, f64::min),
        Function::Maximum => numbers.iter().copied().fold(f64::MIN, f64::max),
        Function::StandardDeviation => {
            let squares: f64 = numbers.iter().map(|number| number * number).sum();
            (squares / count - sum * sum / count / count).sqrt()
        }
        _ => sum,
    };
    Ok(Number::from_f64(result).map_or(Value::Null, Value::Number))
}
