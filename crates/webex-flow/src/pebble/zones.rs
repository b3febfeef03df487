//! Time zones by the ids of `java.util.TimeZone`.

use jiff::Zoned;
use jiff::tz::{Offset, TimeZone};

use super::error::Fault;

/// Java's old ids of three letters, and which zones they are.
const OLD_IDS: [(&str, &str); 26] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("GMT0", "GMT"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];
/// Old ids that are offsets without daylight saving: hours and the long name.
const FIXED: [(&str, i32, &str); 3] = [
    ("EST", -5, "Eastern Standard Time"),
    ("MST", -7, "Mountain Standard Time"),
    ("HST", -10, "Hawaii Standard Time"),
];
/// Names of the database that Java does not have.
const NOT_IN_JAVA: [&str; 6] = ["America/Coyhaique", "Factory", "GMT+0", "GMT-0", "ROC", "localtime"];
/// Zones that Java calls otherwise than the database does.
const CALLED_OTHERWISE: [&str; 5] =
    ["Africa/Windhoek", "America/Adak", "America/Atka", "Pacific/Johnston", "US/Aleutian"];
/// The long names that are known, by zone and short name.
const LONG_NAMES: [(&str, &str, &str); 17] = [
    ("America/New_York", "EST", "Eastern Standard Time"),
    ("America/New_York", "EDT", "Eastern Daylight Time"),
    ("America/Detroit", "EST", "Eastern Standard Time"),
    ("America/Detroit", "EDT", "Eastern Daylight Time"),
    ("America/Toronto", "EST", "Eastern Standard Time"),
    ("America/Toronto", "EDT", "Eastern Daylight Time"),
    ("America/Chicago", "CST", "Central Standard Time"),
    ("America/Chicago", "CDT", "Central Daylight Time"),
    ("America/Denver", "MST", "Mountain Standard Time"),
    ("America/Denver", "MDT", "Mountain Daylight Time"),
    ("America/Phoenix", "MST", "Mountain Standard Time"),
    ("America/Los_Angeles", "PST", "Pacific Standard Time"),
    ("America/Los_Angeles", "PDT", "Pacific Daylight Time"),
    ("Asia/Kolkata", "IST", "India Standard Time"),
    ("Asia/Tokyo", "JST", "Japan Standard Time"),
    ("UTC", "UTC", "Coordinated Universal Time"),
    ("Etc/UTC", "UTC", "Coordinated Universal Time"),
];
/// Short names that a time in a text may bear, with their hours from Greenwich.
const SHORT_NAMES: [(&str, i32); 13] = [
    ("UTC", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("JST", 9),
    ("CET", 1),
    ("CEST", 2),
];

/// A zone and, where it is none of the database, its short and its long name.
pub(super) struct Place {
    pub(super) zone: TimeZone,
    names: Option<(String, String)>,
}

impl Place {
    /// A zone of the database.
    pub(super) fn of(zone: TimeZone) -> Self {
        Self { zone, names: None }
    }

    /// `TimeZone.getTimeZone`: what is no id is Greenwich.
    pub(super) fn by_id(id: &str) -> Result<Self, Fault> {
        if let Some((id, hours, long)) = FIXED.iter().find(|(known, ..)| *known == id) {
            return Ok(Self { zone: hours_from_greenwich(*hours), names: names(id, long) });
        }
        let greenwich = || Self { zone: TimeZone::UTC, names: names("GMT", "Greenwich Mean Time") };
        if id.starts_with("SystemV/") {
            return Err(Fault::NotUnderstood(format!("time zone {id}")));
        }
        let name = OLD_IDS.iter().find(|(old, _)| *old == id).map_or(id, |(_, name)| name);
        if name == "GMT" || NOT_IN_JAVA.contains(&name) && !name.starts_with("GMT") {
            return Ok(greenwich());
        }
        if let Some(seconds) = id.strip_prefix("GMT").and_then(custom) {
            let minutes = seconds.abs() / 60;
            let sign = if id.starts_with("GMT-") { '-' } else { '+' };
            let label = format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60);
            let zone = Offset::from_seconds(seconds).map(TimeZone::fixed).unwrap_or(TimeZone::UTC);
            return Ok(Self { zone, names: names(&label, &label) });
        }
        // The database takes names in any case, Java does not.
        let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
        Ok(zone.map_or_else(greenwich, Self::of))
    }

    /// The letter `z`.
    pub(super) fn short_name(&self, time: &Zoned) -> Option<String> {
        if let Some((short, _)) = &self.names {
            return Some(short.clone());
        }
        let is_otherwise = self.zone.iana_name().is_some_and(|name| CALLED_OTHERWISE.contains(&name));
        let name = time.strftime("%Z").to_string();
        Some(name).filter(|name| !is_otherwise && name.starts_with(|c: char| c.is_ascii_alphabetic()))
    }

    /// The letters `zzzz`.
    pub(super) fn long_name(&self, time: &Zoned) -> Option<String> {
        if let Some((_, long)) = &self.names {
            return Some(long.clone());
        }
        let (zone, short) = (self.zone.iana_name()?, self.short_name(time)?);
        let found = LONG_NAMES.iter().find(|(name, known, _)| *name == zone && *known == short);
        found.map(|(.., long)| (*long).to_owned())
    }
}

fn names(short: &str, long: &str) -> Option<(String, String)> {
    Some((short.to_owned(), long.to_owned()))
}

fn hours_from_greenwich(hours: i32) -> TimeZone {
    Offset::from_seconds(hours * 3600).map(TimeZone::fixed).unwrap_or(TimeZone::UTC)
}

/// What follows `GMT` in an id that is an offset: `+1`, `-08`, `+130`, `+0130`, `+1:30`.
fn custom(text: &str) -> Option<i32> {
    let (sign, rest) = signed(text)?;
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if rest.len() <= 2 => (rest, "0"),
        None => rest.split_at_checked(rest.len() - 2)?,
    };
    seconds(sign, hours, minutes)
}

fn signed(text: &str) -> Option<(i32, &str)> {
    text.strip_prefix('+').map(|rest| (1, rest)).or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))
}

fn seconds(sign: i32, hours: &str, minutes: &str) -> Option<i32> {
    let number = |text: &str, most: i32| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| is_number && *number <= most)
    };
    Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
}

/// The zone that a text begins with, and what follows, by the letter `z` or `Z`.
pub(super) fn read_general(text: &str) -> Result<Option<(TimeZone, &str)>, Fault> {
    if signed(text).is_some() {
        return Ok(read_iso(text, 2));
    }
    if let Some(rest) = text.strip_prefix("GMT").filter(|rest| signed(rest).is_some()) {
        let end = rest.find(':').map_or(rest.len(), |colon| (colon + 3).min(rest.len()));
        let parts = rest.split_at_checked(end);
        let found = parts.filter(|(offset, _)| offset.contains(':')).and_then(|(offset, rest)| {
            Some((TimeZone::fixed(Offset::from_seconds(custom(offset)?).ok()?), rest))
        });
        return Ok(found);
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let Some((name, rest)) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty()) else {
        return Ok(None);
    };
    let found = SHORT_NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    match found {
        Some((_, hours)) => Ok(Some((hours_from_greenwich(*hours), rest))),
        None if name == "Z" => Ok(None),
        None => Err(Fault::NotUnderstood(format!("time zone {name} in a text"))),
    }
}

/// An offset that a text begins with, and what follows, by so many letters `X`.
pub(super) fn read_iso(text: &str, count: usize) -> Option<(TimeZone, &str)> {
    let (sign, rest) = signed(text)?;
    let (hours, rest) = rest.split_at_checked(2)?;
    let (minutes, rest) = match count {
        1 => ("0", rest),
        2 => rest.split_at_checked(2)?,
        _ => rest.strip_prefix(':')?.split_at_checked(2)?,
    };
    let offset = Offset::from_seconds(seconds(sign, hours, minutes)?).ok()?;
    Some((TimeZone::fixed(offset), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_java() {
        let winter: jiff::Timestamp = "2026-11-06T15:04:05Z".parse().unwrap();
        for (id, minutes, short) in [
            ("PST", -480, Some("PST")),
            ("EST", -300, Some("EST")),
            ("CST", -360, Some("CST")),
            ("IST", 330, Some("IST")),
            ("HST", -600, Some("HST")),
            ("BST", 360, None),
            ("GMT+1", 60, Some("GMT+01:00")),
            ("GMT+01:00", 60, Some("GMT+01:00")),
            ("GMT+100", 60, Some("GMT+01:00")),
            ("GMT-8", -480, Some("GMT-08:00")),
            ("GMT+24", 0, Some("GMT")),
            ("GMT+1:5", 0, Some("GMT")),
            ("UTC+1", 0, Some("GMT")),
            ("+01:00", 0, Some("GMT")),
            ("nosuch", 0, Some("GMT")),
            ("america/new_york", 0, Some("GMT")),
            ("America/New_York", -300, Some("EST")),
            ("UTC", 0, Some("UTC")),
            ("EST5EDT", -300, Some("EST")),
            ("Etc/GMT+8", -480, None),
        ] {
            let place = Place::by_id(id).unwrap();
            let time = winter.to_zoned(place.zone.clone());
            assert_eq!(time.offset().seconds() / 60, minutes, "{id}");
            assert_eq!(place.short_name(&time).as_deref(), short, "{id}");
        }
    }
}
