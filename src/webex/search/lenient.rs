//! Values of Search as they come: numbers as text, or with a fraction; objects that are null. What cannot be read is
//! not there; it takes nothing else with it.

use jiff::Timestamp;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::phone::PhoneNumber;

/// What can be read as such.
pub(super) fn any<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// Not negative: where Webex does not know a number, it may say -1. A fraction is rounded.
pub(super) fn count<'de, D: Deserializer<'de>, N: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<N>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    };
    Ok(number.and_then(|number| N::try_from(number).ok()))
}

fn whole(number: f64) -> Option<u64> {
    // Far more than any count or any millisecond of Webex, and exact in either type.
    const MOST: f64 = 9e15;
    let fits = (0.0..MOST).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between both bounds"
    )]
    let whole = fits.then(|| number.round() as u64);
    whole
}

pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    // Nothing that Webex tells of ended in 1970.
    let millisecond = count::<D, i64>(deserializer)?.filter(|millisecond| *millisecond > 0);
    Ok(millisecond.and_then(|millisecond| Timestamp::from_millisecond(millisecond).ok()))
}

pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PhoneNumber>, D::Error> {
    Ok(text(deserializer)?.map(PhoneNumber::new))
}
