//! Walks a document along a path.

use std::cell::Cell;

use serde_json::Value;

use super::ReadError;
use super::filter::{Expression, Operand};
use super::function;
use super::node::{Mismatch, Node};
use super::token::{CompiledPath, Slice, Token};

/// How many steps one reading may take; copying a value counts as many steps as it has parts.
const MAX_STEPS: u64 = 100_000;
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
    pub(super) fn into_error(self) -> ReadError {
        match self {
            Self::NotFound => ReadError::NotFound,
            Self::TooManySteps => ReadError::TooManySteps,
            Self::Invalid(reason) | Self::Other(reason) => ReadError::NotApplicable { reason },
            Self::OutOfBounds => ReadError::NotApplicable { reason: "the list has no such item".to_owned() },
        }
    }
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Unfulfilled => Self::Invalid("the filter does not fit the value".to_owned()),
            Mismatch::Failed(reason) => Self::Other(reason),
        }
    }
}

/// One reading of a document.
pub(super) struct Evaluation<'a> {
    root: &'a Value,
    steps: Cell<u64>,
    depth: Cell<usize>,
    /// Whether every name has to exist, as a question for existence wants.
    strict: Cell<bool>,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root, steps: Cell::new(MAX_STEPS), depth: Cell::new(0), strict: Cell::new(false) }
    }

    pub(super) fn root(&self) -> &'a Value {
        self.root
    }

    /// What a path leads to, beginning at `document`.
    pub(super) fn value(&self, path: &CompiledPath, document: &Value) -> Result<Value, Failure> {
        self.value_with(path, path.is_definite(), document)
    }

    /// As [`Self::value`], where another path tells whether it is one value.
    pub(super) fn value_with(
        &self,
        path: &CompiledPath,
        is_definite: bool,
        document: &Value,
    ) -> Result<Value, Failure> {
        let mut found = Vec::new();
        self.walk(path, 0, document, &mut found)?;
        // A function adds its result behind what was found before it.
        if is_definite { found.pop().ok_or(Failure::NotFound) } else { Ok(Value::Array(found)) }
    }

    fn charge(&self, steps: u64) -> Result<(), Failure> {
        self.steps.set(self.steps.get().checked_sub(steps).ok_or(Failure::TooManySteps)?);
        Ok(())
    }

    fn deeper<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.charge(1)?;
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(Failure::TooManySteps);
        }
        self.depth.set(depth + 1);
        let result = work();
        self.depth.set(depth);
        result
    }

    fn add(&self, value: &Value, found: &mut Vec<Value>) -> Result<(), Failure> {
        self.charge(weight(value))?;
        found.push(value.clone());
        Ok(())
    }

    /// Evaluates the token at `index` on `model`; a path without tokens leads to the model itself.
    fn walk(
        &self,
        path: &CompiledPath,
        index: usize,
        model: &Value,
        found: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        self.deeper(|| match path.tokens.get(index) {
            None => self.add(model, found),
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
                self.add(&result, found)?;
                if path.is_leaf(index) { Ok(()) } else { self.walk(path, index + 1, &result, found) }
            }
        })
    }

    /// Goes on behind the token at `index`.
    fn next(
        &self,
        path: &CompiledPath,
        index: usize,
        value: &Value,
        found: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        if path.is_leaf(index) { self.add(value, found) } else { self.walk(path, index + 1, value, found) }
    }

    fn item(
        &self,
        path: &CompiledPath,
        index: usize,
        items: &[Value],
        item: i64,
        found: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        self.charge(1)?;
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let place = usize::try_from(if item < 0 { length + item } else { item });
        let Some(value) = place.ok().and_then(|place| items.get(place)) else {
            return Ok(());
        };
        match self.next(path, index, value, found) {
            Err(Failure::OutOfBounds) => Ok(()),
            result => result,
        }
    }

    fn properties(
        &self,
        path: &CompiledPath,
        index: usize,
        names: &[String],
        model: &Value,
        found: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let Value::Object(members) = model else {
            return if path.is_upstream_definite(index) { Err(Failure::NotFound) } else { Ok(()) };
        };
        if names.len() > 1 && path.is_leaf(index) {
            let mut merged = serde_json::Map::new();
            for name in names {
                match members.get(name) {
                    Some(value) => {
                        self.charge(weight(value))?;
                        merged.insert(name.clone(), value.clone());
                    }
                    None if self.strict.get() => return Err(Failure::NotFound),
                    None => {}
                }
            }
            return self.add(&Value::Object(merged), found);
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

    fn wildcard(
        &self,
        path: &CompiledPath,
        index: usize,
        model: &Value,
        found: &mut Vec<Value>,
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

    fn filter(
        &self,
        path: &CompiledPath,
        index: usize,
        expression: &Expression,
        model: &Value,
        found: &mut Vec<Value>,
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
    fn scan(
        &self,
        path: &CompiledPath,
        index: usize,
        target: &Token,
        model: &Value,
        found: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        let is_match = match (target, model) {
            (_, Value::Object(_) | Value::Array(_)) => self.scan_matches(path, index, target, model)?,
            _ => return Ok(()),
        };
        self.deeper(|| match model {
            Value::Array(items) => {
                if is_match && path.is_leaf(index) {
                    self.walk(path, index, model, found)?;
                } else if is_match {
                    // The library goes on with every item, whichever the target asks for.
                    items.iter().try_for_each(|item| self.walk(path, index + 1, item, found))?;
                }
                items.iter().try_for_each(|item| self.scan(path, index, target, item, found))
            }
            Value::Object(members) => {
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
            Token::Properties(names) => Ok(model.as_object().is_some_and(|members| {
                self.strict.get()
                    || !path.is_token_definite(index)
                    || names.iter().all(|name| members.contains_key(name))
            })),
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
                // Lists are compared item by item, and a literal is read anew for each comparison.
                let (at_left, at_right) = (left.size(), right.size());
                let pairs = at_left.saturating_mul(at_right);
                self.charge(at_left.saturating_add(at_right) / 2)?;
                self.charge(pairs / 16)?;
                Ok(operator.apply(&left, &right)?)
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

    fn operand(&self, operand: &Operand, item: &Value) -> Result<Node, Failure> {
        match operand {
            Operand::Literal(node) => Ok(node.clone()),
            Operand::Path(path, _) => {
                let document = if path.is_root { self.root } else { item };
                match self.value(path, document) {
                    Ok(value) => Ok(Node::of(value)),
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

/// How many steps a copy counts as.
fn weight(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(weight).sum::<u64>(),
        Value::String(text) => 1 + u64::try_from(text.len()).unwrap_or(u64::MAX) / 64,
        _ => 1,
    }
}
