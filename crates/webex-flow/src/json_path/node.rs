//! The values a filter compares.
//!
//! The library has a class for each, with rules of equality that are not symmetric. They are kept, because flows rely on what comes out.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::decimal::{Decimal, double_text};
use super::evaluate::Failure;
use super::lenient;
use super::pattern::Pattern;
use super::steps::Steps;

/// A value in a filter, borrowed from the document or the path where it stands there.
#[derive(Debug, Clone)]
pub(super) enum Node<'n> {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(Cow<'n, str>),
    /// A list or an object out of a document.
    Json(Cow<'n, Value>),
    /// A list or an object out of a path, not looked into before it is needed.
    Unparsed(Arc<Literal>),
    Pattern(&'n Pattern),
    /// A text in a list that is itself a path: equal to nothing.
    Path,
    /// A path that leads to nothing.
    Undefined,
}

/// A value that stands in a path.
#[derive(Debug, Clone)]
pub(super) enum Constant {
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(String),
    Json(Arc<Literal>),
    Pattern(Box<Pattern>),
}

/// JSON in a path, read once for all items that are compared with it.
#[derive(Debug, Default)]
pub(super) struct Literal {
    text: String,
    value: OnceLock<Option<Value>>,
    items: OnceLock<Result<Option<Vec<Node<'static>>>, String>>,
}

impl Literal {
    fn value(&self) -> Result<&Value, Failure> {
        let value = self.value.get_or_init(|| lenient::parse(&self.text));
        value.as_ref().ok_or_else(|| Failure::Other(format!("{} is no JSON", self.text)))
    }

    fn items(&self, steps: &Steps) -> Result<Option<&[Node<'static>]>, Failure> {
        if self.items.get().is_none() {
            let items = match Node::items_of(self.value()?, steps) {
                Ok(items) => Ok(items.map(|items| items.into_iter().map(Node::into_owned).collect())),
                Err(Failure::Other(reason)) => Err(reason),
                Err(failure) => return Err(failure),
            };
            // Another thread may have been faster, with the same.
            let _ = self.items.set(items);
        }
        match self.items.get() {
            Some(Ok(items)) => Ok(items.as_deref()),
            Some(Err(reason)) => Err(Failure::Other(reason.clone())),
            None => Ok(None),
        }
    }
}

impl Constant {
    pub(super) fn number(text: &str) -> Option<Self> {
        Decimal::parse(text).map(Self::Number)
    }

    /// JSON that stands in a path.
    pub(super) fn json(text: String) -> Self {
        Self::Json(Arc::new(Literal { text, ..Literal::default() }))
    }

    pub(super) fn node(&self) -> Node<'_> {
        match self {
            Self::Null => Node::Null,
            Self::Boolean(value) => Node::Boolean(*value),
            Self::Number(number) => Node::Number(number.clone()),
            Self::Text(text) => Node::Text(Cow::Borrowed(text)),
            Self::Json(literal) => Node::Unparsed(Arc::clone(literal)),
            Self::Pattern(pattern) => Node::Pattern(pattern),
        }
    }
}

impl<'n> Node<'n> {
    /// The node of a value in a document.
    pub(super) fn of(value: Cow<'n, Value>) -> Self {
        match value {
            Cow::Borrowed(value) => Self::of_ref(value),
            Cow::Owned(Value::String(text)) => Self::Text(Cow::Owned(text)),
            Cow::Owned(json @ (Value::Array(_) | Value::Object(_))) => Self::Json(Cow::Owned(json)),
            Cow::Owned(value) => Node::of_ref(&value).into_owned(),
        }
    }

    fn of_ref(value: &'n Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Number(Decimal::Whole(whole)),
                None => Decimal::parse(&number_text(number)).map_or(Self::Undefined, Self::Number),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            json => Self::Json(Cow::Borrowed(json)),
        }
    }

    /// The node of an item of a list. A text that looks like a path or like JSON counts as one.
    fn of_item(value: &'n Value, steps: &Steps) -> Result<Self, Failure> {
        steps.parts(6)?;
        match value {
            Value::Array(_) | Value::Object(_) => {
                Err(Failure::Other("lists of lists or objects cannot be compared".to_owned()))
            }
            Value::String(text) => Self::of_text_item(text, steps),
            Value::Number(number) if number.is_f64() => {
                steps.charge(8)?;
                Ok(Self::of_ref(value))
            }
            other => Ok(Self::of_ref(other)),
        }
    }

    fn of_text_item(text: &'n str, steps: &Steps) -> Result<Self, Failure> {
        steps.each(4 + text.len() / 16)?;
        let is_plain = |first: &u8| first.is_ascii_graphic() && !b"@$[{'\"".contains(first);
        if text.as_bytes().first().is_some_and(is_plain) && !text.as_bytes().contains(&b'\\') {
            return Ok(Self::Text(Cow::Borrowed(text)));
        }
        let trimmed = text.trim();
        if trimmed.starts_with(['@', '$']) {
            steps.each(super::effort(trimmed))?;
            if super::JsonPath::is_path(trimmed) {
                return Ok(Self::Path);
            }
        }
        let is_wrapped =
            |open, close| trimmed.len() > 1 && trimmed.starts_with(open) && trimmed.ends_with(close);
        if is_wrapped('[', ']') || is_wrapped('{', '}') {
            steps.each(trimmed.len().saturating_mul(32))?;
            if lenient::parse(trimmed).is_some() {
                let literal = Literal { text: text.to_owned(), ..Literal::default() };
                return Ok(Self::Unparsed(Arc::new(literal)));
            }
        }
        if text.len() < 2 || text.encode_utf16().take(2).count() < 2 {
            return Ok(Self::Text(Cow::Borrowed(text)));
        }
        let quoted = |quote| text.strip_prefix(quote).and_then(|text: &str| text.strip_suffix(quote));
        let inner = quoted('\'').or_else(|| quoted('"')).unwrap_or(text);
        if !inner.contains('\\') {
            return Ok(Self::Text(Cow::Borrowed(inner)));
        }
        steps.each(inner.len().saturating_mul(2))?;
        Ok(Self::Text(Cow::Owned(super::compile::unescape(inner).unwrap_or_else(|_| inner.to_owned()))))
    }

    /// The node without what it borrows. A pattern is no item of a list, nor what a path leads to.
    fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Boolean(value) => Node::Boolean(value),
            Self::Number(number) => Node::Number(number),
            Self::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Self::Json(json) => Node::Json(Cow::Owned(json.into_owned())),
            Self::Unparsed(literal) => Node::Unparsed(literal),
            Self::Path => Node::Path,
            Self::Pattern(_) | Self::Undefined => Node::Undefined,
        }
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Unparsed(_))
    }

    /// The list or object behind this node; none where it is neither.
    pub(super) fn json(&self) -> Result<Option<&Value>, Failure> {
        match self {
            Self::Json(value) => Ok(Some(value)),
            Self::Unparsed(literal) => literal.value().map(Some),
            _ => Ok(None),
        }
    }

    /// The items of a list; nothing if it is an object.
    ///
    /// # Errors
    /// It is neither, or its items cannot be compared.
    pub(super) fn items(&self, steps: &Steps) -> Result<Option<Cow<'_, [Node<'_>]>>, Failure> {
        match self {
            Self::Json(value) => Ok(Node::items_of(value, steps)?.map(Cow::Owned)),
            Self::Unparsed(literal) => Ok(literal.items(steps)?.map(Cow::Borrowed)),
            _ => Err(Failure::unfulfilled()),
        }
    }

    fn items_of(value: &'n Value, steps: &Steps) -> Result<Option<Vec<Self>>, Failure> {
        match value {
            Value::Array(items) => {
                items.iter().map(|item| Self::of_item(item, steps)).collect::<Result<_, _>>().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether both are of the same kind, which `===` asks for.
    pub(super) fn is_same_kind(&self, other: &Self) -> bool {
        (self.is_json() && other.is_json()) || std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Equality of the library, with this node at the left.
    pub(super) fn equals(&self, other: &Node<'_>, steps: &Steps) -> Result<bool, Failure> {
        steps.parts(2)?;
        Ok(match (self, other) {
            (Self::Null, Node::Null) => true,
            (Self::Boolean(left), Node::Boolean(right)) => left == right,
            (Self::Text(left), Node::Text(right)) => is_same_text(left, right, steps)?,
            (Self::Unparsed(left), Node::Unparsed(right)) => is_same_text(&left.text, &right.text, steps)?,
            (Self::Text(left), Node::Number(right)) => {
                steps.charge(2)?;
                *left == right.to_text()
            }
            (Self::Number(left), Node::Number(right)) => left.compare(right).is_eq(),
            (Self::Number(left), Node::Text(right)) if Decimal::may_be(right) => {
                steps.charge(4)?;
                steps.each(right.len())?;
                Decimal::parse(right).is_some_and(|right| left.compare(&right).is_eq())
            }
            (Self::Json(left), Node::Json(right)) => is_same_json(left, right, steps)?,
            (Self::Pattern(left), Node::Pattern(right)) => left.is_same(right),
            _ => false,
        })
    }
}

fn is_same_text(left: &str, right: &str, steps: &Steps) -> Result<bool, Failure> {
    if left.len() != right.len() {
        return Ok(false);
    }
    steps.each(left.len() / 64)?;
    Ok(left == right)
}

/// Whether two lists or objects hold the same.
pub(super) fn is_same_json(left: &Value, right: &Value, steps: &Steps) -> Result<bool, Failure> {
    steps.copy(left)?;
    Ok(left == right)
}

/// The text of a number as Java prints it.
pub(super) fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        Some(double) if number.is_f64() => double_text(double),
        _ => number.to_string(),
    }
}
