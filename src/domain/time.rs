//! Times as flows write them.

use std::fmt;

use jiff::Timestamp;

/// A moment that a flow named, to the millisecond. Displays as Salesforce takes it: `2026-11-21T10:00:00.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowTime(Timestamp);

/// What is wrong with a time, in words that follow `field: `.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// Neither RFC 3339 nor an epoch.
    #[error(
        "is no time: expected RFC 3339 with an offset, such as 2026-11-21T10:00:00.123Z, or epoch seconds or milliseconds"
    )]
    Unreadable,
    /// A number too small or too large to be the time of a call.
    #[error(
        "is no plausible epoch: expected seconds or milliseconds since 1970, between the years 2001 and 2100"
    )]
    Implausible,
}

/// 2001-09-09, the first moment with ten digits of epoch seconds, and 2100-01-01.
pub const EPOCH_SECONDS: std::ops::Range<i64> = 1_000_000_000..4_102_444_800;

impl FlowTime {
    /// Keeps `at` to the millisecond.
    pub fn new(at: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
    }

    /// RFC 3339 with 0 to 9 digits of a fraction and any offset, also with a suffix such as `[UTC]`, which
    /// `now()` of a Webex flow appends; or an epoch in digits.
    ///
    /// # Errors
    /// When it is neither, or no such moment exists.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if digits {
            return text.parse().map_err(|_| InvalidTime::Implausible).and_then(Self::from_epoch);
        }
        let plain = match text.split_once('[') {
            Some((before, suffix)) if suffix.ends_with(']') => before,
            _ => text,
        };
        plain.parse().map(Self::new).map_err(|_| InvalidTime::Unreadable)
    }

    /// An epoch in seconds or milliseconds, distinguished by size.
    ///
    /// # Errors
    /// When it is outside the years 2001 to 2100 in both units.
    pub fn from_epoch(epoch: f64) -> Result<Self, InvalidTime> {
        let milliseconds = if epoch.abs() < 100_000_000_000.0 { epoch * 1000.0 } else { epoch };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float cast saturates, and the range is checked next"
        )]
        let milliseconds = milliseconds as i64;
        if !EPOCH_SECONDS.contains(&(milliseconds / 1000)) {
            return Err(InvalidTime::Implausible);
        }
        Timestamp::from_millisecond(milliseconds).map(Self).map_err(|_| InvalidTime::Implausible)
    }

    /// The moment itself.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for FlowTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl serde::Serialize for FlowTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_moment_reads_as_the_same_moment() {
        for text in [
            "2026-11-21T10:00:00.123Z",
            "2026-11-21T10:00:00.123Z[UTC]",
            "2026-11-21T11:00:00.123456789+01:00",
            "2026-11-21T11:00:00.123+01:00[Europe/Berlin]",
            "2026-11-21t10:00:00.123z",
            "2026-11-21T04:30:00.1239-05:30",
            "1795255200123",
            "1795255200.123",
        ] {
            assert_eq!(FlowTime::parse(text).unwrap().to_string(), "2026-11-21T10:00:00.123Z", "{text}");
        }
        for text in ["2026-11-21T10:00:00Z", "1795255200", " 2026-11-21T10:00:00Z "] {
            assert_eq!(FlowTime::parse(text).unwrap().to_string(), "2026-11-21T10:00:00.000Z", "{text}");
        }
    }

    #[test]
    fn a_moment_that_does_not_exist_is_refused() {
        for text in [
            "2026-02-30T10:00:00Z",
            "2026-11-21T25:00:00Z",
            "2026-11-21",
            "now()",
            "",
            "2026-11-21T10:00:00",
            "[UTC]",
        ] {
            assert_eq!(FlowTime::parse(text), Err(InvalidTime::Unreadable), "{text}");
        }
        for text in ["12", "0", "99999999999999999", "1.2.3", "."] {
            assert_eq!(FlowTime::parse(text), Err(InvalidTime::Implausible), "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(FlowTime::from_epoch(number), Err(InvalidTime::Implausible));
        }
    }
}
