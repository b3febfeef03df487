//! Texts in the order of Java, which compares units of 16 bits.

use std::cmp::Ordering;

/// So many bytes are compared at once.
const BLOCK: usize = 64;

/// `String.compareTo`, as an order.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (one, other) = (left.as_bytes(), right.as_bytes());
    // Most of two texts that are much alike need not be looked at by character.
    let alike =
        one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK)).take_while(|(one, other)| one == other);
    let mut begin = alike.count() * BLOCK;
    while !(left.is_char_boundary(begin) && right.is_char_boundary(begin)) {
        begin -= 1;
    }
    let (left, right) = (left.get(begin..).unwrap_or_default(), right.get(begin..).unwrap_or_default());
    left.encode_utf16().cmp(right.encode_utf16())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::compare;

    proptest! {
        #[test]
        fn texts_are_ordered_as_their_units_are(
            same in "[a\u{e9}\u{20ac}\u{1f600}]{0,70}",
            left in "[a\u{e9}\u{ff5e}\u{1f600}]{0,70}",
            right in "[a\u{e9}\u{ff5e}\u{1f600}]{0,70}",
        ) {
            let (left, right) = (same.clone() + &left, same + &right);
            prop_assert_eq!(compare(&left, &right), left.encode_utf16().cmp(right.encode_utf16()));
        }
    }
}
