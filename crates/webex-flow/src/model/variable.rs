//! The variables of a flow.

use std::fmt;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::gap::Gap;
use super::read::one_line;

/// A variable with its default.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub value_type: VariableType,
    /// Its default, as text; nothing if it has none.
    pub default: Option<String>,
    /// Where it lives.
    pub scope: Scope,
    /// Whether its value is hidden in logs.
    pub is_secure: bool,
    /// Whether agents see it on their desktop.
    pub is_agent_viewable: bool,
    /// Whether agents may change it.
    pub is_agent_editable: bool,
}

/// The type of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// JSON.
    Json,
    /// A number with a fraction.
    Decimal,
    /// A date with a time.
    DateTime,
    /// A type that we do not know.
    Other(String),
}

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In this flow.
    Flow,
    /// In the organization.
    Global,
    /// It is handed to a subflow.
    Input,
    /// A subflow hands it back.
    Output,
}

impl VariableType {
    /// The type of a name in an export.
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_uppercase().replace(['-', '_', ' '], "").as_str() {
            "STRING" | "TEXT" => Self::String,
            "INTEGER" | "INT" | "LONG" | "NUMBER" => Self::Integer,
            "BOOLEAN" => Self::Boolean,
            "JSON" => Self::Json,
            "DECIMAL" | "DOUBLE" | "FLOAT" => Self::Decimal,
            "DATETIME" | "DATE" => Self::DateTime,
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl fmt::Display for VariableType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Json => "json",
            Self::Decimal => "decimal",
            Self::DateTime => "date-time",
            Self::Other(name) => name,
        })
    }
}

impl Variable {
    pub(super) fn read(properties: &Map<String, Value>, gaps: &mut Vec<Gap>) -> Self {
        let name = one_line(properties.get("name").and_then(Value::as_str).unwrap_or_default());
        let mut fields = Fields::new(properties, format!("variable {name}"), gaps);
        if name.is_empty() {
            fields.gap("name", "is missing");
        }
        let source = fields.text("source").unwrap_or_default().to_ascii_uppercase();
        let scope = if source.starts_with("GLOBAL") {
            Scope::Global
        } else if source.ends_with("INPUT") {
            Scope::Input
        } else if source.ends_with("OUTPUT") {
            Scope::Output
        } else {
            Scope::Flow
        };
        Self {
            value_type: VariableType::from_name(&fields.required("type").unwrap_or_default()),
            default: match properties.get("value") {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.clone()),
                Some(other) => Some(other.to_string()),
            },
            scope,
            is_secure: fields.flag("isSecure", false),
            is_agent_viewable: fields.flag("isCAD", false),
            is_agent_editable: fields.flag("isAgentEditable", false),
            name,
        }
    }
}
