//! The filters `date` and `epoch`: times, and texts read as times.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::date_pattern::{DAYS, Dialect, Field, MONTHS, fields, letter_not_understood, spell};
use super::error::Fault;
use super::evaluate::Evaluated;
use super::filters::Call;
use super::numbers;
use super::value::Value;
use super::zones::{Place, read_general, read_iso};

/// What Pebble takes where a template names no pattern.
const PATTERN: &str = "yyyy-MM-dd'T'HH:mm:ssZ";

/// The filter `date`. A time keeps its own zone; a text or a number of milliseconds is shown in that which is asked for.
pub(super) fn date(call: &Call<'_>) -> Evaluated {
    let [format, existing, zone] = call.bind(["format", "existingFormat", "timeZone"])?;
    let format = call.text_argument(&format, "format")?;
    let existing = call.text_argument(&existing, "existingFormat")?;
    let zone = call.text_argument(&zone, "timeZone")?;
    let fault = |fault: Fault| fault.at(call.column);
    let at = match &call.input {
        Value::Time(time) => {
            let place = Place::of(time.time_zone().clone());
            let text = match format {
                Some(pattern) => spell(time, &pattern, Dialect::Temporal, &place).map_err(fault)?,
                None => iso(time),
            };
            return Ok(Value::Safe(text.into()));
        }
        Value::Text(text) => {
            let pattern = existing.as_deref().unwrap_or(PATTERN);
            parse(text, pattern, Dialect::Simple, call.environment.now()).map_err(fault)?
        }
        other => {
            let milliseconds = numbers::whole(other).ok_or_else(|| {
                call.wrong(format!("`date` takes a time, text or milliseconds, and this is {}", other.kind()))
            })?;
            let at = Timestamp::from_millisecond(milliseconds);
            at.map_err(|_| fault(Fault::NotUnderstood("time after the year 9999".to_owned())))?
        }
    };
    let place = match zone {
        Some(id) => Place::by_id(&id).map_err(fault)?,
        None => Place::of(TimeZone::UTC),
    };
    let time = at.to_zoned(place.zone.clone());
    let text = spell(&time, format.as_deref().unwrap_or(PATTERN), Dialect::Simple, &place).map_err(fault)?;
    Ok(Value::Safe(text.into()))
}

/// `DateTimeFormatter.ISO_DATE_TIME`: as many digits of the second as there are.
fn iso(time: &Zoned) -> String {
    let mut text = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let fraction = format!("{:09}", time.subsec_nanosecond());
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text = format!("{text}.{fraction}");
    }
    let offset = if time.offset().is_zero() { "Z".to_owned() } else { time.strftime("%:z").to_string() };
    format!("{text}{offset}[{}]", time.time_zone().iana_name().unwrap_or("UTC"))
}

/// Webex's filter `epoch`: seconds since 1970, or milliseconds.
pub(super) fn epoch(call: &Call<'_>) -> Evaluated {
    let [in_millis, format] = call.bind(["inMillis", "format"])?;
    let format = call.text_argument(&format, "format")?;
    let at = match &call.input {
        Value::Time(time) => time.timestamp(),
        Value::Text(text) => match &format {
            Some(pattern) => parse(text, pattern, Dialect::Temporal, call.environment.now())
                .map_err(|fault| fault.at(call.column))?,
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

/// What was read of a text.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    has_weekday: bool,
    hour: i64,
    is_afternoon: Option<bool>,
    minute: i64,
    second: i64,
    millisecond: i64,
    zone: Option<TimeZone>,
}

/// A field that is read: so many of a letter.
struct Wanted {
    letter: char,
    count: usize,
    /// Digits of the next field follow without anything between: so many are this field's.
    is_packed: bool,
    dialect: Dialect,
    now: Timestamp,
}

/// Reads a text by a pattern, as `SimpleDateFormat.parse` does: what follows is left alone, and numbers may overflow into the
/// next larger unit. By which formatter Webex's own filter reads is not known: what the two mean differently is not read for it.
fn parse(text: &str, pattern: &str, dialect: Dialect, now: Timestamp) -> Result<Timestamp, Fault> {
    let wrong = || Fault::Wrong(format!("the text is no time of the form {pattern}"));
    let mut read = Read::default();
    let mut rest = text;
    let fields = fields(pattern, dialect)?;
    for (index, field) in fields.iter().enumerate() {
        rest = match field {
            Field::Text(literal) => rest.strip_prefix(literal.as_str()).ok_or_else(wrong)?,
            Field::Letter(letter, count) => {
                let next = fields.get(index + 1);
                let is_packed = matches!(next, Some(Field::Letter(next, _)) if "yMdHhmsSkK".contains(*next));
                let wanted = Wanted { letter: *letter, count: *count, is_packed, dialect, now };
                read.field(&wanted, rest)?.ok_or_else(wrong)?
            }
        };
    }
    read.timestamp(wrong)
}

impl Read {
    /// Reads one field, and gives what follows; none where it is not there.
    fn field<'t>(&mut self, wanted: &Wanted, text: &'t str) -> Result<Option<&'t str>, Fault> {
        let text = text.trim_start_matches(' ');
        let &Wanted { letter, count, dialect, .. } = wanted;
        match letter {
            'M' | 'L' if count >= 3 => Ok(named(&MONTHS, text).map(|(index, rest)| {
                self.month = i64::try_from(index).ok().map(|index| index + 1);
                rest
            })),
            'E' => {
                self.has_weekday = true;
                Ok(named(&DAYS, text).map(|(_, rest)| rest))
            }
            'a' => Ok(self.half(text)),
            'G' => match text.split_at_checked(2) {
                Some((era, rest)) if era.eq_ignore_ascii_case("AD") => Ok(Some(rest)),
                _ => Err(letter_not_understood(letter, count)),
            },
            'Z' | 'X' | 'x' | 'z' | 'V' => self.zone(wanted, text),
            'y' | 'M' | 'L' | 'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' => Ok(self.number(wanted, text)?),
            'S' if count <= 3 || dialect == Dialect::Simple => Ok(self.number(wanted, text)?),
            'u' if dialect == Dialect::Temporal => Ok(self.number(wanted, text)?),
            // What these mean depends on which fields come after them.
            'D' | 'F' | 'w' | 'W' | 'u' | 'Y' => Err(letter_not_understood(letter, count)),
            _ if dialect == Dialect::Temporal => Err(letter_not_understood(letter, count)),
            _ => Err(Fault::Wrong(format!("the pattern has a letter `{letter}`, which means nothing"))),
        }
    }

    fn half<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let (half, rest) = text.split_at_checked(2)?;
        self.is_afternoon = Some(match half.to_ascii_uppercase().as_str() {
            "AM" => false,
            "PM" => true,
            _ => return None,
        });
        Some(rest)
    }

    fn zone<'t>(&mut self, wanted: &Wanted, text: &'t str) -> Result<Option<&'t str>, Fault> {
        let &Wanted { letter, count, dialect, .. } = wanted;
        let is_lenient = dialect == Dialect::Temporal;
        let utc = text.strip_prefix('Z').filter(|_| letter == 'X' || is_lenient);
        let found = match (letter, utc) {
            ('V' | 'x', _) if !is_lenient => {
                return Err(Fault::Wrong(format!(
                    "the pattern has a letter `{letter}`, which means nothing"
                )));
            }
            ('V', _) => return Err(letter_not_understood(letter, count)),
            (_, Some(rest)) => Some((TimeZone::UTC, rest)),
            ('X' | 'x', None) => read_iso(text, count),
            (_, None) => read_general(text)?,
        };
        Ok(found.map(|(zone, rest)| {
            self.zone = Some(zone);
            rest
        }))
    }

    fn number<'t>(&mut self, wanted: &Wanted, text: &'t str) -> Result<Option<&'t str>, Fault> {
        let &Wanted { letter, count, is_packed, .. } = wanted;
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) if !is_packed => (-1, rest),
            _ => (1, text),
        };
        let most = if is_packed { count } else { 18 };
        let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let Some((digits, rest)) = text.split_at_checked(length) else { return Ok(None) };
        let Ok(number) = digits.parse::<i64>() else { return Ok(None) };
        let number = sign * number;
        match letter {
            'y' | 'u' if count <= 2 && length == 2 && sign > 0 => {
                self.year = Some(century(number, wanted.now)?);
            }
            'y' | 'u' => self.year = Some(number),
            'M' | 'L' => self.month = Some(number),
            'd' => self.day = Some(number),
            'H' | 'h' | 'K' => self.hour = number,
            'k' => self.hour = number % 24,
            'm' => self.minute = number,
            's' => self.second = number,
            _ => self.millisecond = number,
        }
        Ok(Some(rest))
    }

    fn timestamp(self, wrong: impl Fn() -> Fault) -> Result<Timestamp, Fault> {
        let year = self.year.unwrap_or(1970);
        if !(1583..=9999).contains(&year) {
            return Err(Fault::NotUnderstood("time before 1583 or after 9999".to_owned()));
        }
        if self.has_weekday && self.day.is_none() {
            return Err(letter_not_understood('E', 1));
        }
        self.at(year).ok_or_else(wrong)
    }

    fn at(self, year: i64) -> Option<Timestamp> {
        let hour = match self.is_afternoon {
            Some(true) => self.hour % 12 + 12,
            Some(false) => self.hour % 12,
            None => self.hour,
        };
        let begin = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
        let limited = |number: i64| Some(number).filter(|number| number.abs() < 1_000_000);
        let span = jiff::Span::new()
            .try_months(limited(self.month.unwrap_or(1).checked_sub(1)?)?)
            .ok()?
            .try_days(limited(self.day.unwrap_or(1).checked_sub(1)?)?)
            .ok()?;
        let clock = jiff::Span::new()
            .try_hours(limited(hour)?)
            .ok()?
            .try_minutes(limited(self.minute)?)
            .ok()?
            .try_seconds(limited(self.second)?)
            .ok()?
            .try_milliseconds(limited(self.millisecond)?)
            .ok()?;
        let at =
            DateTime::from_parts(begin, Time::midnight()).checked_add(span).ok()?.checked_add(clock).ok()?;
        Some(at.to_zoned(self.zone.unwrap_or(TimeZone::UTC)).ok()?.timestamp())
    }
}

/// Two digits are a year within 80 years before now and 20 after it.
fn century(digits: i64, now: Timestamp) -> Result<i64, Fault> {
    // Tables of what Pebble made of a template know no time; none is older than this.
    let first = i64::from(now.to_zoned(TimeZone::UTC).year().max(2026)) - 80;
    let year = first - first.rem_euclid(100) + digits;
    match year - first {
        0 => Err(Fault::NotUnderstood(format!(
            "year {digits:02} of two digits, which is 80 years ago or in 20"
        ))),
        ..0 => Ok(year + 100),
        _ => Ok(year),
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

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn read(text: &str, pattern: &str) -> Result<String, Fault> {
        parse(text, pattern, Dialect::Simple, NOW.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn times_are_spelled_and_read_by_patterns() {
        let at: Timestamp = "2026-11-06T15:04:05.007Z".parse().unwrap();
        let place = Place::of(TimeZone::UTC);
        let time = at.to_zoned(TimeZone::UTC);
        for (pattern, text) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-11-06T15:04:05.007Z"),
            ("EEE, d MMM yyyy h:mm a Z", "Fri, 6 Nov 2026 3:04 PM +0000"),
            ("MMMM d, yyyy HH:mm", "November 6, 2026 15:04"),
            ("yyMMddHHmmss", "261106150405"),
            ("hh 'o''clock'", "03 o'clock"),
        ] {
            assert_eq!(spell(&time, pattern, Dialect::Simple, &place).unwrap(), text);
            if pattern.contains("ss") || pattern.contains("HH:mm") {
                let found = parse(text, pattern, Dialect::Simple, at).unwrap();
                assert_eq!(found.as_second() / 60, at.as_second() / 60, "{pattern}");
            }
        }
        assert!(read("tomorrow", "yyyy-MM-dd").is_err());
        assert!(spell(&time, "yyyy-'MM", Dialect::Simple, &place).is_err());
    }

    /// As OpenJDK 17 reads them.
    #[test]
    fn texts_are_read_as_javas_formatter_reads_them() {
        for (text, pattern, at) in [
            ("10:00Z", "HH:mmX", "1970-01-01T10:00:00Z"),
            ("10:00+0530", "HH:mmX", "1970-01-01T05:00:00Z"),
            ("10:00+05:30", "HH:mmXXX", "1970-01-01T04:30:00Z"),
            ("10:00 PST", "HH:mm z", "1970-01-01T18:00:00Z"),
            ("10:00 pdt", "HH:mm Z", "1970-01-01T17:00:00Z"),
            ("10:00 GMT+01:00", "HH:mm z", "1970-01-01T09:00:00Z"),
            ("10:00 UTC+1", "HH:mm z", "1970-01-01T10:00:00Z"),
            ("47", "yy", "1947-01-01T00:00:00Z"),
            ("45", "yy", "2045-01-01T00:00:00Z"),
            ("12 AD", "yy G", "2012-01-01T00:00:00Z"),
            ("00.123456", "ss.SSSSSS", "1970-01-01T00:02:03.456Z"),
            ("2026-07-06 -5", "yyyy-MM-dd HH", "2026-07-05T19:00:00Z"),
            ("2026-13-01", "yyyy-MM-dd", "2027-01-01T00:00:00Z"),
            ("2026  07", "yyyy MM", "2026-07-01T00:00:00Z"),
        ] {
            assert_eq!(read(text, pattern).unwrap(), at, "{pattern} {text}");
        }
        for (text, pattern) in [
            ("10:00Z", "HH:mmZ"),
            ("10:00+0530", "HH:mmXXX"),
            ("10:00+05:30", "HH:mmZ"),
            ("10:00 GMT+1", "HH:mm z"),
            ("10:00 GMT", "HH:mm X"),
            ("10:00+24:00", "HH:mmZ"),
            ("10 2026", "HH e"),
        ] {
            assert!(matches!(read(text, pattern), Err(Fault::Wrong(_))), "{pattern} {text}");
        }
        for (text, pattern) in
            [("200 2026", "D yyyy"), ("5", "u"), ("Fri 2026", "EEE yyyy"), ("10 IST", "HH z"), ("26", "yyyy")]
        {
            assert!(matches!(read(text, pattern), Err(Fault::NotUnderstood(_))), "{pattern} {text}");
        }
    }
}
