//! `[call_centers.NAME.attributes]`: VoiceCall fields filled from what Webex knows.

/// One field and where its value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// API name of the VoiceCall field, such as `Recording_Id__c`.
    pub field: String,
    /// Names from the outside in, such as `serviceData`, `callRecordingId`.
    pub path: Vec<String>,
}
