//! The values a filter compares.
//!
//! The library has a class for each, with rules of equality that are not symmetric. They are kept, because flows rely on what comes out.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use serde_json::Value;

use super::decimal::{Decimal, double_text};
use super::lenient;

/// A value in a filter.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(String),
    /// A list or an object out of a document.
    Json(Value),
    /// A list or an object out of a path, not looked into before it is needed.
    Unparsed(Arc<Literal>),
    Pattern(Regex),
    /// A text in a list that is itself a path: equal to nothing.
    Path,
    /// A path that leads to nothing.
    Undefined,
}

/// JSON in a path, read once for all items that are compared with it.
#[derive(Debug, Default)]
pub(super) struct Literal {
    text: String,
    value: OnceLock<Option<Value>>,
    items: OnceLock<Result<Option<Vec<Node>>, Mismatch>>,
}

impl Literal {
    fn value(&self) -> Result<&Value, Mismatch> {
        let value = self.value.get_or_init(|| lenient::parse(&self.text));
        value.as_ref().ok_or_else(|| Mismatch::Failed(format!("{} is no JSON", self.text)))
    }

    fn items(&self) -> Result<Option<Vec<Node>>, Mismatch> {
        self.items.get_or_init(|| Node::items_of(self.value()?)).clone()
    }
}

/// Why a comparison has no answer.
#[derive(Debug, Clone)]
pub(super) enum Mismatch {
    /// It counts as not fulfilled.
    Unfulfilled,
    /// Reading fails altogether.
    Failed(String),
}

impl Node {
    pub(super) fn number(text: &str) -> Option<Self> {
        Decimal::parse(text).map(Self::Number)
    }

    /// JSON that stands in a path.
    pub(super) fn unparsed(text: String) -> Self {
        Self::Unparsed(Arc::new(Literal { text, ..Literal::default() }))
    }

    /// The node of a value in a document.
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::Number(number) => Self::number(&number_text(&number)).unwrap_or(Self::Undefined),
            Value::String(text) => Self::Text(text),
            json => Self::Json(json),
        }
    }

    /// The node of an item of a list. A text that looks like a path or like JSON counts as one.
    fn of_item(value: &Value) -> Result<Self, Mismatch> {
        match value {
            Value::Array(_) | Value::Object(_) => {
                Err(Mismatch::Failed("lists of lists or objects cannot be compared".to_owned()))
            }
            Value::String(text) => Ok(Self::of_text_item(text)),
            other => Ok(Self::of(other.clone())),
        }
    }

    fn of_text_item(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.starts_with(['@', '$']) && super::JsonPath::parse(trimmed).is_ok() {
            return Self::Path;
        }
        let is_wrapped =
            |open, close| trimmed.len() > 1 && trimmed.starts_with(open) && trimmed.ends_with(close);
        if (is_wrapped('[', ']') || is_wrapped('{', '}')) && lenient::parse(trimmed).is_some() {
            return Self::unparsed(text.to_owned());
        }
        if text.encode_utf16().count() < 2 {
            return Self::Text(text.to_owned());
        }
        let quoted = |quote| text.strip_prefix(quote).and_then(|text: &str| text.strip_suffix(quote));
        let inner = quoted('\'').or_else(|| quoted('"')).unwrap_or(text);
        Self::Text(super::compile::unescape(inner).unwrap_or_else(|_| inner.to_owned()))
    }

    /// About how much there is to compare.
    pub(super) fn size(&self) -> u64 {
        let size = match self {
            Self::Text(text) => 1 + text.len() / 64,
            Self::Unparsed(literal) => 1 + literal.text.len() / 8,
            Self::Pattern(pattern) => 1 + pattern.as_str().len(),
            Self::Json(Value::Array(items)) => 1 + items.len(),
            Self::Json(Value::Object(members)) => 1 + members.len(),
            _ => 1,
        };
        u64::try_from(size).unwrap_or(u64::MAX)
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Unparsed(_))
    }

    /// The list or object behind this node.
    pub(super) fn json(&self) -> Result<Value, Mismatch> {
        match self {
            Self::Json(value) => Ok(value.clone()),
            Self::Unparsed(literal) => literal.value().cloned(),
            _ => Err(Mismatch::Unfulfilled),
        }
    }

    /// The items of a list; nothing if it is an object.
    pub(super) fn items(&self) -> Result<Option<Vec<Self>>, Mismatch> {
        match self {
            Self::Json(value) => Self::items_of(value),
            Self::Unparsed(literal) => literal.items(),
            _ => Err(Mismatch::Unfulfilled),
        }
    }

    fn items_of(value: &Value) -> Result<Option<Vec<Self>>, Mismatch> {
        match value {
            Value::Array(items) => items.iter().map(Self::of_item).collect::<Result<_, _>>().map(Some),
            _ => Ok(None),
        }
    }

    /// Whether both are of the same kind, which `===` asks for.
    pub(super) fn is_same_kind(&self, other: &Self) -> bool {
        (self.is_json() && other.is_json()) || std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Equality of the library, with this node at the left.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Unparsed(left), Self::Unparsed(right)) => left.text == right.text,
            (Self::Text(left), Self::Number(right)) => *left == right.to_text(),
            (Self::Number(left), Self::Number(right)) => left.compare(right).is_eq(),
            (Self::Number(left), Self::Text(right)) => {
                Decimal::parse(right).is_some_and(|right| left.compare(&right).is_eq())
            }
            (Self::Json(left), Self::Json(right)) => left == right,
            (Self::Pattern(left), Self::Pattern(right)) => left.as_str() == right.as_str(),
            _ => false,
        }
    }
}

/// The text of a number as Java prints it.
pub(super) fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(double) if number.is_f64() => double_text(double),
        _ => number.to_string(),
    }
}
