//! What a template holds, without filling it in.

use std::collections::BTreeSet;

use super::Template;
use super::filters::{FILTERS, FUNCTIONS, TESTS};
use super::syntax::{Binary, Kind, Literal, Node, Part, each_expression};

/// A comparison of a variable with something that stands in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The column of its operator, from 1.
    pub column: usize,
    /// The operator, as it is written.
    pub operator: &'static str,
    /// The variable, such as `CreateVoiceCall.httpStatusCode`.
    pub path: String,
    /// What it is compared with, as text.
    pub literal: String,
    /// Of which kind that is.
    pub kind: LiteralKind,
}

/// Of which kind a value in a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralKind {
    /// In quotes.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

impl Template {
    /// The comparisons of variables with what stands in the template.
    #[must_use]
    pub fn comparisons(&self) -> Vec<Comparison> {
        let mut found = Vec::new();
        self.each(&mut |node| {
            let Kind::Binary(operator, left, right) = &node.kind else { return };
            let compares = matches!(
                operator,
                Binary::Equal
                    | Binary::NotEqual
                    | Binary::Greater
                    | Binary::Less
                    | Binary::GreaterOrEqual
                    | Binary::LessOrEqual
            );
            let sides = [(left, right), (right, left)].into_iter();
            let pair = sides.filter(|_| compares).find_map(|(variable, literal)| {
                let Kind::Literal(literal) = &literal.kind else { return None };
                Some((variable.path()?, literal))
            });
            let Some((path, literal)) = pair else { return };
            let kind = match literal {
                Literal::Null => LiteralKind::Null,
                Literal::Bool(_) => LiteralKind::Bool,
                Literal::Long(_) | Literal::Double(_) => LiteralKind::Number,
                Literal::Text(_) => LiteralKind::Text,
            };
            let literal = literal.value().to_string();
            found.push(Comparison { column: node.column, operator: operator.sign(), path, literal, kind });
        });
        found
    }

    /// The variables that it reads, as far as they are written with dots, each once.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let (mut found, mut known) = (Vec::new(), BTreeSet::new());
        // The next so many are parts of a path that was seen whole.
        let mut parts = 0_usize;
        self.each(&mut |node| {
            if parts > 0 {
                parts -= 1;
                return;
            }
            let Some(path) = node.path() else { return };
            parts = node.attributes();
            let within = format!("{path}.");
            let next = known.range(within.clone()..).next();
            if next.is_some_and(|next: &String| next.starts_with(&within)) || !known.insert(path.clone()) {
                return;
            }
            found.push(path);
        });
        found
    }

    /// The variables whose values are printed as they are, as far as they are written with dots.
    #[must_use]
    pub fn printed(&self) -> Vec<String> {
        let mut found = Vec::new();
        printed(&self.parts, &mut found);
        found
    }

    /// The filters, functions and tests that are not known here, with their columns.
    #[must_use]
    pub fn unknown_words(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        self.each(&mut |node| {
            let unknown = match &node.kind {
                Kind::Filter { name, .. } if !FILTERS.contains(&name.as_str()) => format!("filter {name}"),
                Kind::Test { name, .. } if !TESTS.contains(&name.as_str()) => format!("test {name}"),
                Kind::Call { name, .. } if !FUNCTIONS.contains(&name.as_str()) => format!("function {name}"),
                _ => return,
            };
            found.push((node.column, unknown));
        });
        found
    }

    fn each<'t>(&'t self, see: &mut dyn FnMut(&'t Node)) {
        each_expression(&self.parts, see);
    }
}

fn printed(parts: &[Part], found: &mut Vec<String>) {
    for part in parts {
        match part {
            Part::Print(node) => found.extend(node.path()),
            Part::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| printed(body, found));
                printed(otherwise, found);
            }
            Part::For { body, otherwise, .. } => {
                printed(body, found);
                printed(otherwise, found);
            }
            Part::Text(_) | Part::Set { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_and_variables_are_seen() {
        let template =
            Template::parse("{{ Create.httpStatusCode == 200 }} {{ '5' > x | nosuch(y) }}").unwrap();
        let alike = Template::parse("{{ ANI2 ~ ANI ~ ANI }}").unwrap();
        assert_eq!(alike.variables(), ["ANI2", "ANI"]);
        let comparisons = template.comparisons();
        assert_eq!(
            (comparisons[0].path.as_str(), comparisons[0].literal.as_str()),
            ("Create.httpStatusCode", "200")
        );
        assert_eq!((comparisons[0].kind, comparisons[0].operator), (LiteralKind::Number, "=="));
        assert_eq!(template.variables(), ["Create.httpStatusCode", "x", "y"]);
        assert_eq!(template.unknown_words(), [(47, "filter nosuch".to_owned())]);
        let prints =
            Template::parse("Bearer {{ a.b }}{% if c %}{{ d }}{% endif %}{{ e | upper }}{{ f is empty }}")
                .unwrap();
        assert_eq!(prints.printed(), ["a.b", "d"]);
    }
}
