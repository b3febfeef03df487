//! Reads what is in the brackets of a function: JSON, or paths.

use super::compile::{Limits, Refusal, compile_from};
use super::cursor::Cursor;
use super::token::Parameter;

#[derive(Clone, Copy)]
enum Kind {
    Json,
    Path,
}

/// How many brackets and quotes are open.
struct Groups {
    parentheses: i64,
    brackets: i64,
    braces: i64,
    quotes: i64,
}

impl Groups {
    /// Whether a comma or a closing bracket ends a parameter here.
    fn end_parameter(&self, character: char) -> bool {
        let balanced = self.quotes == 0 && self.braces == 0 && self.brackets == 0;
        balanced && ((self.parentheses == 0 && character == ')') || self.parentheses == 1)
    }
}

/// Reads parameters from behind the opening bracket to behind the closing one.
pub(super) fn read(
    cursor: &mut Cursor,
    function: &str,
    limits: Limits<'_>,
) -> Result<Vec<Parameter>, Refusal> {
    let mut groups = Groups { parentheses: 1, brackets: 0, braces: 0, quotes: 0 };
    let mut kind = None;
    let mut text = String::new();
    let mut prior = '\0';
    let mut parameters = Vec::new();
    let mut is_end = false;
    while cursor.in_bounds() && !is_end {
        let character = cursor.current()?;
        cursor.advance(1);
        if kind.is_none() {
            if matches!(character, ' ' | '\t' | '\n' | '\r') {
                continue;
            }
            kind = kind_of(character);
        }
        if character == '\\' && groups.quotes == 1 {
            let escaped = cursor.current()?;
            if matches!(escaped, ',' | '"') {
                text.push(escaped);
                cursor.advance(1);
                prior = '\0';
                continue;
            }
        }
        count(&mut groups, character, prior)?;
        if character == ')' && (groups.parentheses < 0 || prior == '(') {
            text.push(character);
        }
        if matches!(character, ')' | ',') && groups.end_parameter(character) {
            is_end = groups.parentheses == 0;
            if let Some(kind) = kind.take() {
                parameters.push(parameter(kind, std::mem::take(&mut text), limits)?);
            }
        }
        let separates =
            character == ',' && groups.braces == 0 && groups.brackets == 0 && groups.parentheses == 1;
        if kind.is_some() && !separates {
            text.push(character);
        }
        prior = character;
    }
    if groups.braces != 0 || groups.parentheses != 0 || groups.brackets != 0 {
        return Err(Refusal::invalid(format!("the brackets of {function} are not closed")));
    }
    Ok(parameters)
}

fn kind_of(first: char) -> Option<Kind> {
    match first {
        '{' | '"' | '-' => Some(Kind::Json),
        '$' | '@' => Some(Kind::Path),
        digit if digit.is_ascii_digit() => Some(Kind::Json),
        _ => None,
    }
}

fn count(groups: &mut Groups, character: char, prior: char) -> Result<(), Refusal> {
    match character {
        '"' if prior != '\\' && groups.quotes > 0 => groups.quotes -= 1,
        '"' => groups.quotes += 1,
        '(' => groups.parentheses += 1,
        ')' => groups.parentheses -= 1,
        '{' => groups.braces += 1,
        '[' => groups.brackets += 1,
        '}' if groups.braces == 0 => return Err(Refusal::invalid("'}' closes nothing")),
        ']' if groups.brackets == 0 => return Err(Refusal::invalid("']' closes nothing")),
        '}' => groups.braces -= 1,
        ']' => groups.brackets -= 1,
        _ => {}
    }
    Ok(())
}

fn parameter(kind: Kind, text: String, limits: Limits<'_>) -> Result<Parameter, Refusal> {
    Ok(match kind {
        Kind::Json => Parameter::Json(text),
        Kind::Path => Parameter::Path(compile_from(Cursor::new(&text), limits.deeper())?),
    })
}
