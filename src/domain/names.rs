//! The names of a call. They are parsed once, at the edge; after that they are known to be sound.

use std::fmt;

/// What is wrong with a name, in words that follow `field: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing, or only white space.
    #[error("is empty")]
    Empty,
    /// More characters than the name may have.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// Control characters, or a relative path segment, which no URL can carry.
    #[error("holds characters that it must not hold")]
    Characters,
    /// `wxcc_` and nothing after it, or a value of `UNSET` after it: such a key would stand for every call of a flow that
    /// lost its interaction id.
    #[error("is the bare prefix wxcc_: the flow has lost its interaction id")]
    BarePrefix,
    /// Not the shape of a VoiceCall id.
    #[error("is no VoiceCall id: 15 or 18 letters and digits that begin with 0LQ")]
    NotAVoiceCallId,
}

/// The rest of an interaction id whose flow variable is not set.
const UNSET: [&str; 7] = ["", "null", "undefined", "none", "na", "n/a", "uninitialized"];

/// The longest call key the bridge accepts, in characters; Salesforce keeps `VendorCallKey` in a text field of 255 characters.
const LONGEST_KEY: usize = 255;

fn check(text: &str) -> Result<(), InvalidName> {
    if text.trim().is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.chars().count() > LONGEST_KEY {
        return Err(InvalidName::TooLong(LONGEST_KEY));
    }
    // "." and ".." would change the path they are put into, even percent-encoded.
    if text.chars().any(char::is_control) || text == "." || text == ".." {
        return Err(InvalidName::Characters);
    }
    let interaction = text.trim().strip_prefix("wxcc_");
    if interaction.is_some_and(|id| UNSET.iter().any(|word| id.eq_ignore_ascii_case(word))) {
        return Err(InvalidName::BarePrefix);
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a text that is not empty, has at most 255 characters and no control characters.
            ///
            /// # Errors
            /// Says which of these it breaks.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(text).map_err(serde::de::Error::custom)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The key under which Webex and Salesforce both know a call: `wxcc_` and the interaction id.
    VendorCallKey
}
name! {
    /// The API name of a contact center in Salesforce (`callCenterDevName`).
    CallCenterName
}
name! {
    /// The developer name of a signing certificate (`certDevName`).
    CertificateName
}
name! {
    /// The id of a task of Webex, which is its interaction id.
    TaskId
}

impl TaskId {
    /// The key under which the vendor's flow creates the VoiceCall of this task; none where it would be too long.
    pub fn vendor_call_key(&self) -> Option<VendorCallKey> {
        VendorCallKey::of_interaction(&self.0).ok()
    }
}

impl VendorCallKey {
    /// The task of Webex that it stands for, if it was made as the vendor's flow makes it.
    pub fn task_id(&self) -> Option<TaskId> {
        TaskId::parse(self.0.strip_prefix("wxcc_")?).ok()
    }

    /// The key of a Webex interaction: the vendor's flow writes `wxcc_` before its id.
    ///
    /// # Errors
    /// As [`VendorCallKey::parse`], for the interaction id.
    pub fn of_interaction(id: &str) -> Result<Self, InvalidName> {
        check(id)?;
        Self::parse(format!("wxcc_{id}"))
    }
}

/// The id of a VoiceCall record: `0LQ` and 12 or 15 more letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VoiceCallId(String);

impl VoiceCallId {
    /// Takes an id of 15 or 18 characters.
    ///
    /// # Errors
    /// When it does not have the shape of one.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let shaped = matches!(text.len(), 15 | 18)
            && text.starts_with("0LQ")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if shaped { Ok(Self(text)) } else { Err(InvalidName::NotAVoiceCallId) }
    }

    /// The first 15 characters, which both forms share; the other three only repeat which of them are capitals.
    pub fn short(&self) -> &str {
        self.0.get(..15).unwrap_or(&self.0)
    }
}

impl AsRef<str> for VoiceCallId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VoiceCallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a request names an existing call. Salesforce takes either in the place of the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallReference {
    /// By the id of its VoiceCall.
    Id(VoiceCallId),
    /// By its vendorCallKey.
    Key(VendorCallKey),
}

impl CallReference {
    /// An id where the text has the shape of one, otherwise a key.
    ///
    /// # Errors
    /// As [`VendorCallKey::parse`].
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        match VoiceCallId::parse(text.as_str()) {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => VendorCallKey::parse(text).map(Self::Key),
        }
    }
}

impl AsRef<str> for CallReference {
    fn as_ref(&self) -> &str {
        match self {
            Self::Id(id) => id.as_ref(),
            Self::Key(key) => key.as_ref(),
        }
    }
}

impl fmt::Display for CallReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_differs_from_a_key_by_its_shape() {
        assert!(matches!(CallReference::parse("0LQ5g000000abcDGAQ"), Ok(CallReference::Id(_))));
        assert!(matches!(CallReference::parse("0LQ5g000000abcD"), Ok(CallReference::Id(_))));
        assert!(matches!(CallReference::parse("0LQ5g000000abcDG"), Ok(CallReference::Key(_))));
        assert!(matches!(CallReference::parse("wxcc_7b3c"), Ok(CallReference::Key(_))));
    }

    #[test]
    fn a_key_that_would_change_a_path_or_a_log_line_is_refused() {
        for text in [".", "..", "a\nb", "a\u{0}b"] {
            assert_eq!(VendorCallKey::parse(text), Err(InvalidName::Characters), "{text:?}");
        }
        assert_eq!(VendorCallKey::parse("  "), Err(InvalidName::Empty));
        assert_eq!(VendorCallKey::parse("k".repeat(256)), Err(InvalidName::TooLong(255)));
        assert!(VendorCallKey::parse("wxcc_ü/ä?#").is_ok());
    }

    #[test]
    fn an_interaction_gets_the_prefix_of_the_vendors_flow() {
        assert_eq!(VendorCallKey::of_interaction("7b3c").unwrap().as_ref(), "wxcc_7b3c");
        assert_eq!(VendorCallKey::of_interaction(""), Err(InvalidName::Empty));
        let task = TaskId::parse("7b3c").unwrap();
        assert_eq!(task.vendor_call_key().unwrap().task_id(), Some(task));
        assert_eq!(VendorCallKey::parse("7b3c").unwrap().task_id(), None);
    }
}
