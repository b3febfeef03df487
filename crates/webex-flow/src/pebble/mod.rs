//! Expressions of flows: the part of the Pebble template language that Webex has, with its semantics.
//!
//! Webex fills in templates with [Pebble](https://pebbletemplates.io), without escaping and with additions of its own: `now()`, the
//! filter `epoch`, the filter `json`. What bites in flows is kept as it is: integers divide as integers, `+` with a text
//! concatenates, a number never equals a text, `>` on a text fails, `slice` beyond the end fails, and `sort` and `reverse` change the
//! list itself. How many steps and how much text a template may take is limited.

mod budget;
mod date_pattern;
mod dates;
mod decimal_format;
mod error;
mod escape;
mod evaluate;
mod filters;
mod members;
mod methods;
mod numbers;
mod parse;
mod patterns;
mod syntax;
mod table;
mod value;
mod view;
mod zones;

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use budget::STEPS;
use evaluate::Renderer;
use syntax::{Kind, Part, each_expression};
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

    fn now(&self) -> Timestamp {
        self.now
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
        self.filled_in(variables, environment, STEPS).0
    }

    /// Fills in the field with what is left of an allowance for several, and takes its steps off that.
    ///
    /// # Errors
    /// As [`Self::render`], and where too little is left.
    pub(crate) fn render_within(
        &self,
        variables: &Map<String, Json>,
        environment: &Environment,
        allowance: &Cell<u64>,
    ) -> Result<String, TemplateError> {
        let steps = allowance.get().min(STEPS);
        let (result, left) = self.filled_in(variables, environment, steps);
        allowance.set(allowance.get() - (steps - left));
        result
    }

    fn filled_in(
        &self,
        variables: &Map<String, Json>,
        environment: &Environment,
        steps: u64,
    ) -> (Result<String, TemplateError>, u64) {
        // Only what is read: a flow has many variables, and many fields that read few of them.
        let mut names = HashSet::new();
        each_expression(&self.parts, &mut |node| {
            if let Kind::Variable(name) = &node.kind {
                names.insert(name.as_str());
            }
        });
        let read = names.into_iter().filter_map(|name| variables.get_key_value(name));
        let values: Vec<(Rc<str>, Value)> =
            read.map(|(name, value)| (Rc::from(name.as_str()), Value::from(value))).collect();
        Renderer::new(&values, environment, steps).render(&self.parts)
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
    fn entries_of_a_map_print_as_java_prints_them() {
        assert_eq!(
            render("{% for e in map %}{{ e }} {{ e.key }}{{ e.value }}{% endfor %}").unwrap(),
            "a=1 a1"
        );
        assert_eq!(render("{{ map.entrySet() }} {{ list | merge(map) }}").unwrap(), "[a=1] [b, a, a=1]");
        assert_eq!(
            render("{% for i in list %}{{ loop }}{% endfor %}").unwrap(),
            "{last=false, length=2, index=0, revindex=1, first=true}\
             {last=true, length=2, index=1, revindex=0, first=false}"
        );
    }

    #[test]
    fn zones_of_java_and_letters_that_are_not_known_are_told() {
        let date = |arguments: &str| render(&format!("{{{{ 1795687200123 | date({arguments}) }}}}"));
        assert_eq!(date("'HH:mm z', timeZone='PST'").unwrap(), "02:00 PST");
        assert_eq!(date("'HH:mm', timeZone='GMT+01:00'").unwrap(), "11:00");
        assert_eq!(date("'HH:mm z', timeZone='nosuch'").unwrap(), "10:00 GMT");
        assert_eq!(date("'V'").unwrap_err().not_understood(), None);
        let fault = render("{{ now() | date('F') }}").unwrap_err();
        assert_eq!(fault.not_understood(), Some("pattern letter F"));
        assert_eq!(render("{{ now() | date('uuuu SSSSSS') }}").unwrap(), "2026 123000");
        assert_eq!(render("{{ -5 | numberformat('#,##0;(#)') }}").unwrap(), "(5)");
    }

    #[test]
    fn methods_of_java_are_called_and_those_that_are_not_known_are_told() {
        for (text, output) in [
            ("{{ ANI.substring(n) }} {{ ANI.substring(n, ANI.length()) }}", "50217 50217"),
            (
                "{{ ANI.replaceAll('[^0-9]', '') }} {{ ANI.replaceFirst('(4)(6)', '$2$1') }}",
                "14693150217 +16493150217",
            ),
            ("{{ ANI.matches('[+]1[0-9]{10}') }} {{ ANI.matches('1') }}", "true false"),
            ("{{ ANI.split('3')[1] }} {{ ' x '.trim() }} {{ 'a'.toUpperCase() }}", "150217 x A"),
            ("{{ ANI.startsWith('+1') }} {{ ANI.endswith('x') }} {{ ANI.empty }}", "true false false"),
            (
                "{{ ANI.indexOf('4') }} {{ ANI.equalsIgnoreCase(ANI) }} {{ ANI.contains('469') }}",
                "2 true true",
            ),
            (
                "{{ list.size() }} {{ list.contains('a') }} {{ list.indexOf('a') }} {{ list.length }}",
                "2 true 1 ",
            ),
            (
                "{{ map.size() }} {{ map.containsKey('a') }} {{ map.get('a') }} {{ map.keySet() }}",
                "1 true 1 [a]",
            ),
            ("{{ map.size }}{{ ANI.nosuch() }}{{ list.nosuch }}{{ n.nosuch }}", ""),
            ("{{ n.toString() + 1 }} {{ n.doubleValue() }} {{ now().year }}", "71 7.0 2026"),
        ] {
            assert_eq!(render(text).unwrap(), output, "{text}");
        }
        for (text, method) in [
            ("{{ ANI.chars() }}", "method chars of text"),
            ("{{ ANI.bytes }}", "method getBytes of text"),
            ("{{ list.stream() }}", "method stream of a list"),
            ("{{ list.first }}", "method getFirst of a list"),
            ("{{ map.put('a', 1) }}", "method put of a map"),
            ("{{ n.toHexString(n) }}", "method toHexString of a whole number"),
            ("{{ now().plusDays(1) }}", "method plusDays of a time"),
            ("{{ ANI.substring(1) }}", "method substring of text with a number that is no int"),
            ("{{ ANI.matches('(?<a>x)') }}", "pattern `(?<a>x)`"),
        ] {
            assert_eq!(render(text).unwrap_err().not_understood(), Some(method), "{text}");
        }
        assert_eq!(render("{{ ANI.class }}").unwrap_err().not_understood(), None);
    }

    #[test]
    fn work_is_counted_by_the_size_of_what_is_worked_on() {
        let list = "{% set a = range(1, 60000) %}";
        let long = "{% set a = 'x' %}{% for i in range(1, 19) %}{% set a = a + a %}{% endfor %}";
        for (begin, step) in [
            (list, "{{ a contains 0 }}"),
            (list, "{{ a == a }}"),
            (list, "{{ a | length }}"),
            (list, "{{ a.contains(0) }}"),
            (list, "{{ a - [0] }}"),
            (long, "{{ a contains 'y' }}"),
            (long, "{{ (a ~ 'y').length }}"),
            (long, "{{ a | replace({'y': 'z'}) | length }}"),
            (long, "{{ a | upper | length }}"),
            (long, "{{ a.indexOf('y') }}"),
        ] {
            assert!(render(&format!("{begin}{step}")).is_ok(), "{step}");
            let fault = render(&format!("{begin}{}", step.repeat(60))).unwrap_err();
            assert_eq!(fault.to_string(), "takes too many steps", "{step}");
        }
        assert!(render(&format!("{list}{{{{ a contains a }}}}")).is_err());
        assert!(render(&format!("{list}{{{{ a | sort | length }}}}")).is_err());
    }

    /// Each of these once took some dozen milliseconds or more, and was not told as too much.
    #[test]
    fn work_that_a_loop_repeats_is_counted_by_its_size() {
        let repeated = |body: &str| format!("{{% for i in range(1, 6000) %}}{body}{{% endfor %}}");
        let times = format!("{{% set a = [now(), now()] %}}{}", "{% set a = a + a %}".repeat(9));
        let nested = ("{% for x in [1] %}".repeat(28), "{% endfor %}".repeat(28));
        for text in [
            repeated("{{ ANI.nosuch }}"),
            repeated("{{ n.nosuch }}"),
            repeated(&format!("{{% set x = '{}' %}}", "x".repeat(2_000))),
            repeated(&format!("{{{{ {} }}}}", "x".repeat(2_000))),
            repeated(&format!("{{{{ 0 | date('{}') | length }}}}", "yM".repeat(200))),
            repeated("{{ 1 | numberformat('0.0000000000') is null }}"),
            repeated("{{ 'ab'.matches('x[^q](y|z)*' ~ i) is null }}"),
            format!("{}{}{}", nested.0, repeated("{{ n }}"), nested.1),
            format!("{times}{}", "{{ (a ~ '') is null }}".repeat(10)),
            format!(
                "{{% set a = 'a' %}}{}{{{{ a.replaceAll('a', '{}') is null }}}}",
                "{% set a = a + a %}".repeat(10),
                "$0".repeat(300)
            ),
        ] {
            assert_eq!(render(&text).unwrap_err().to_string(), "takes too many steps", "{text:.70}");
        }
    }

    #[test]
    fn a_pattern_in_a_loop_is_compiled_once() {
        let text = "{% for i in range(1, 1000) %}{{ ANI.matches('[+]1[0-9]{10}') | length }}{% endfor %}";
        assert_eq!(render(text).unwrap(), "0".repeat(1_000));
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
