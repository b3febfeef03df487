//! What can be subscribed to: one resource and version for each subscription.

use std::fmt;
use std::str::FromStr;

/// A resource and its version, such as `task:1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebhookResource {
    kind: ResourceKind,
    version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ResourceKind {
    Task,
    Agent,
    Capture,
}

/// What the bridge makes something of; the headings of the vendor's document omit `task:` here and there.
const TASK_EVENTS: [&str; 14] = [
    "task:new",
    "task:parked",
    "task:connect",
    "task:connected",
    "task:on-hold",
    "task:hold-done",
    "task:consulting",
    "task:consult-done",
    "task:conferencing",
    "task:conference-done",
    "task:conference-transferred",
    "task:origin-updated",
    "task:ended",
    "task:failed",
];

impl WebhookResource {
    /// Those that the bridge needs, of each its versions, the newest first: Webex accepts some of them only, and
    /// `agent:1.0.0` is said to end on 2026-12-16.
    #[must_use]
    pub fn usual() -> Vec<Vec<Self>> {
        let of = |kind, versions: &[&str]| {
            versions.iter().map(|version| Self { kind, version: (*version).to_owned() }).collect()
        };
        vec![
            of(ResourceKind::Task, &["1.0.0"]),
            of(ResourceKind::Agent, &["2.0.0", "1.0.0"]),
            of(ResourceKind::Capture, &["1.0.0"]),
        ]
    }

    /// The events that the bridge makes something of. Version 2 renames the state of an agent.
    #[must_use]
    pub fn event_types(&self) -> Vec<&'static str> {
        match self.kind {
            ResourceKind::Task => TASK_EVENTS.to_vec(),
            ResourceKind::Agent if self.version.starts_with("2.") => vec!["agent:channel_state_change"],
            ResourceKind::Agent => vec!["agent:state_change"],
            ResourceKind::Capture => vec!["capture:available"],
        }
    }
}

impl FromStr for WebhookResource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no resource and version: such as task:1.0.0, agent:2.0.0 or capture:1.0.0")
        };
        let (kind, version) = text.split_once(':').ok_or_else(wrong)?;
        let kind = match kind {
            "task" => ResourceKind::Task,
            "agent" => ResourceKind::Agent,
            "capture" => ResourceKind::Capture,
            _ => return Err(wrong()),
        };
        let numbers: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
        if numbers.len() != 3 || numbers.iter().any(Result::is_err) {
            return Err(wrong());
        }
        Ok(Self { kind, version: version.to_owned() })
    }
}

impl fmt::Display for WebhookResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ResourceKind::Task => "task",
            ResourceKind::Agent => "agent",
            ResourceKind::Capture => "capture",
        };
        write!(f, "{kind}:{}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_its_text_and_has_events_of_its_own_only() {
        for text in ["task:1.0.0", "agent:2.0.0", "capture:1.0.0"] {
            let resource: WebhookResource = text.parse().unwrap();
            assert_eq!(resource.to_string(), text);
            let kind = text.split(':').next().unwrap();
            let events = resource.event_types();
            assert!((1..=32).contains(&events.len()));
            assert!(events.iter().all(|event| event.split(':').next() == Some(kind)), "{events:?}");
        }
        for text in ["task", "task:1", "task:1.0.x", "queue:1.0.0", ""] {
            assert!(text.parse::<WebhookResource>().is_err(), "{text}");
        }
    }
}
