//! What a request asks for, by its path.

use serde::Serialize;

/// What can be asked of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// The page on which an administrator agrees.
    Authorize,
    /// Tokens.
    Token,
    /// Subscriptions of webhooks.
    Subscriptions,
    /// The Search API.
    Search,
    /// Recordings of tasks.
    Captures,
    /// A recording itself, behind a signed address.
    Recording,
    /// Flows, validated and imported.
    Flows,
    /// Nothing that exists.
    Nowhere,
}

impl Operation {
    /// With what stands behind a fixed path: the id of a subscription, or the name of a recording.
    pub(super) fn locate(path: &str) -> (Self, Option<&str>) {
        if let Some(id) = path.strip_prefix("/v2/subscriptions/") {
            return (Self::Subscriptions, Some(id));
        }
        if let Some(file) = path.strip_prefix("/recordings/") {
            return (Self::Recording, Some(file));
        }
        if let Some(flows) = path.strip_prefix("/flow-store/") {
            return (Self::Flows, Some(flows));
        }
        let operation = match path {
            "/v1/authorize" => Self::Authorize,
            "/v1/access_token" => Self::Token,
            "/v2/subscriptions" => Self::Subscriptions,
            "/search" => Self::Search,
            "/v1/captures/query" => Self::Captures,
            _ => Self::Nowhere,
        };
        (operation, None)
    }

    /// Whether it takes a bearer token, a `TrackingId`, and counts for the limit of requests.
    pub(super) fn is_api(self) -> bool {
        matches!(self, Self::Subscriptions | Self::Search | Self::Captures | Self::Flows)
    }
}
