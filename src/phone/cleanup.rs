//! What is done to every number before the rules: see [`clean_up`].

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

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
    pub fn length(&self) -> usize {
        self.length
    }
}

/// The subscriber in the value of a phone number field: a leading `sip:`, `sips:` or `tel:` goes, with everything
/// from the first `@` or `;` on, and so does a host without a scheme. Escapes in what remains of a URI (RFC 3986, 2.1) are
/// decoded.
pub(super) fn subscriber(value: &str) -> Cow<'_, str> {
    let rest = ["sip:", "sips:", "tel:"].into_iter().find_map(|scheme| {
        let head = value.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| value.get(scheme.len()..))?
    });
    let user = match rest {
        Some(rest) => rest.split(['@', ';']).next(),
        None => value.split_once('@').map(|(user, _)| user),
    };
    user.map_or(Cow::Borrowed(value), |user| percent_decode_str(user).decode_utf8_lossy())
}

/// Whether the subscriber holds a digit at all; one that does not (`anonymous`) is sent as it is.
pub(super) fn is_number(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

/// The clean-up of Salesforce's contact center settings, applied to a [`subscriber`] with or without rules.
///
/// The first `(0)` goes. Of the rest the digits, `#`, `*`, `,` stay, and a `+` before all of them.
///
/// # Errors
/// More than [`LONGEST_NUMBER`] characters are left.
pub(super) fn clean_up(subscriber: &str) -> Result<String, NumberTooLong> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(value: &str) -> String {
        clean_up(&subscriber(value)).unwrap()
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
        assert_eq!(cleaned("1@2;3"), "1");
        assert_eq!(cleaned("1;3"), "13");
        assert_eq!(cleaned("xsip:5@6"), "5");
    }

    #[test]
    fn escapes_are_decoded_in_what_remains_of_a_uri_and_nowhere_else() {
        assert_eq!(cleaned("sip:%2B14155550101@pbx.example.com"), "+14155550101");
        assert_eq!(cleaned("%2b1%34155550101@pbx.example.com"), "+14155550101");
        assert_eq!(cleaned("tel:%2B1%20415"), "+1415");
        assert_eq!(cleaned("%2B1415"), "21415");
        assert_eq!(subscriber("sip:%FF%zz@host"), "\u{fffd}%zz");
    }

    #[test]
    fn a_withheld_number_has_no_digit_whatever_the_host() {
        for value in [
            "sip:anonymous@10.1.2.3",
            "anonymous@anonymous.invalid",
            "SIPS:anonymous@h1;user=phone",
            "anonymous",
        ] {
            assert_eq!(subscriber(value), "anonymous", "{value}");
            assert!(!is_number(&subscriber(value)));
        }
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
            if let Ok(once) = clean_up(&subscriber(&value)) {
                prop_assert_eq!(clean_up(&subscriber(&once)).unwrap(), once);
            }
        }

        #[test]
        fn any_text_is_cleaned_up_without_a_panic(value in any::<String>()) {
            let _ = clean_up(&subscriber(&value));
        }
    }
}
