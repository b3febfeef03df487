//! Mutations that keep enough of an input's shape to get past the first check: mostly whole words and values change
//! places, sometimes bytes. Seeded, so that a failure comes again.

/// What has broken readers before.
const NASTY: [&[u8]; 26] = [
    b"",
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"0.1",
    b"1e999",
    b"18446744073709551616",
    b"true",
    b"\\ud800",
    b"\\u0000",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"{{NewPhoneContact.ANI}}",
    b"2026-02-30T25:61:61Z[UTC]",
    b"1970-01-01T00:00:00Z",
    b"wxcc_",
    b"+",
    b"(\\d+)+$",
    b"(?:a|a)*",
    b"[1,99999999999999999999]",
    b"$<x>$99$&",
    b"\r\n",
    "\u{202e}٣\u{1f4a9}".as_bytes(),
];

/// Where words end, in JSON, TOML, rules and headers alike.
const ENDS: &[u8] = b"{}[](),:=\"' \n->|";
/// The longest that is made.
const LONGEST: usize = 70_000;

/// Makes inputs out of inputs.
pub struct Mutator {
    inputs: Vec<Vec<u8>>,
    state: u64,
}

impl Mutator {
    /// Of a corpus that is not empty.
    pub fn new(inputs: Vec<Vec<u8>>) -> Self {
        Self { inputs, state: 0x5c_b71d6e }
    }

    /// The next one: an input with one to eight changes.
    pub fn next(&mut self) -> Vec<u8> {
        let mut input = self.any().to_vec();
        for _ in 0..=self.below(8) {
            input = self.change(input);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&mut self, mut input: Vec<u8>) -> Vec<u8> {
        let (from, to) = self.word(&input);
        match self.below(8) {
            0 => {
                let nasty = NASTY[self.below(NASTY.len())];
                input.splice(from..to, nasty.iter().copied());
            }
            1 => {
                let other = self.any().to_vec();
                let (start, end) = self.word(&other);
                input.splice(from..to, other[start..end].iter().copied());
            }
            2 => drop(input.drain(from..to)),
            3 => {
                let times = [2, 3, 100, 4_000][self.below(4)];
                let word = input[from..to].repeat(times);
                input.splice(from..from, word);
            }
            4 => {
                let other = self.any().to_vec();
                let cut = self.below(other.len() + 1);
                input.truncate(from);
                input.extend_from_slice(&other[cut..]);
            }
            5 => input.truncate(to),
            6 => {
                let byte = self.random().to_le_bytes()[0];
                input.insert(from, byte);
            }
            _ => {
                let bit = 1 << self.below(8);
                let at = self.below(input.len().max(1));
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
        input
    }

    /// A place and the end of the word there, or of what stands between two such places.
    fn word(&mut self, input: &[u8]) -> (usize, usize) {
        let ends: Vec<usize> = (0..=input.len())
            .filter(|&at| {
                at == 0 || at == input.len() || ENDS.contains(&input[at]) || ENDS.contains(&input[at - 1])
            })
            .collect();
        let first = self.below(ends.len());
        let last = (first + self.below(4)).min(ends.len() - 1);
        (ends[first], ends[last])
    }

    fn any(&mut self) -> &[u8] {
        let which = self.below(self.inputs.len());
        &self.inputs[which]
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.random() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
