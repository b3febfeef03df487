//! What a flow is told of an update or a clear routing: both are kept before they are tried.

use serde::Serialize;

use crate::bridge::Delivered;

/// `data` of updateVoiceCall and clearRouting.
#[derive(Serialize)]
pub struct DeliveryData {
    /// `pending` or `Success`.
    pub status: &'static str,
    /// What the flow designer should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<&'static str>,
}

/// What is worth a warning although nothing is wrong.
#[must_use]
pub fn warnings(delivered: Delivered) -> Vec<&'static str> {
    match delivered {
        Delivered::Now | Delivered::Later | Delivered::Withheld => Vec::new(),
        Delivered::NoSuchCall => {
            vec!["voiceCallId: empty, and no single call is meant by the rest; nothing was sent"]
        }
    }
}
