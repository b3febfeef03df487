//! Walks a document along a path.

use std::borrow::Cow;
use std::cell::Cell;

use serde_json::Value;

use super::ReadError;
use super::filter::{Expression, Operand};
use super::function;
use super::node::Node;
use super::steps::Steps;
use super::token::{CompiledPath, Slice, Token};

/// How deep a reading may go, in tokens, filters and levels of a document together.
const MAX_DEPTH: usize = 300;

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum Failure {
    NotFound,
    /// The path is wrong in a way that only shows now. In a filter it counts as not fulfilled.
    Invalid(String),
    /// An index that does not exist. It is forgiven where an index leads to it.
    OutOfBounds,
    Other(String),
    TooManySteps,
}

impl Failure {
    /// A filter does not fit a value: it counts as not fulfilled.
    pub(super) fn unfulfilled() -> Self {
        Self::Invalid("the filter does not fit the value".to_owned())
    }

    pub(super) fn into_error(self) -> ReadError {
        match self {
            Self::NotFound => ReadError::NotFound,
            Self::TooManySteps => ReadError::TooManySteps,
            Self::Invalid(reason) | Self::Other(reason) => ReadError::NotApplicable { reason },
            Self::OutOfBounds => ReadError::NotApplicable { reason: "the list has no such item".to_owned() },
        }
    }
}

/// What a path leads to, borrowed from the document where it stands there.
pub(super) enum Found<'v> {
    One(Cow<'v, Value>),
    Many(Vec<Cow<'v, Value>>),
}

/// One reading of a document.
pub(super) struct Evaluation<'a> {
    root: &'a Value,
    steps: Steps,
    depth: Cell<usize>,
    /// Whether every name has to exist, as a question for existence wants.
    strict: Cell<bool>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root, steps: Steps::new(), depth: Cell::new(0), strict: Cell::new(false) }
    }

    pub(super) fn root(&self) -> &'a Value {
        self.root
    }

    pub(super) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// What a path leads to, beginning at `document`.
    pub(super) fn value<'v>(&self, path: &CompiledPath, document: &'v Value) -> Result<Found<'v>, Failure> {
        self.value_with(path, path.is_definite(), document)
    }

    /// As [`Self::value`], where another path tells whether it is one value.
    pub(super) fn value_with<'v>(
        &self,
        path: &CompiledPath,
        is_definite: bool,
        document: &'v Value,
    ) -> Result<Found<'v>, Failure> {
        if path.is_plain() {
            return Ok(Found::One(Cow::Borrowed(self.follow(path, document)?)));
        }
        let mut found = Vec::new();
        self.walk(path, 0, document, &mut found)?;
        // A function adds its result behind what was found before it.
        if is_definite {
            found.pop().map(Found::One).ok_or(Failure::NotFound)
        } else {
            Ok(Found::Many(found))
        }
    }

    /// What a path of single names and indexes leads to: what most paths are goes without a list of what was found.
    fn follow<'v>(&self, path: &CompiledPath, document: &'v Value) -> Result<&'v Value, Failure> {
        self.steps.charge(1)?;
        let mut value = document;
        for token in &path.tokens {
            self.steps.charge(1)?;
            let next = match (token, value) {
                (Token::Properties(names), Value::Object(members)) => {
                    let name = names.first().map_or("", String::as_str);
                    self.steps.each(name.len() / 16)?;
                    members.get(name)
                }
                (Token::Indexes(indexes), Value::Array(items)) => {
                    indexes.first().and_then(|index| items.get(place(i64::from(*index), items.len())?))
                }
                _ => None,
            };
            value = next.ok_or(Failure::NotFound)?;
        }
        Ok(value)
    }

    /// As one value: many are a list.
    pub(super) fn joined<'v>(&self, found: Found<'v>) -> Result<Cow<'v, Value>, Failure> {
        match found {
            Found::One(value) => Ok(value),
            Found::Many(values) => {
                let values: Result<Vec<Value>, Failure> =
                    values.into_iter().map(|value| self.owned(Found::One(value))).collect();
                Ok(Cow::Owned(Value::Array(values?)))
            }
        }
    }

    /// A copy of what stands in the document.
    pub(super) fn owned(&self, found: Found<'_>) -> Result<Value, Failure> {
        match self.joined(found)? {
            Cow::Owned(value) => Ok(value),
            Cow::Borrowed(value) => {
                self.steps.copy(value)?;
                Ok(value.clone())
            }
        }
    }

    fn deeper<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.steps.charge(1)?;
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(Failure::TooManySteps);
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }

    fn add<'v>(&self, value: Cow<'v, Value>, found: &mut Vec<Cow<'v, Value>>) -> Result<(), Failure> {
        self.steps.parts(4)?;
        found.push(value);
        Ok(())
    }

    /// Evaluates the token at `index` on `model`; a path without tokens leads to the model itself.
    fn walk<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        model: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        self.deeper(|| match path.tokens.get(index) {
            None => self.add(Cow::Borrowed(model), found),
            Some(Token::Properties(names)) => self.properties(path, index, names, model, found),
            Some(Token::Indexes(indexes)) => {
                let Some(items) = list(path, index, model)? else {
                    return Ok(());
                };
                indexes.iter().try_for_each(|item| self.item(path, index, items, i64::from(*item), found))
            }
            Some(Token::Slice(slice)) => {
                let Some(items) = list(path, index, model)? else {
                    return Ok(());
                };
                let (from, to) = bounds(*slice, items.len());
                (from..to).try_for_each(|item| self.item(path, index, items, item, found))
            }
            Some(Token::Wildcard) => self.wildcard(path, index, model, found),
            Some(Token::Scan) => match path.tokens.get(index + 1) {
                Some(target) => self.scan(path, index + 1, target, model, found),
                None => Err(Failure::Other("nothing follows '..'".to_owned())),
            },
            Some(Token::Filter(expression)) => self.filter(path, index, expression, model, found),
            Some(Token::Call(call)) => {
                let result = function::call(call, model, self)?;
                let mut behind = Vec::new();
                if !path.is_leaf(index) {
                    self.walk(path, index + 1, &result, &mut behind)?;
                }
                let behind: Result<Vec<Value>, Failure> =
                    behind.into_iter().map(|value| self.owned(Found::One(value))).collect();
                let behind = behind?;
                self.add(Cow::Owned(result), found)?;
                found.extend(behind.into_iter().map(Cow::Owned));
                Ok(())
            }
        })
    }

    /// Goes on behind the token at `index`.
    fn next<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        value: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        if path.is_leaf(index) {
            self.add(Cow::Borrowed(value), found)
        } else {
            self.walk(path, index + 1, value, found)
        }
    }

    fn item<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        items: &'v [Value],
        item: i64,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        self.steps.charge(1)?;
        let Some(value) = place(item, items.len()).and_then(|place| items.get(place)) else {
            return Ok(());
        };
        match self.next(path, index, value, found) {
            Err(Failure::OutOfBounds) => Ok(()),
            result => result,
        }
    }

    fn properties<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        names: &[String],
        model: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        let Value::Object(members) = model else {
            return if path.is_upstream_definite(index) { Err(Failure::NotFound) } else { Ok(()) };
        };
        // The names are looked for one by one.
        self.steps.each(names.iter().map(|name| 4 + name.len() / 16).sum())?;
        if names.len() > 1 && path.is_leaf(index) {
            let mut merged = serde_json::Map::new();
            for name in names {
                match members.get(name) {
                    Some(value) => {
                        self.steps.charge(2)?;
                        self.steps.copy(value)?;
                        merged.insert(name.clone(), value.clone());
                    }
                    None if self.strict.get() => return Err(Failure::NotFound),
                    None => {}
                }
            }
            return self.add(Cow::Owned(Value::Object(merged)), found);
        }
        for name in names {
            match members.get(name) {
                Some(value) => self.next(path, index, value, found)?,
                None if self.is_missing_forgiven(path, index) => {}
                None => return Err(Failure::NotFound),
            }
        }
        Ok(())
    }

    /// A missing name at the end is no failure by itself; before the end it is one where the path points to one value.
    fn is_missing_forgiven(&self, path: &CompiledPath, index: usize) -> bool {
        if self.strict.get() {
            return false;
        }
        path.is_leaf(index) || !(path.is_upstream_definite(index) && path.is_token_definite(index))
    }

    fn wildcard<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        model: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        match model {
            Value::Object(members) => {
                members.values().try_for_each(|value| self.next(path, index, value, found))
            }
            Value::Array(items) => (0_i64..).zip(items).try_for_each(|(item, _)| {
                match self.item(path, index, items, item, found) {
                    Err(Failure::NotFound) if !self.strict.get() => Ok(()),
                    result => result,
                }
            }),
            _ => Ok(()),
        }
    }

    fn filter<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        expression: &Expression,
        model: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        match model {
            Value::Object(_) => {
                if self.accepts(expression, model)? {
                    self.next(path, index, model, found)
                } else {
                    Ok(())
                }
            }
            Value::Array(items) => (0_i64..).zip(items).try_for_each(|(item, value)| {
                if self.accepts(expression, value)? {
                    self.item(path, index, items, item, found)
                } else {
                    Ok(())
                }
            }),
            _ if path.is_upstream_definite(index) => {
                Err(Failure::Invalid("a filter cannot be applied to a simple value".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Evaluates `target`, which is at `index`, on the model and all that is in it.
    fn scan<'v>(
        &self,
        path: &CompiledPath,
        index: usize,
        target: &Token,
        model: &'v Value,
        found: &mut Vec<Cow<'v, Value>>,
    ) -> Result<(), Failure> {
        let is_match = match (target, model) {
            (_, Value::Object(_) | Value::Array(_)) => self.scan_matches(path, index, target, model)?,
            _ => return Ok(()),
        };
        self.deeper(|| match model {
            Value::Array(items) => {
                self.steps.each(items.len())?;
                if is_match && path.is_leaf(index) {
                    self.walk(path, index, model, found)?;
                } else if is_match {
                    // The library goes on with every item, whichever the target asks for.
                    items.iter().try_for_each(|item| self.walk(path, index + 1, item, found))?;
                }
                items.iter().try_for_each(|item| self.scan(path, index, target, item, found))
            }
            Value::Object(members) => {
                self.steps.each(members.len())?;
                if is_match {
                    self.walk(path, index, model, found)?;
                }
                members.values().try_for_each(|member| self.scan(path, index, target, member, found))
            }
            _ => Ok(()),
        })
    }

    fn scan_matches(
        &self,
        path: &CompiledPath,
        index: usize,
        target: &Token,
        model: &Value,
    ) -> Result<bool, Failure> {
        match target {
            Token::Properties(names) => {
                self.steps.each(names.iter().map(|name| 2 + name.len() / 16).sum())?;
                Ok(model.as_object().is_some_and(|members| {
                    self.strict.get()
                        || !path.is_token_definite(index)
                        || names.iter().all(|name| members.contains_key(name))
                }))
            }
            Token::Indexes(_) | Token::Slice(_) => Ok(model.is_array()),
            Token::Wildcard => Ok(true),
            Token::Filter(expression) => self.accepts(expression, model),
            Token::Scan | Token::Call(_) => Ok(false),
        }
    }

    /// Whether a filter is fulfilled by an item. What does not fit counts as not fulfilled.
    fn accepts(&self, expression: &Expression, item: &Value) -> Result<bool, Failure> {
        match self.apply(expression, item) {
            Err(Failure::Invalid(_)) => Ok(false),
            result => result,
        }
    }

    fn apply(&self, expression: &Expression, item: &Value) -> Result<bool, Failure> {
        self.deeper(|| match expression {
            Expression::Or(parts) => {
                for part in parts {
                    if self.apply(part, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expression::And(parts) => {
                for part in parts {
                    if !self.apply(part, item)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expression::Not(part) => self.apply(part, item).map(|fulfilled| !fulfilled),
            Expression::Exists { path, expected } => Ok(self.exists(path, item)? == *expected),
            Expression::Relation { left, operator, right } => {
                let left = self.operand(left, item)?;
                let right = self.operand(right, item)?;
                self.steps.parts(2)?;
                operator.apply(&left, &right, &self.steps)
            }
        })
    }

    /// Even a path from the root is asked of the item here: the library does so.
    fn exists(&self, path: &CompiledPath, item: &Value) -> Result<bool, Failure> {
        let before = self.strict.replace(true);
        let result = self.value(path, item);
        self.strict.set(before);
        match result {
            Ok(_) => Ok(true),
            Err(Failure::NotFound) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn operand<'n>(&'n self, operand: &'n Operand, item: &'n Value) -> Result<Node<'n>, Failure> {
        match operand {
            Operand::Literal(constant) => Ok(constant.node()),
            Operand::Path(path, _) => {
                let document = if path.is_root { self.root } else { item };
                match self.value(path, document) {
                    Ok(found) => Ok(Node::of(self.joined(found)?)),
                    Err(Failure::NotFound) => Ok(Node::Undefined),
                    Err(failure) => Err(failure),
                }
            }
        }
    }
}

/// The list that an index or a slice needs; nothing where another kind of value is skipped.
fn list<'v>(path: &CompiledPath, index: usize, model: &'v Value) -> Result<Option<&'v [Value]>, Failure> {
    match model {
        Value::Array(items) => Ok(Some(items)),
        _ if path.is_upstream_definite(index) => Err(Failure::NotFound),
        _ => Ok(None),
    }
}

/// Where an index points to, counted from the end where it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { length + index } else { index }).ok()
}

/// The first index of a slice and the one behind its last. A negative index stays one: it counts from the end.
fn bounds(slice: Slice, length: usize) -> (i64, i64) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i32| if index < 0 { length + i64::from(index) } else { i64::from(index) };
    match slice {
        Slice::From(from) => (from_end(from).max(0), length),
        Slice::To(to) => (0, from_end(to).min(length)),
        // Indexes before the first item lead to nothing and are not tried.
        Slice::Between(from, to) => (i64::from(from).max(-length), i64::from(to).min(length)),
    }
}
