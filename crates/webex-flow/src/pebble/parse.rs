//! Reads a template.

use super::error::TemplateError;
use super::syntax::{Arguments, Binary, Kind, Literal, Node, OPERATORS, Operator, Part, Unary};

/// How deep expressions and tags may be nested: who reads or drops them does so by recursion.
const DEEPEST: usize = 60;
/// How many operators one expression may hold, for the same reason.
const LONGEST: usize = 400;
/// What an operator begins with.
const BEGINS: [char; 17] =
    ['e', 'c', 'i', 'a', '=', '!', '>', '<', '.', 'o', '+', '-', '*', '/', '%', '|', '~'];

pub(super) fn parse(text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0, operators: 0, trims: false };
    let (parts, end) = parser.parts(&[])?;
    match end {
        None => Ok(parts),
        Some(tag) => Err(parser.wrong(&format!("`{tag}` ends nothing"))),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
    operators: usize,
    /// Whether blanks at the beginning of the next text go: the delimiter before it was `-}}` or `-%}`.
    trims: bool,
}

type Parsed<T> = Result<T, TemplateError>;

impl Parser {
    fn column(&self) -> usize {
        self.at + 1
    }

    fn wrong(&self, words: &str) -> TemplateError {
        TemplateError::new(self.column(), words)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn looks_at(&self, what: &str) -> bool {
        self.text.get(self.at..).is_some_and(|rest| {
            let mut rest = rest.iter();
            what.chars().all(|character| rest.next() == Some(&character))
        })
    }

    fn take(&mut self, what: &str) -> bool {
        let is_there = self.looks_at(what);
        if is_there {
            self.at += what.chars().count();
        }
        is_there
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(self.wrong("is nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Parts until a tag of `ends`, which is given, or the end of the text.
    fn parts(&mut self, ends: &[&str]) -> Parsed<(Vec<Part>, Option<String>)> {
        let mut parts = Vec::new();
        while self.at < self.text.len() {
            let text = self.plain();
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            let opened = self.column();
            if self.take("{{") {
                self.take("-");
                let node = self.expression(0)?;
                self.close("}}", opened)?;
                parts.push(Part::Print(node));
            } else if self.take("{#") {
                self.comment(opened)?;
            } else if self.take("{%") {
                self.take("-");
                self.skip_blanks();
                let column = self.column();
                let tag = self.name().ok_or_else(|| self.wrong("a tag is missing after `{%`"))?;
                if ends.contains(&tag.as_str()) {
                    return Ok((parts, Some(tag)));
                }
                parts.extend(self.nested(|parser| parser.tag(&tag, column, opened))?);
            }
        }
        Ok((parts, None))
    }

    /// The text up to the next delimiter.
    fn plain(&mut self) -> String {
        let begin = self.at;
        while self.at < self.text.len()
            && !(self.peek() == Some('{') && matches!(self.peek_at(1), Some('{' | '%' | '#')))
        {
            self.at += 1;
        }
        let mut text: String = self.text.get(begin..self.at).unwrap_or_default().iter().collect();
        if std::mem::take(&mut self.trims) {
            text = text.trim_start().to_owned();
        }
        if self.peek_at(2) == Some('-') {
            text = text.trim_end().to_owned();
        }
        text
    }

    /// The end of a delimited part. A line break behind it goes with it, as Pebble's default is.
    fn close(&mut self, delimiter: &str, opened: usize) -> Parsed<()> {
        self.skip_blanks();
        let trims = self.peek() == Some('-') && {
            self.at += 1;
            true
        };
        if !self.take(delimiter) {
            let found = self
                .peek()
                .map_or_else(|| "the field ends".to_owned(), |found| format!("there is `{found}`"));
            return Err(self.wrong(&format!("{found} where `{delimiter}` of column {opened} is expected")));
        }
        self.trims = trims;
        let _ = self.take("\r\n") || self.take("\n") || self.take("\r");
        Ok(())
    }

    fn comment(&mut self, opened: usize) -> Parsed<()> {
        while self.at < self.text.len() && !self.looks_at("#}") {
            self.at += 1;
        }
        self.trims = self.at.checked_sub(1).and_then(|before| self.text.get(before)) == Some(&'-');
        let trims = self.trims;
        if !self.take("#}") {
            return Err(TemplateError::new(opened, "the comment has no end"));
        }
        self.trims = trims;
        let _ = self.take("\r\n") || self.take("\n");
        Ok(())
    }

    fn tag(&mut self, tag: &str, column: usize, opened: usize) -> Parsed<Vec<Part>> {
        match tag {
            "if" => self.condition(opened).map(|part| vec![part]),
            "for" => self.repetition(opened).map(|part| vec![part]),
            "set" => {
                self.skip_blanks();
                let variable =
                    self.name().ok_or_else(|| self.wrong("the name of a variable is missing after `set`"))?;
                self.expect("=")?;
                let value = self.expression(0)?;
                self.close("%}", opened)?;
                Ok(vec![Part::Set { variable, value }])
            }
            "verbatim" => {
                self.close("%}", opened)?;
                let begin = self.at;
                while self.at < self.text.len() && !self.is_end_of_verbatim() {
                    self.at += 1;
                }
                let text: String = self.text.get(begin..self.at).unwrap_or_default().iter().collect();
                if !self.take("{%") {
                    return Err(TemplateError::new(opened, "`verbatim` has no end"));
                }
                self.take("-");
                self.skip_blanks();
                self.take("endverbatim");
                self.close("%}", opened)?;
                Ok(vec![Part::Text(text)])
            }
            _ => Err(TemplateError::unknown(column, "tag", tag)),
        }
    }

    fn is_end_of_verbatim(&self) -> bool {
        if !self.looks_at("{%") {
            return false;
        }
        let rest = self.text.get(self.at + 2..).unwrap_or_default();
        let rest = rest.strip_prefix(&['-']).unwrap_or(rest);
        let mut rest = rest.iter().skip_while(|c| c.is_whitespace());
        "endverbatim".chars().all(|c| rest.next() == Some(&c))
    }

    fn condition(&mut self, opened: usize) -> Parsed<Part> {
        let mut branches = Vec::new();
        let mut condition = self.expression(0)?;
        loop {
            self.close("%}", opened)?;
            let (body, end) = self.parts(&["elseif", "else", "endif"])?;
            branches.push((condition, body));
            match end.as_deref() {
                Some("elseif") => condition = self.expression(0)?,
                Some("else") => {
                    self.close("%}", opened)?;
                    let (otherwise, end) = self.parts(&["endif"])?;
                    self.end_of("if", end.as_deref(), opened)?;
                    return Ok(Part::If { branches, otherwise });
                }
                end => {
                    self.end_of("if", end, opened)?;
                    return Ok(Part::If { branches, otherwise: Vec::new() });
                }
            }
        }
    }

    fn repetition(&mut self, opened: usize) -> Parsed<Part> {
        self.skip_blanks();
        let variable =
            self.name().ok_or_else(|| self.wrong("the name of a variable is missing after `for`"))?;
        self.skip_blanks();
        if self.name().as_deref() != Some("in") {
            return Err(self.wrong("`in` is missing"));
        }
        let list = self.expression(0)?;
        self.close("%}", opened)?;
        let (body, end) = self.parts(&["else", "endfor"])?;
        let (otherwise, end) = match end.as_deref() {
            Some("else") => {
                self.close("%}", opened)?;
                self.parts(&["endfor"])?
            }
            _ => (Vec::new(), end),
        };
        self.end_of("for", end.as_deref(), opened)?;
        Ok(Part::For { variable, list, body, otherwise })
    }

    fn end_of(&mut self, tag: &str, end: Option<&str>, opened: usize) -> Parsed<()> {
        match end {
            Some(_) => self.close("%}", opened),
            None => Err(TemplateError::new(opened, format!("`{tag}` has no `end{tag}`"))),
        }
    }

    fn expect(&mut self, what: &str) -> Parsed<()> {
        self.skip_blanks();
        if self.take(what) {
            return Ok(());
        }
        let found =
            self.peek().map_or_else(|| "the field ends".to_owned(), |found| format!("there is `{found}`"));
        Err(self.wrong(&format!("{found} where `{what}` is expected")))
    }

    fn name(&mut self) -> Option<String> {
        let begins = |c: char| c.is_alphabetic() || c == '_';
        let begin = self.at;
        self.peek().filter(|c| begins(*c))?;
        while self.peek().is_some_and(|c| begins(c) || c.is_numeric()) {
            self.at += 1;
        }
        Some(self.text.get(begin..self.at)?.iter().collect())
    }

    /// The operator that stands here and binds at least so strongly, its length and how strongly it does.
    fn operator(&self, least: u32) -> Option<(Operator, usize, u32)> {
        let first = self.peek().filter(|first| BEGINS.contains(first))?;
        for (sign, operator, precedence) in OPERATORS {
            if precedence < least || !sign.starts_with(first) {
                continue;
            }
            let Some(length) = self.length_of(sign) else { continue };
            // `-}}` closes.
            let closes = sign == "-" && (self.peek_at(1), self.peek_at(2)) == (Some('}'), Some('}'))
                || sign == "%" && self.peek_at(1) == Some('}')
                || sign == "-" && (self.peek_at(1), self.peek_at(2)) == (Some('%'), Some('}'));
            if !closes {
                return Some((operator, length, precedence));
            }
        }
        None
    }

    /// How much of the text is this operator: words end where letters do, and `is not` may hold any blanks.
    fn length_of(&self, sign: &str) -> Option<usize> {
        let mut length = 0;
        for (index, word) in sign.split(' ').enumerate() {
            if index > 0 {
                let blanks =
                    (length..).take_while(|ahead| self.peek_at(*ahead).is_some_and(char::is_whitespace));
                let blanks = blanks.count();
                if blanks == 0 {
                    return None;
                }
                length += blanks;
            }
            for character in word.chars() {
                if self.peek_at(length) != Some(character) {
                    return None;
                }
                length += 1;
            }
        }
        let is_word = sign.chars().all(|c| c.is_alphabetic() || c == ' ');
        let goes_on = self.peek_at(length).is_some_and(|c| c.is_alphanumeric() || c == '_');
        (!is_word || !goes_on).then_some(length)
    }

    fn unary(&mut self) -> Option<Unary> {
        let (unary, length) = match self.peek()? {
            '-' if !self.looks_at("-}}") && !self.looks_at("-%}") => (Unary::Minus, 1),
            '+' => (Unary::Plus, 1),
            'n' => (Unary::Not, self.length_of("not")?),
            _ => return None,
        };
        self.at += length;
        Some(unary)
    }

    fn expression(&mut self, least: u32) -> Parsed<Node> {
        self.nested(|parser| parser.climb(least))
    }

    fn climb(&mut self, least: u32) -> Parsed<Node> {
        self.skip_blanks();
        let column = self.column();
        let mut left = match self.unary() {
            Some(unary) => {
                let of = self.expression(Unary::PRECEDENCE)?;
                Node { column, kind: Kind::Unary(unary, Box::new(of)) }
            }
            None => self.operand()?,
        };
        loop {
            self.skip_blanks();
            let sign = self.column();
            let Some((operator, length, precedence)) = self.operator(least) else { break };
            self.operators += 1;
            if self.operators > LONGEST {
                return Err(self.wrong("the field holds too many operators"));
            }
            self.at += length;
            left = self.applied(left, operator, precedence, sign)?;
        }
        if least > 0 {
            return Ok(left);
        }
        self.skip_blanks();
        if !self.take("?") {
            return Ok(left);
        }
        let yes = Box::new(self.expression(0)?);
        self.expect(":")?;
        let no = Box::new(self.expression(0)?);
        Ok(Node { column, kind: Kind::Ternary { condition: Box::new(left), yes, no } })
    }

    fn applied(&mut self, left: Node, operator: Operator, precedence: u32, column: usize) -> Parsed<Node> {
        let input = Box::new(left);
        let kind = match operator {
            Operator::Binary(binary) => {
                Kind::Binary(binary, input, Box::new(self.expression(precedence + 1)?))
            }
            Operator::Pipe => {
                let (name, arguments) = self.invocation("filter")?;
                Kind::Filter { input, name, arguments }
            }
            Operator::Is | Operator::IsNot => {
                let (name, _) = self.invocation("test")?;
                Kind::Test { input, name, is_negated: operator == Operator::IsNot }
            }
        };
        Ok(Node { column, kind })
    }

    fn invocation(&mut self, what: &str) -> Parsed<(String, Arguments)> {
        self.skip_blanks();
        let name = self.name().ok_or_else(|| self.wrong(&format!("the name of a {what} is missing")))?;
        let arguments = if self.peek() == Some('(') { self.arguments()? } else { Arguments::default() };
        Ok((name, arguments))
    }

    fn arguments(&mut self) -> Parsed<Arguments> {
        self.expect("(")?;
        let mut arguments = Arguments::default();
        loop {
            self.skip_blanks();
            if self.take(")") {
                return Ok(arguments);
            }
            if !arguments.positional.is_empty() || !arguments.named.is_empty() {
                self.expect(",")?;
                self.skip_blanks();
            }
            let begin = self.at;
            let name = self.name();
            self.skip_blanks();
            let is_named = self.peek() == Some('=') && self.peek_at(1) != Some('=');
            match name {
                Some(name) if is_named => {
                    self.at += 1;
                    let value = self.expression(0)?;
                    arguments.named.push((name, value));
                }
                _ => {
                    self.at = begin;
                    let value = self.expression(0)?;
                    arguments.positional.push(value);
                }
            }
        }
    }

    fn operand(&mut self) -> Parsed<Node> {
        let column = self.column();
        let Some(first) = self.peek() else {
            return Err(self.wrong("the field ends where a value is expected"));
        };
        match first {
            '(' => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.expect(")")?;
                self.postfix(inner)
            }
            '[' => {
                self.at += 1;
                let items = self.items("]", Self::expression)?;
                Ok(Node { column, kind: Kind::List(items) })
            }
            '{' => {
                self.at += 1;
                let pairs = self.items("}", |parser, least| {
                    let key = parser.expression(least)?;
                    parser.expect(":")?;
                    Ok((key, parser.expression(least)?))
                })?;
                Ok(Node { column, kind: Kind::Map(pairs) })
            }
            '"' | '\'' => {
                let node = self.text_literal(first)?;
                self.postfix(node)
            }
            '0'..='9' => {
                let literal = self.number()?;
                self.postfix(Node { column, kind: Kind::Literal(literal) })
            }
            _ => {
                let name = self
                    .name()
                    .ok_or_else(|| self.wrong(&format!("there is `{first}` where a value is expected")))?;
                let kind = match name.as_str() {
                    "true" | "TRUE" => Kind::Literal(Literal::Bool(true)),
                    "false" | "FALSE" => Kind::Literal(Literal::Bool(false)),
                    "null" | "NULL" | "none" | "NONE" => Kind::Literal(Literal::Null),
                    _ if self.peek() == Some('(') => Kind::Call { arguments: self.arguments()?, name },
                    _ => Kind::Variable(name),
                };
                self.postfix(Node { column, kind })
            }
        }
    }

    fn items<T>(&mut self, end: &str, read: impl Fn(&mut Self, u32) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.take(end) {
                return Ok(items);
            }
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(read(self, 0)?);
        }
    }

    fn postfix(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            self.skip_blanks();
            let column = self.column();
            let name = if self.peek() == Some('.') && self.peek_at(1) != Some('.') {
                self.at += 1;
                self.skip_blanks();
                let member = self.column();
                let name = self.name().ok_or_else(|| self.wrong("a name is missing after `.`"))?;
                Node { column: member, kind: Kind::Literal(Literal::Text(name)) }
            } else if self.take("[") {
                let name = self.expression(0)?;
                self.expect("]")?;
                name
            } else {
                return Ok(node);
            };
            self.operators += 1;
            if self.operators > LONGEST {
                return Err(self.wrong("the field holds too many operators"));
            }
            let arguments = if self.peek() == Some('(') { Some(self.arguments()?) } else { None };
            node = Node {
                column,
                kind: Kind::Attribute { of: Box::new(node), name: Box::new(name), arguments },
            };
        }
    }

    fn number(&mut self) -> Parsed<Literal> {
        let (column, begin) = (self.column(), self.at);
        let digits = |parser: &mut Self| {
            while parser.peek().is_some_and(|c| c.is_ascii_digit()) {
                parser.at += 1;
            }
        };
        digits(self);
        let has_fraction = self.peek() == Some('.') && self.peek_at(1).is_some_and(|c| c.is_ascii_digit());
        if has_fraction {
            self.at += 1;
            digits(self);
        }
        let text: String = self.text.get(begin..self.at).unwrap_or_default().iter().collect();
        if !has_fraction {
            self.take("L");
        }
        let literal = match has_fraction {
            true => text.parse().ok().map(Literal::Double),
            false => text.parse().ok().map(Literal::Long),
        };
        literal.ok_or_else(|| TemplateError::new(column, "the number is too large"))
    }

    /// A text in quotes. In double ones, `#{...}` holds an expression.
    fn text_literal(&mut self, quote: char) -> Parsed<Node> {
        let opened = self.column();
        self.at += 1;
        let (mut text, mut whole): (String, Option<Node>) = (String::new(), None);
        let joined = |whole: Option<Node>, next: Node| match whole {
            None => next,
            Some(left) => {
                let column = left.column;
                Node { column, kind: Kind::Binary(Binary::Concatenate, Box::new(left), Box::new(next)) }
            }
        };
        loop {
            let Some(character) = self.peek() else {
                return Err(TemplateError::new(opened, format!("the text has no second `{quote}`")));
            };
            let column = self.column();
            self.at += 1;
            match character {
                _ if character == quote => {
                    let last = Node { column: opened, kind: Kind::Literal(Literal::Text(text)) };
                    return Ok(joined(whole, last));
                }
                '\\' => match self.peek() {
                    Some(escaped) if escaped == quote || escaped == '\\' => {
                        text.push(escaped);
                        self.at += 1;
                    }
                    _ => text.push('\\'),
                },
                '#' if quote == '"' && self.peek() == Some('{') => {
                    self.at += 1;
                    let inner = self.expression(0)?;
                    self.expect("}")?;
                    self.operators += 1;
                    if self.operators > LONGEST {
                        return Err(self.wrong("the field holds too many operators"));
                    }
                    let before =
                        Node { column, kind: Kind::Literal(Literal::Text(std::mem::take(&mut text))) };
                    whole = Some(joined(Some(joined(whole, before)), inner));
                }
                _ => text.push(character),
            }
        }
    }
}
