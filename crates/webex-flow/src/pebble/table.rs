//! Compares with what Pebble itself makes of templates.

use std::rc::Rc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::budget::STEPS;
use super::evaluate::Renderer;
use super::value::Value;
use super::{Environment, Template};

/// Templates over one context, and what came of each.
#[derive(Deserialize)]
struct Table {
    context: Map<String, Json>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    template: String,
    output: Option<String>,
    fails: Option<String>,
}

/// How far templates agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// How many there are.
    pub total: usize,
    /// How many agree only with a list in another order than it had.
    pub reordered: usize,
    /// Those that do not.
    pub disagreements: Vec<Disagreement>,
}

/// A template of which something else came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The template.
    pub template: String,
    /// What should come of it; none: it fails.
    pub expected: Option<String>,
    /// What came of it, or why it failed.
    pub found: Result<String, String>,
}

/// The document is no table of templates.
#[derive(Debug, thiserror::Error)]
#[error("no table of templates (`context` and `vectors` of `template` and `output` or `fails`): {0}")]
pub struct TableError(#[from] serde_json::Error);

impl Agreement {
    /// How many agree.
    #[must_use]
    pub fn agree(&self) -> usize {
        self.total - self.disagreements.len()
    }
}

/// Whether `agrees` holds once one list of the context has an order in which `reverse`, `sort` or `rsort` leave it. The list
/// then keeps that order.
fn in_another_order(context: &[(Rc<str>, Value)], agrees: impl Fn() -> bool) -> bool {
    let lists = context.iter().filter_map(|(_, value)| match value {
        Value::List(items) => Some(items),
        _ => None,
    });
    for items in lists {
        let before = items.borrow().clone();
        let mut sorted = before.clone();
        sorted.sort_by_key(ToString::to_string);
        let backwards = |items: &[Value]| items.iter().rev().cloned().collect::<Vec<_>>();
        for order in [backwards(&before), sorted.clone(), backwards(&sorted)] {
            *items.borrow_mut() = order;
            if agrees() {
                return true;
            }
        }
        *items.borrow_mut() = before;
    }
    false
}

/// Fills in every template of a table, in order. Filters such as `sort` change the lists of its context, also those of templates
/// that are not in the table any more: where a template does not agree, the orders are tried in which they can have left a list.
/// Where a template fails, ours has to fail too; the words do not count.
///
/// # Errors
/// The document is no such table.
pub fn table(document: &str) -> Result<Agreement, TableError> {
    let table: Table = serde_json::from_str(document)?;
    let context: Vec<(Rc<str>, Value)> =
        table.context.iter().map(|(name, value)| (Rc::from(name.as_str()), Value::from(value))).collect();
    // No template of a table can agree on what the time is.
    let environment = Environment::of_pebble(Timestamp::UNIX_EPOCH);
    let mut agreement = Agreement { total: table.vectors.len(), reordered: 0, disagreements: Vec::new() };
    for vector in table.vectors {
        let template = Template::parse(&vector.template);
        let render = || {
            let template = template.as_ref().map_err(ToString::to_string)?;
            Renderer::new(&context, &environment, STEPS)
                .render(&template.parts)
                .0
                .map_err(|error| error.to_string())
        };
        let agrees = |found: &Result<String, String>| match (&vector.output, &vector.fails, found) {
            (Some(output), _, Ok(found)) => output == found,
            (None, Some(_), Err(_)) => true,
            _ => false,
        };
        let found = render();
        if agrees(&found) {
            continue;
        }
        if in_another_order(&context, || agrees(&render())) {
            agreement.reordered += 1;
        } else {
            let (template, expected) = (vector.template, vector.output);
            agreement.disagreements.push(Disagreement { template, expected, found });
        }
    }
    Ok(agreement)
}
