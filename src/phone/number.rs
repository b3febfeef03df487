//! A phone number that does not print itself.

use std::fmt;

/// Digits left readable at the front and at the back of a long number.
const SHOWN: (usize, usize) = (4, 2);
/// From this many digits on, front and back are shown.
const LONG: usize = 10;
/// From this many digits on, the back is shown; anything shorter is an extension and wholly hidden.
const MEDIUM: usize = 7;
/// The longest word without digits that is taken for one (`anonymous`, `Restricted`) and printed.
const LONGEST_WORD: usize = 32;

/// A phone number as it goes to Salesforce. `Display` and `Debug` mask it; [`PhoneNumber::expose`] does not.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Wraps a number or a word such as `anonymous`, as it is.
    pub fn new(number: impl Into<String>) -> Self {
        Self(number.into())
    }

    /// The whole number: for request bodies, never for logs.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for PhoneNumber {
    fn from(number: String) -> Self {
        Self(number)
    }
}

impl From<&str> for PhoneNumber {
    fn from(number: &str) -> Self {
        Self(number.to_owned())
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask(&self.0).fmt(f)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

/// Any number in the form that may be logged: `+14693150217` becomes `+1469*****17`.
///
/// Every digit that is not shown is one star; everything else but a leading `+` is dropped. Fewer than
/// ten digits show the last two only, fewer than seven none. A word without digits prints as it is.
pub fn mask(number: &str) -> Masked<'_> {
    Masked(number)
}

/// What [`mask`] returns: prints the masked number without building a string.
#[derive(Clone, Copy)]
pub struct Masked<'a>(&'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.chars().filter(char::is_ascii_digit).count();
        if digits == 0 {
            return f.write_str(if is_word(self.0) { self.0 } else { "*" });
        }
        if self.0.trim_start().starts_with('+') {
            f.write_str("+")?;
        }
        let (front, back) = match digits {
            LONG.. => SHOWN,
            MEDIUM.. => (0, SHOWN.1),
            _ => (0, 0),
        };
        for (place, digit) in self.0.chars().filter(char::is_ascii_digit).enumerate() {
            let shown = place < front || place >= digits - back;
            write!(f, "{}", if shown { digit } else { '*' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A word such as `anonymous`; an address (`sip:alice@example.com`) is not one.
fn is_word(value: &str) -> bool {
    value.chars().count() <= LONGEST_WORD && value.chars().all(|c| c.is_alphabetic() || " _-.".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_number_shows_its_first_four_and_last_two_digits() {
        assert_eq!(mask("+14693150217").to_string(), "+1469*****17");
        assert_eq!(mask("0319175200").to_string(), "0319****00");
        assert_eq!(mask(" +1 (469) 315-0217").to_string(), "+1469*****17");
    }

    #[test]
    fn a_short_number_shows_almost_nothing() {
        assert_eq!(mask("1234567").to_string(), "*****67");
        assert_eq!(mask("4711").to_string(), "****");
        assert_eq!(mask("+1").to_string(), "+*");
    }

    #[test]
    fn a_word_without_digits_prints_as_it_is_and_an_address_does_not() {
        assert_eq!(mask("anonymous").to_string(), "anonymous");
        assert_eq!(mask("Not available").to_string(), "Not available");
        assert_eq!(mask("").to_string(), "");
        assert_eq!(mask("sip:alice@example.com").to_string(), "*");
        assert_eq!(mask("٠١٢٣٤٥").to_string(), "*");
    }

    #[test]
    fn display_and_debug_of_a_number_are_masked_and_expose_is_not() {
        let number = PhoneNumber::from("+14693150217");
        assert_eq!(format!("{number} {number:?}"), "+1469*****17 PhoneNumber(+1469*****17)");
        assert_eq!(number.expose(), "+14693150217");
        assert_eq!(number.expose(), "+14693150217");
    }

    proptest! {
        #[test]
        fn at_least_four_digits_of_any_number_are_hidden(number in "[+]?[0-9 ()#*,.-]{0,80}") {
            let digits = number.chars().filter(char::is_ascii_digit).count();
            let shown = mask(&number).to_string().chars().filter(char::is_ascii_digit).count();
            prop_assert!(shown == 0 || shown + 4 <= digits);
        }
    }
}
