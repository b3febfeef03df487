//! Where a value is found.

use std::fmt;

use super::SegmentValue;

/// A VoiceCall field and where its value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// API name of the VoiceCall field, such as `Recording_Id__c`.
    pub field: String,
    /// Where its value is found.
    pub path: ValuePath,
}

/// Names from the outside in, with dots between them: `request.flowInputParameters.param1`. Capitals count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValuePath {
    text: String,
    root: PathRoot,
}

/// What a path begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathRoot {
    /// What the flow sent: `request`.
    Request,
    /// What webhooks carried: `data`.
    Data,
    /// What Webex's events add up to: `segments`.
    Segments(SegmentValue),
    /// No root: what the flow sent, then what webhooks carried.
    Anywhere,
}

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// A name in it is empty, or holds something else than letters, digits and `_`.
    #[error("is not a path of names")]
    Names,
    /// A root and nothing after it.
    #[error("names no value of `{0}`")]
    Bare(&'static str),
    /// Nearly a root: capitals count, and so does an s.
    #[error("begins with a word that is nearly `{0}`")]
    NearlyRoot(&'static str),
    /// The bridge does not keep it.
    #[error("is never kept: it is the name of this contact center")]
    ContactCenter,
    /// There is no such value of segments.
    #[error("is no value of segments")]
    Segments,
}

const REQUEST: &str = "request";
const DATA: &str = "data";
const SEGMENTS: &str = "segments";
const CONTACT_CENTER: &str = "callCenterDevName";
const ROOTS: [&str; 3] = [REQUEST, DATA, SEGMENTS];

impl ValuePath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let (first, rest) = match text.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        let is_inner = |name: &str| is_name(name) || is_index(name);
        if !is_name(first) || !rest.is_none_or(|rest| rest.split('.').all(is_inner)) {
            return Err(InvalidPath::Names);
        }
        let root = match (ROOTS.into_iter().find(|root| *root == first), rest) {
            (Some(root), None) => return Err(InvalidPath::Bare(root)),
            (Some(REQUEST), Some(CONTACT_CENTER)) => return Err(InvalidPath::ContactCenter),
            (Some(REQUEST), _) => PathRoot::Request,
            (Some(DATA), _) => PathRoot::Data,
            (Some(_), Some(rest)) => {
                PathRoot::Segments(SegmentValue::parse(rest).ok_or(InvalidPath::Segments)?)
            }
            (None, _) => match ROOTS.into_iter().find(|root| is_nearly(first, root)) {
                Some(root) => return Err(InvalidPath::NearlyRoot(root)),
                None => PathRoot::Anywhere,
            },
        };
        Ok(Self { text: text.to_owned(), root })
    }

    /// What it begins at.
    #[must_use]
    pub fn root(&self) -> PathRoot {
        self.root
    }

    /// Whether a request of the flow may hold its value.
    #[must_use]
    pub fn is_of_requests(&self) -> bool {
        matches!(self.root, PathRoot::Request | PathRoot::Anywhere)
    }

    /// Whether a webhook may carry its value.
    #[must_use]
    pub fn is_of_webhooks(&self) -> bool {
        matches!(self.root, PathRoot::Data | PathRoot::Anywhere)
    }

    /// The names after the root, with dots between them.
    #[must_use]
    pub fn inner(&self) -> &str {
        match self.root {
            PathRoot::Anywhere => &self.text,
            _ => self.text.split_once('.').map_or("", |(_, inner)| inner),
        }
    }

    /// The last name.
    #[must_use]
    pub fn last(&self) -> &str {
        self.text.rsplit('.').next().unwrap_or_default()
    }

    /// Every path of segments that there is.
    pub fn all_of_segments() -> impl Iterator<Item = String> {
        SegmentValue::all().map(|value| format!("{SEGMENTS}.{value}"))
    }
}

impl AsRef<str> for ValuePath {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Attribute {
    /// Whether a text can be the API name of a field.
    #[must_use]
    pub fn is_field(text: &str) -> bool {
        is_name(text)
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(allowed)
}

/// The place of an element in a list, counted from 0.
fn is_index(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_nearly(word: &str, root: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches(['s', 'S']).to_ascii_lowercase();
    bare(word) == bare(root)
}
