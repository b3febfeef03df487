//! Times as text, by the patterns of Java.

use jiff::Zoned;

use super::error::Fault;
use super::zones::Place;

pub(super) const MONTHS: [&str; 12] = [
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
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// A field is no wider: who writes more has not meant it.
const WIDEST: usize = 300;

/// Whose patterns: they share most letters, and mean different things by the same one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `DateTimeFormatter`, for times.
    Temporal,
    /// `SimpleDateFormat`, for texts and milliseconds.
    Simple,
}

/// A letter so many times, or text as it is.
pub(super) enum Field {
    Letter(char, usize),
    Text(String),
}

/// The fields of a pattern.
pub(super) fn fields(pattern: &str, dialect: Dialect) -> Result<Vec<Field>, Fault> {
    let (mut fields, mut rest) = (Vec::new(), pattern.chars().peekable());
    let mut optional = 0_usize;
    while let Some(character) = rest.next() {
        if character == '\'' {
            let mut text = String::new();
            loop {
                match rest.next() {
                    None => return Err(Fault::Wrong(format!("`{pattern}` has a quote without an end"))),
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
            match (dialect, character) {
                // What stands between brackets may be missing: a time misses nothing.
                (Dialect::Temporal, '[') => optional += 1,
                (Dialect::Temporal, ']') if optional > 0 => optional -= 1,
                (Dialect::Temporal, ']' | '{' | '}' | '#') => {
                    return Err(Fault::Wrong(format!("`{pattern}` holds a `{character}` that is reserved")));
                }
                _ => fields.push(Field::Text(character.to_string())),
            }
        }
    }
    Ok(fields)
}

/// A letter that Java may know, and we do not.
pub(super) fn letter_not_understood(letter: char, count: usize) -> Fault {
    let letters = letter.to_string().repeat(count.min(8));
    Fault::NotUnderstood(format!("pattern letter {letters}"))
}

/// The time as text.
pub(super) fn spell(time: &Zoned, pattern: &str, dialect: Dialect, place: &Place) -> Result<String, Fault> {
    // `SimpleDateFormat` goes by the calendar of Caesar before.
    if dialect == Dialect::Simple && time.date() < jiff::civil::date(1582, 10, 15) {
        return Err(Fault::NotUnderstood("time before 1582".to_owned()));
    }
    let mut text = String::new();
    for field in fields(pattern, dialect)? {
        match field {
            Field::Text(literal) => text += &literal,
            Field::Letter(letter, count) if count > WIDEST => {
                return Err(letter_not_understood(letter, count));
            }
            Field::Letter(letter, count) => {
                let found = match dialect {
                    Dialect::Temporal => temporal(time, letter, count, place),
                    Dialect::Simple => simple(time, letter, count, place),
                };
                text += &found.map_err(|unknown| match unknown {
                    Unknown::ToUs => letter_not_understood(letter, count),
                    Unknown::ToJava => Fault::Wrong(format!(
                        "the pattern has {count} of the letter `{letter}`, which mean nothing"
                    )),
                })?;
            }
        }
    }
    Ok(text)
}

/// Who does not know so many of a letter.
enum Unknown {
    ToUs,
    ToJava,
}

type Spelled = Result<String, Unknown>;

fn number(number: impl Into<i64>, width: usize) -> Spelled {
    let number: i64 = number.into();
    Ok(format!("{number:0width$}"))
}

fn year(year: i64, count: usize) -> Spelled {
    if count == 2 { number(year.rem_euclid(100), 2) } else { number(year, count) }
}

/// A name whole, by its first three letters, or by its first one.
fn name(names: &[&str], index: i8, count: usize, has_narrow: bool) -> Spelled {
    let name =
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().ok_or(Unknown::ToUs)?;
    let length = match count {
        4 => name.len(),
        ..4 => 3,
        5 if has_narrow => 1,
        _ if has_narrow => return Err(Unknown::ToJava),
        _ => name.len(),
    };
    Ok(name.get(..length).unwrap_or(name).to_owned())
}

/// The year and the week in it, as America counts: weeks begin on Sunday, and that with the first of January is the first.
fn week(time: &Zoned) -> (i64, i16) {
    let (day, weekday) = (time.day_of_year() - 1, i16::from(time.weekday().to_sunday_zero_offset()));
    let year = i64::from(time.year());
    if day + 6 - weekday >= time.days_in_year() {
        return (year + 1, 1);
    }
    (year, (day + (weekday - day).rem_euclid(7)) / 7 + 1)
}

fn week_of_month(time: &Zoned) -> i8 {
    let (day, weekday) = (time.day() - 1, time.weekday().to_sunday_zero_offset());
    (day + (weekday - day).rem_euclid(7)) / 7 + 1
}

/// What both dialects mean by a letter.
fn common(time: &Zoned, letter: char, count: usize, place: &Place) -> Spelled {
    let of_era = |year: i64| if year > 0 { year } else { 1 - year };
    match letter {
        'y' => year(of_era(i64::from(time.year())), count),
        'Y' => year(week(time).0, count),
        'M' | 'L' if count < 3 => number(time.month(), count),
        'd' => number(time.day(), count),
        'D' => number(time.day_of_year(), count),
        'w' => number(week(time).1, count),
        'W' => number(week_of_month(time), count),
        'H' => number(time.hour(), count),
        'k' => number(if time.hour() == 0 { 24 } else { time.hour() }, count),
        'K' => number(time.hour() % 12, count),
        'h' => number(if time.hour() % 12 == 0 { 12 } else { time.hour() % 12 }, count),
        'm' => number(time.minute(), count),
        's' => number(time.second(), count),
        'a' => Ok(if time.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        'z' if count < 4 => place.short_name(time).ok_or(Unknown::ToUs),
        'z' => place.long_name(time).ok_or(Unknown::ToUs),
        _ => Err(Unknown::ToJava),
    }
}

/// `DateTimeFormatter`.
fn temporal(time: &Zoned, letter: char, count: usize, place: &Place) -> Spelled {
    let quarter = (time.month() + 2) / 3;
    let most = match letter {
        'd' | 'H' | 'h' | 'k' | 'K' | 'm' | 's' | 'w' => 2,
        'D' => 3,
        'W' | 'a' | 'F' => 1,
        'S' => 9,
        'z' => 4,
        'y' | 'u' | 'Y' | 'n' | 'N' | 'A' | 'g' => 19,
        _ => 5,
    };
    if count > most {
        return Err(Unknown::ToJava);
    }
    match letter {
        'u' => year(i64::from(time.year()), count),
        'M' | 'L' if count >= 3 => name(&MONTHS, time.month() - 1, count, true),
        'E' => name(&DAYS, time.weekday().to_sunday_zero_offset(), count, true),
        'e' | 'c' if count < 3 => match (letter, count) {
            ('c', 2) => Err(Unknown::ToJava),
            _ => number(time.weekday().to_sunday_zero_offset() + 1, count),
        },
        'e' | 'c' => name(&DAYS, time.weekday().to_sunday_zero_offset(), count, true),
        'G' => Ok(match count {
            4 => {
                if time.year() > 0 {
                    "Anno Domini"
                } else {
                    "Before Christ"
                }
            }
            5 => {
                if time.year() > 0 {
                    "A"
                } else {
                    "B"
                }
            }
            _ => {
                if time.year() > 0 {
                    "AD"
                } else {
                    "BC"
                }
            }
        }
        .to_owned()),
        'Q' | 'q' => match count {
            1 | 2 => number(quarter, count),
            3 => Ok(format!("Q{quarter}")),
            4 => Ok(["1st", "2nd", "3rd", "4th"]
                .get(usize::try_from(quarter - 1).unwrap_or_default())
                .map_or_else(String::new, |ordinal| format!("{ordinal} quarter"))),
            _ => number(quarter, 1),
        },
        'S' => Ok(format!("{:09}", time.subsec_nanosecond()).chars().take(count).collect()),
        'n' => number(time.subsec_nanosecond(), count),
        'A' => number(nanoseconds(time) / 1_000_000, count),
        'N' => number(nanoseconds(time), count),
        'V' if count == 2 => Ok(time.time_zone().iana_name().unwrap_or("UTC").to_owned()),
        'O' if count == 1 || count == 4 => Ok(localized_offset(time, count == 4)),
        'Z' if count == 4 => Ok(localized_offset(time, true)),
        'X' | 'x' | 'Z' => Ok(offset(time, letter, count)),
        // Releases of Java do not agree on `F`; `B`, `g`, `v` and the padding `p` are not in all of them.
        'F' | 'B' | 'g' | 'v' | 'p' => Err(Unknown::ToUs),
        _ => common(time, letter, count, place),
    }
}

fn nanoseconds(time: &Zoned) -> i64 {
    let minutes = i64::from(time.hour()) * 60 + i64::from(time.minute());
    (minutes * 60 + i64::from(time.second())) * 1_000_000_000 + i64::from(time.subsec_nanosecond())
}

/// Sign, hours and minutes of the offset.
fn parts_of_offset(time: &Zoned) -> (char, i32, i32) {
    let seconds = time.offset().seconds();
    (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

fn localized_offset(time: &Zoned, is_long: bool) -> String {
    match parts_of_offset(time) {
        (_, 0, 0) => "GMT".to_owned(),
        (sign, hours, minutes) if is_long => format!("GMT{sign}{hours:02}:{minutes:02}"),
        (sign, hours, 0) => format!("GMT{sign}{hours}"),
        (sign, hours, minutes) => format!("GMT{sign}{hours}:{minutes:02}"),
    }
}

fn offset(time: &Zoned, letter: char, count: usize) -> String {
    let (sign, hours, minutes) = parts_of_offset(time);
    let is_zero = hours == 0 && minutes == 0;
    match count {
        _ if is_zero && (letter == 'X' || letter == 'Z' && count == 5) => "Z".to_owned(),
        1 if letter != 'Z' && minutes == 0 => format!("{sign}{hours:02}"),
        3 | 5 if letter != 'Z' || count == 5 => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

/// `SimpleDateFormat`.
fn simple(time: &Zoned, letter: char, count: usize, place: &Place) -> Spelled {
    let (sign, hours, minutes) = parts_of_offset(time);
    match letter {
        'u' => number(time.weekday().to_monday_one_offset(), count),
        'M' | 'L' if count >= 3 => name(&MONTHS, time.month() - 1, count, false),
        'E' => name(&DAYS, time.weekday().to_sunday_zero_offset(), count, false),
        'F' => number((time.day() - 1) / 7 + 1, count),
        'S' => number(time.millisecond(), count),
        'G' => Ok("AD".to_owned()),
        'Z' => Ok(format!("{sign}{hours:02}{minutes:02}")),
        'X' if count > 3 => Err(Unknown::ToJava),
        'X' if hours == 0 && minutes == 0 => Ok("Z".to_owned()),
        'X' if count == 1 => Ok(format!("{sign}{hours:02}")),
        'X' => Ok(offset(time, 'X', count)),
        _ => common(time, letter, count, place),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn spelled(zone: &str, pattern: &str, dialect: Dialect) -> Result<String, Fault> {
        let at: Timestamp = "2026-11-06T15:04:05.007Z".parse().unwrap();
        let place = Place::by_id(zone).unwrap();
        spell(&at.to_zoned(place.zone.clone()), pattern, dialect, &place)
    }

    /// As OpenJDK 17 prints them.
    #[test]
    fn letters_mean_what_they_mean_to_javas_formatters() {
        for (zone, pattern, as_simple, as_temporal) in [
            ("UTC", "uuuu", "0005", "2026"),
            ("UTC", "uu", "05", "26"),
            ("UTC", "SSSSSS", "000007", "007000"),
            ("UTC", "S", "7", "0"),
            ("UTC", "MMMMM", "November", "N"),
            ("UTC", "EEEEE", "Friday", "F"),
            ("UTC", "zzzz", "Coordinated Universal Time", "Coordinated Universal Time"),
            ("America/New_York", "zzzz z", "Eastern Standard Time EST", "Eastern Standard Time EST"),
            ("America/New_York", "Z X", "-0500 -05", "-0500 -05"),
            ("America/New_York", "ZZZZZ", "-0500", "-05:00"),
            ("Asia/Kolkata", "X", "+05", "+0530"),
            ("Asia/Kolkata", "XXX", "+05:30", "+05:30"),
            ("UTC", "Y w W D", "2026 45 1 310", "2026 45 1 310"),
            ("UTC", "GGGG", "AD", "Anno Domini"),
            ("UTC", "yyyyy k K h a", "02026 15 3 3 PM", "02026 15 3 3 PM"),
        ] {
            assert_eq!(spelled(zone, pattern, Dialect::Simple).unwrap(), as_simple, "{pattern}");
            assert_eq!(spelled(zone, pattern, Dialect::Temporal).unwrap(), as_temporal, "{pattern}");
        }
        assert_eq!(spelled("UTC", "QQQQ e O c", Dialect::Temporal).unwrap(), "4th quarter 6 GMT 6");
        assert_eq!(spelled("UTC", "[HH]", Dialect::Temporal).unwrap(), "15");
        assert_eq!(spelled("UTC", "FF", Dialect::Simple).unwrap(), "01");
    }

    #[test]
    fn what_is_not_known_is_named_and_what_java_refuses_fails() {
        let not_understood = |zone: &str, pattern: &str, dialect| match spelled(zone, pattern, dialect) {
            Err(Fault::NotUnderstood(what)) => what,
            other => panic!("{pattern}: {other:?}"),
        };
        assert_eq!(not_understood("UTC", "F", Dialect::Temporal), "pattern letter F");
        assert_eq!(not_understood("Asia/Dubai", "z", Dialect::Simple), "pattern letter z");
        assert_eq!(not_understood("Europe/Paris", "zzzz", Dialect::Simple), "pattern letter zzzz");
        for (pattern, dialect) in [
            ("ddd", Dialect::Temporal),
            ("V", Dialect::Simple),
            ("Q", Dialect::Simple),
            ("b", Dialect::Temporal),
        ] {
            assert!(matches!(spelled("UTC", pattern, dialect), Err(Fault::Wrong(_))), "{pattern}");
        }
    }
}
