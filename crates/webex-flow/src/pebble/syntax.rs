//! What a template consists of.

use super::value::Value;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Print(Node),
    If { branches: Vec<(Node, Vec<Part>)>, otherwise: Vec<Part> },
    For { variable: String, list: Node, body: Vec<Part>, otherwise: Vec<Part> },
    Set { variable: String, value: Node },
}

/// An expression and the column where it begins, from 1.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) column: usize,
    pub(super) kind: Kind,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Literal),
    Variable(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Filter { input: Box<Node>, name: String, arguments: Arguments },
    Test { input: Box<Node>, name: String, is_negated: bool },
    Ternary { condition: Box<Node>, yes: Box<Node>, no: Box<Node> },
    Attribute { of: Box<Node>, name: Box<Node>, arguments: Option<Arguments> },
    Call { name: String, arguments: Arguments },
}

/// A value that stands in the template.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Long(i64),
    Double(f64),
    Text(String),
}

impl Literal {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Long(number) => Value::Long(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Text(text) => Value::text(text.as_str()),
        }
    }
}

/// What a filter or function is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Node>,
    pub(super) named: Vec<(String, Node)>,
}

/// An operator before an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
}

impl Unary {
    /// Pebble lets `not` take as little as a sign does.
    pub(super) const PRECEDENCE: u32 = 500;
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Contains,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Concatenate,
    Range,
}

/// What can stand after an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Binary(Binary),
    Is,
    IsNot,
    Pipe,
}

/// The operators as they are written, longer ones before those that they begin with, and how strongly they bind.
pub(super) const OPERATORS: [(&str, Operator, u32); 20] = [
    ("equals", Operator::Binary(Binary::Equal), 30),
    ("contains", Operator::Binary(Binary::Contains), 20),
    ("is not", Operator::IsNot, 20),
    ("and", Operator::Binary(Binary::And), 15),
    ("==", Operator::Binary(Binary::Equal), 30),
    ("!=", Operator::Binary(Binary::NotEqual), 30),
    (">=", Operator::Binary(Binary::GreaterOrEqual), 30),
    ("<=", Operator::Binary(Binary::LessOrEqual), 30),
    ("..", Operator::Binary(Binary::Range), 120),
    ("is", Operator::Is, 20),
    ("or", Operator::Binary(Binary::Or), 10),
    (">", Operator::Binary(Binary::Greater), 30),
    ("<", Operator::Binary(Binary::Less), 30),
    ("+", Operator::Binary(Binary::Add), 40),
    ("-", Operator::Binary(Binary::Subtract), 40),
    ("*", Operator::Binary(Binary::Multiply), 60),
    ("/", Operator::Binary(Binary::Divide), 60),
    ("%", Operator::Binary(Binary::Modulo), 60),
    ("|", Operator::Pipe, 100),
    ("~", Operator::Binary(Binary::Concatenate), 110),
];

impl Binary {
    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        let found = OPERATORS.iter().rev().find(|(_, operator, _)| *operator == Operator::Binary(self));
        found.map_or("", |(sign, ..)| sign)
    }
}

impl Node {
    /// Shows this expression and all within it to `see`, outer ones first.
    pub(super) fn each<'n>(&'n self, see: &mut dyn FnMut(&'n Self)) {
        see(self);
        match &self.kind {
            Kind::Literal(_) | Kind::Variable(_) => {}
            Kind::List(items) => items.iter().for_each(|item| item.each(see)),
            Kind::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                key.each(see);
                value.each(see);
            }),
            Kind::Unary(_, of) | Kind::Test { input: of, .. } => of.each(see),
            Kind::Binary(_, left, right) => {
                left.each(see);
                right.each(see);
            }
            Kind::Filter { input, arguments, .. } => {
                input.each(see);
                arguments.each(see);
            }
            Kind::Ternary { condition, yes, no } => {
                [condition, yes, no].into_iter().for_each(|one| one.each(see));
            }
            Kind::Attribute { of, name, arguments } => {
                of.each(see);
                name.each(see);
                arguments.iter().for_each(|arguments| arguments.each(see));
            }
            Kind::Call { arguments, .. } => arguments.each(see),
        }
    }

    /// How many attributes are read, each of the one before.
    pub(super) fn attributes(&self) -> usize {
        let (mut count, mut node) = (0, self);
        while let Kind::Attribute { of, .. } = &node.kind {
            count += 1;
            node = of;
        }
        count
    }

    /// `A.b.c`, where it is nothing else.
    pub(super) fn path(&self) -> Option<String> {
        let mut names = Vec::new();
        let mut node = self;
        while let Kind::Attribute { of, name, arguments: None } = &node.kind {
            let Kind::Literal(Literal::Text(name)) = &name.kind else { return None };
            names.push(name.as_str());
            node = of;
        }
        let Kind::Variable(name) = &node.kind else { return None };
        names.push(name);
        names.reverse();
        Some(names.join("."))
    }
}

impl Arguments {
    fn each<'n>(&'n self, see: &mut dyn FnMut(&'n Node)) {
        self.positional.iter().chain(self.named.iter().map(|(_, node)| node)).for_each(|node| node.each(see));
    }
}

/// Shows every expression of these parts to `see`, outer ones first.
pub(super) fn each_expression<'p>(parts: &'p [Part], see: &mut dyn FnMut(&'p Node)) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Print(node) | Part::Set { value: node, .. } => node.each(see),
            Part::If { branches, otherwise } => {
                for (condition, body) in branches {
                    condition.each(see);
                    each_expression(body, see);
                }
                each_expression(otherwise, see);
            }
            Part::For { list, body, otherwise, .. } => {
                list.each(see);
                each_expression(body, see);
                each_expression(otherwise, see);
            }
        }
    }
}
