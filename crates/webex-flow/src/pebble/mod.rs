//! Expressions of flows: the part of the Pebble template language that Webex has, with its semantics.
//!
//! Webex fills in templates with [Pebble](https://pebbletemplates.io), without escaping and with additions of its own: `now()`, the
//! filter `epoch`, the filter `json`. What bites in flows is kept as it is: integers divide as integers, `+` with a text
//! concatenates, a number never equals a text, `>` on a text fails, `slice` beyond the end fails, and `sort` and `reverse` change the
//! list itself. How many steps and how much text a template may take is limited.

mod dates;
mod error;
mod escape;
mod evaluate;
mod filters;
mod members;
mod numbers;
mod parse;
mod syntax;
mod table;
mod value;
mod view;

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use evaluate::Renderer;
use syntax::Part;
use value::Value;

pub use error::TemplateError;
pub use table::{Agreement, Disagreement, TableError, table};
pub use view::{Comparison, LiteralKind};

/// The filters, tests and functions that are known here, for documents.
pub const KNOWN_WORDS: [&[&str]; 3] = [&filters::FILTERS, &filters::TESTS, &filters::FUNCTIONS];

/// A field with expressions, read.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Vec<Part>,
}

/// What a template is filled in with besides variables.
#[derive(Debug, Clone)]
pub struct Environment {
    now: Timestamp,
    has_additions: bool,
}

impl Environment {
    /// Webex at this moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, has_additions: true }
    }

    fn has_additions(&self) -> bool {
        self.has_additions
    }

    /// Pebble alone, without what Webex adds.
    #[must_use]
    pub fn of_pebble(now: Timestamp) -> Self {
        Self { now, has_additions: false }
    }
}

impl Template {
    /// Reads a field.
    ///
    /// # Errors
    /// It is no template, or nested too deeply.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { parts: parse::parse(text)? })
    }

    /// Fills in the field.
    ///
    /// # Errors
    /// An expression fails for these values, or takes too much.
    pub fn render(
        &self,
        variables: &Map<String, Json>,
        environment: &Environment,
    ) -> Result<String, TemplateError> {
        let values: Vec<(Rc<str>, Value)> =
            variables.iter().map(|(name, value)| (Rc::from(name.as_str()), Value::from(value))).collect();
        Renderer::new(&values, environment).render(&self.parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn render(text: &str) -> Result<String, TemplateError> {
        let Json::Object(variables) =
            json!({"ANI": "+14693150217", "n": 7, "list": ["b", "a"], "map": {"a": 1}})
        else {
            unreachable!("an object");
        };
        Template::parse(text)?
            .render(&variables, &Environment::at("2026-11-26T10:00:00.123Z".parse().unwrap()))
    }

    #[test]
    fn webex_adds_now_epoch_and_json() {
        assert_eq!(render("{{ now() }}").unwrap(), "2026-11-26T10:00:00.123Z[UTC]");
        assert_eq!(render("{{ now() | replace({'[UTC]': ''}) }}").unwrap(), "2026-11-26T10:00:00.123Z");
        assert_eq!(render("{{ now() | epoch }}").unwrap(), "1795687200");
        assert_eq!(render("{{ now() | epoch(inMillis=true) }}").unwrap(), "1795687200123");
        assert_eq!(render("{{ now() | date('yyyy-MM-dd HH:mm') }}").unwrap(), "2026-11-26 10:00");
        assert_eq!(render("{{ map | json }}").unwrap(), "{\"a\":1}");
    }

    #[test]
    fn a_fault_names_its_column() {
        let column = |text: &str| render(text).unwrap_err().column();
        assert_eq!(column("a {{ ANI | slice(0, 99) }}"), 10);
        assert_eq!(column("{{ ANI > 5 }}"), 8);
        assert_eq!(column("{{ ANI | nosuch }}"), 8);
        assert_eq!(render("{{ ANI | nosuch }}").unwrap_err().not_understood(), Some("filter nosuch"));
    }

    #[test]
    fn hostile_templates_end() {
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000));
        let long = format!("{{{{ 1{} }}}}", " + 1".repeat(50_000));
        let loops = "{% for a in range(1,1000) %}{% for b in range(1,1000) %}{% for c in range(1,1000) %}x{% endfor %}{% endfor %}{% endfor %}";
        let grows = format!("{{% set a = 'x' %}}{}", "{% set a = a + a %}".repeat(60));
        let nests = format!("{{% set a = [1] %}}{}{{{{ a }}}}", "{% set a = [a, a] %}".repeat(60));
        for text in [
            deep.as_str(),
            &long,
            loops,
            &grows,
            &nests,
            "{{ range(1,9000000000000000000) }}",
            "{{ 'a' | slice(0,-9) }}",
        ] {
            assert!(render(text).is_err());
        }
    }

    #[test]
    fn values_may_be_nested_only_so_deep() {
        for step in [
            "{% set a = [a] %}",
            "{% set a = {'k': a} %}",
            "{% set a = [1] + [a] %}",
            "{% set a = [1] | merge([a]) %}",
        ] {
            let text = format!("{{% set a = [1] %}}{}{{{{ a }}}}", step.repeat(2_000));
            assert!(render(&text).is_err(), "{step}");
        }
        assert!(
            render("{% set a = [1] %}{% for i in range(1,5000) %}{% set a = [a] %}{% endfor %}{{ a }}")
                .is_err()
        );
    }

    #[test]
    fn what_is_set_in_a_loop_is_set_where_the_variable_is() {
        assert_eq!(
            render("{% set x = 0 %}{% for i in list %}{% set x = x + 1 %}{% endfor %}{{ x }}").unwrap(),
            "2"
        );
        assert_eq!(render("{% for i in list %}{% set y = i %}{% endfor %}[{{ y }}]").unwrap(), "[]");
    }

    proptest! {
        #[test]
        fn any_text_is_filled_in_or_refused(text in "[{}%#|a-z0-9 .,'\"()\\[\\]:?~+*/=!<>-]{0,60}") {
            let _ = render(&text);
        }

        #[test]
        fn any_expression_is_filled_in_or_refused(text in "(ANI|n|list|map|'x'|7|2\\.5|null|true)( ?([|] ?(upper|slice\\(0,3\\)|sort|join\\('-'\\)|default\\('y'\\)|replace\\(\\{'a':'b'\\}\\)|date\\('yyyy'\\)|numberformat\\('#,##0.0'\\)|split\\(','\\))|[-+*/%~<>]|==|is empty|and|or|contains) ?(ANI|n|list|'x'|7)?){0,4}") {
            let template = format!("{{{{ {text} }}}}");
            prop_assert_eq!(render(&template), render(&template));
        }

        #[test]
        fn text_without_braces_stays_as_it_is(text in "[^{}]{0,80}") {
            prop_assert_eq!(render(&text).unwrap(), text);
        }
    }
}
