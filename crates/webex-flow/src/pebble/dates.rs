//! Times by patterns of `SimpleDateFormat` and `DateTimeFormatter`, which agree on the letters that flows use.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::evaluate::Evaluated;
use super::filters::Call;
use super::numbers;
use super::value::Value;

/// What Pebble takes where a template names no pattern.
const PATTERN: &str = "yyyy-MM-dd'T'HH:mm:ssZ";
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The filter `date`. A time keeps its own zone; a text or a number of milliseconds is shown in that which is asked for.
pub(super) fn date(call: &Call<'_>) -> Evaluated {
    let [format, existing, zone] = call.bind(["format", "existingFormat", "timeZone"])?;
    let format = call.text_argument(&format, "format")?;
    let existing = call.text_argument(&existing, "existingFormat")?;
    let zone = call.text_argument(&zone, "timeZone")?;
    let at = match &call.input {
        Value::Time(time) => {
            let pattern = format.as_deref().unwrap_or("yyyy-MM-dd'T'HH:mm:ss.SSSXXX'['VV']'");
            return spell(time, pattern)
                .map(|text| Value::Safe(text.into()))
                .map_err(|words| call.wrong(words));
        }
        Value::Text(text) => {
            let pattern = existing.as_deref().unwrap_or(PATTERN);
            parse(text, pattern).map_err(|words| call.wrong(words))?
        }
        other => {
            let milliseconds = numbers::whole(other).ok_or_else(|| {
                call.wrong(format!("`date` takes a time, text or milliseconds, and this is {}", other.kind()))
            })?;
            Timestamp::from_millisecond(milliseconds).map_err(|_| call.wrong("the time is out of range"))?
        }
    };
    // A name that is no zone means Greenwich in Java.
    let zone = zone.and_then(|name| zone_of(&name)).unwrap_or(TimeZone::UTC);
    let text =
        spell(&at.to_zoned(zone), format.as_deref().unwrap_or(PATTERN)).map_err(|words| call.wrong(words))?;
    Ok(Value::Safe(text.into()))
}

/// Webex's filter `epoch`: seconds since 1970, or milliseconds.
pub(super) fn epoch(call: &Call<'_>) -> Evaluated {
    let [in_millis, format] = call.bind(["inMillis", "format"])?;
    let format = call.text_argument(&format, "format")?;
    let at = match &call.input {
        Value::Time(time) => time.timestamp(),
        Value::Text(text) => match &format {
            Some(pattern) => parse(text, pattern).map_err(|words| call.wrong(words))?,
            None => {
                let plain = text.split('[').next().unwrap_or_default();
                plain.parse().map_err(|_| call.wrong("`epoch` needs `format` for a text of this form"))?
            }
        },
        other => {
            return Err(call.wrong(format!("`epoch` takes a time or text, and this is {}", other.kind())));
        }
    };
    Ok(Value::Long(if in_millis.truth() == Some(true) { at.as_millisecond() } else { at.as_second() }))
}

fn zone_of(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" | "GMT" | "Z" => Some(TimeZone::UTC),
        _ => TimeZone::get(name)
            .ok()
            .or_else(|| offset_of(name.strip_prefix("GMT").or(name.strip_prefix("UTC"))?)),
    }
}

fn offset_of(text: &str) -> Option<TimeZone> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or(match rest.len() {
        4 => rest.split_at_checked(2)?,
        _ => (rest, "0"),
    });
    let seconds = hours
        .parse::<i32>()
        .ok()?
        .checked_mul(3600)?
        .checked_add(minutes.parse::<i32>().ok()?.checked_mul(60)?)?;
    Some(TimeZone::fixed(Offset::from_seconds(sign * seconds).ok()?))
}

/// A letter so many times, or text as it is.
enum Field {
    Letter(char, usize),
    Text(String),
}

/// The fields of a pattern.
fn fields(pattern: &str) -> Result<Vec<Field>, String> {
    let (mut fields, mut rest) = (Vec::new(), pattern.chars().peekable());
    while let Some(character) = rest.next() {
        if character == '\'' {
            let mut text = String::new();
            loop {
                match rest.next() {
                    None => return Err(format!("`{pattern}` has a quote without an end")),
                    Some('\'') if rest.peek() == Some(&'\'') && !text.is_empty() => {
                        rest.next();
                        text.push('\'');
                    }
                    Some('\'') => break,
                    Some(other) => text.push(other),
                }
            }
            // Two quotes are one.
            fields.push(Field::Text(if text.is_empty() { "'".to_owned() } else { text }));
        } else if character.is_ascii_alphabetic() {
            let mut count = 1;
            while rest.next_if_eq(&character).is_some() {
                count += 1;
            }
            fields.push(Field::Letter(character, count));
        } else {
            fields.push(Field::Text(character.to_string()));
        }
    }
    Ok(fields)
}

fn spell(time: &Zoned, pattern: &str) -> Result<String, String> {
    let mut text = String::new();
    for field in fields(pattern)? {
        match field {
            Field::Text(literal) => text += &literal,
            Field::Letter(letter, count) => {
                text += &spelled(time, letter, count.min(40))
                    .ok_or_else(|| format!("the pattern has a letter `{letter}` that is not known"))?;
            }
        }
    }
    Ok(text)
}

fn spelled(time: &Zoned, letter: char, count: usize) -> Option<String> {
    let number = |number: i64| Some(format!("{number:0count$}"));
    let name = |name: Option<&&str>, long: usize| {
        let name = *name?;
        Some(if count >= long { name.to_owned() } else { name.get(..3)?.to_owned() })
    };
    let weekday = usize::try_from(time.weekday().to_monday_zero_offset()).ok();
    match letter {
        'y' | 'u' if letter == 'y' && count == 2 => Some(format!("{:02}", time.year().rem_euclid(100))),
        'y' | 'Y' => number(i64::from(time.year())),
        'u' => number(i64::from(time.weekday().to_monday_one_offset())),
        'M' | 'L' if count >= 3 => name(MONTHS.get(usize::try_from(time.month()).ok()?.checked_sub(1)?), 4),
        'M' | 'L' => number(i64::from(time.month())),
        'd' => number(i64::from(time.day())),
        'D' => number(i64::from(time.day_of_year())),
        'E' => name(DAYS.get(weekday?), 4),
        'e' => number(i64::from(time.weekday().to_monday_one_offset())),
        'H' => number(i64::from(time.hour())),
        'k' => number(if time.hour() == 0 { 24 } else { i64::from(time.hour()) }),
        'K' => number(i64::from(time.hour() % 12)),
        'h' => number(match time.hour() % 12 {
            0 => 12,
            hour => i64::from(hour),
        }),
        'm' => number(i64::from(time.minute())),
        's' => number(i64::from(time.second())),
        'S' => number(i64::from(time.millisecond())),
        'n' => number(i64::from(time.subsec_nanosecond())),
        'a' => Some(if time.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        'G' => Some("AD".to_owned()),
        'z' => Some(time.strftime("%Z").to_string()),
        'V' => Some(time.time_zone().iana_name().unwrap_or("UTC").to_owned()),
        'Z' => Some(time.strftime("%z").to_string()),
        'X' | 'x' if letter == 'X' && time.offset().is_zero() => Some("Z".to_owned()),
        'X' | 'x' => Some(match count {
            1 => time.strftime("%z").to_string().get(..3)?.to_owned(),
            2 => time.strftime("%z").to_string(),
            _ => time.strftime("%:z").to_string(),
        }),
        _ => None,
    }
}

/// What was read of a text.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    is_afternoon: Option<bool>,
    minute: i64,
    second: i64,
    millisecond: i64,
    zone: Option<TimeZone>,
}

/// Reads a text by a pattern, as `SimpleDateFormat.parse` does: what follows is left alone, and numbers may overflow into the
/// next larger unit.
fn parse(text: &str, pattern: &str) -> Result<Timestamp, String> {
    let wrong = || format!("the text is no time of the form {pattern}");
    let mut read = Read::default();
    let mut rest = text;
    let fields = fields(pattern)?;
    for (index, field) in fields.iter().enumerate() {
        rest = match field {
            Field::Text(literal) => rest.strip_prefix(literal.as_str()).ok_or_else(wrong)?,
            Field::Letter(letter, count) => {
                // Digits of the next field follow without anything between: so many are this field's.
                let is_packed = matches!(fields.get(index + 1), Some(Field::Letter(next, _)) if "yMdHhmsSkK".contains(*next));
                read.field(*letter, *count, is_packed, rest).ok_or_else(wrong)?
            }
        };
    }
    read.timestamp().ok_or_else(wrong)
}

impl Read {
    /// Reads one field, and gives what follows.
    fn field<'t>(&mut self, letter: char, count: usize, is_packed: bool, text: &'t str) -> Option<&'t str> {
        let text = text.trim_start_matches(' ');
        match letter {
            'M' | 'L' if count >= 3 => {
                let (index, rest) = named(&MONTHS, text)?;
                self.month = Some(i64::try_from(index).ok()? + 1);
                return Some(rest);
            }
            'E' => return named(&DAYS, text).map(|(_, rest)| rest),
            'a' => {
                let (half, rest) = text.split_at_checked(2)?;
                self.is_afternoon = Some(match half.to_ascii_uppercase().as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return None,
                });
                return Some(rest);
            }
            'Z' | 'X' | 'x' | 'z' | 'V' => {
                if let Some(rest) = text.strip_prefix('Z') {
                    self.zone = Some(TimeZone::UTC);
                    return Some(rest);
                }
                let is_zone = |c: char| c.is_ascii_alphanumeric() || "+-:/_".contains(c);
                let end = text.find(|c| !is_zone(c)).unwrap_or(text.len());
                let (name, rest) = text.split_at_checked(end)?;
                self.zone = Some(offset_of(name).or_else(|| zone_of(name))?);
                return Some(rest);
            }
            _ => {}
        }
        let most = if is_packed { count } else { 18 };
        let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at_checked(digits)?;
        let number: i64 = digits.parse().ok()?;
        match letter {
            // Two digits are within 80 years before now and 20 after it.
            'y' | 'Y' | 'u' if count <= 2 && digits.len() == 2 => {
                self.year = Some(if number > 45 { 1900 + number } else { 2000 + number });
            }
            'y' | 'Y' | 'u' => self.year = Some(number),
            'M' | 'L' => self.month = Some(number),
            'd' => self.day = Some(number),
            'H' | 'h' | 'K' => self.hour = number,
            'k' => self.hour = number % 24,
            'm' => self.minute = number,
            's' => self.second = number,
            'S' => self.millisecond = number,
            _ => return None,
        }
        Some(rest)
    }

    fn timestamp(self) -> Option<Timestamp> {
        let hour = match self.is_afternoon {
            Some(true) => self.hour % 12 + 12,
            Some(false) => self.hour % 12,
            None => self.hour,
        };
        let begin = Date::new(i16::try_from(self.year.unwrap_or(1970)).ok()?, 1, 1).ok()?;
        let limited = |number: i64| Some(number).filter(|number| number.abs() < 1_000_000);
        let span = jiff::Span::new()
            .try_months(limited(self.month.unwrap_or(1) - 1)?)
            .ok()?
            .try_days(limited(self.day.unwrap_or(1) - 1)?)
            .ok()?
            .try_hours(limited(hour)?)
            .ok()?
            .try_minutes(limited(self.minute)?)
            .ok()?
            .try_seconds(limited(self.second)?)
            .ok()?
            .try_milliseconds(limited(self.millisecond)?)
            .ok()?;
        let at = DateTime::from_parts(begin, Time::midnight()).checked_add(span).ok()?;
        Some(at.to_zoned(self.zone.unwrap_or(TimeZone::UTC)).ok()?.timestamp())
    }
}

/// Which of these names a text begins with, whole or by its first three letters, and what follows.
fn named<'t>(names: &[&str], text: &'t str) -> Option<(usize, &'t str)> {
    let begins = |name: &str| {
        let (begin, rest) = text.split_at_checked(name.len())?;
        begin.eq_ignore_ascii_case(name).then_some(rest)
    };
    let whole = names.iter().enumerate().find_map(|(index, name)| Some((index, begins(name)?)));
    whole
        .or_else(|| names.iter().enumerate().find_map(|(index, name)| Some((index, begins(name.get(..3)?)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_and_read_by_patterns() {
        let at: Timestamp = "2026-11-06T15:04:05.007Z".parse().unwrap();
        let time = at.to_zoned(TimeZone::UTC);
        for (pattern, text) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-11-06T15:04:05.007Z"),
            ("EEE, d MMM yyyy h:mm a Z", "Fri, 6 Nov 2026 3:04 PM +0000"),
            ("MMMM d, yyyy HH:mm", "November 6, 2026 15:04"),
            ("yyMMddHHmmss", "261106150405"),
            ("hh 'o''clock'", "03 o'clock"),
        ] {
            assert_eq!(spell(&time, pattern).unwrap(), text);
            if pattern.contains("ss") || pattern.contains("HH:mm") {
                assert_eq!(parse(text, pattern).unwrap().as_second() / 60, at.as_second() / 60, "{pattern}");
            }
        }
        assert!(parse("tomorrow", "yyyy-MM-dd").is_err());
        assert!(spell(&time, "yyyy-'MM").is_err());
        let new_york = at.to_zoned(TimeZone::get("America/New_York").unwrap());
        assert_eq!(spell(&new_york, "HH:mm Z").unwrap(), "10:04 -0500");
    }
}
