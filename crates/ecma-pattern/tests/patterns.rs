//! What patterns match, as Node.js says, and that none takes more than it may.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ecma_pattern::{Memory, OutOfSteps, Pattern, Steps};
use proptest::prelude::*;

/// Each match with its groups, as texts.
fn matches(pattern: &str, text: &str, steps: u32) -> Result<Vec<Vec<String>>, OutOfSteps> {
    let pattern = Pattern::new(pattern).unwrap();
    let units: Vec<u16> = text.encode_utf16().collect();
    let groups = usize::try_from(pattern.groups().count()).unwrap();
    let (mut memory, mut steps, mut all) = (Memory::default(), Steps::new(steps), Vec::new());
    pattern.for_each_match(&units, &mut memory, &mut steps, |found| {
        let texts = [found.whole()].into_iter().chain((1..=groups).map(|number| found.group(number)));
        all.push(texts.map(String::from_utf16_lossy).collect());
        Ok::<(), OutOfSteps>(())
    })?;
    Ok(all)
}

#[test]
fn matches_and_groups_are_those_of_node() {
    for (pattern, text, wanted) in [
        ("a|ab", "abab", &[&["a"][..], &["a"]][..]),
        ("(a)|b", "ab", &[&["a", "a"], &["b", ""]]),
        (r"(\d+?)(0*)$", "1200", &[&["1200", "12", "00"]]),
        (r"(?<=\+)1", "1+1", &[&["1"]]),
        (r"(?<!\+)1", "+11", &[&["1"]]),
        (r"(?=(\d+))\w+:\1", "123:123", &[&["123:123", "123"]]),
        (r"(?<year>\d{4})-\k<year>", "2026-2026", &[&["2026-2026", "2026"]]),
        ("(z)((a+)?(b+)?(c))*", "zaacbbbcac", &[&["zaacbbbcac", "z", "ac", "a", "", "c"]]),
        (r"\b", "a b", &[&[""], &[""], &[""], &[""]]),
        ("", "ab", &[&[""], &[""], &[""]]),
        (r"[^\d]+", "1ab2", &[&["ab"]]),
        (r"[\b]", "\u{8}", &[&["\u{8}"]]),
        (r"\u0041\x42\cJ", "AB\n", &[&["AB\n"]]),
        (".", "\u{1F600}", &[&["\u{FFFD}"], &["\u{FFFD}"]]),
    ] {
        assert_eq!(matches(pattern, text, 10_000).unwrap(), wanted, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_told_with_a_hint() {
    for pattern in ["(", "a)", "[b-a]", "*", "a{2,1}", "(?<a>)(?<a>)", "(?<1>)", r"(?<a>)\k<b>", "a**"] {
        let error = Pattern::new(pattern).unwrap_err();
        assert!(!error.problem.is_empty() && !error.hint.is_empty(), "{pattern}: {error}");
    }
}

#[test]
fn a_pattern_that_runs_away_ends_without_an_answer() {
    let digits = "1".repeat(28);
    assert_eq!(matches(r"^(\d+)+\1#", &digits, 100_000), Err(OutOfSteps));
    assert_eq!(matches("a", "a", 0), Err(OutOfSteps));
}

proptest! {
    #[test]
    fn no_text_is_a_pattern_that_panics(pattern in r"[()\[\]{}|*+?.^$\\abc0-9,<>=!:dwsbBk-]{0,20}", text in "[abc0-9]{0,20}") {
        if Pattern::new(&pattern).is_ok() {
            let few = matches(&pattern, &text, 2_000);
            let many = matches(&pattern, &text, 20_000);
            // More steps never change an answer.
            prop_assert!(few.is_err() || few == many, "{pattern} on {text}");
        }
    }
}
