//! Filters: `[?(@.n > 3 && @.name == 'A')]`.
//!
//! Where the library tries to read an operator and finds none, it falls back to asking whether the left side exists. A literal that is
//! none, or a text that ends too early, is final instead.

use super::compile::{Limits, Refusal, compile, unescape};
use super::cursor::Cursor;
use super::node::Constant;
use super::operator::Operator;
use super::pattern::{self, Pattern};
use super::token::CompiledPath;

/// The name of an operator is no longer: what is longer is none.
const LONGEST_OPERATOR: usize = 12;

/// What a filter asks.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    /// Whether a path leads to something, or to nothing.
    Exists {
        path: CompiledPath,
        expected: bool,
    },
    Relation {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
}

/// A side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Constant),
    /// A path, and whether no `!` is before it.
    Path(CompiledPath, bool),
}

/// Compiles a filter with its outer brackets.
pub(super) fn compile_expression(text: &str, limits: Limits<'_>) -> Result<Expression, Refusal> {
    let mut cursor = Cursor::new(text);
    cursor.trim();
    if !cursor.current_is('[')? || !cursor.last_is(']')? {
        return Err(Refusal::invalid(format!("a filter is in '[' and ']': {text}")));
    }
    cursor.advance(1);
    cursor.drop_last();
    cursor.trim();
    if !cursor.current_is('?')? {
        return Err(Refusal::invalid(format!("a filter begins with '[?': {text}")));
    }
    cursor.advance(1);
    cursor.trim();
    if !cursor.current_is('(')? || !cursor.last_is(')')? {
        return Err(Refusal::invalid(format!("a filter is in '[?(' and ')]': {text}")));
    }
    let mut compiler = Compiler { cursor, limits };
    let expression = compiler.read_or()?;
    compiler.cursor.skip_blanks();
    if compiler.cursor.in_bounds() {
        return Err(Refusal::invalid(format!("the filter goes on after its end: {text}")));
    }
    Ok(expression)
}

struct Compiler<'l> {
    cursor: Cursor,
    limits: Limits<'l>,
}

impl Compiler<'_> {
    fn read_or(&mut self) -> Result<Expression, Refusal> {
        self.limits.check()?;
        self.limits.nesting += 1;
        let mut parts = vec![self.read_and()?];
        loop {
            let saved = self.cursor.position();
            if !self.cursor.take("||") {
                self.cursor.set_position(saved);
                break;
            }
            parts.push(self.read_and()?);
        }
        self.limits.nesting -= 1;
        Ok(one_or(parts, Expression::Or))
    }

    fn read_and(&mut self) -> Result<Expression, Refusal> {
        let mut parts = vec![self.read_operand()?];
        loop {
            let saved = self.cursor.position();
            if !self.cursor.take("&&") {
                self.cursor.set_position(saved);
                break;
            }
            parts.push(self.read_operand()?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn read_operand(&mut self) -> Result<Expression, Refusal> {
        self.cursor.skip_blanks();
        let saved = self.cursor.position();
        if self.cursor.current_is('!')? {
            self.cursor.expect('!')?;
            self.cursor.skip_blanks();
            if matches!(self.cursor.current()?, '$' | '@') {
                self.cursor.set_position(saved);
            } else {
                self.limits.check()?;
                self.limits.nesting += 1;
                let operand = self.read_operand()?;
                self.limits.nesting -= 1;
                return Ok(Expression::Not(Box::new(operand)));
            }
        }
        self.cursor.skip_blanks();
        if self.cursor.current_is('(')? {
            self.cursor.expect('(')?;
            let expression = self.read_or()?;
            self.cursor.expect(')')?;
            return Ok(expression);
        }
        self.read_relation()
    }

    fn read_relation(&mut self) -> Result<Expression, Refusal> {
        let left = self.read_value()?;
        let saved = self.cursor.position();
        match self.read_operator().and_then(|operator| Ok((operator, self.read_value()?))) {
            Ok((operator, right)) => return Ok(Expression::Relation { left, operator, right }),
            Err(Refusal::Invalid(_)) => self.cursor.set_position(saved),
            Err(refusal) => return Err(refusal),
        }
        match left {
            Operand::Path(path, expected) => Ok(Expression::Exists { path, expected }),
            Operand::Literal(_) => {
                Err(Refusal::invalid("a filter compares something, or begins with a path"))
            }
        }
    }

    fn read_value(&mut self) -> Result<Operand, Refusal> {
        self.cursor.skip_blanks();
        match self.cursor.current()? {
            '$' | '@' => self.read_path(),
            '!' => {
                self.cursor.advance(1);
                self.cursor.skip_blanks();
                match self.cursor.current()? {
                    '$' | '@' => self.read_path(),
                    _ => Err(Refusal::invalid("'!' is not expected here")),
                }
            }
            _ => self.read_literal().map(Operand::Literal),
        }
    }

    fn read_literal(&mut self) -> Result<Constant, Refusal> {
        match self.cursor.current()? {
            quote @ ('\'' | '"') => self.read_string(quote),
            't' => self.read_word("true", Constant::Boolean(true)),
            'f' => self.read_word("false", Constant::Boolean(false)),
            'n' => self.read_word("null", Constant::Null),
            '{' => self.read_json(('{', '}')),
            '[' => self.read_json(('[', ']')),
            '/' => self.read_pattern(),
            _ => self.read_number(),
        }
    }

    fn read_word(&mut self, word: &str, node: Constant) -> Result<Constant, Refusal> {
        let start = self.cursor.position();
        let end = start + word.len();
        if end <= self.cursor.end() && self.cursor.text(start, end)? == word {
            self.cursor.set_position(end);
            return Ok(node);
        }
        Err(Refusal::invalid(format!("expected {word}")))
    }

    fn read_string(&mut self, quote: char) -> Result<Constant, Refusal> {
        let start = self.cursor.position();
        let end = self.cursor.index_of_unescaped(start, quote);
        let end = end.ok_or_else(|| Refusal::invalid(format!("{quote} is not closed")))?;
        self.cursor.set_position(end + 1);
        Ok(Constant::Text(unescape(&self.cursor.text(start + 1, end)?)?))
    }

    fn read_json(&mut self, brackets: (char, char)) -> Result<Constant, Refusal> {
        let start = self.cursor.position();
        let end = self.cursor.index_of_closing(start, brackets, false)?;
        let end = end.ok_or_else(|| Refusal::invalid("a list or an object is not closed"))?;
        self.cursor.set_position(end + 1);
        Ok(Constant::json(self.cursor.text(start, end + 1)?))
    }

    fn read_pattern(&mut self) -> Result<Constant, Refusal> {
        let start = self.cursor.position();
        let close = self.cursor.index_of_unescaped(start, '/');
        let close = close.ok_or_else(|| Refusal::invalid("a pattern is not closed"))?;
        let mut end = close + 1;
        while self.cursor.in_bounds_at(end) && pattern::is_flag(self.cursor.at(end)?) {
            end += 1;
        }
        self.cursor.set_position(end);
        let text = self.cursor.text(start + 1, close)?;
        let flags = self.cursor.text(close + 1, end)?;
        Pattern::compile(&text, &flags, self.limits.room).map(|pattern| Constant::Pattern(Box::new(pattern)))
    }

    fn read_number(&mut self) -> Result<Constant, Refusal> {
        let start = self.cursor.position();
        let mut end = start;
        while self.cursor.in_bounds_at(end)
            && matches!(self.cursor.at(end)?, '0'..='9' | '-' | '.' | 'e' | 'E')
        {
            end += 1;
        }
        self.cursor.set_position(end);
        let text = self.cursor.text(start, end)?;
        Constant::number(&text).ok_or_else(|| Refusal::Literal(format!("'{text}' is no number")))
    }

    fn read_path(&mut self) -> Result<Operand, Refusal> {
        let negated = self
            .cursor
            .index_of_previous()
            .is_some_and(|index| self.cursor.at(index).is_ok_and(|c| c == '!'));
        let start = self.cursor.position();
        self.cursor.advance(1);
        let mut dots = Dots { looked_up_to: start + 1, has_dot: false };
        while self.cursor.in_bounds() {
            if self.cursor.current()? == '[' {
                let close = self.cursor.index_of_closing(self.cursor.position(), ('[', ']'), false)?;
                let close = close.ok_or_else(|| Refusal::invalid("a bracket is not closed"))?;
                self.cursor.set_position(close + 1);
            }
            let current = self.cursor.current()?;
            let ends = current == ')' && !self.closes_call(&mut dots)?;
            if !self.cursor.in_bounds() || is_operator_character(current) || current == ' ' || ends {
                break;
            }
            self.cursor.advance(1);
        }
        let text = self.cursor.text(start, self.cursor.position())?;
        Ok(Operand::Path(compile(&text, self.limits.deeper())?, !negated))
    }

    /// Whether the closing bracket here is the one of `name()` in a path, which has a dot before it.
    fn closes_call(&self, dots: &mut Dots) -> Result<bool, Refusal> {
        let Some(open) = self.cursor.index_of_previous() else {
            return Ok(false);
        };
        if self.cursor.at(open)? != '(' {
            return Ok(false);
        }
        // Each character is looked at once for all calls of a path.
        while !dots.has_dot && dots.looked_up_to < open {
            dots.has_dot = self.cursor.at(dots.looked_up_to)? == '.';
            dots.looked_up_to += 1;
        }
        Ok(dots.has_dot)
    }

    fn read_operator(&mut self) -> Result<Operator, Refusal> {
        self.cursor.skip_blanks();
        let start = self.cursor.position();
        let is_symbol = is_operator_character(self.cursor.current()?);
        while self.cursor.in_bounds() && self.cursor.position() - start <= LONGEST_OPERATOR {
            let current = self.cursor.current()?;
            if (is_symbol && !is_operator_character(current)) || (!is_symbol && current == ' ') {
                break;
            }
            self.cursor.advance(1);
        }
        let text = self.cursor.text(start, self.cursor.position())?;
        Operator::by_name(&text).ok_or_else(|| Refusal::invalid(format!("{text} is no operator")))
    }
}

/// How far a path has been searched for a dot.
struct Dots {
    looked_up_to: usize,
    has_dot: bool,
}

fn is_operator_character(character: char) -> bool {
    matches!(character, '<' | '>' | '=' | '~' | '!')
}

fn one_or(mut parts: Vec<Expression>, several: impl FnOnce(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            several(parts)
        }
        None => several(parts),
    }
}
