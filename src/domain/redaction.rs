//! Text of others, fit for a log or an answer: cut, on one line, without phone numbers and tokens.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

/// The longest quotation, in characters.
const LONGEST_QUOTE: usize = 300;

/// The most characters that are looked at: more are not shown, and it takes long.
const MOST_READ: usize = 4096;

/// How many characters before the end of these are dropped.
const LAST: usize = 64;

/// Anything that could be a token or a session, then anything that could be a phone number.
static HIDDEN: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
    let token = r"eyJ[\w.-]{8,}|00D\w{9,15}!\S+|scvb_[\w-]{8,}|(?i:bearer|basic)\s+\S+";
    // Numbers count as such also percent-encoded in a URI, and with the dashes and digits of any script.
    let number = r"(?:%2[Bb]|\+?\b)\d(?:[\s()./,_\p{Pd}\u{2212}]{0,3}\d){6,}\b";
    Regex::new(token).ok().zip(Regex::new(number).ok())
});

/// Text for a terminal: what could move its cursor, change its title or turn its direction is a space. Lines stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        (c.is_control() && !matches!(c, '\n' | '\t')) || turns
    };
    match text.contains(acts) {
        true => Cow::Owned(text.replace(acts, " ")),
        false => Cow::Borrowed(text),
    }
}

/// `text` as it may appear in an answer or a log line.
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
        // The last characters before the cut may be the beginning of a number, so they are dropped.
        let left = shown.chars().count().saturating_sub(LAST);
        shown = shown.chars().take(left).chain(['…']).collect();
    }
    cut(shown, LONGEST_QUOTE)
}

/// At most `longest` characters, with an ellipsis where something is missing.
pub fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// From this many digits in a row on, a word may be a phone number.
const SUSPICIOUS: usize = 7;

/// `text` with stars for the digits of each word that may be a phone number. Ids of records and interactions stay,
/// because they identify the call.
pub fn hide_numbers(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && text.bytes().filter(u8::is_ascii_digit).count() < SUSPICIOUS {
        return Cow::Borrowed(text);
    }
    if is_number(text) {
        return Cow::Owned(stars(text));
    }
    if !is_suspicious(text) {
        return Cow::Borrowed(text);
    }
    let parts = text.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
    Cow::Owned(parts.map(hide).collect())
}

/// A word, and the character that ends it.
fn hide(part: &str) -> Cow<'_, str> {
    let word = part.trim_matches(|c: char| !c.is_alphanumeric());
    if !is_suspicious(part) || is_id(word) {
        return Cow::Borrowed(part);
    }
    Cow::Owned(stars(part))
}

fn stars(text: &str) -> String {
    text.chars().map(|c| if c.is_numeric() { '*' } else { c }).collect()
}

/// Whether all of it is a phone number, in whatever way its digits are grouped, also as the key that a flow makes of it.
fn is_number(text: &str) -> bool {
    let bare = text.strip_prefix("wxcc_").unwrap_or(text);
    let is_of_number = |c: char| c.is_numeric() || " +-.()/_".contains(c);
    let is_date = || bare.split('-').map(str::len).eq([4, 2, 2]);
    let is_address = || bare.split('/').next().is_some_and(|host| host.parse::<IpAddr>().is_ok());
    bare.chars().all(is_of_number)
        && bare.chars().filter(|c| c.is_numeric()).count() >= SUSPICIOUS
        && !is_date()
        && !is_address()
        && !is_id(text)
}

fn is_suspicious(text: &str) -> bool {
    let mut row = 0;
    text.chars().any(|c| {
        row = if c.is_numeric() { row + 1 } else { 0 };
        row >= SUSPICIOUS
    })
}

/// The id of a Salesforce record (15 or 18 letters and digits that begin with 0), or of a Webex interaction (a
/// UUID), also as the key that the vendor's flow makes of it.
pub fn is_id(text: &str) -> bool {
    let bare = text.strip_prefix("wxcc_").unwrap_or(text);
    let is_uuid = bare.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && bare.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    let is_record = matches!(text.len(), 15 | 18)
        && text.starts_with('0')
        && text.chars().all(|c| c.is_ascii_alphanumeric())
        && text.chars().take(3).any(|c| c.is_ascii_alphabetic());
    is_uuid || is_record
}

/// Names of fields in which flows and Webex send a phone number, in lower case.
const NUMBERS: [&str; 11] = [
    "from",
    "to",
    "fromnumber",
    "tonumber",
    "dialednumber",
    "participantkey",
    "phonenumber",
    "ani",
    "dnis",
    "origin",
    "destination",
];

/// Whether a field of this name contains a phone number, however short its value is.
pub fn names_a_number(name: &str) -> bool {
    NUMBERS.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod words_tests {
    use super::*;

    #[test]
    fn nothing_of_others_moves_a_terminal() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{202e}c"), "a [2J\nb c");
        assert_eq!(printable("as it is\n"), "as it is\n");
    }

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
        for length in [LONGEST_QUOTE + 1, 5000] {
            let shown = quote(&"ü".repeat(length));
            assert_eq!(shown.chars().count(), LONGEST_QUOTE);
            assert!(shown.ends_with('…'));
        }
        // The replacement of the token is short, so the quote reaches as far as the text was read.
        let long = format!("Bearer {} +1 469 315 0217", "x".repeat(MOST_READ - 20));
        assert_eq!(quote(&long), "…");
        assert!(!quote(&format!("Bearer {} +1 469 315 0217", "x".repeat(MOST_READ - 16))).contains("469"));
    }
}

#[cfg(test)]
mod digits_tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_and_times_stay_and_numbers_do_not() {
        for (given, shown) in [
            ("wxcc_7b3c1d52-1234-5678-9012-123456789012", "wxcc_7b3c1d52-1234-5678-9012-123456789012"),
            ("no record 0LQ000000000123AAA.", "no record 0LQ000000000123AAA."),
            ("2026-11-21T10:00:00.123Z", "2026-11-21T10:00:00.123Z"),
            ("wxcc_setup-1", "wxcc_setup-1"),
            ("+14695550101", "+***********"),
            ("wxcc_14695550101", "wxcc_***********"),
            ("\u{0664}\u{0666}\u{0669}5550101", "**********"),
            ("tel:4695550101;ext=12", "tel:**********;ext=12"),
            ("005500000000001", "***************"),
            ("wxcc_469-555-0122", "wxcc_***-***-****"),
            ("(469) 555-0123", "(***) ***-****"),
            ("469-555-0126", "***-***-****"),
            ("2026-11-21", "2026-11-21"),
            ("192.168.100.23", "192.168.100.23"),
            ("10.200.100.0/24", "10.200.100.0/24"),
            ("00000000-1111-2222-3333-444444444444", "00000000-1111-2222-3333-444444444444"),
        ] {
            assert_eq!(hide_numbers(given), shown);
        }
    }

    proptest! {
        #[test]
        fn no_number_passes(before in "[a-zA-Z_:\" ]{0,4}", number in "[1-9][0-9]{9,14}", after in "[a-zA-Z_;\" ]{0,4}") {
            let text = format!("{before}{number}{after}");
            prop_assert!(is_id(text.trim()) || !hide_numbers(&text).contains(&number));
        }
    }
}
