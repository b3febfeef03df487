//! Arithmetic as Java does it, and numbers as text.

use std::cmp::Ordering;

use super::decimal_format::{Pattern, Written};
use super::error::Fault;
use super::syntax::Binary;
use super::value::Value;

/// What came of comparing two values by size.
pub(super) enum Compared {
    /// One of them is null.
    WithNull,
    /// This.
    As(Ordering),
}

/// A number for calculations.
#[derive(Clone, Copy)]
enum Number {
    Int(i32),
    Long(i64),
    Double(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Int(*number)),
            Value::Long(number) => Some(Self::Long(*number)),
            Value::Double(number) => Some(Self::Double(*number)),
            _ => None,
        }
    }

    /// Arithmetic reads texts as numbers, comparisons do not.
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text.contains('.') => text.trim().parse().ok().map(Self::Double),
            Value::Text(text) => text.parse().ok().map(Self::Long),
            other => Self::of(other),
        }
    }

    fn long(self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(number)),
            Self::Long(number) => Some(number),
            Self::Double(_) => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Java loses it too")]
    fn double(self) -> f64 {
        match self {
            Self::Int(number) => f64::from(number),
            Self::Long(number) => number as f64,
            Self::Double(number) => number,
        }
    }
}

/// A number without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "Java cuts off too")]
pub(super) fn whole(value: &Value) -> Option<i64> {
    Number::of(value).map(|number| number.long().unwrap_or_else(|| number.double() as i64))
}

/// The methods of `Number` that convert.
#[expect(clippy::cast_possible_truncation, reason = "Java cuts off too")]
pub(super) fn converted(value: &Value, method: &str) -> Option<Value> {
    let number = Number::of(value)?;
    Some(match method {
        "longValue" => Value::Long(whole(value)?),
        "doubleValue" => Value::Double(number.double()),
        // `int` keeps the lower half of a `long`, and the greatest that it can of a `double`.
        "intValue" => Value::Int(match number.long() {
            Some(long) => i32::from_le_bytes(long.to_le_bytes().first_chunk().copied()?),
            None => number.double() as i32,
        }),
        _ => return None,
    })
}

/// The result of an operator of arithmetic, or what is wrong.
pub(super) fn calculate(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    let sign = operator.sign();
    let number = |value: &Value| {
        Number::read(value).ok_or_else(|| match value {
            Value::Text(_) => format!("`{sign}` calculates with numbers, and this text is none"),
            other => format!("`{sign}` calculates with numbers, and this is {}", other.kind()),
        })
    };
    let (left, right) = (number(left)?, number(right)?);
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let result = match operator {
            Binary::Add => left.wrapping_add(right),
            Binary::Subtract => left.wrapping_sub(right),
            Binary::Multiply => return Ok(Value::Long(i64::from(left) * i64::from(right))),
            _ if right == 0 => return Err(format!("`{sign}` divides by 0")),
            Binary::Divide => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        };
        return Ok(Value::Long(i64::from(result)));
    }
    if let (Some(left), Some(right)) = (left.long(), right.long()) {
        let result = match operator {
            Binary::Add => left.wrapping_add(right),
            Binary::Subtract => left.wrapping_sub(right),
            Binary::Multiply => left.wrapping_mul(right),
            _ if right == 0 => return Err(format!("`{sign}` divides by 0")),
            Binary::Divide => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        };
        return Ok(Value::Long(result));
    }
    let (left, right) = (left.double(), right.double());
    Ok(Value::Double(match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide => left / right,
        _ => left % right,
    }))
}

/// Which of two numbers is greater, or what is wrong.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Compared, String> {
    if left.is_null() || right.is_null() {
        return Ok(Compared::WithNull);
    }
    let number = |value: &Value| {
        Number::of(value).ok_or_else(|| format!("compares numbers, and this is {}", value.kind()))
    };
    Ok(Compared::As(order(number(left)?, number(right)?)))
}

/// Numbers are equal whatever their type; a number and a text never are.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    match (Number::of(left), Number::of(right)) {
        (Some(left), Some(right)) => order(left, right).is_eq(),
        _ => left.is_same(right),
    }
}

fn order(left: Number, right: Number) -> Ordering {
    match (left.long(), right.long()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.double().total_cmp(&right.double()),
    }
}

/// A number by a pattern of `DecimalFormat`, or by that of `NumberFormat` where none is given.
pub(super) fn format(value: &Value, pattern: Option<&str>) -> Result<String, Fault> {
    let Some(number) = Number::of(value) else {
        return Err(Fault::Wrong(format!("`numberformat` takes a number, and this is {}", value.kind())));
    };
    let number = number.long().map_or_else(|| Written::Double(number.double()), Written::Whole);
    Ok(Pattern::read(pattern.unwrap_or("#,##0.###"))?.spell(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_by_patterns() {
        for (value, pattern, text) in [
            (Value::Double(2.5), Some("#.00"), "2.50"),
            (Value::Double(0.5), Some("#.00"), ".50"),
            (Value::Long(-3), Some("#,###"), "-3"),
            (Value::Long(1_234_567), Some("#,##0.0"), "1,234,567.0"),
            (Value::Double(0.125), Some("0.00"), "0.12"),
            (Value::Double(0.256), Some("0.0%"), "25.6%"),
            (Value::Double(1234.5678), None, "1,234.568"),
            (Value::Long(5), Some("000"), "005"),
            (Value::Long(5), Some("$0"), "$5"),
            (Value::Long(0), Some("#"), "0"),
        ] {
            assert_eq!(format(&value, pattern).unwrap(), text, "{value} {pattern:?}");
        }
    }
}
