//! `[call_centers.NAME.attributes]`: VoiceCall fields filled from what Webex knows.

use super::super::section::Section;

/// One field and where its value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// API name of the VoiceCall field, such as `Recording_Id__c`.
    pub field: String,
    /// Names from the outside in, such as `serviceData`, `callRecordingId`.
    pub path: Vec<String>,
}

pub(super) fn read(section: &mut Section<'_>) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    for (field, source) in section.texts("attributes") {
        let key = format!("attributes.{field}");
        if !is_name(&field) {
            section.problem(&key, "is not the API name of a field", "such as Recording_Id__c");
        }
        let path: Vec<String> = source.split('.').map(str::to_owned).collect();
        if path.iter().all(|name| is_name(name)) {
            attributes.push(Attribute { field, path });
        } else {
            section.problem(
                &key,
                "is not a path of names",
                "names with dots, such as serviceData.callRecordingId",
            );
        }
    }
    attributes
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(allowed)
}
