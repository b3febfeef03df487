//! `[call_centers.NAME.attributes]`: VoiceCall fields filled from what the flow and Webex have told.

use std::collections::BTreeSet;

use super::super::nearest::nearest;
use super::super::section::Section;
use crate::domain::{Attribute, InvalidPath, ValuePath};

/// Fields, sorted by their names.
pub(super) fn read(section: &mut Section<'_>) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    for (field, source) in section.texts("attributes") {
        let key = format!("attributes.{field}");
        if !Attribute::is_field(&field) {
            section.problem(&key, "is not the API name of a field", "such as Recording_Id__c");
        }
        match ValuePath::parse(&source) {
            Ok(path) => attributes.push(Attribute { field, path }),
            Err(invalid) => section.problem(&key, invalid.to_string(), hint(&source, invalid)),
        }
    }
    attributes
}

fn hint(source: &str, invalid: InvalidPath) -> String {
    match invalid {
        InvalidPath::Names => {
            "names with dots between them, without $ and [ ], such as request.participants.0.type".to_owned()
        }
        InvalidPath::ContactCenter => "take the line out".to_owned(),
        InvalidPath::Bare(root) => format!("go on with a dot and a name, such as {root}.{}", example(root)),
        InvalidPath::NearlyRoot(root) => {
            format!("write `{root}`; or for a field of that name in the flow's body, `request.` before it")
        }
        InvalidPath::Segments => {
            let known: BTreeSet<String> = ValuePath::all_of_segments().collect();
            match nearest(source, &known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("one of {}", known.into_iter().collect::<Vec<_>>().join(", ")),
            }
        }
    }
}

fn example(root: &str) -> &'static str {
    match root {
        "request" => "flowInputParameters.param1",
        "data" => "queueId",
        _ => "queue.duration",
    }
}
