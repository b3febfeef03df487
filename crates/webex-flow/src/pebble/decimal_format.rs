//! Numbers as text, by the patterns of `DecimalFormat`.

use super::error::Fault;

/// Digits that Java writes at most before the point, and behind it.
const MOST_WHOLE: usize = 309;
const MOST_FRACTION: usize = 340;

/// A number to be written.
#[derive(Clone, Copy)]
pub(super) enum Written {
    Whole(i64),
    Double(f64),
}

/// A pattern, read.
#[derive(Default)]
pub(super) struct Pattern {
    positive: (String, String),
    negative: Option<(String, String)>,
    least_whole: usize,
    most_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    grouping: usize,
    multiplier: u16,
    shows_point: bool,
    /// The least digits of an exponent.
    exponent: Option<usize>,
}

/// One half of a pattern: what is around the digits, and the digits counted.
#[derive(Default)]
struct Half {
    prefix: String,
    suffix: String,
    left: usize,
    zeros: usize,
    right: usize,
    point: Option<usize>,
    grouping: Option<usize>,
    multiplier: Option<u16>,
    exponent: Option<usize>,
}

struct Reader<'p> {
    whole: &'p str,
    rest: std::iter::Peekable<std::str::Chars<'p>>,
}

impl Reader<'_> {
    fn wrong(&self) -> Fault {
        Fault::Wrong(format!("`{}` is no pattern of numbers", self.whole))
    }

    /// Text around the digits, until there is a digit or the half ends.
    fn affix(&mut self, affix: &mut String, half: &mut Half) -> Result<(), Fault> {
        let mut is_quoted = false;
        while let Some(character) = self.rest.peek().copied() {
            if !is_quoted && matches!(character, '#' | '0' | ',' | '.' | ';') {
                return Ok(());
            }
            self.rest.next();
            match character {
                '\'' if self.rest.next_if_eq(&'\'').is_some() => affix.push('\''),
                '\'' => is_quoted = !is_quoted,
                _ if is_quoted => affix.push(character),
                '%' | '\u{2030}' => {
                    let times = if character == '%' { 100 } else { 1000 };
                    if half.multiplier.replace(times).is_some() {
                        return Err(self.wrong());
                    }
                    affix.push(character);
                }
                // The sign of a currency depends on where the server stands.
                '\u{a4}' => return Err(Fault::NotUnderstood("pattern letter \u{a4}".to_owned())),
                _ => affix.push(character),
            }
        }
        if is_quoted { Err(self.wrong()) } else { Ok(()) }
    }

    fn digits(&mut self, half: &mut Half) -> Result<(), Fault> {
        while let Some(character) = self.rest.peek().copied() {
            match character {
                '#' if half.zeros > 0 => half.right += 1,
                '#' => half.left += 1,
                '0' if half.right > 0 => return Err(self.wrong()),
                '0' => half.zeros += 1,
                ',' => half.grouping = Some(0),
                '.' if half.point.is_some() => return Err(self.wrong()),
                '.' => half.point = Some(half.left + half.zeros + half.right),
                'E' => return self.exponent(half),
                _ => return Ok(()),
            }
            if matches!(character, '#' | '0') && half.point.is_none() {
                half.grouping = half.grouping.map(|digits| digits + 1);
            }
            self.rest.next();
        }
        Ok(())
    }

    fn exponent(&mut self, half: &mut Half) -> Result<(), Fault> {
        self.rest.next();
        let mut digits = 0;
        while self.rest.next_if_eq(&'0').is_some() {
            digits += 1;
        }
        if half.exponent.is_some() || digits == 0 || half.left + half.zeros == 0 {
            return Err(self.wrong());
        }
        half.exponent = Some(digits);
        Ok(())
    }

    /// A half, up to its `;` or the end.
    fn half(&mut self) -> Result<Half, Fault> {
        let mut half = Half::default();
        let (mut prefix, mut suffix) = (String::new(), String::new());
        self.affix(&mut prefix, &mut half)?;
        if self.rest.peek() == Some(&';') {
            return Err(self.wrong());
        }
        while self.rest.peek().is_some_and(|next| matches!(next, '#' | '0' | ',' | '.')) {
            self.digits(&mut half)?;
            self.affix(&mut suffix, &mut half)?;
        }
        (half.prefix, half.suffix) = (prefix, suffix);
        // `#.##` and `.##` without a zero.
        if half.zeros == 0
            && half.left > 0
            && let Some(point) = half.point
        {
            let whole = point.max(1);
            half.right = half.left - whole.min(half.left);
            half.left = whole - 1;
            half.zeros = 1;
        }
        let is_point_misplaced = match half.point {
            None => half.right > 0,
            Some(point) => point < half.left || point > half.left + half.zeros,
        };
        if is_point_misplaced || half.grouping == Some(0) { Err(self.wrong()) } else { Ok(half) }
    }
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            let (most_whole, most_fraction) = (MOST_WHOLE, MOST_FRACTION);
            return Ok(Self { most_whole, most_fraction, grouping: 3, multiplier: 1, ..Self::default() });
        }
        let mut reader = Reader { whole: text, rest: text.chars().peekable() };
        let half = reader.half()?;
        let mut negative = None;
        if reader.rest.next_if_eq(&';').is_some() && reader.rest.peek().is_some() {
            // Of its digits, nothing counts.
            let other = reader.half()?;
            negative = Some((other.prefix, other.suffix));
        }
        if reader.rest.next().is_some() {
            return Err(reader.wrong());
        }
        let positive = (half.prefix, half.suffix);
        let total = half.left + half.zeros + half.right;
        let least_whole = half.point.unwrap_or(total) - half.left;
        let pattern = Self {
            negative: negative.filter(|negative| *negative != positive),
            positive,
            least_whole: least_whole.min(MOST_WHOLE),
            most_whole: if half.exponent.is_some() { half.left + least_whole } else { MOST_WHOLE },
            least_fraction: half.point.map_or(0, |point| half.left + half.zeros - point).min(MOST_FRACTION),
            most_fraction: half.point.map_or(0, |point| total - point).min(MOST_FRACTION),
            grouping: half.grouping.unwrap_or(0),
            multiplier: half.multiplier.unwrap_or(1),
            shows_point: half.point == Some(0) || half.point == Some(total),
            exponent: half.exponent,
        };
        if pattern.exponent.is_some_and(|digits| digits > 20) || pattern.most_whole > MOST_WHOLE {
            return Err(Fault::NotUnderstood("exponent or mantissa that long".to_owned()));
        }
        Ok(pattern)
    }

    pub(super) fn spell(&self, number: Written) -> String {
        let is_negative = match number {
            Written::Whole(whole) => whole < 0,
            Written::Double(number) if number.is_nan() => return "NaN".to_owned(),
            Written::Double(number) => number.is_sign_negative(),
        };
        let digits = match (number, self.exponent) {
            (Written::Double(number), _) if number.is_infinite() => "\u{221e}".to_owned(),
            (_, Some(least)) => self.with_exponent(&self.mantissa(number), least),
            (Written::Whole(whole), None) => {
                let size = u128::from(whole.unsigned_abs()) * u128::from(self.multiplier);
                self.plain(&size.to_string())
            }
            (Written::Double(number), None) => self.plain(&self.rounded(self.times(number))),
        };
        let (prefix, suffix) = match (&self.negative, is_negative) {
            (Some(negative), true) => negative,
            _ => &self.positive,
        };
        let sign = if is_negative && self.negative.is_none() { "-" } else { "" };
        format!("{sign}{prefix}{digits}{suffix}")
    }

    fn times(&self, number: f64) -> f64 {
        number.abs() * f64::from(self.multiplier)
    }

    /// Without an exponent: the shortest digits that are this number, or so many behind the point, halves to the even neighbour
    /// by the exact value.
    fn rounded(&self, size: f64) -> String {
        let text = size.to_string();
        match text.split_once('.') {
            Some((_, fraction)) if fraction.len() > self.most_fraction => {
                format!("{size:.*}", self.most_fraction)
            }
            _ => text,
        }
    }

    fn plain(&self, text: &str) -> String {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let mut whole = format!("{}{whole}", "0".repeat(self.least_whole.saturating_sub(whole.len())));
        let mut fraction = fraction.trim_end_matches('0').to_owned();
        fraction += &"0".repeat(self.least_fraction.saturating_sub(fraction.len()));
        if whole.is_empty() && fraction.is_empty() {
            whole.push('0');
        }
        let point = if fraction.is_empty() && !self.shows_point { "" } else { "." };
        format!("{}{point}{fraction}", self.grouped(&whole))
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

    /// The digits of a number without zeros at the end, and where the point is: before all of them at 0. None for zero.
    fn mantissa(&self, number: Written) -> Option<(String, i64)> {
        let most = self.most_whole + self.most_fraction;
        // `d.ddde±x`
        let text = match number {
            Written::Whole(whole) => {
                let size = u128::from(whole.unsigned_abs()) * u128::from(self.multiplier);
                let digits = size.to_string();
                if digits.trim_end_matches('0').len() > most.max(1) {
                    rounded_whole(size, &digits, most.max(1))
                } else {
                    format!("{size:e}")
                }
            }
            Written::Double(number) => {
                let size = self.times(number);
                let shortest = format!("{size:e}");
                let count = shortest.split('e').next().unwrap_or_default().replace('.', "").len();
                if count > most { format!("{size:.*e}", most.saturating_sub(1)) } else { shortest }
            }
        };
        let (digits, exponent) = text.split_once('e')?;
        let digits = digits.replace('.', "");
        let digits = digits.trim_end_matches('0');
        (!digits.is_empty()).then_some((digits.to_owned(), exponent.parse::<i64>().ok()? + 1))
    }

    fn with_exponent(&self, mantissa: &Option<(String, i64)>, least: usize) -> String {
        let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (digits, point) = mantissa.as_ref().map_or(("", 0), |(digits, point)| (digits.as_str(), *point));
        let (mut exponent, mut least_whole) = (point, self.least_whole);
        let range = signed(self.most_whole);
        if range > 1 && self.most_whole > self.least_whole {
            let base = if exponent >= 1 { exponent - 1 } else { exponent - range };
            exponent = base / range * range;
            least_whole = 1;
        } else {
            exponent -= signed(self.least_whole);
        }
        let whole = if digits.is_empty() {
            exponent = 0;
            least_whole
        } else {
            usize::try_from(point - exponent).unwrap_or_default()
        };
        let total = (self.least_whole + self.least_fraction).max(whole).max(digits.len());
        let padded = format!("{digits}{}", "0".repeat(total - digits.len()));
        let (before, behind) = padded.split_at_checked(whole).unwrap_or((&padded, ""));
        let point = if behind.is_empty() && !self.shows_point { "" } else { "." };
        let sign = if exponent < 0 { "-" } else { "" };
        format!("{before}{point}{behind}E{sign}{:0least$}", exponent.unsigned_abs())
    }
}

/// A whole number with so many digits, halves to the even neighbour, as `d.ddde±x`.
fn rounded_whole(size: u128, digits: &str, most: usize) -> String {
    let cut = u32::try_from(digits.len() - most).unwrap_or_default();
    let unit = 10_u128.pow(cut);
    let (kept, rest) = (size / unit, size % unit);
    let goes_up = rest * 2 > unit || rest * 2 == unit && kept % 2 == 1;
    format!("{:e}", (kept + u128::from(goes_up)) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As OpenJDK 17 prints them.
    #[test]
    fn numbers_are_spelled_as_javas_formatter_spells_them() {
        let whole = Written::Whole;
        let double = Written::Double;
        for (pattern, number, text) in [
            ("#,##0;(#)", whole(-1_234_567), "(1,234,567)"),
            ("#,##0;(#)", whole(5), "5"),
            ("0.00;neg 0", double(-2.5), "neg 2.50"),
            ("0;'-'0", whole(-3), "-3"),
            ("0;0", whole(-3), "-3"),
            ("0;0%", double(-0.4), "0%"),
            ("0.###E0", whole(1_234_567), "1.235E6"),
            ("0.###E0", double(0.000_123_4), "1.234E-4"),
            ("0.###E0", double(-0.4), "-4E-1"),
            ("##0.##E0", whole(1_234_567), "1.2346E6"),
            ("##0.##E0", double(0.000_123_4), "123.4E-6"),
            ("##0.##E0", whole(0), "0E0"),
            ("00.##E00", whole(5), "50E-01"),
            ("00.##E00", double(0.125), "12.5E-02"),
            ("0E0", double(0.375), "4E-1"),
            ("0E0", double(2.5), "2E0"),
            ("#E0", double(0.125), ".1E0"),
            ("'#'0", whole(5), "#5"),
            ("'it''s' 0", whole(-3), "-it's 3"),
            ("0''", whole(5), "5'"),
            ("'%'0", whole(5), "%5"),
            ("0%", double(0.256), "26%"),
            ("0%", double(1e20), "10000000000000000000000%"),
            ("0\u{2030}", double(0.125), "125\u{2030}"),
            ("0%", whole(9_007_199_254_740_993), "900719925474099300%"),
            ("#,##0", double(-0.4), "-0"),
            ("#.##", double(0.256), "0.26"),
            ("#.00", double(0.5), ".50"),
            (".##", double(0.25), ".25"),
            ("0.", whole(5), "5."),
            ("000,000", whole(5), "000,005"),
            ("##,##", whole(1_234_567), "1,23,45,67"),
            ("0 E0", whole(5), "05 E"),
            ("abc", whole(5), "abc5"),
            ("", double(1234.5), "1,234.5"),
            ("", double(0.125), ".125"),
            ("0", double(f64::NEG_INFINITY), "-\u{221e}"),
            ("#,##0.00", double(99.995), "100.00"),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().spell(number), text, "{pattern}");
        }
        for pattern in
            ["0.0#0", "0.0.0", "#0#", "0;0;0", "%0%", "0E", "0E+0", "'x", "#,", "0.0,0", "#;;", ";0"]
        {
            assert!(matches!(Pattern::read(pattern), Err(Fault::Wrong(_))), "{pattern}");
        }
        assert!(matches!(Pattern::read("\u{a4}0"), Err(Fault::NotUnderstood(_))));
    }
}
