//! Numbers on which a pattern that can run away does.
//!
//! This only decides what an administrator hears at load. What holds whatever the number is the count of
//! steps: a pattern that escapes the probe is left out on the number that is too hard for it.

/// Numbers of this length, made of what numbers hold and of what the rule itself speaks of.
pub(super) fn hard_numbers(rule: &str, length: usize) -> impl Iterator<Item = Vec<u16>> {
    const DIGITS: [&str; 7] = ["1", "0", "12", "1234567890", "1,", "1 ", "1#*"];
    const ENDS: [(&str, &str); 5] = [("", ""), ("", "#"), ("", "x"), ("+", ""), ("+49", " ")];
    let mut cores: Vec<String> = DIGITS.map(str::to_owned).to_vec();
    let own = rule.chars().filter(|c| !cores_hold(c));
    for character in own.take(40).map(String::from) {
        if !cores.contains(&character) {
            cores.push(character);
        }
    }
    cores.into_iter().flat_map(move |core| ENDS.map(|(head, tail)| number(head, &core, tail, length)))
}

fn cores_hold(character: &char) -> bool {
    "10[]()->\\{}^$?".contains(*character)
}

fn number(head: &str, core: &str, tail: &str, length: usize) -> Vec<u16> {
    let body = length.saturating_sub(head.len() + tail.len());
    head.encode_utf16()
        .chain(core.encode_utf16().cycle().take(body))
        .chain(tail.encode_utf16())
        .take(length)
        .collect()
}
