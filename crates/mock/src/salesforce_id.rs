//! Record ids as Salesforce makes them: 15 case-sensitive characters and a checksum of three.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// Pod and reserved character, as in a real org.
const POD: &str = "RM0";
/// Record numbers have this many base 62 digits ...
const DIGITS: u32 = 9;
/// ... of which seven are used: `62^7`.
const NUMBERS: u64 = 3_521_614_606_208;
/// Coprime to 62: spreads neighbouring numbers, so that ids differ visibly and in case.
const SPREAD: u64 = 1_234_567_890_123;

/// The 18-character id of record `number` of the object with this key prefix.
pub(super) fn record_id(key_prefix: &str, number: u64) -> String {
    let spread = u128::from(number) * u128::from(SPREAD) % u128::from(NUMBERS);
    let mut rest = u64::try_from(spread).unwrap_or_default();
    let mut digits = Vec::new();
    for _ in 0..DIGITS {
        digits.push(letter(ALPHABET, rest % 62));
        rest /= 62;
    }
    let digits: String = digits.iter().rev().collect();
    let short = format!("{key_prefix}{POD}{digits}");
    let checksum = checksum(&short);
    short + &checksum
}

/// The first 15 characters of a well-formed id: 15 characters, or 18 with the right checksum.
pub(super) fn short_form(id: &str) -> Option<&str> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match (id.len(), id.get(..15), id.get(15..)) {
        (15, Some(short), _) => Some(short),
        (18, Some(short), Some(sum)) if checksum(short) == sum => Some(short),
        _ => None,
    }
}

/// One character for every five: which of them are capital letters, as a number of five bits.
fn checksum(short: &str) -> String {
    short
        .as_bytes()
        .chunks(5)
        .map(|five| {
            let capitals = five
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0_u64, |bits, (place, _)| bits | (1 << place));
            letter(CHECKSUM, capitals)
        })
        .collect()
}

fn letter(alphabet: &[u8], place: u64) -> char {
    let byte = usize::try_from(place).ok().and_then(|place| alphabet.get(place));
    char::from(byte.copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_salesforces() {
        assert_eq!(checksum("00D000000000001"), "EAA");
        assert_eq!(checksum("001A0000006Vm9r"), "IAC");
    }

    #[test]
    fn ids_are_distinct_and_well_formed() {
        let ids: std::collections::HashSet<_> = (0..5_000).map(|number| record_id("0LQ", number)).collect();
        assert_eq!(ids.len(), 5_000);
        assert!(ids.iter().all(|id| id.len() == 18 && id.starts_with("0LQ") && short_form(id).is_some()));
    }

    #[test]
    fn an_id_with_a_wrong_checksum_is_none() {
        let mut id = record_id("0LQ", 7);
        assert_eq!(short_form(&id), id.get(..15));
        let last = id.pop().unwrap();
        id.push(if last == 'A' { 'B' } else { 'A' });
        assert_eq!(short_form(&id), None);
        assert_eq!(short_form("wxcc_0123456789"), None);
    }
}
