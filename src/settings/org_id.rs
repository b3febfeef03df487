//! The id of a Salesforce org.

use std::fmt;

/// An organisation id: `00D`, 15 characters, or 18 with the check letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgId(String);

impl OrgId {
    /// Parses an id and verifies its check letters, if it has them.
    ///
    /// # Errors
    /// What is wrong, as half a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("may hold only letters and digits".to_owned());
        }
        if !text.starts_with("00D") {
            return Err("does not begin with 00D".to_owned());
        }
        let (id, check) = match text.len() {
            15 => (text, None),
            18 => text.split_at_checked(15).map_or((text, None), |(id, check)| (id, Some(check))),
            other => return Err(format!("has {other} characters instead of 15 or 18")),
        };
        match check {
            Some(check) if !check.eq_ignore_ascii_case(&check_letters(id)) => Err(
                "has check letters (its last three) that do not fit: an upper or lower case letter is wrong"
                    .to_owned(),
            ),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The id as it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Salesforce's rule: each group of five characters gives five bits, one for every upper case letter, the
/// first character lowest; the bits pick one of `A`-`Z`, `0`-`5`.
fn check_letters(id: &str) -> String {
    id.as_bytes()
        .chunks(5)
        .map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0_u8, |bits, (place, _)| bits | (1 << place));
            char::from(if bits < 26 { b'A' + bits } else { b'0' + (bits - 26) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_letters_are_those_salesforce_prints() {
        assert_eq!(check_letters("001A0000006Vm9r"), "IAC");
        assert_eq!(check_letters("00D000000000001"), "EAA");
        assert_eq!(check_letters("ABCDEabcdeABCDe"), "5AP");
    }
}
