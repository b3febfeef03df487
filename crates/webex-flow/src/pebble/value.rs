//! Values as Java sees them: what they print as, and which of them are equal.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem::discriminant;
use std::rc::Rc;

use jiff::Zoned;
use serde_json::Value as Json;

/// A value of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// `Integer`: what a document holds and 32 bits can.
    Int(i32),
    /// `Long`: literals, and larger numbers of a document.
    Long(i64),
    Double(f64),
    Text(Rc<str>),
    /// `SafeString`: what was escaped or formatted. It is no text for filters and conditions.
    Safe(Rc<str>),
    /// `Character`: the first or last of a text.
    Char(char),
    /// Filters such as `sort` change the list itself, and so every variable that holds it.
    List(Rc<RefCell<Vec<Value>>>),
    /// `String[]`: what a text was split into. Java adds nothing to it.
    Array(Rc<Vec<Value>>),
    Map(Rc<Vec<(Value, Value)>>),
    /// `Map.Entry`: what `for` takes out of a map.
    Entry(Rc<(Value, Value)>),
    /// `ZonedDateTime`.
    Time(Rc<Zoned>),
}

impl Value {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    /// Shows the items of a list or of what a text was split into; none where it is neither.
    pub(super) fn with_items<T>(&self, see: impl FnOnce(&[Self]) -> T) -> Option<T> {
        match self {
            Self::List(items) => Some(see(&items.borrow())),
            Self::Array(items) => Some(see(items)),
            _ => None,
        }
    }

    /// A copy of the items of a list or of what a text was split into: what is done with each may change the list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.borrow().clone()),
            Self::Array(items) => Some(items.to_vec()),
            _ => None,
        }
    }

    /// What messages call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Long(_) => "a whole number",
            Self::Double(_) => "a number",
            Self::Text(_) => "text",
            Self::Safe(_) => "escaped or formatted text",
            Self::Char(_) => "a single character",
            Self::List(_) => "a list",
            Self::Array(_) => "a list of parts of a text",
            Self::Map(_) => "a map",
            Self::Entry(_) => "an entry of a map",
            Self::Time(_) => "a time",
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As an operator of conditions takes it; none where it takes no such value.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::Null => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Int(number) => Some(*number != 0),
            Self::Long(number) => Some(*number != 0),
            Self::Double(number) => Some(*number != 0.0),
            Self::Text(text) => Some(!text.is_empty()),
            _ => None,
        }
    }

    /// `Object.equals`: numbers of different types are never equal.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Long(left), Self::Long(right)) => left == right,
            (Self::Double(left), Self::Double(right)) => left.to_bits() == right.to_bits(),
            (Self::Text(left), Self::Text(right)) | (Self::Safe(left), Self::Safe(right)) => left == right,
            (Self::Char(left), Self::Char(right)) => left == right,
            (Self::Time(left), Self::Time(right)) => left == right,
            (Self::List(left), Self::List(right)) => {
                let (left, right) = (left.borrow(), right.borrow());
                left.len() == right.len() && left.iter().zip(right.iter()).all(|(one, two)| one.is_same(two))
            }
            (Self::Map(left), Self::Map(right)) => left.len() == right.len() && is_same_map(left, right),
            (Self::Entry(left), Self::Entry(right)) => left.0.is_same(&right.0) && left.1.is_same(&right.1),
            _ => false,
        }
    }

    /// `Object.hashCode`, for the order of a map that an expression makes.
    pub(super) fn java_hash(&self) -> i32 {
        match self {
            Self::Int(number) => *number,
            Self::Long(number) => fold(number.cast_unsigned()),
            Self::Double(number) => fold(number.to_bits()),
            Self::Bool(value) => {
                if *value {
                    1231
                } else {
                    1237
                }
            }
            Self::Text(text) | Self::Safe(text) => text
                .encode_utf16()
                .fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit))),
            Self::Char(character) => (*character as u32).cast_signed(),
            Self::Null | Self::List(_) | Self::Array(_) | Self::Map(_) | Self::Entry(_) | Self::Time(_) => 0,
        }
    }

    /// A map in the order of Java's `HashMap` of at least so many places.
    pub(super) fn hash_map(pairs: Vec<(Self, Self)>, least: usize) -> Self {
        let mut kept: Vec<(Self, Self)> = Vec::new();
        let mut known = Places::default();
        for (key, value) in pairs {
            match known.find_or_add(&kept, &key).and_then(|at| kept.get_mut(at)) {
                Some(pair) => pair.1 = value,
                None => kept.push((key, value)),
            }
        }
        let mut places = least.max(16).next_power_of_two();
        while kept.len() > places / 4 * 3 {
            places *= 2;
        }
        let place = |key: &Self| {
            let hash = key.java_hash().cast_unsigned();
            (hash ^ (hash >> 16)) as usize & (places - 1)
        };
        kept.sort_by_cached_key(|(key, _)| place(key));
        Self::Map(Rc::new(kept))
    }

    /// As JSON, for the filter `json`.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => Json::from(*number),
            Self::Long(number) => Json::from(*number),
            Self::Double(number) => Json::from(*number),
            Self::List(items) => Json::Array(items.borrow().iter().map(Self::to_json).collect()),
            Self::Array(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(pairs) => {
                Json::Object(pairs.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect())
            }
            Self::Entry(pair) => Json::Object([(pair.0.to_string(), pair.1.to_json())].into_iter().collect()),
            Self::Text(_) | Self::Safe(_) | Self::Char(_) | Self::Time(_) => Json::String(self.to_string()),
        }
    }
}

/// Where the keys of a map are, by what they hold: looking at each of them for each would take too long.
#[derive(Default)]
struct Places(HashMap<u64, Vec<usize>>);

impl Places {
    fn add(&mut self, key: &Value, at: usize) {
        self.0.entry(content(key)).or_default().push(at);
    }

    /// Where the key is; where it is not, it is the next one from now on.
    fn find_or_add(&mut self, pairs: &[(Value, Value)], key: &Value) -> Option<usize> {
        let places = self.0.entry(content(key)).or_default();
        let is_it = |at: &usize| pairs.get(*at).is_some_and(|(known, _)| known.is_same(key));
        let found = places.iter().copied().find(is_it);
        if found.is_none() {
            places.push(pairs.len());
        }
        found
    }

    fn find(&self, pairs: &[(Value, Value)], key: &Value) -> Option<usize> {
        let mut places = self.0.get(&content(key))?.iter().copied();
        places.find(|at| pairs.get(*at).is_some_and(|(known, _)| known.is_same(key)))
    }
}

/// The same for values that are the same, and hardly ever for others.
fn content(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(value, &mut hasher);
    hasher.finish()
}

fn feed(value: &Value, hasher: &mut DefaultHasher) {
    discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(hasher),
        Value::Int(number) => number.hash(hasher),
        Value::Long(number) => number.hash(hasher),
        Value::Double(number) => number.to_bits().hash(hasher),
        Value::Text(text) | Value::Safe(text) => text.hash(hasher),
        Value::Char(character) => character.hash(hasher),
        Value::List(items) => items.borrow().iter().for_each(|item| feed(item, hasher)),
        Value::Array(items) => items.iter().for_each(|item| feed(item, hasher)),
        // Two maps are the same in any order.
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| content(key) ^ content(value).rotate_left(1))
            .fold(0_u64, u64::wrapping_add)
            .hash(hasher),
        Value::Entry(pair) => {
            feed(&pair.0, hasher);
            feed(&pair.1, hasher);
        }
        Value::Time(time) => time.timestamp().as_nanosecond().hash(hasher),
    }
}

/// Two maps with as many keys, mostly in the same order.
fn is_same_map(left: &[(Value, Value)], right: &[(Value, Value)]) -> bool {
    if left.iter().zip(right).all(|(one, two)| one.0.is_same(&two.0)) {
        return left.iter().zip(right).all(|(one, two)| one.1.is_same(&two.1));
    }
    let mut places = Places::default();
    right.iter().enumerate().for_each(|(at, (key, _))| places.add(key, at));
    left.iter().all(|(key, value)| {
        let other = places.find(right, key).and_then(|at| right.get(at));
        other.is_some_and(|(_, other)| other.is_same(value))
    })
}

/// Both halves of a `long`.
fn fold(bits: u64) -> i32 {
    let folded = (bits ^ (bits >> 32)) & u64::from(u32::MAX);
    u32::try_from(folded).unwrap_or_default().cast_signed()
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => i32::try_from(whole).map_or(Self::Long(whole), Self::Int),
                None => Self::Double(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Self::text(text.as_str()),
            Json::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Json::Object(members) => Self::Map(Rc::new(
                members.iter().map(|(key, value)| (Self::text(key.as_str()), Self::from(value))).collect(),
            )),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Long(number) => number.fmt(f),
            Self::Double(number) => f.write_str(&double(*number)),
            Self::Text(text) | Self::Safe(text) => f.write_str(text),
            Self::Char(character) => character.fmt(f),
            Self::List(items) => print(f, &items.borrow()),
            // Java prints its address instead, which is of no use to anybody.
            Self::Array(items) => print(f, items),
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}={value}")?;
                }
                f.write_str("}")
            }
            Self::Entry(pair) => write!(f, "{}={}", pair.0, pair.1),
            // As Java prints it: milliseconds only where there are any.
            Self::Time(time) => {
                let date = time.strftime("%Y-%m-%dT%H:%M:%S");
                let fraction = match time.millisecond() {
                    0 => String::new(),
                    milliseconds => format!(".{milliseconds:03}"),
                };
                let zone = time.time_zone().iana_name().unwrap_or("UTC");
                let offset =
                    if time.offset().is_zero() { "Z".to_owned() } else { time.strftime("%:z").to_string() };
                write!(f, "{date}{fraction}{offset}[{zone}]")
            }
        }
    }
}

fn print(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_str("]")
}

/// `Double.toString`.
fn double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = number.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (number, text) in [
            (2.5, "2.5"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e7, "1.0E7"),
            (1_764_118_800_120.5, "1.7641188001205E12"),
            (0.0001, "1.0E-4"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(double(number), text);
        }
    }

    #[test]
    fn a_map_that_an_expression_makes_has_the_order_of_javas() {
        let pair = |key: &str| (Value::text(key), Value::text("x"));
        let map = Value::hash_map(vec![pair("5"), pair("+1"), pair("a")], 0);
        assert_eq!(map.to_string(), "{a=x, 5=x, +1=x}");
    }
}
