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

/// Where the `>` stands that ends the group name starting at `from`.
pub(super) fn name_end(units: &[u16], from: usize) -> Option<usize> {
    let length = units.get(from..)?.iter().position(|&unit| as_char(unit) == '>')?;
    Some(from + length)
}

/// The capture groups of a pattern.
#[derive(Debug, Clone, Default)]
pub(in crate::phone) struct Groups {
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
        let name = name_end(units, at + 2).and_then(|end| units.get(at + 2..end)).unwrap_or_default();
        if !is_identifier(name) {
            let problem = format!("invalid group name at character {}", at + 3);
            return Err(PatternError::new(
                problem,
                "a name is letters, digits, `_` and `$`, as in `(?<area>`",
            ));
        }
        if self.by_name(name).is_some() {
            let problem = format!("two groups are called `{}`", String::from_utf16_lossy(name));
            return Err(PatternError::new(problem, "give every group its own name"));
        }
        self.names.push((name.to_vec(), self.count));
        Ok(())
    }

    /// How many capture groups there are.
    pub(in crate::phone) fn count(&self) -> u32 {
        self.count
    }

    /// Whether any group has a name.
    pub(in crate::phone) fn named(&self) -> bool {
        !self.names.is_empty()
    }

    /// The number of the group with this name.
    pub(in crate::phone) fn by_name(&self, name: &[u16]) -> Option<u32> {
        self.names.iter().find(|(known, _)| known == name).map(|&(_, number)| number)
    }
}

/// ECMAScript's IdentifierName, without its escapes.
fn is_identifier(name: &[u16]) -> bool {
    let characters = || char::decode_utf16(name.iter().copied());
    let starts_well =
        characters().next().is_some_and(|first| first.is_ok_and(|c| c.is_alphabetic() || "$_".contains(c)));
    let goes_on_well = |c: char| c.is_alphanumeric() || "$_\u{200C}\u{200D}".contains(c);
    starts_well && characters().all(|character| character.is_ok_and(goes_on_well))
}
