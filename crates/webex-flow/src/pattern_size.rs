//! About how large the program of a regular expression becomes, and so how long compiling and running it takes.

use std::iter::Peekable;
use std::str::Chars;

/// What a class such as `\w` with all of Unicode takes.
const WIDE_CLASS: usize = 1_200;
/// What a class takes that holds most characters: they have one to four bytes.
const NEGATED_CLASS: usize = 16;

/// About how many states a pattern has. Counted repetitions count what they repeat.
pub(crate) fn states(pattern: &str, is_unicode: bool) -> usize {
    let mut counter = Counter { rest: pattern.chars().peekable(), is_unicode };
    let (mut outer, mut total, mut last) = (Vec::new(), 0_usize, 0_usize);
    while let Some(character) = counter.rest.next() {
        last = match character {
            '(' => {
                outer.push(total);
                total = 0;
                continue;
            }
            ')' => {
                let group = total;
                total = outer.pop().unwrap_or_default();
                group
            }
            '{' => {
                let more = last.saturating_mul(counter.times().saturating_sub(1));
                total = total.saturating_add(more);
                last = last.saturating_add(more);
                continue;
            }
            '[' => counter.class(),
            '\\' => counter.escape(),
            '.' => NEGATED_CLASS,
            _ => character.len_utf8(),
        };
        total = total.saturating_add(last);
    }
    outer.into_iter().fold(total, usize::saturating_add)
}

struct Counter<'p> {
    rest: Peekable<Chars<'p>>,
    is_unicode: bool,
}

impl Counter<'_> {
    /// The larger bound of a repetition, from behind its opening brace.
    fn times(&mut self) -> usize {
        let mut bounds = String::new();
        while let Some(next) = self.rest.next_if(|next| next.is_ascii_digit() || *next == ',') {
            bounds.push(next);
        }
        self.rest.next_if_eq(&'}');
        let bound = |text: &str| if text.is_empty() { 1 } else { text.parse().unwrap_or(usize::MAX) };
        bounds.split(',').map(bound).max().unwrap_or(1)
    }

    fn escape(&mut self) -> usize {
        match self.rest.next() {
            Some('w' | 'W' | 'd' | 'D' | 's' | 'S' | 'b' | 'B' | 'p' | 'P') if self.is_unicode => WIDE_CLASS,
            Some('W' | 'D' | 'S') => NEGATED_CLASS,
            _ => 2,
        }
    }

    /// From behind the opening bracket; a class in a class is a part of it.
    fn class(&mut self) -> usize {
        let mut size = if self.rest.next_if_eq(&'^').is_some() { NEGATED_CLASS } else { 1 };
        let mut depth = 1_usize;
        while depth > 0 {
            let Some(character) = self.rest.next() else { break };
            size = size.saturating_add(match character {
                '\\' => self.escape(),
                '[' => {
                    depth += 1;
                    if self.rest.next_if_eq(&'^').is_some() { NEGATED_CLASS } else { 0 }
                }
                ']' => {
                    depth -= 1;
                    0
                }
                _ => character.len_utf8(),
            });
        }
        size
    }
}

#[cfg(test)]
mod tests {
    use super::states;

    #[test]
    fn what_is_counted_counts_what_it_repeats() {
        for (pattern, size) in [
            ("abc", 3),
            ("a{3}", 3),
            ("(ab){10}", 20),
            ("((ab){10}c){10}", 210),
            ("a{2,5}b", 6),
            ("a{3,}", 3),
            ("a{0}", 1),
            (r"\d{3}", 6),
            ("[^q]", 17),
            ("(a", 1),
        ] {
            assert_eq!(states(pattern, false), size, "{pattern}");
        }
        assert!(states(r"\w", true) > 1_000);
        assert_eq!(states("((((a{99}){99}){99}){99}){99}", false), 99_usize.pow(5));
    }
}
