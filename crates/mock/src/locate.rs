//! Which operation a path means.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// What a request asks the org to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Create a VoiceCall.
    Create,
    /// Update a VoiceCall.
    Update,
    /// Run an Omni-Channel flow.
    OmniFlow,
    /// Clear the pending routing.
    ClearRouting,
    /// Get an OAuth session.
    Token,
    /// Ask for fields of VoiceCalls.
    Query,
    /// A page for people, under `/mock`.
    Page,
    /// A path the org does not have.
    Unknown,
}

/// Which API a path belongs to: they refuse in different shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Telephony,
    Apex,
    Login,
    /// The REST API.
    Rest,
    Page,
    Nowhere,
}

/// A path, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) side: Side,
    pub(super) operation: Operation,
    /// The path's last variable part, percent-decoded: VoiceCall id or vendorCallKey, a page's name, or the
    /// version of the REST API.
    pub(super) id: String,
}

impl Target {
    fn new(side: Side, operation: Operation) -> Self {
        Self { side, operation, id: String::new() }
    }

    /// The only method Salesforce takes here; `None` where any is answered.
    pub(super) fn method(&self) -> Option<&'static str> {
        match (self.side, self.operation) {
            (Side::Telephony, Operation::Create) | (Side::Apex | Side::Login, _) => Some("POST"),
            (Side::Telephony, _) => Some("PATCH"),
            (Side::Rest, _) => Some("GET"),
            (Side::Page | Side::Nowhere, _) => None,
        }
    }
}

/// Finds out what `path` (as it came, percent-encoded) means.
pub(super) fn locate(path: &str, apex_prefix: &str) -> Target {
    let found = telephony(path).or_else(|| apex(path, apex_prefix)).or_else(|| rest(path));
    found.or_else(|| page(path)).unwrap_or_else(|| match path {
        "/services/oauth2/token" => Target::new(Side::Login, Operation::Token),
        _ => Target::new(Side::Nowhere, Operation::Unknown),
    })
}

fn telephony(path: &str) -> Option<Target> {
    let rest = path.strip_prefix("/telephony/v1/voiceCalls")?;
    if rest.is_empty() {
        return Some(Target::new(Side::Telephony, Operation::Create));
    }
    let (id, operation) = match rest.strip_prefix('/')?.split_once('/') {
        None => (rest.strip_prefix('/')?, Operation::Update),
        Some((id, "omniFlow")) => (id, Operation::OmniFlow),
        Some((id, "clearRouting")) => (id, Operation::ClearRouting),
        Some(_) => return None,
    };
    let id = percent_decode_str(id).decode_utf8().ok()?.into_owned();
    let found = Target { id, ..Target::new(Side::Telephony, operation) };
    Some(found).filter(|target| !target.id.is_empty())
}

fn apex(path: &str, prefix: &str) -> Option<Target> {
    let operation = match path.strip_prefix(prefix)? {
        "/createVoiceCall" => Operation::Create,
        "/updateVoiceCall" => Operation::Update,
        "/executeOmniFlow" => Operation::OmniFlow,
        "/clearRouting" => Operation::ClearRouting,
        _ => return None,
    };
    Some(Target::new(Side::Apex, operation))
}

/// The query resource of a version that knows VoiceCalls as they are today.
fn rest(path: &str) -> Option<Target> {
    let version = path.strip_prefix("/services/data/")?.strip_suffix("/query")?;
    let number: u32 = version.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()?;
    let target = Target { id: version.to_owned(), ..Target::new(Side::Rest, Operation::Query) };
    (49..=66).contains(&number).then_some(target)
}

fn page(path: &str) -> Option<Target> {
    let name = percent_decode_str(path.strip_prefix("/mock/")?);
    Some(Target { id: name.decode_utf8().ok()?.into_owned(), ..Target::new(Side::Page, Operation::Page) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "/services/apexrest/x/v1";

    fn found(path: &str) -> (Side, Operation, String) {
        let target = locate(path, PREFIX);
        (target.side, target.operation, target.id)
    }

    #[test]
    fn a_vendor_call_key_is_percent_decoded() {
        let path = "/telephony/v1/voiceCalls/a%2Fb%20c%3F/omniFlow";
        assert_eq!(found(path), (Side::Telephony, Operation::OmniFlow, "a/b c?".into()));
    }

    #[test]
    fn paths_are_exact() {
        for path in [
            "/telephony/v1/voiceCalls/",
            "/telephony/v1/voiceCallsX",
            "/telephony/v1/voicecalls",
            "/telephony/v1/voiceCalls/k/omniflow",
            "/telephony/v1/voiceCalls/k/omniFlow/",
            "/telephony/v1/voiceCalls/%FF",
            "/services/apexrest/x/v1/createvoicecall",
            "/services/oauth2/token/",
            "/oauth2/token",
            "/services/data/v60.0/queryAll",
            "/services/data/v48.0/query",
            "/services/data/60/query",
        ] {
            assert_eq!(found(path).0, Side::Nowhere, "{path}");
        }
    }

    #[test]
    fn each_side_takes_one_method_for_an_operation() {
        let method = |path| locate(path, PREFIX).method();
        assert_eq!(method("/telephony/v1/voiceCalls"), Some("POST"));
        assert_eq!(method("/telephony/v1/voiceCalls/k"), Some("PATCH"));
        assert_eq!(method("/telephony/v1/voiceCalls/k/clearRouting"), Some("PATCH"));
        assert_eq!(method("/services/apexrest/x/v1/updateVoiceCall"), Some("POST"));
        assert_eq!(method("/services/oauth2/token"), Some("POST"));
        assert_eq!(method("/services/data/v60.0/query"), Some("GET"));
    }
}
