//! The order in which a JavaScript engine lists the names of an object.

/// Names that are array indices first, ascending, then the others as written: OrdinaryOwnPropertyKeys of
/// ECMA-262, section 10.1.11.1.
pub(super) fn as_javascript<T>(entries: impl IntoIterator<Item = (String, T)>) -> Vec<(String, T)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    // A stable sort: everything that is not an index compares equal and stays where it was written.
    entries.sort_by_key(|(name, _)| array_index(name).unwrap_or(u32::MAX));
    entries
}

/// An array index is a whole number below 2^32 - 1, written as JavaScript would write it.
fn array_index(name: &str) -> Option<u32> {
    let canonical = name == "0" || name.bytes().next().is_some_and(|first| (b'1'..=b'9').contains(&first));
    let index = name.parse().ok()?;
    (canonical && index < u32::MAX).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_first_and_the_rest_stays_as_written() {
        let written = ["b", "10", "01", "2", "4294967295", "-1", "+3", "4294967294", "0", "a", "1.5", ""];
        let order: Vec<String> = as_javascript(written.map(|name| (name.to_owned(), ())))
            .into_iter()
            .map(|(name, ())| name)
            .collect();
        assert_eq!(
            order,
            ["0", "2", "10", "4294967294", "b", "01", "4294967295", "-1", "+3", "a", "1.5", ""]
        );
    }
}
