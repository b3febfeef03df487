//! Reads a path token by token, by the same steps as the library.

use super::PathError;
use super::cursor::Cursor;
use super::filter;
use super::function::Function;
use super::parameters;
use super::pattern::Room;
use super::token::{Call, CompiledPath, Slice, Token};

/// How deep paths, filters and brackets may be nested. Far more than anyone writes, far less than a stack holds.
const MAX_NESTING: usize = 24;

/// What a path may take while it is read.
#[derive(Clone, Copy)]
pub(super) struct Limits<'l> {
    /// How deep it is nested here.
    pub(super) nesting: usize,
    /// For patterns.
    pub(super) room: &'l Room,
}

impl<'l> Limits<'l> {
    pub(super) fn new(room: &'l Room) -> Self {
        Self { nesting: 0, room }
    }

    /// Within a path in a path.
    pub(super) fn deeper(self) -> Self {
        Self { nesting: self.nesting + 1, ..self }
    }

    pub(super) fn check(self) -> Result<(), Refusal> {
        if self.nesting > MAX_NESTING { Err(Refusal::TooDeep) } else { Ok(()) }
    }
}

/// Why reading a path stopped.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// The syntax is wrong. A filter may try another reading.
    Invalid(String),
    /// Something was looked for beyond the text, or a literal is none. No other reading is tried.
    Beyond,
    /// A literal is none: no other reading is tried.
    Literal(String),
    /// Our own limit.
    TooDeep,
}

impl Refusal {
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    pub(super) fn into_error(self) -> PathError {
        let reason = match self {
            Self::TooDeep => return PathError::TooDeep,
            Self::Invalid(reason) | Self::Literal(reason) => reason,
            Self::Beyond => "the path ends too early".to_owned(),
        };
        PathError::Syntax { reason }
    }
}

/// Compiles a path as a user writes it: `$` may be missing.
pub(super) fn compile(path: &str, limits: Limits<'_>) -> Result<CompiledPath, Refusal> {
    let mut cursor = Cursor::new(path);
    cursor.trim();
    // The library looks at the very first character, even after it skipped blanks.
    if !matches!(cursor.at(0)?, '$' | '@') {
        cursor = Cursor::new(&format!("$.{path}"));
        cursor.trim();
    }
    if cursor.last_is('.')? {
        return Err(Refusal::invalid("a path must not end with '.' or '..'"));
    }
    compile_from(cursor, limits)
}

/// Compiles a path that begins with `$` or `@`.
pub(super) fn compile_from(cursor: Cursor, limits: Limits<'_>) -> Result<CompiledPath, Refusal> {
    limits.check()?;
    Compiler { cursor, limits, tokens: Vec::new() }.compile()
}

struct Compiler<'l> {
    cursor: Cursor,
    limits: Limits<'l>,
    tokens: Vec<Token>,
}

impl Compiler<'_> {
    fn compile(mut self) -> Result<CompiledPath, Refusal> {
        while self.cursor.in_bounds() && matches!(self.cursor.current()?, ' ' | '\t' | '\n' | '\r') {
            self.cursor.advance(1);
        }
        let is_root = match self.cursor.current()? {
            '$' => true,
            '@' => false,
            _ => return Err(Refusal::invalid("a path must start with '$' or '@'")),
        };
        if self.cursor.is_tail() {
            return Ok(CompiledPath::new(is_root, Vec::new()));
        }
        self.cursor.advance(1);
        if !matches!(self.cursor.current()?, '.' | '[') {
            return Err(self.unexpected("expected '.' or '['"));
        }
        self.read_token()?;
        while !self.cursor.is_tail() {
            self.read_token()?;
        }
        Ok(CompiledPath::new(is_root, self.tokens))
    }

    fn unexpected(&self, what: &str) -> Refusal {
        Refusal::invalid(format!("{what} at position {} of {}", self.cursor.position(), self.cursor.whole()))
    }

    /// Reads a token with the dots before it.
    fn read_token(&mut self) -> Result<(), Refusal> {
        if self.cursor.current()? == '.' {
            self.read_dots()?;
        }
        match self.cursor.current()? {
            '[' => {
                let read = self.read_names()?
                    || self.read_indexes()?
                    || self.read_wildcard()?
                    || self.read_filter()?;
                if read { Ok(()) } else { Err(self.unexpected("expected ?, ', 0-9 or *")) }
            }
            '*' if self.read_wildcard()? => Ok(()),
            '.' | '*' | ' ' => Err(self.unexpected("this is no part of a path")),
            _ => self.read_name_or_call(),
        }
    }

    fn read_dots(&mut self) -> Result<(), Refusal> {
        if self.cursor.next_is('.') {
            self.tokens.push(Token::Scan);
            self.cursor.advance(2);
        } else if self.cursor.is_tail() {
            return Err(Refusal::invalid("a path must not end with '.'"));
        } else {
            self.cursor.advance(1);
        }
        if self.cursor.current()? == '.' {
            return Err(self.unexpected("'.' is not valid here"));
        }
        Ok(())
    }

    /// `name` or `name(...)`.
    fn read_name_or_call(&mut self) -> Result<(), Refusal> {
        let start = self.cursor.position();
        let mut end = start;
        let mut is_call = false;
        while self.cursor.in_bounds_at(end) {
            match self.cursor.at(end)? {
                ' ' => return Err(self.unexpected("names with blanks need brackets: ['my name']")),
                '.' | '[' => break,
                '(' => {
                    is_call = true;
                    break;
                }
                _ => end += 1,
            }
        }
        let name = self.cursor.text(start, end)?;
        if is_call {
            return self.read_call(name, end);
        }
        self.cursor.set_position(end);
        self.tokens.push(Token::Properties(vec![name]));
        Ok(())
    }

    /// The brackets of a function, of which `open` is the first.
    fn read_call(&mut self, name: String, open: usize) -> Result<(), Refusal> {
        let mut depth = 1_usize;
        let mut index = open + 1;
        while self.cursor.in_bounds_at(index) && depth != 0 {
            match self.cursor.at(index)? {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            index += 1;
        }
        if depth != 0 {
            return Err(Refusal::invalid(format!("the brackets of {name} are not closed")));
        }
        let mut parameters = Vec::new();
        if self.cursor.at(open + 1)? == ')' {
            // The library stays at the closing bracket: what follows is read as if it were a name.
            self.cursor.set_position(open + 1);
        } else {
            self.cursor.set_position(open + 1);
            parameters = parameters::read(&mut self.cursor, &name, self.limits)?;
        }
        let function = Function::by_name(&name);
        self.tokens.push(Token::Call(Box::new(Call { name, function, parameters, length: index - open })));
        Ok(())
    }

    /// `['one','two']`.
    fn read_names(&mut self) -> Result<bool, Refusal> {
        let quote = self.cursor.next_significant(self.cursor.position());
        if quote != '\'' && quote != '"' {
            return Ok(false);
        }
        let mut names = Vec::new();
        let mut start = self.cursor.position() + 1;
        let mut last = 0;
        let (mut in_name, mut escaped, mut after_comma) = (false, false, false);
        let mut index = start;
        while self.cursor.in_bounds_at(index) {
            let character = self.cursor.at(index)?;
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == ']' && !in_name {
                if after_comma {
                    return Err(self.unexpected("a name is empty"));
                }
                break;
            } else if character == quote && in_name {
                if !matches!(self.cursor.next_significant(index), ']' | ',') {
                    return Err(self.unexpected("names are separated by commas"));
                }
                names.push(unescape(&self.cursor.text(start, index)?)?);
                last = index;
                in_name = false;
            } else if character == quote {
                start = index + 1;
                in_name = true;
                after_comma = false;
            } else if character == ',' && !in_name {
                if after_comma {
                    return Err(self.unexpected("a name is empty"));
                }
                after_comma = true;
            }
            index += 1;
        }
        if in_name {
            return Err(self.unexpected("a name is not closed"));
        }
        let close = self.cursor.index_of_next(last, ']')?;
        let close = close.ok_or_else(|| self.unexpected("']' is missing"))?;
        if names.is_empty() {
            return Err(self.unexpected("there is no name"));
        }
        self.cursor.set_position(close + 1);
        self.tokens.push(Token::Properties(names));
        Ok(true)
    }

    /// `[1]`, `[1,2]`, `[1:2]`.
    fn read_indexes(&mut self) -> Result<bool, Refusal> {
        let first = self.cursor.next_significant(self.cursor.position());
        if !first.is_ascii_digit() && first != '-' && first != ':' {
            return Ok(false);
        }
        let start = self.cursor.position() + 1;
        let Some(end) = self.cursor.index_of(start, ']') else {
            return Ok(false);
        };
        let text = self.cursor.text(start, end)?;
        let text = text.trim();
        if !text
            .chars()
            .all(|character| character.is_ascii_digit() || matches!(character, ',' | '-' | ':' | ' '))
        {
            return Ok(false);
        }
        let token = if text.contains(':') { slice(text)? } else { indexes(text)? };
        self.tokens.push(token);
        self.cursor.set_position(end + 1);
        Ok(true)
    }

    /// `*` or `[*]`.
    fn read_wildcard(&mut self) -> Result<bool, Refusal> {
        let start = self.cursor.position();
        if self.cursor.current()? == '[' {
            if !self.cursor.next_significant_is(start, '*') {
                return Ok(false);
            }
            let star = self.cursor.index_of_next(start, '*')?.ok_or(Refusal::Beyond)?;
            if !self.cursor.next_significant_is(star, ']') {
                return Err(self.unexpected("expected ']' after '*'"));
            }
            let close = self.cursor.index_of_next(star, ']')?.ok_or(Refusal::Beyond)?;
            self.cursor.set_position(close + 1);
        } else {
            self.cursor.advance(1);
        }
        self.tokens.push(Token::Wildcard);
        Ok(true)
    }

    /// `[?(...)]`.
    fn read_filter(&mut self) -> Result<bool, Refusal> {
        let start = self.cursor.position();
        let Some(mark) = self.cursor.index_of_next(start, '?')? else {
            return Ok(false);
        };
        let Some(open) = self.cursor.index_of_next(mark, '(')? else {
            return Ok(false);
        };
        let Some(close) = self.cursor.index_of_closing(open, ('(', ')'), true)? else {
            return Ok(false);
        };
        if !self.cursor.next_significant_is(close, ']') {
            return Ok(false);
        }
        let end = self.cursor.index_of_next(close, ']')?.ok_or(Refusal::Beyond)?;
        let expression =
            filter::compile_expression(&self.cursor.text(start, end + 1)?, self.limits.deeper())?;
        self.tokens.push(Token::Filter(Box::new(expression)));
        self.cursor.set_position(end + 1);
        Ok(true)
    }
}

fn number(text: &str) -> Result<i32, Refusal> {
    text.parse().map_err(|_| Refusal::invalid(format!("{text} is no index")))
}

fn indexes(text: &str) -> Result<Token, Refusal> {
    text.split(',').map(|part| number(part.trim_matches(' '))).collect::<Result<_, _>>().map(Token::Indexes)
}

/// A third part of a slice is accepted and ignored.
fn slice(text: &str) -> Result<Token, Refusal> {
    if text.contains([' ', ',']) {
        return Err(Refusal::invalid(format!("{text} is no slice")));
    }
    let mut parts = text.split(':').map(|part| (!part.is_empty()).then(|| number(part)).transpose());
    let from = parts.next().transpose()?.flatten();
    let to = parts.next().transpose()?.flatten();
    match (from, to) {
        (Some(from), None) => Ok(Token::Slice(Slice::From(from))),
        (None, Some(to)) => Ok(Token::Slice(Slice::To(to))),
        (Some(from), Some(to)) => Ok(Token::Slice(Slice::Between(from, to))),
        (None, None) => Err(Refusal::invalid(format!("{text} is no slice"))),
    }
}

/// Resolves the escapes of a name or a string.
pub(super) fn unescape(text: &str) -> Result<String, Refusal> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    let mut buffer = [0; 2];
    while let Some(character) = characters.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut buffer));
            continue;
        }
        let unit = match characters.next() {
            None => u16::from(b'\\'),
            Some('r') => u16::from(b'\r'),
            Some('f') => 0x0c,
            Some('t') => u16::from(b'\t'),
            Some('n') => u16::from(b'\n'),
            Some('b') => 0x08,
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                if digits.chars().count() < 4 {
                    // The library forgets digits that do not add up to a character.
                    continue;
                }
                u16::from_str_radix(&digits, 16)
                    .map_err(|_| Refusal::Literal(format!("\\u{digits} is no character")))?
            }
            Some(other) => {
                units.extend_from_slice(other.encode_utf16(&mut buffer));
                continue;
            }
        };
        units.push(unit);
    }
    Ok(String::from_utf16_lossy(&units))
}
