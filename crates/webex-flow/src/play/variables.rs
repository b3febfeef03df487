//! The variables of a flow while it is played.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::model::{Flow, VariableType};
use crate::pebble::{Environment, Template, TemplateError};

/// Values by name: variables by their type, and outputs of activities and events as objects.
#[derive(Debug)]
pub(super) struct Variables<'f> {
    flow: &'f Flow,
    values: Map<String, Value>,
    /// The variables that an activity was to set, whether it found a value or not.
    touched: HashSet<String>,
}

impl<'f> Variables<'f> {
    pub(super) fn new(flow: &'f Flow, with_defaults: bool) -> Self {
        let mut variables = Self { flow, values: Map::new(), touched: HashSet::new() };
        for variable in flow.variables.iter().filter(|_| with_defaults) {
            if let Some(default) = variable.default.as_deref().filter(|text| !text.is_empty()) {
                let value = typed(&variable.value_type, &Value::from(default));
                variables.values.insert(variable.name.clone(), value);
            }
        }
        variables
    }

    /// Sets a variable, by its type; returns what it holds then.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Value {
        let value = match self.flow.variable(name) {
            Some(variable) => typed(&variable.value_type, value),
            None => value.clone(),
        };
        self.touch(name);
        self.values.insert(name.to_owned(), value.clone());
        value
    }

    /// Notes that an activity is to set a variable, whatever comes of it.
    pub(super) fn touch(&mut self, name: &str) {
        self.touched.insert(name.to_owned());
    }

    /// Whether the flow or subflow hides the value of a variable.
    pub(super) fn is_secure(&self, name: &str) -> bool {
        self.flow.variable(name).is_some_and(|variable| variable.is_secure)
    }

    /// Sets the outputs of an activity or event.
    pub(super) fn set_outputs(&mut self, name: &str, outputs: Value) {
        self.values.insert(name.to_owned(), outputs);
    }

    /// The value of a variable, or of an output such as `NewContact.ANI`.
    pub(super) fn value(&self, path: &str) -> Value {
        let mut parts = path.trim().split('.');
        let first = parts.next().and_then(|name| self.values.get(name));
        let found = parts.try_fold(first, |value, part| value.map(|value| value.get(part)));
        found.flatten().cloned().unwrap_or_default()
    }

    /// Fills in a field.
    pub(super) fn render(&self, template: &Template, now: Timestamp) -> Result<String, TemplateError> {
        template.render(&self.values, &Environment::at(now))
    }

    /// The variables of the flow that a template reads, that have no value, and that nothing was to set before.
    pub(super) fn unset(&self, template: &Template) -> Vec<String> {
        let read = template.variables().into_iter();
        let is_unset = |path: &String| {
            let name = path.split('.').next().unwrap_or_default();
            self.flow.variable(name).is_some()
                && !self.touched.contains(name)
                && self.values.get(name).is_none_or(Value::is_null)
        };
        read.filter(is_unset).collect()
    }
}

/// A value as a variable of this type holds it. What does not fit stays text.
pub(super) fn typed(value_type: &VariableType, value: &Value) -> Value {
    let text = match value {
        Value::Null => return Value::Null,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let trimmed = text.trim();
    let parsed = match value_type {
        VariableType::Integer => trimmed.parse::<i64>().ok().map(Value::from),
        VariableType::Decimal => trimmed.parse::<f64>().ok().map(Value::from),
        VariableType::Boolean => trimmed.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        VariableType::Json => match value {
            Value::String(_) => serde_json::from_str(trimmed).ok(),
            other => Some(other.clone()),
        },
        VariableType::String | VariableType::DateTime | VariableType::Other(_) => None,
    };
    parsed.unwrap_or(Value::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_take_the_type_of_their_variable() {
        assert_eq!(typed(&VariableType::Integer, &json!("200")), json!(200));
        assert_eq!(typed(&VariableType::Integer, &json!("many")), json!("many"));
        assert_eq!(typed(&VariableType::String, &json!(200)), json!("200"));
        assert_eq!(typed(&VariableType::String, &Value::Null), Value::Null);
        assert_eq!(typed(&VariableType::Boolean, &json!("TRUE")), json!(true));
        assert_eq!(typed(&VariableType::Json, &json!("{\"a\": 1}")), json!({"a": 1}));
        assert_eq!(typed(&VariableType::Json, &json!([1])), json!([1]));
        assert_eq!(typed(&VariableType::Decimal, &json!("1.5")), json!(1.5));
    }
}
