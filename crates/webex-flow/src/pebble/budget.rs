//! How much a template may take: counted, so that it is the same on every machine.

use std::cell::Cell;

use super::error::TemplateError;
use super::patterns::Known;
use super::value::Value;

/// How many expressions and parts one field may take.
pub(super) const STEPS: u64 = 100_000;
/// A step is worth so many values that are looked at, or sixteen times as many bytes of text.
const STEP: u64 = 4;
const BYTES: usize = 16;
/// What a pair of a map takes besides what it holds: it is found by what its key holds.
const PAIR: u64 = 8;
/// What these take, as so many values: they are long to print.
const TIME: u64 = 64;
const DOUBLE: u64 = 4;

/// What is left of it, and what need not be done again.
pub(super) struct Budget {
    left: Cell<u64>,
    /// The patterns that were read.
    pub(super) patterns: Known,
}

impl Budget {
    /// A field may take so many steps, and no more than [`STEPS`].
    pub(super) fn new(steps: u64) -> Self {
        Self { left: Cell::new(steps.min(STEPS) * STEP), patterns: Known::default() }
    }

    /// One step.
    pub(super) fn step(&self, column: usize) -> Result<(), TemplateError> {
        self.take(STEP, column)
    }

    /// Looks at so many values.
    pub(super) fn values(&self, count: usize, column: usize) -> Result<(), TemplateError> {
        self.take(u64::try_from(count).unwrap_or(u64::MAX), column)
    }

    /// Looks at so many bytes of text.
    pub(super) fn text(&self, bytes: usize, column: usize) -> Result<(), TemplateError> {
        self.values(bytes / BYTES, column)
    }

    /// Looks so many times at a value and all within it.
    pub(super) fn walk(&self, value: &Value, times: usize, column: usize) -> Result<(), TemplateError> {
        let left = self.left.get();
        let Some(rest) = rest(value, left) else { return self.take(u64::MAX, column) };
        let times = u64::try_from(times).unwrap_or(u64::MAX);
        self.take((left - rest).saturating_mul(times), column)
    }

    /// Looks at so many bytes of text one by one.
    pub(super) fn bytes(&self, bytes: usize, column: usize) -> Result<(), TemplateError> {
        self.values(bytes / 2, column)
    }

    /// How many steps are left.
    pub(super) fn steps_left(&self) -> u64 {
        self.left.get() / STEP
    }

    /// How many more values may be looked at.
    pub(super) fn left(&self) -> usize {
        usize::try_from(self.left.get()).unwrap_or(usize::MAX)
    }

    fn take(&self, amount: u64, column: usize) -> Result<(), TemplateError> {
        let left = self.left.get().checked_sub(amount);
        // What is too much for what is left uses it up.
        self.left.set(left.unwrap_or(0));
        left.map(drop).ok_or_else(|| exhausted(column))
    }
}

fn exhausted(column: usize) -> TemplateError {
    TemplateError::new(column, "takes too many steps")
}

/// What is left after looking at a value and all within it; none where that is too much.
fn rest(value: &Value, left: u64) -> Option<u64> {
    let mut left = left.checked_sub(1)?;
    match value {
        Value::Text(text) | Value::Safe(text) => left.checked_sub(u64::try_from(text.len() / BYTES).ok()?),
        Value::List(items) => {
            for item in items.borrow().iter() {
                left = rest(item, left)?;
            }
            Some(left)
        }
        Value::Array(items) => {
            for item in items.iter() {
                left = rest(item, left)?;
            }
            Some(left)
        }
        Value::Map(pairs) => {
            for (key, value) in pairs.iter() {
                left = rest(value, rest(key, left.checked_sub(PAIR)?)?)?;
            }
            Some(left)
        }
        Value::Entry(pair) => rest(&pair.1, rest(&pair.0, left)?),
        Value::Double(_) => left.checked_sub(DOUBLE),
        Value::Time(_) => left.checked_sub(TIME),
        _ => Some(left),
    }
}
