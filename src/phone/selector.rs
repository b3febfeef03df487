//! The third part of a rule: what takes the place of a match. GetSubstitution of ECMA-262, section 22.1.3.19.1.

use ecma_pattern::{Groups, Match};

/// A replacement text, taken apart once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector(Vec<SelectorPart>);

#[derive(Debug, PartialEq, Eq)]
enum SelectorPart {
    Text(Vec<u16>),
    Match,
    Before,
    After,
    Group(usize),
}

impl Selector {
    /// Takes a replacement text apart. There is no wrong one: what means nothing stands for itself.
    pub(super) fn new(text: &str, groups: &Groups) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            let (before, from_dollar) = rest.split_at(dollar);
            literal.push_str(before);
            let (part, length) = symbol(from_dollar, groups);
            match part {
                Some(part) => {
                    flush(&mut literal, &mut parts);
                    parts.push(part);
                }
                None => literal.push('$'),
            }
            rest = from_dollar.get(length..).unwrap_or_default();
        }
        literal.push_str(rest);
        flush(&mut literal, &mut parts);
        Self(parts)
    }

    /// Appends what takes the place of this match.
    pub(super) fn expand(&self, found: Match<'_>, out: &mut Vec<u16>) {
        for part in &self.0 {
            out.extend_from_slice(match part {
                SelectorPart::Text(text) => text,
                SelectorPart::Match => found.whole(),
                SelectorPart::Before => found.before(),
                SelectorPart::After => found.after(),
                SelectorPart::Group(number) => found.group(*number),
            });
        }
    }
}

fn flush(literal: &mut String, parts: &mut Vec<SelectorPart>) {
    if !literal.is_empty() {
        parts.push(SelectorPart::Text(literal.encode_utf16().collect()));
        literal.clear();
    }
}

/// The symbol at the start of `text`, which is a `$`, and its length; no part where it is a plain `$`.
fn symbol(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let next = text.as_bytes().get(1).copied();
    match next {
        Some(b'$') => (None, 2),
        Some(b'&') => (Some(SelectorPart::Match), 2),
        Some(b'`') => (Some(SelectorPart::Before), 2),
        Some(b'\'') => (Some(SelectorPart::After), 2),
        Some(b'0'..=b'9') => numbered(text, groups),
        Some(b'<') if groups.named() => named(text, groups),
        _ => (None, 1),
    }
}

/// Two digits where there is such a group, else one.
fn numbered(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let known = |length: usize| {
        let digits = text.get(1..=length).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        let number: u32 = digits.parse().ok()?;
        let number = (1..=groups.count()).contains(&number).then_some(number)?;
        Some((Some(SelectorPart::Group(usize::try_from(number).ok()?)), 1 + length))
    };
    known(2).or_else(|| known(1)).unwrap_or((None, 1))
}

fn named(text: &str, groups: &Groups) -> (Option<SelectorPart>, usize) {
    let Some((name, _)) = text.get(2..).and_then(|rest| rest.split_once('>')) else {
        return (None, 1);
    };
    let length = "$<>".len() + name.len();
    let units: Vec<u16> = name.encode_utf16().collect();
    let number = groups.by_name(&units).and_then(|number| usize::try_from(number).ok());
    // A name no group has is `undefined`, which is nothing.
    (Some(number.map_or(SelectorPart::Text(Vec::new()), SelectorPart::Group)), length)
}

#[cfg(test)]
mod tests {
    use ecma_pattern::{Memory, OutOfSteps, Pattern, Steps};

    use super::*;

    fn replaced(pattern: &str, selector: &str, text: &str) -> String {
        let pattern = Pattern::new(pattern).unwrap();
        let selector = Selector::new(selector, pattern.groups());
        let text: Vec<u16> = text.encode_utf16().collect();
        let mut out = Vec::new();
        let found = |found: Match<'_>| {
            selector.expand(found, &mut out);
            Ok::<_, OutOfSteps>(())
        };
        pattern.for_each_match(&text, &mut Memory::default(), &mut Steps::new(10_000), found).unwrap();
        String::from_utf16(&out).unwrap()
    }

    #[test]
    fn symbols_stand_for_the_match_and_its_surroundings() {
        assert_eq!(replaced("3", "[$$|$&|$`|$']", "12345"), "[$|3|12|45]");
        assert_eq!(replaced("3", "$ $x $", "12345"), "$ $x $");
    }

    #[test]
    fn two_digits_count_only_where_that_group_exists() {
        assert_eq!(replaced("(1)(2)", "$2$10$02$00$0$3", "12"), "2102$00$0$3");
        assert_eq!(replaced(&"(1)".repeat(11), "$11,$12", &"1".repeat(11)), "1,12");
        assert_eq!(replaced("1", "$1", "1"), "$1");
    }

    #[test]
    fn names_count_only_where_the_pattern_has_any() {
        assert_eq!(replaced("(?<a>1)(?<b>2)?", "$<a>$<b>$<c>$<", "1"), "1$<");
        assert_eq!(replaced("(1)", "$<a>", "1"), "$<a>");
    }
}
