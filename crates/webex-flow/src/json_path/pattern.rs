//! Patterns of `=~`, written for Java and run by an engine of linear time.

use regex::{Regex, RegexBuilder};

use super::compile::Refusal;

/// The largest compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 18;

/// The flags Java has: Unix lines, case, comments, many lines, dot matches all, case and classes of Unicode.
pub(super) fn is_flag(character: char) -> bool {
    matches!(character, 'd' | 'i' | 'x' | 'm' | 's' | 'u' | 'U')
}

/// Compiles a pattern that has to match the whole text.
pub(super) fn compile(pattern: &str, flags: &str) -> Result<Regex, Refusal> {
    let unicode = flags.contains('U');
    let source = if unicode { pattern.to_owned() } else { with_ascii_classes(pattern) };
    let has = |flag| flags.contains(flag);
    RegexBuilder::new(&format!(r"\A(?:{source})\z"))
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|_| Refusal::Literal(format!("/{pattern}/ is no pattern that we support")))
}

/// In Java `\d`, `\w` and `\s` know ASCII only, unless a flag says otherwise. The sets may stand in brackets too.
fn with_ascii_classes(pattern: &str) -> String {
    let mut source = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            source.push(character);
            continue;
        }
        match characters.next() {
            Some('d') => source.push_str("[0-9]"),
            Some('D') => source.push_str("[^0-9]"),
            Some('w') => source.push_str("[a-zA-Z0-9_]"),
            Some('W') => source.push_str("[^a-zA-Z0-9_]"),
            Some('s') => source.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => source.push_str(r"[^ \t\n\x0B\f\r]"),
            Some('/') => source.push('/'),
            Some(escaped) => {
                source.push('\\');
                source.push(escaped);
            }
            None => source.push('\\'),
        }
    }
    source
}
