//! Sets of UTF-16 code units: what one position of a pattern accepts.

/// An inclusive range of code units.
pub(super) type Range = (u16, u16);

/// The digits of `\d`.
pub(super) const DIGITS: &[Range] = &[(0x30, 0x39)];
/// The characters of `\w`.
pub(super) const WORD: &[Range] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
/// The characters of `\s`: ECMAScript's WhiteSpace and LineTerminator.
pub(super) const SPACE: &[Range] = &[
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
];
/// What `.` does not match.
pub(super) const LINE_TERMINATOR: &[Range] = &[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)];

/// Whether `String.prototype.trim` removes this code unit.
pub fn is_space(unit: u16) -> bool {
    within(SPACE, unit)
}

/// Whether `\b` takes this code unit for part of a word.
pub(super) fn is_word(unit: u16) -> bool {
    within(WORD, unit)
}

fn within(ranges: &[Range], unit: u16) -> bool {
    ranges.iter().any(|&(first, last)| (first..=last).contains(&unit))
}

/// The complement of any ranges, sorted and disjoint.
pub(super) fn complement(ranges: &[Range]) -> Vec<Range> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut gaps = Vec::with_capacity(sorted.len() + 1);
    let mut next = Some(0);
    for (first, last) in sorted {
        let Some(from) = next else { break };
        if first > from {
            gaps.push((from, first - 1));
        }
        if last >= from {
            next = last.checked_add(1);
        }
    }
    if let Some(from) = next {
        gaps.push((from, u16::MAX));
    }
    gaps
}

/// A set of code units with a fast way for ASCII, which is what phone numbers are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CharSet {
    ascii: u128,
    beyond: Box<[Range]>,
}

impl CharSet {
    /// The union of the ranges.
    pub(super) fn new(ranges: &[Range]) -> Self {
        let ascii = (0..128).filter(|&unit| within(ranges, unit)).fold(0, |bits, unit| bits | 1_u128 << unit);
        let beyond = ranges.iter().copied().filter(|&(_, last)| last >= 128).collect();
        Self { ascii, beyond }
    }

    /// Exactly one code unit.
    pub(super) fn one(unit: u16) -> Self {
        Self::new(&[(unit, unit)])
    }

    /// Everything but the ranges.
    pub(super) fn except(ranges: &[Range]) -> Self {
        Self::new(&complement(ranges))
    }

    /// Whether the set holds this code unit.
    #[inline]
    pub(super) fn contains(&self, unit: u16) -> bool {
        if unit < 128 { self.ascii >> unit & 1 == 1 } else { within(&self.beyond, unit) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_unit_is_in_a_set_or_in_its_complement(
            ranges in prop::collection::vec((any::<u16>(), any::<u16>()), 0..6),
            unit in any::<u16>(),
        ) {
            let ranges: Vec<Range> = ranges.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            prop_assert_eq!(CharSet::new(&ranges).contains(unit), within(&ranges, unit));
            prop_assert_eq!(CharSet::except(&ranges).contains(unit), !within(&ranges, unit));
        }
    }
}
