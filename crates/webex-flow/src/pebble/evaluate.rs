//! Fills in a template.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use jiff::tz::TimeZone;

use super::Environment;
use super::budget::Budget;
use super::error::TemplateError;
use super::filters;
use super::members::{self, Member};
use super::numbers::{self, Compared};
use super::syntax::{Arguments, Binary, Kind, Node, Part, Unary};
use super::value::Value;

/// The longest text, in bytes.
pub(super) const LONGEST_TEXT: usize = 1 << 20;
/// The most values within a list or map, those within its items counted.
pub(super) const MOST_VALUES: usize = 100_000;

/// What a round of `for` takes before anything in it, as so many values.
const ROUND: usize = 24;
/// So many bytes of a name take as long as a value does.
const BYTES_OF_NAME: usize = 16;

/// How deep values may be nested.
const DEEPEST_VALUE: usize = 64;

pub(super) type Evaluated = Result<Value, TemplateError>;

/// What is filled in, and what with.
pub(super) struct Renderer<'e> {
    environment: &'e Environment,
    /// The inner ones last.
    scopes: Vec<HashMap<Rc<str>, Value>>,
    out: String,
    budget: Budget,
}

impl<'e> Renderer<'e> {
    pub(super) fn new(values: &[(Rc<str>, Value)], environment: &'e Environment, steps: u64) -> Self {
        let outer = values.iter().cloned().collect();
        Self { environment, scopes: vec![outer], out: String::new(), budget: Budget::new(steps) }
    }

    /// What comes out, and how many steps are left.
    pub(super) fn render(mut self, parts: &[Part]) -> (Result<String, TemplateError>, u64) {
        let result = self.parts(parts);
        (result.map(|()| self.out), self.budget.steps_left())
    }

    fn parts(&mut self, parts: &[Part]) -> Result<(), TemplateError> {
        for part in parts {
            match part {
                Part::Text(text) => self.print(1, text)?,
                Part::Print(node) => {
                    let value = self.value(node)?;
                    if !value.is_null() {
                        self.budget.walk(&value, 1, node.column)?;
                        let text = text_of(&value, node.column)?;
                        self.print(node.column, &text)?;
                    }
                }
                Part::Set { variable, value } => {
                    let value = self.value(value)?;
                    self.look_up(variable, 1)?;
                    // Where the variable is already, else in the innermost scope.
                    let is_known = |scope: &HashMap<Rc<str>, Value>| scope.contains_key(variable.as_str());
                    let at = self.scopes.iter().rposition(is_known).unwrap_or(self.scopes.len() - 1);
                    if let Some(scope) = self.scopes.get_mut(at) {
                        scope.insert(Rc::from(variable.as_str()), value);
                    }
                }
                Part::If { branches, otherwise } => self.choose(branches, otherwise)?,
                Part::For { variable, list, body, otherwise } => {
                    self.repeat(variable, list, body, otherwise)?;
                }
            }
        }
        Ok(())
    }

    /// Asks each scope for a name.
    fn look_up(&self, name: &str, column: usize) -> Result<(), TemplateError> {
        let inner = self.scopes.len().saturating_sub(1);
        self.budget.values((1 + inner * 3) * (1 + name.len() / BYTES_OF_NAME), column)
    }

    fn print(&mut self, column: usize, text: &str) -> Result<(), TemplateError> {
        self.out.push_str(text);
        self.budget.step(column)?;
        self.budget.text(text.len(), column)?;
        if self.out.len() > LONGEST_TEXT { Err(too_long(column)) } else { Ok(()) }
    }

    fn choose(&mut self, branches: &[(Node, Vec<Part>)], otherwise: &[Part]) -> Result<(), TemplateError> {
        for (condition, body) in branches {
            if self.truth(condition)? {
                return self.parts(body);
            }
        }
        self.parts(otherwise)
    }

    fn repeat(
        &mut self,
        name: &str,
        list: &Node,
        body: &[Part],
        otherwise: &[Part],
    ) -> Result<(), TemplateError> {
        let items = match self.value(list)? {
            // Nothing is no empty list: its `else` is left out too.
            Value::Null => return Ok(()),
            list @ (Value::List(_) | Value::Array(_)) => list.items().unwrap_or_default(),
            Value::Map(pairs) => pairs.iter().map(|pair| Value::Entry(Rc::new(pair.clone()))).collect(),
            other => {
                let words = format!("`for` goes over a list, and this is {}", other.kind());
                return Err(TemplateError::new(list.column, words));
            }
        };
        if items.is_empty() {
            return self.parts(otherwise);
        }
        let length = items.len();
        self.budget.values(length, list.column)?;
        let names = ["last", "length", "index", "revindex", "first"].map(Value::text);
        let (name, about_it) = (Rc::<str>::from(name), Rc::<str>::from("loop"));
        // All rounds share one scope.
        self.scopes.push(HashMap::new());
        for (index, item) in items.into_iter().enumerate() {
            self.budget.values(ROUND + name.len() / BYTES_OF_NAME, list.column)?;
            let number = |number: usize| Value::Long(i64::try_from(number).unwrap_or(i64::MAX));
            let about = [
                Value::Bool(index + 1 == length),
                number(length),
                Value::Int(i32::try_from(index).unwrap_or(i32::MAX)),
                number(length - index - 1),
                Value::Bool(index == 0),
            ];
            let about = names.iter().cloned().zip(about).collect();
            let scope = [(Rc::clone(&name), item), (Rc::clone(&about_it), Value::Map(Rc::new(about)))];
            if let Some(inner) = self.scopes.last_mut() {
                inner.extend(scope);
            }
            self.parts(body)?;
        }
        self.scopes.pop();
        Ok(())
    }

    /// The value of an expression, within the limits.
    fn value(&mut self, node: &Node) -> Evaluated {
        self.budget.step(node.column)?;
        let value = self.evaluate(node)?;
        // What was there before has been looked at when it was made.
        let is_made = match &node.kind {
            Kind::Variable(_) | Kind::Ternary { .. } => false,
            Kind::Attribute { arguments, .. } => arguments.is_some(),
            _ => true,
        };
        match &value {
            Value::Text(text) | Value::Safe(text) => {
                self.budget.text(if is_made { text.len() } else { 0 }, node.column)?;
                if text.len() > LONGEST_TEXT { Err(too_long(node.column)) } else { Ok(value) }
            }
            Value::List(_) | Value::Array(_) | Value::Map(_) if is_made => {
                match weight(&value, MOST_VALUES, DEEPEST_VALUE) {
                    Some(left) => self.budget.values(MOST_VALUES - left, node.column).map(|()| value),
                    None => Err(TemplateError::new(node.column, "the list or map holds too much")),
                }
            }
            _ => Ok(value),
        }
    }

    fn evaluate(&mut self, node: &Node) -> Evaluated {
        let column = node.column;
        match &node.kind {
            Kind::Literal(literal) => Ok(literal.value()),
            Kind::Variable(name) => {
                self.look_up(name, column)?;
                let found = self.scopes.iter().rev().find_map(|scope| scope.get(name.as_str()));
                Ok(found.cloned().unwrap_or(Value::Null))
            }
            Kind::List(items) => {
                let items: Result<Vec<Value>, _> = items.iter().map(|item| self.value(item)).collect();
                Ok(Value::list(items?))
            }
            Kind::Map(pairs) => {
                let pairs: Result<Vec<_>, TemplateError> =
                    pairs.iter().map(|(key, value)| Ok((self.value(key)?, self.value(value)?))).collect();
                let pairs = pairs?;
                for (key, _) in &pairs {
                    self.budget.walk(key, 1, column)?;
                }
                Ok(Value::hash_map(pairs, 0))
            }
            Kind::Unary(Unary::Not, of) => Ok(Value::Bool(!self.truth(of)?)),
            Kind::Unary(unary, of) => {
                let value = self.value(of)?;
                let sign = if *unary == Unary::Minus { -1 } else { 1 };
                let result = numbers::calculate(Binary::Multiply, &Value::Int(sign), &value);
                result.map_err(|words| TemplateError::new(column, words))
            }
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, column),
            Kind::Filter { input, name, arguments } => {
                let input = self.value(input)?;
                // It is found by its name.
                self.budget.values(16, column)?;
                let given = self.given(arguments)?;
                let (environment, budget) = (self.environment, &self.budget);
                let call = filters::Call { name, input, given, column, environment, budget };
                filters::apply(&call)
            }
            Kind::Test { input, name, is_negated } => {
                let input = self.value(input)?;
                if let Value::Text(text) = &input {
                    self.budget.text(text.len(), column)?;
                }
                Ok(Value::Bool(filters::test(name, &input, column)? != *is_negated))
            }
            Kind::Ternary { condition, yes, no } => match self.truth(condition)? {
                true => self.value(yes),
                false => self.value(no),
            },
            Kind::Attribute { of, name, arguments } => {
                let (of, name) = (self.value(of)?, self.value(name)?);
                let given = arguments.as_ref().map(|arguments| self.given(arguments)).transpose()?;
                let (given, budget) = (given.as_ref(), &self.budget);
                members::read(Member { of: &of, name: &name, given, column, budget })
            }
            Kind::Call { name, arguments } => {
                let given = self.given(arguments)?;
                self.call(name, &given, column)
            }
        }
    }

    fn given(&mut self, arguments: &Arguments) -> Result<Given, TemplateError> {
        let positional: Result<Vec<Value>, _> =
            arguments.positional.iter().map(|node| self.value(node)).collect();
        for (name, node) in &arguments.named {
            self.budget.values(2, node.column)?;
            self.budget.text(name.len(), node.column)?;
        }
        let named: Result<Vec<_>, TemplateError> =
            arguments.named.iter().map(|(name, node)| Ok((name.clone(), self.value(node)?))).collect();
        Ok(Given { positional: positional?, named: named? })
    }

    fn truth(&mut self, node: &Node) -> Result<bool, TemplateError> {
        let value = self.value(node)?;
        value.truth().ok_or_else(|| {
            let words = format!("a condition is true, false, a number or text, and this is {}", value.kind());
            TemplateError::new(node.column, words)
        })
    }

    fn binary(&mut self, operator: Binary, left: &Node, right: &Node, column: usize) -> Evaluated {
        match operator {
            Binary::Or => return Ok(Value::Bool(self.truth(left)? || self.truth(right)?)),
            Binary::And => return Ok(Value::Bool(self.truth(left)? && self.truth(right)?)),
            _ => {}
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        self.budget.walk(&left, 1, column)?;
        self.budget.walk(&right, 1, column)?;
        let wrong = |words: String| TemplateError::new(column, words);
        match operator {
            Binary::Or | Binary::And => Ok(Value::Null),
            Binary::Concatenate => {
                let part = |value: &Value| match value {
                    Value::Null => Ok(String::new()),
                    value => printed(value, &self.budget, column),
                };
                Ok(Value::text(part(&left)? + &part(&right)?))
            }
            Binary::Range => range(&left, &right, 1).map_err(wrong),
            Binary::Contains => contains(&left, &right, column, &self.budget).map(Value::Bool),
            Binary::Equal => Ok(Value::Bool(numbers::is_equal(&left, &right))),
            Binary::NotEqual => Ok(Value::Bool(!numbers::is_equal(&left, &right))),
            Binary::Greater | Binary::Less | Binary::GreaterOrEqual | Binary::LessOrEqual => {
                let is_true = match numbers::compare(&left, &right) {
                    Ok(Compared::WithNull) => false,
                    Ok(Compared::As(order)) => match operator {
                        Binary::Greater => order.is_gt(),
                        Binary::Less => order.is_lt(),
                        Binary::GreaterOrEqual => order.is_ge(),
                        _ => order.is_le(),
                    },
                    Err(words) => return Err(wrong(format!("`{}` {words}", operator.sign()))),
                };
                Ok(Value::Bool(is_true))
            }
            Binary::Add => add(&left, &right, column, &self.budget),
            Binary::Subtract => match &left {
                Value::List(items) => {
                    self.budget.walk(&right, items.borrow().len(), column)?;
                    let gone = |item: &Value| match &right {
                        Value::List(others) => others.borrow().iter().any(|other| other.is_same(item)),
                        other => other.is_same(item),
                    };
                    Ok(Value::list(items.borrow().iter().filter(|item| !gone(item)).cloned().collect()))
                }
                _ => numbers::calculate(operator, &left, &right).map_err(wrong),
            },
            Binary::Multiply | Binary::Divide | Binary::Modulo => {
                numbers::calculate(operator, &left, &right).map_err(wrong)
            }
        }
    }

    fn call(&self, name: &str, given: &Given, column: usize) -> Evaluated {
        self.budget.values(8, column)?;
        match name {
            "now" if self.environment.has_additions => {
                Ok(Value::Time(Rc::new(self.environment.now.to_zoned(TimeZone::UTC))))
            }
            "max" | "min" => {
                let mut found = Value::Null;
                for value in &given.positional {
                    let wins = found.is_null()
                        || match numbers::compare(value, &found) {
                            Ok(Compared::As(order)) => {
                                if name == "max" {
                                    order.is_gt()
                                } else {
                                    order.is_lt()
                                }
                            }
                            Ok(Compared::WithNull) => false,
                            Err(words) => {
                                return Err(TemplateError::new(column, format!("`{name}` {words}")));
                            }
                        };
                    if wins {
                        found = value.clone();
                    }
                }
                Ok(found)
            }
            "range" => {
                let [start, end, increment] = given.bind(["start", "end", "increment"], "range", column)?;
                let step = match increment {
                    Value::Null => 1,
                    value => numbers::whole(&value).ok_or_else(|| {
                        TemplateError::new(
                            column,
                            format!("the step of `range` is no number but {}", value.kind()),
                        )
                    })?,
                };
                range(&start, &end, step).map_err(|words| TemplateError::new(column, words))
            }
            _ => Err(TemplateError::unknown(column, "function", name)),
        }
    }
}

/// What a filter or function is given, with its values.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) positional: Vec<Value>,
    pub(super) named: Vec<(String, Value)>,
}

impl Given {
    /// The values in the order of these names; what is not given is null.
    pub(super) fn bind<const N: usize>(
        &self,
        names: [&str; N],
        of: &str,
        column: usize,
    ) -> Result<[Value; N], TemplateError> {
        if self.positional.len() > N {
            let words = format!("`{of}` takes {N} arguments, and here are {}", self.positional.len());
            return Err(TemplateError::new(column, words));
        }
        if let Some((name, _)) = self.named.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            return Err(TemplateError::new(column, format!("`{of}` has no argument `{name}`")));
        }
        Ok(std::array::from_fn(|index| {
            let named = self.named.iter().find(|(name, _)| names.get(index) == Some(&name.as_str()));
            let given = self.positional.get(index).or(named.map(|(_, value)| value));
            given.cloned().unwrap_or(Value::Null)
        }))
    }
}

/// A text that ends with a failure instead of growing beyond the limit.
struct Limited(String);

impl std::fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push_str(text);
        if self.0.len() > LONGEST_TEXT { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// What a value prints as.
pub(super) fn text_of(value: &Value, column: usize) -> Result<String, TemplateError> {
    let mut text = Limited(String::new());
    write!(text, "{value}").map_err(|_| too_long(column))?;
    Ok(text.0)
}

/// As [`text_of`], where only a text was paid for: numbers take longer than that.
fn printed(value: &Value, budget: &Budget, column: usize) -> Result<String, TemplateError> {
    if !matches!(value, Value::Text(_) | Value::Safe(_)) {
        budget.walk(value, 2, column)?;
    }
    text_of(value, column)
}

fn too_long(column: usize) -> TemplateError {
    TemplateError::new(column, "the text becomes too long")
}

/// How many more values may be there besides this one and those within it; none where there are too many, or where they are
/// nested too deeply for who prints, compares or drops them by recursion.
fn weight(value: &Value, most: usize, deep: usize) -> Option<usize> {
    let (mut left, deep) = (most.checked_sub(1)?, deep.checked_sub(1)?);
    match value {
        Value::List(items) => {
            for item in items.borrow().iter() {
                left = weight(item, left, deep)?;
            }
        }
        Value::Array(items) => {
            for item in items.iter() {
                left = weight(item, left, deep)?;
            }
        }
        Value::Map(pairs) => {
            for (key, value) in pairs.iter() {
                left = weight(value, weight(key, left, deep)?, deep)?;
            }
        }
        Value::Entry(pair) => left = weight(&pair.1, weight(&pair.0, left, deep)?, deep)?,
        _ => {}
    }
    Some(left)
}

fn add(left: &Value, right: &Value, column: usize, budget: &Budget) -> Evaluated {
    let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Safe(_));
    match (left, right) {
        // Null is the word then, which flows know as the caller "null".
        _ if is_text(left) || is_text(right) => {
            Ok(Value::text(printed(left, budget, column)? + &printed(right, budget, column)?))
        }
        (Value::List(items), Value::List(others)) => {
            Ok(Value::list(items.borrow().iter().chain(others.borrow().iter()).cloned().collect()))
        }
        (Value::List(items), other) => {
            Ok(Value::list(items.borrow().iter().chain(std::iter::once(other)).cloned().collect()))
        }
        _ => numbers::calculate(Binary::Add, left, right).map_err(|words| TemplateError::new(column, words)),
    }
}

fn contains(left: &Value, right: &Value, column: usize, budget: &Budget) -> Result<bool, TemplateError> {
    match left {
        Value::Null => Ok(false),
        Value::List(_) | Value::Array(_) => {
            let has = |one: &Value| {
                left.with_items(|items| items.iter().any(|item| item.is_same(one))).unwrap_or_default()
            };
            let Some(count) = right.with_items(<[Value]>::len) else { return Ok(has(right)) };
            budget.walk(left, count, column)?;
            Ok(right.with_items(|others| others.iter().all(has)).unwrap_or_default())
        }
        Value::Map(pairs) => Ok(pairs.iter().any(|(key, _)| key.is_same(right))),
        Value::Text(text) => Ok(!right.is_null() && text.contains(&text_of(right, column)?)),
        other => {
            let words = format!("`contains` looks into texts, lists and maps, and this is {}", other.kind());
            Err(TemplateError::new(column, words))
        }
    }
}

fn range(start: &Value, end: &Value, step: i64) -> Result<Value, String> {
    let single = |value: &Value| match value {
        Value::Text(text) => Some(text.chars().next().filter(|_| text.chars().count() == 1)?),
        _ => None,
    };
    let (first, last, is_text) = match (numbers::whole(start), numbers::whole(end)) {
        (Some(first), Some(last)) => (first, last, false),
        _ => match (single(start), single(end)) {
            (Some(first), Some(last)) => (i64::from(u32::from(first)), i64::from(u32::from(last)), true),
            _ => return Err("a range goes from number to number, or from one letter to another".to_owned()),
        },
    };
    if step == 0 {
        return Err("the step of a range is not 0".to_owned());
    }
    let (mut items, mut at) = (Vec::new(), first);
    while if step > 0 { at <= last } else { at >= last } {
        if items.len() >= MOST_VALUES {
            return Err("the range holds too much".to_owned());
        }
        items.push(match u32::try_from(at).ok().and_then(char::from_u32).filter(|_| is_text) {
            Some(letter) => Value::Char(letter),
            None => Value::Long(at),
        });
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    Ok(Value::list(items))
}
