//! Words of others, made fit to be shown: cut, on one line, without numbers and tokens.

use std::sync::LazyLock;

use regex::Regex;

use super::hide_numbers;

/// The longest quotation, in characters.
const LONGEST: usize = 300;

/// The most characters that are looked at: more are not shown, and it takes long.
const MOST_READ: usize = 4096;

/// How many characters before the end of these are left out.
const LAST: usize = 64;

/// Anything that could be a token or a session, then anything that could be a phone number.
static HIDDEN: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
    let token = r"eyJ[\w.-]{8,}|00D\w{9,15}!\S+|scvb_[\w-]{8,}|(?i:bearer|basic)\s+\S+";
    // Also as a URI writes it, with the dashes and digits of any script.
    let number = r"(?:%2[Bb]|\+?\b)\d(?:[\s()./,_\p{Pd}\u{2212}]{0,3}\d){6,}\b";
    Regex::new(token).ok().zip(Regex::new(number).ok())
});

/// `text` as it may stand in an answer or a log line.
#[must_use]
pub fn quote(text: &str) -> String {
    let (text, is_cut) = match text.char_indices().nth(MOST_READ) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), true),
        None => (text, false),
    };
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown = match HIDDEN.as_ref() {
        Some((token, number)) => {
            let shown = token.replace_all(&flat, "(token hidden)");
            hide_numbers(&number.replace_all(&shown, "(number hidden)")).into_owned()
        }
        None => String::from("(hidden)"),
    };
    if is_cut {
        // What begins there may be the beginning of a number.
        let left = shown.chars().count().saturating_sub(LAST);
        shown = shown.chars().take(left).chain(['…']).collect();
    }
    cut(shown, LONGEST)
}

/// At most `longest` characters, with a mark where something is missing.
#[must_use]
pub fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_tokens_are_hidden_and_names_are_kept() {
        for (text, shown) in [
            ("bad phone: +1 (469) 315-0217 given", "bad phone: (number hidden) given"),
            ("from=4693150217", "from=(number hidden)"),
            ("from=%2B14693150217", "from=(number hidden)"),
            ("from=469_315_0217, 469,315,0217", "from=(number hidden)"),
            ("469\u{2011}315\u{2011}0217 or \u{ff14}\u{ff16}93150217", "(number hidden) or (number hidden)"),
            ("wxcc_14693150217 of x14693150217", "wxcc_*********** of x***********"),
            (
                "no record 0LQ000000000123AAA in 00D000000000001EAA",
                "no record 0LQ000000000123AAA in 00D000000000001EAA",
            ),
            ("Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln refused", "(token hidden) refused"),
            ("session 00D000000000001!AQ4AQFx.y_z", "session (token hidden)"),
            ("Required field missing:\n  [Status]", "Required field missing: [Status]"),
            ("line 12, column 345", "line 12, column 345"),
        ] {
            assert_eq!(quote(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for length in [LONGEST + 1, 5000] {
            let shown = quote(&"ü".repeat(length));
            assert_eq!(shown.chars().count(), LONGEST);
            assert!(shown.ends_with('…'));
        }
        // What is hidden is short: the end of what is looked at comes into sight.
        let long = format!("Bearer {} +1 469 315 0217", "x".repeat(MOST_READ - 20));
        assert_eq!(quote(&long), "…");
        assert!(!quote(&format!("Bearer {} +1 469 315 0217", "x".repeat(MOST_READ - 16))).contains("469"));
    }
}
