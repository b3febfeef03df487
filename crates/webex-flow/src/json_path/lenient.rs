//! JSON as the library's parser reads it inside a path: quotes may be single or missing, commas may be too many.

use serde_json::{Map, Value};

/// How deep such a literal may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a literal; nothing if it is none.
pub(super) fn parse(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut reader = Reader { characters: text.chars().collect(), position: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.position == reader.characters.len()).then_some(value)
}

struct Reader {
    characters: Vec<char>,
    position: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += 1;
        Some(character)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|character| matches!(character, ' ' | '\t' | '\n' | '\r')) {
            self.position += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        match self.peek()? {
            '[' => self.list(depth),
            '{' => self.object(depth),
            quote @ ('\'' | '"') => self.quoted(quote).map(Value::String),
            _ => Some(bare(&self.word())),
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.position += 1;
        let mut items = Vec::new();
        loop {
            self.blanks();
            match self.peek()? {
                ']' => {
                    self.position += 1;
                    return Some(Value::Array(items));
                }
                ',' => self.position += 1,
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.position += 1;
        let mut members = Map::new();
        loop {
            self.blanks();
            match self.peek()? {
                '}' => {
                    self.position += 1;
                    return Some(Value::Object(members));
                }
                ',' => self.position += 1,
                first => {
                    let name = match first {
                        '\'' | '"' => self.quoted(first)?,
                        _ => self.word(),
                    };
                    self.blanks();
                    if self.next()? != ':' {
                        return None;
                    }
                    members.insert(name, self.value(depth + 1)?);
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        self.position += 1;
        let start = self.position;
        loop {
            match self.next()? {
                '\\' => {
                    self.next()?;
                }
                character if character == quote => break,
                _ => {}
            }
        }
        let inner: String = self.characters.get(start..self.position - 1)?.iter().collect();
        super::compile::unescape(&inner).ok()
    }

    /// A text without quotes: up to what ends a value.
    fn word(&mut self) -> String {
        let start = self.position;
        while self.peek().is_some_and(|character| !matches!(character, ',' | ':' | ']' | '}' | '[' | '{')) {
            self.position += 1;
        }
        if self.position == start {
            // What begins no value is taken alone, so that a reader always moves on.
            self.position += 1;
        }
        let word = self.characters.get(start..self.position).unwrap_or_default();
        word.iter().collect::<String>().trim().to_owned()
    }
}

/// A number, a word of JSON, or else a text.
fn bare(word: &str) -> Value {
    serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_owned()))
}
