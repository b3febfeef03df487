//! How much reading a path may take: counted, so that it is the same on every machine.

use std::cell::Cell;

use serde_json::Value;

use super::evaluate::Failure;

/// How many steps one reading may take: tokens and filters that are applied, and values that are copied.
const MAX_STEPS: u64 = 100_000;
/// Work that is less than a step is counted in parts of one.
const PARTS: u64 = 8;

/// What is left of it.
pub(super) struct Steps {
    left: Cell<u64>,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(MAX_STEPS * PARTS) }
    }

    /// So many steps.
    pub(super) fn charge(&self, steps: u64) -> Result<(), Failure> {
        self.parts(steps.saturating_mul(PARTS))
    }

    /// So many eighths of a step.
    pub(super) fn parts(&self, parts: u64) -> Result<(), Failure> {
        self.left.set(self.left.get().checked_sub(parts).ok_or(Failure::TooManySteps)?);
        Ok(())
    }

    /// Looks at so many values, or bytes of text one by one.
    pub(super) fn each(&self, count: usize) -> Result<(), Failure> {
        self.parts(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Copies a value, or compares all of it.
    pub(super) fn copy(&self, value: &Value) -> Result<(), Failure> {
        self.charge(weight(value))
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
