//! Reads as much GraphQL as a query of Search needs: fields, arguments, literals. What goes beyond (variables,
//! fragments, aliases, directives) is refused, as no client of the tenant has a reason to use it.

/// A selected field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Literal)>,
    /// Empty for a leaf.
    pub(super) fields: Vec<Self>,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Int(i64),
    Boolean(bool),
    Text(String),
    Enum(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Deeper than any query that makes sense.
const DEEPEST: usize = 16;

/// The fields that a query selects: `{ .. }`, also with `query Name` before it.
pub(super) fn parse(text: &str) -> Result<Vec<Field>, String> {
    let mut reader = Reader { rest: text };
    if reader.peek() != Some('{') {
        match reader.name().as_deref() {
            Some("query") => drop(reader.name()),
            _ => return Err(reader.expected("a query in braces")),
        }
    }
    let fields = reader.fields(0)?;
    match reader.peek() {
        None => Ok(fields),
        Some(_) => Err(reader.expected("the end of the query")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// The next character that means something; commas and comments do not.
    fn peek(&mut self) -> Option<char> {
        loop {
            self.rest =
                self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
            if !self.rest.starts_with('#') {
                return self.rest.chars().next();
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = self.rest.strip_prefix(wanted).unwrap_or_default();
        }
        found
    }

    fn must(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    fn expected(&self, what: &str) -> String {
        let found: String = self.rest.chars().take(12).collect();
        format!("query: expected {what}, found {found:?}")
    }

    fn run(&mut self, of: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        run.to_owned()
    }

    fn name(&mut self) -> Option<String> {
        let first = self.peek()?;
        let named = first.is_ascii_alphabetic() || first == '_';
        named.then(|| self.run(|c| c.is_ascii_alphanumeric() || c == '_'))
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<Field>, String> {
        self.must('{')?;
        if depth > DEEPEST {
            return Err("query: nested too deeply".to_owned());
        }
        let mut fields: Vec<Field> = Vec::new();
        while !self.take('}') {
            let name = self.name().ok_or_else(|| self.expected("the name of a field"))?;
            if fields.iter().any(|field| field.name == name) {
                return Err(format!("query: {name} is selected twice"));
            }
            let arguments = if self.take('(') { self.pairs(')', depth)? } else { Vec::new() };
            let fields_of = if self.peek() == Some('{') { self.fields(depth + 1)? } else { Vec::new() };
            fields.push(Field { name, arguments, fields: fields_of });
        }
        if fields.is_empty() { Err("query: an empty selection".to_owned()) } else { Ok(fields) }
    }

    /// `name: literal` until `end`.
    fn pairs(&mut self, end: char, depth: usize) -> Result<Vec<(String, Literal)>, String> {
        let mut pairs: Vec<(String, Literal)> = Vec::new();
        while !self.take(end) {
            let name = self.name().ok_or_else(|| self.expected("the name of an argument"))?;
            self.must(':')?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(format!("query: the argument {name} is given twice"));
            }
            pairs.push((name, self.literal(depth + 1)?));
        }
        Ok(pairs)
    }

    fn literal(&mut self, depth: usize) -> Result<Literal, String> {
        if depth > DEEPEST {
            return Err("query: nested too deeply".to_owned());
        }
        match self.peek() {
            Some('{') => {
                self.must('{')?;
                Ok(Literal::Object(self.pairs('}', depth)?))
            }
            Some('[') => {
                self.must('[')?;
                let mut list = Vec::new();
                while !self.take(']') {
                    list.push(self.literal(depth + 1)?);
                }
                Ok(Literal::List(list))
            }
            Some('"') => self.text().map(Literal::Text),
            Some(first) if first == '-' || first.is_ascii_digit() => {
                let digits = self.run(|c| c == '-' || c.is_ascii_digit());
                digits.parse().map(Literal::Int).map_err(|_| format!("query: {digits} is no whole number"))
            }
            _ => match self.name().as_deref() {
                Some("true") => Ok(Literal::Boolean(true)),
                Some("false") => Ok(Literal::Boolean(false)),
                Some(name) => Ok(Literal::Enum(name.to_owned())),
                None => Err(self.expected("a value")),
            },
        }
    }

    /// GraphQL escapes as JSON does.
    fn text(&mut self) -> Result<String, String> {
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let Some(Ok(text)) = texts.next() else { return Err(self.expected("a text")) };
        let end = texts.byte_offset();
        self.rest = self.rest.get(end..).unwrap_or_default();
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_recorded_queries_are_understood() {
        for query in [
            include_str!("../../../../tests/fixtures/webex/search_activities.graphql"),
            include_str!("../../../../tests/fixtures/webex/search_page.graphql"),
            include_str!("../../../../tests/fixtures/webex/search_simple.graphql"),
        ] {
            let fields = parse(query).unwrap();
            assert_eq!(fields.len(), 1);
            assert_eq!(fields[0].name, "taskDetails");
            let names: Vec<_> = fields[0].fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(names, ["tasks", "pageInfo"]);
        }
    }

    #[test]
    fn literals_are_told_apart() {
        let fields = parse(r#"query All { a(b: -1, c: "x\"\u00fc" d: {e: [true, endedTime]}) }"#).unwrap();
        let text = |text: &str| text.to_owned();
        let expected = [
            (text("b"), Literal::Int(-1)),
            (text("c"), Literal::Text(text("x\"ü"))),
            (
                text("d"),
                Literal::Object(vec![(
                    text("e"),
                    Literal::List(vec![Literal::Boolean(true), Literal::Enum(text("endedTime"))]),
                )]),
            ),
        ];
        assert_eq!(fields[0].arguments, expected);
    }

    #[test]
    fn what_is_no_query_is_refused_with_the_place() {
        for (query, problem) in [
            ("", "query: expected a query in braces, found \"\""),
            ("mutation { a }", "query: expected a query in braces, found \" { a }\""),
            ("{ a", "query: expected the name of a field, found \"\""),
            ("{ a } b", "query: expected the end of the query, found \"b\""),
            ("{ a a }", "query: a is selected twice"),
            ("{ a(b: 1 b: 2) }", "query: the argument b is given twice"),
            ("{ a(b: $c) }", "query: expected a value, found \"$c) }\""),
            ("{ a(b: \"c) }", "query: expected a text, found \"\\\"c) }\""),
            ("{ a { } }", "query: an empty selection"),
        ] {
            assert_eq!(parse(query).unwrap_err(), problem, "{query}");
        }
        let deep = "{a".repeat(100);
        assert_eq!(parse(&deep).unwrap_err(), "query: nested too deeply");
        let deep = format!("{{a(b:{}", "[".repeat(100_000));
        assert_eq!(parse(&deep).unwrap_err(), "query: nested too deeply");
    }
}
