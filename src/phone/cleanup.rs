//! What is done to every number before the rules: see [`clean_up`].

/// The most characters a number may have after the clean-up.
pub const LONGEST_NUMBER: usize = 64;

/// A number with more than [`LONGEST_NUMBER`] characters after the clean-up: the caller's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number has {length} characters after the clean-up, at most {LONGEST_NUMBER} are allowed")]
pub struct NumberTooLong {
    length: usize,
}

impl NumberTooLong {
    /// How many characters were left after the clean-up.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

/// Whether the value holds a digit at all; one that does not (`anonymous`) is never touched.
pub(super) fn is_number(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

/// The clean-up of Salesforce's contact center settings, applied with or without rules.
///
/// A leading `sip:`, `sips:` or `tel:` goes, with everything from the first `@` or `;` on; so does the first
/// `(0)`. Of the rest the digits, `#`, `*`, `,` stay, and a `+` before all of them.
///
/// # Errors
/// More than [`LONGEST_NUMBER`] characters are left.
pub(super) fn clean_up(value: &str) -> Result<String, NumberTooLong> {
    let subscriber = without_scheme(value);
    let (before, after) = subscriber.split_once("(0)").unwrap_or((subscriber, ""));
    let mut cleaned = String::with_capacity(subscriber.len().min(LONGEST_NUMBER));
    let mut length = 0;
    for character in before.chars().chain(after.chars()) {
        let kept = matches!(character, '0'..='9' | '#' | '*' | ',') || (character == '+' && length == 0);
        if kept {
            length += 1;
            if length <= LONGEST_NUMBER {
                cleaned.push(character);
            }
        }
    }
    if length > LONGEST_NUMBER {
        return Err(NumberTooLong { length });
    }
    Ok(cleaned)
}

fn without_scheme(value: &str) -> &str {
    let rest = ["sip:", "sips:", "tel:"].into_iter().find_map(|scheme| {
        let head = value.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| value.get(scheme.len()..))?
    });
    match rest {
        Some(rest) => rest.split(['@', ';']).next().unwrap_or(rest),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(value: &str) -> String {
        clean_up(value).unwrap()
    }

    #[test]
    fn the_trunk_zero_in_parentheses_goes_once() {
        assert_eq!(cleaned("+49 (0) 151 5555 531"), "+491515555531");
        assert_eq!(cleaned("(0)(0)10771949"), "010771949");
        assert_eq!(cleaned("1(0)"), "1");
    }

    #[test]
    fn only_a_plus_before_everything_kept_stays() {
        assert_eq!(cleaned("++43 1+2"), "+4312");
        assert_eq!(cleaned("x (+1) 469"), "+1469");
        assert_eq!(cleaned("1#2*3,4;5"), "1#2*3,45");
    }

    #[test]
    fn a_scheme_goes_with_what_follows_the_subscriber() {
        assert_eq!(cleaned("sip:+14693150217@10.1.2.3:5060"), "+14693150217");
        assert_eq!(cleaned("SIPS:100;user=phone9"), "100");
        assert_eq!(cleaned("Tel:+1-469;ext=55"), "+1469");
        assert_eq!(cleaned("1@2;3"), "123");
        assert_eq!(cleaned("xsip:5@6"), "56");
    }

    #[test]
    fn sixty_four_characters_pass_and_sixty_five_do_not() {
        assert_eq!(cleaned(&"1".repeat(64)).len(), 64);
        assert_eq!(clean_up(&"1".repeat(65)).unwrap_err().length(), 65);
        assert_eq!(cleaned(&format!("{}1", "-".repeat(5000))), "1");
    }

    proptest! {
        #[test]
        fn cleaning_up_twice_is_cleaning_up_once(value in "(sips?:|TEL:|)[+0-9()#*,@; a-zé-]{0,70}") {
            if let Ok(once) = clean_up(&value) {
                prop_assert_eq!(clean_up(&once).unwrap(), once);
            }
        }

        #[test]
        fn any_text_is_cleaned_up_without_a_panic(value in any::<String>()) {
            let _ = clean_up(&value);
        }
    }
}
