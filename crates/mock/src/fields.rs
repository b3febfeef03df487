//! Reading a body field by field, collecting everything that is wrong.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::answer::Refused;

/// A JSON object under examination. `null` counts as left out, an empty text does not.
pub(super) struct Fields<'a> {
    body: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(body: &'a Map<String, Value>) -> Self {
        Self { body, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// 400 with all problems, if there were any.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Refused> {
        if self.problems.is_empty() { Ok(read) } else { Err(Refused::fields(self.problems)) }
    }

    pub(super) fn required_text(&mut self, name: &str) -> String {
        if self.get(name).is_none() {
            self.problem(format!("{name}: required"));
        }
        self.text(name).unwrap_or_default()
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if !text.trim().is_empty() => return Some(text.clone()),
            Value::String(_) => self.problem(format!("{name}: must not be empty")),
            other => self.problem(format!("{name}: must be a string, not {}", kind(other))),
        }
        None
    }

    pub(super) fn one_of(&mut self, name: &str, allowed: &[&str]) -> Option<String> {
        let text = self.text(name)?;
        if !allowed.contains(&text.as_str()) {
            self.problem(format!("{name}: must be one of {}", allowed.join(", ")));
        }
        Some(text)
    }

    /// UTC with `Z`, at most milliseconds.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let time = utc(&self.text(name)?);
        if time.is_none() {
            self.problem(format!(
                "{name}: must be a UTC time such as 2026-11-21T10:00:00.000Z, milliseconds at most"
            ));
        }
        time
    }

    /// A whole number, not negative.
    pub(super) fn whole(&mut self, name: &str) -> Option<u64> {
        let value = self.get(name)?;
        let whole = value.as_u64();
        if whole.is_none() {
            self.problem(format!("{name}: must be a whole number, 0 or more, not {}", kind(value)));
        }
        whole
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.problem(format!("{name}: must be true or false, not {}", kind(value)));
        }
        flag
    }

    pub(super) fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.get(name) {
            None => return Map::new(),
            Some(Value::Object(object)) => return object.clone(),
            Some(other) => self.problem(format!("{name}: must be an object, not {}", kind(other))),
        }
        Map::new()
    }

    /// `callAttributes`: a string that holds a JSON object.
    pub(super) fn attributes(&mut self) -> Map<String, Value> {
        const NAME: &str = "callAttributes";
        match self.get(NAME) {
            None => return Map::new(),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(Value::Object(attributes)) => return attributes,
                Ok(other) => self.problem(format!("{NAME}: must hold a JSON object, not {}", kind(&other))),
                Err(_) => self.problem(format!("{NAME}: is not JSON")),
            },
            Some(other) => {
                self.problem(format!("{NAME}: must be a string that holds JSON, not {}", kind(other)));
            }
        }
        Map::new()
    }
}

/// What a JSON value is, without saying what it holds.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn utc(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) =
        text.strip_suffix('Z')?.split_once('.').unwrap_or((text.strip_suffix('Z')?, "0"));
    let fraction_fits =
        (1..=3).contains(&fraction.len()) && fraction.bytes().all(|digit| digit.is_ascii_digit());
    if !fraction_fits || seconds.len() != "2026-11-21T10:00:00".len() || !seconds.contains('T') {
        return None;
    }
    seconds.parse::<DateTime>().ok()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_with_a_z_and_milliseconds_at_most() {
        for good in ["2026-11-21T10:00:00Z", "2026-11-21T10:00:00.1Z", "2026-11-21T10:00:00.123Z"] {
            assert!(utc(good).is_some(), "{good}");
        }
        for bad in [
            "2026-11-21T10:00:00.123456Z",
            "2026-11-21T10:00:00.Z",
            "2026-11-21T10:00:00",
            "2026-11-21T10:00:00+00:00",
            "2026-11-21T10:00:00Z[UTC]",
            "2026-11-21 10:00:00Z",
            "2026-11-21t10:00:00Z",
            "2026-11-31T10:00:00Z",
            "20261121T100000Z",
            "1795254000",
            "",
        ] {
            assert!(utc(bad).is_none(), "{bad}");
        }
    }
}
