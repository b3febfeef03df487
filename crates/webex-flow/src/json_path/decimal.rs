//! Decimal numbers of any size, as Java's `BigDecimal` compares and prints them. A number is never expanded, so that `1e999999999` costs
//! no memory.

use std::cmp::Ordering;

/// A decimal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decimal {
    /// A whole number that a machine holds.
    Whole(i64),
    /// Any other.
    Long(Digits),
}

/// `digits * 10^-scale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    negative: bool,
    /// Without zeros in front; empty for zero.
    digits: String,
    scale: i64,
}

impl Decimal {
    /// Reads what Java accepts: digits with a point somewhere and an exponent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Java knows no `-0` here either: it is 0.
        match text.parse() {
            Ok(whole) => Some(Self::Whole(whole)),
            Err(_) => Digits::parse(text).map(Self::Long),
        }
    }

    /// Whether a text begins as numbers do.
    pub(super) fn may_be(text: &str) -> bool {
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'))
    }

    /// The whole part, as far as it fits, as Java's `intValue` does for numbers of that size.
    pub(super) fn to_integer(&self) -> Option<i64> {
        match self {
            // As far as 18 digits go.
            Self::Whole(whole) => (whole.unsigned_abs() < 10_u64.pow(18)).then_some(*whole),
            Self::Long(digits) => digits.to_integer(),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(right),
            (Self::Long(left), Self::Long(right)) => left.compare(right),
            (Self::Whole(left), Self::Long(right)) => Digits::of(*left).compare(right),
            (Self::Long(left), Self::Whole(right)) => left.compare(&Digits::of(*right)),
        }
    }

    /// The text of Java's `BigDecimal.toString`.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Whole(whole) => whole.to_string(),
            Self::Long(digits) => digits.to_text(),
        }
    }
}

impl Digits {
    fn of(whole: i64) -> Self {
        let digits = match whole {
            0 => String::new(),
            _ => whole.unsigned_abs().to_string(),
        };
        Self { negative: whole < 0, digits, scale: 0 }
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0').to_owned();
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        let negative = negative && !digits.is_empty();
        Some(Self { negative, digits, scale })
    }

    fn to_integer(&self) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let length = i64::try_from(self.digits.len()).ok()?;
        let whole = length - self.scale;
        if whole <= 0 {
            return Some(0);
        }
        if whole > 18 {
            return None;
        }
        let mut text: String = self.digits.chars().take(usize::try_from(whole).ok()?).collect();
        for _ in length..whole {
            text.push('0');
        }
        let number: i64 = text.parse().ok()?;
        Some(if self.negative { -number } else { number })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// The place of the first digit.
    fn magnitude(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_sub(self.scale)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sign = self.sign();
        if sign != other.sign() || sign == 0 {
            return sign.cmp(&other.sign());
        }
        let (left, right) = (self.digits.trim_end_matches('0'), other.digits.trim_end_matches('0'));
        // Digits of the same magnitude compare like texts: a longer one has more places.
        let unsigned = self.magnitude().cmp(&other.magnitude()).then_with(|| left.cmp(right));
        if sign < 0 { unsigned.reverse() } else { unsigned }
    }

    fn to_text(&self) -> String {
        let digits = if self.digits.is_empty() { "0" } else { &self.digits };
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let adjusted = length - 1 - self.scale;
        if self.scale == 0 {
            return format!("{sign}{digits}");
        }
        if self.scale > 0 && adjusted >= -6 {
            let point = length - self.scale;
            let places = usize::try_from(point).unwrap_or(0);
            let zeros = usize::try_from(-point).unwrap_or(0);
            let (whole, fraction) = digits.split_at_checked(places).unwrap_or((digits, ""));
            let whole = if whole.is_empty() { "0" } else { whole };
            return format!("{sign}{whole}.{}{fraction}", "0".repeat(zeros));
        }
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let plus = if adjusted >= 0 { "+" } else { "" };
        format!("{sign}{first}{point}{rest}E{plus}{adjusted}")
    }
}

/// The text of Java's `Double.toString`.
pub(super) fn double_text(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}
