//! What has to be known of a pattern before it is read: how many groups it has and what they are called.

use super::syntax::PatternError;

/// A code unit as a character; half of a surrogate pair is U+FFFD.
pub(super) fn as_char(unit: u16) -> char {
    char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether this is that character.
pub(super) fn is(unit: Option<&u16>, expected: char) -> bool {
    unit.is_some_and(|&unit| as_char(unit) == expected)
}

/// A decimal number at the start, and how many digits it has. Beyond `u32` it is endless.
pub(super) fn number(units: &[u16]) -> Option<(u32, usize)> {
    let digits = || units.iter().map_while(|&unit| as_char(unit).to_digit(10));
    let value = digits().fold(0_u32, |value, digit| value.saturating_mul(10).saturating_add(digit));
    Some((value, digits().count())).filter(|&(_, length)| length > 0)
}

/// The group name that starts at `from`, its escapes read, and where the pattern goes on behind it; none where it is no
/// name. As V8 does it, a `>` that is written as an escape ends the name too.
pub(super) fn name(units: &[u16], from: usize) -> Option<(Vec<u16>, usize)> {
    let (mut name, mut at) = (Vec::new(), from);
    loop {
        let (character, length) = name_character(units.get(at..)?)?;
        at += length;
        match character {
            '>' if !name.is_empty() => return Some((name, at)),
            _ if is_of_name(character, name.is_empty()) => {
                name.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            }
            _ => return None,
        }
    }
}

/// The character of a name at the start, and its length: itself, or its escape `\u0061`, `\u{61}`, of which a surrogate
/// pair has two.
fn name_character(units: &[u16]) -> Option<(char, usize)> {
    if !is(units.first(), '\\') {
        let character = char::decode_utf16(units.iter().copied()).next()?.ok()?;
        return Some((character, character.len_utf16()));
    }
    let (code, length) = unicode_escape(units)?;
    if let Some(character) = char::from_u32(code) {
        return Some((character, length));
    }
    let (low, more) = units.get(length..).and_then(unicode_escape).filter(|_| length == 6)?;
    let pair = [u16::try_from(code).ok()?, u16::try_from(low).ok().filter(|_| more == 6)?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((character, length + more))
}

/// The number that the `\uXXXX` or `\u{X...}` at the start stands for, and its length.
fn unicode_escape(units: &[u16]) -> Option<(u32, usize)> {
    if !is(units.first(), '\\') || !is(units.get(1), 'u') {
        return None;
    }
    let (from, end) = match is(units.get(2), '{') {
        false => (2, 6),
        true => (3, 3 + units.get(3..)?.iter().position(|&unit| as_char(unit) == '}')?),
    };
    let digits = units.get(from..end).filter(|digits| !digits.is_empty())?;
    let code = digits.iter().try_fold(0_u32, |code, &unit| {
        let code = code.saturating_mul(16).saturating_add(as_char(unit).to_digit(16)?);
        Some(code).filter(|code| *code <= 0x0010_FFFF)
    })?;
    Some((code, if from == 3 { end + 1 } else { end }))
}

/// The capture groups of a pattern.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    count: u32,
    names: Vec<(Vec<u16>, u32)>,
}

impl Groups {
    /// Counts the groups and collects their names, by looking at every `(` outside classes and escapes.
    pub(super) fn scan(units: &[u16]) -> Result<Self, PatternError> {
        let mut groups = Self::default();
        let mut at = 0;
        let mut in_class = false;
        while let Some(&unit) = units.get(at) {
            match as_char(unit) {
                '\\' => at += 1,
                '[' => in_class = true,
                ']' => in_class = false,
                '(' if !in_class => groups.open(units, at + 1)?,
                _ => {}
            }
            at += 1;
        }
        Ok(groups)
    }

    fn open(&mut self, units: &[u16], at: usize) -> Result<(), PatternError> {
        if !is(units.get(at), '?') {
            self.count += 1;
            return Ok(());
        }
        if !is(units.get(at + 1), '<') || is(units.get(at + 2), '=') || is(units.get(at + 2), '!') {
            return Ok(());
        }
        self.count += 1;
        let Some((name, _)) = name(units, at + 2) else {
            let problem = format!("invalid group name at character {}", at + 3);
            return Err(PatternError::new(
                problem,
                "a name is letters, digits, `_` and `$`, as in `(?<area>`",
            ));
        };
        if self.by_name(&name).is_some() {
            let problem = format!("two groups are called `{}`", String::from_utf16_lossy(&name));
            return Err(PatternError::new(problem, "give every group its own name"));
        }
        self.names.push((name, self.count));
        Ok(())
    }

    /// How many capture groups there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether any group has a name.
    pub fn named(&self) -> bool {
        !self.names.is_empty()
    }

    /// The number of the group with this name.
    pub fn by_name(&self, name: &[u16]) -> Option<u32> {
        self.names.iter().find(|(known, _)| known == name).map(|&(_, number)| number)
    }
}

/// Whether a character may be in ECMAScript's IdentifierName.
fn is_of_name(character: char, is_first: bool) -> bool {
    let more = if is_first { "$_" } else { "$_\u{200C}\u{200D}" };
    let is_letter = if is_first { character.is_alphabetic() } else { character.is_alphanumeric() };
    is_letter || more.contains(character)
}
