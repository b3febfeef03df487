//! Where heads of requests end in what a client sends.

/// Follows the lines of a connection. Every head ends with an empty line; so may a part of a body, which does no harm
/// here.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Heads {
    line: HeadLine,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum HeadLine {
    /// It holds something.
    #[default]
    Filled,
    /// It has just begun.
    Empty,
    /// It holds a carriage return and nothing else.
    Returned,
}

impl Heads {
    /// How many of the bytes may be passed on before more heads end than there is `room` for. Takes from `room` what
    /// has ended in them.
    pub(super) fn fit(&mut self, bytes: &[u8], room: &mut usize) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' && self.line != HeadLine::Filled {
                let Some(left) = room.checked_sub(1) else { return at };
                *room = left;
            }
            self.line = match (byte, self.line) {
                (b'\n', _) => HeadLine::Empty,
                (b'\r', HeadLine::Empty) => HeadLine::Returned,
                _ => HeadLine::Filled,
            };
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    #[test]
    fn the_last_byte_of_a_head_is_kept_back_once_there_is_no_more_room() {
        let mut heads = Heads::default();
        let mut room = 1;
        let two = ONE.repeat(2);
        assert_eq!(heads.fit(&two, &mut room), two.len() - 1);
        assert_eq!(room, 0);
        assert_eq!(heads.fit(b"\n", &mut room), 0);
        assert_eq!(heads.fit(b"\n", &mut 1), 1);
    }

    #[test]
    fn lines_may_end_without_a_carriage_return() {
        let mut room = 5;
        assert_eq!(Heads::default().fit(b"GET / HTTP/1.1\nhost: x\n\nGET\n\r\n", &mut room), 30);
        assert_eq!(room, 3);
    }

    proptest! {
        #[test]
        fn it_is_the_same_in_whatever_pieces_they_come(
            bytes in "[\r\nx]{0,60}",
            cut in 0_usize..60,
            room in 0_usize..4,
        ) {
            let bytes = bytes.as_bytes();
            let (mut whole, mut left) = (Heads::default(), room);
            let fit = whole.fit(bytes, &mut left);
            let (mut pieces, mut remaining) = (Heads::default(), room);
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let mut passed = pieces.fit(first, &mut remaining);
            if passed == first.len() {
                passed += pieces.fit(second, &mut remaining);
            }
            prop_assert_eq!((fit, left), (passed, remaining));
        }
    }
}
