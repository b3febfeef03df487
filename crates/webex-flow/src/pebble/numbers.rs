//! Arithmetic as Java does it, and numbers as text.

use std::cmp::Ordering;

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
pub(super) fn format(value: &Value, pattern: Option<&str>) -> Result<String, String> {
    let Some(number) = Number::of(value) else {
        return Err(format!("`numberformat` takes a number, and this is {}", value.kind()));
    };
    let pattern = Pattern::read(pattern.unwrap_or("#,##0.###"))?;
    Ok(pattern.spell(number))
}

/// A pattern, read.
struct Pattern {
    prefix: String,
    suffix: String,
    least_whole: usize,
    grouping: usize,
    least_fraction: usize,
    most_fraction: usize,
    is_percent: bool,
}

impl Pattern {
    fn read(text: &str) -> Result<Self, String> {
        let positive = text.split(';').next().unwrap_or_default();
        let is_digit = |c: char| matches!(c, '#' | '0' | ',' | '.');
        let begin = positive.find(is_digit).unwrap_or(positive.len());
        let (prefix, rest) = positive.split_at_checked(begin).unwrap_or((positive, ""));
        let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
        let (digits, suffix) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if fraction.contains(['.', ',']) || suffix.contains(is_digit) {
            return Err(format!("`{text}` is no pattern of numbers"));
        }
        let grouping = whole.rsplit_once(',').map_or(0, |(_, last)| last.len());
        Ok(Self {
            is_percent: prefix.contains('%') || suffix.contains('%'),
            prefix: prefix.replace('\'', ""),
            suffix: suffix.replace('\'', ""),
            least_whole: whole.matches('0').count(),
            grouping,
            least_fraction: fraction.matches('0').count(),
            most_fraction: fraction.len().min(300),
        })
    }

    fn spell(&self, number: Number) -> String {
        let text = match number.long() {
            Some(whole) if !self.is_percent => whole.to_string(),
            _ => {
                let number = if self.is_percent { number.double() * 100.0 } else { number.double() };
                if !number.is_finite() {
                    return if number.is_nan() {
                        "NaN"
                    } else if number > 0.0 {
                        "∞"
                    } else {
                        "-∞"
                    }
                    .to_owned();
                }
                half_even(number, self.most_fraction)
            }
        };
        let is_negative = text.starts_with('-') && text.contains(|c: char| matches!(c, '1'..='9'));
        let text = text.trim_start_matches('-');
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let mut whole = format!("{}{whole}", "0".repeat(self.least_whole.saturating_sub(whole.len())));
        let mut fraction = fraction.to_owned();
        while fraction.len() > self.least_fraction && fraction.ends_with('0') {
            fraction.pop();
        }
        fraction += &"0".repeat(self.least_fraction.saturating_sub(fraction.len()));
        if whole.is_empty() && fraction.is_empty() {
            whole.push('0');
        }
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if is_negative { "-" } else { "" };
        format!("{sign}{}{}{point}{fraction}{}", self.prefix, self.grouped(&whole), self.suffix)
    }

    fn grouped(&self, whole: &str) -> String {
        if self.grouping == 0 {
            return whole.to_owned();
        }
        let length = whole.len();
        let mut grouped = String::with_capacity(length * 2);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (length - index).is_multiple_of(self.grouping) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// So many digits behind the point, halves to the even neighbour, by the number's exact value as `DecimalFormat` rounds.
fn half_even(number: f64, digits: usize) -> String {
    // Rust formats the exact binary value and rounds halves of it to the even digit.
    format!("{number:.digits$}")
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
