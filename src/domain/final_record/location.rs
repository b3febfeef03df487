//! A lasting address of recordings, with places for what differs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{FileName, TaskId};

/// Everything but what is unreserved in an address (RFC 3986, 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const TASK: &str = "{taskId}";
const FILE: &str = "{fileName}";

/// An https address with `{taskId}` and `{fileName}` where they belong, such as that of the company's own player. Webex's
/// own addresses of recordings are signed and die within the hour: they are never used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationTemplate(String);

impl LocationTemplate {
    /// Takes a template.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let filled = text.replace(TASK, "id").replace(FILE, "name");
        if filled.contains(['{', '}']) {
            return Err(format!("holds a placeholder other than {TASK} and {FILE}"));
        }
        if filled.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("holds a space".to_owned());
        }
        if filled.strip_prefix("https://").is_none_or(str::is_empty) {
            return Err("is not an https URL".to_owned());
        }
        if filled == text {
            return Err(format!("holds neither {TASK} nor {FILE}, so all recordings would have one address"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it can only be filled once a file is known.
    #[must_use]
    pub fn needs_file(&self) -> bool {
        self.0.contains(FILE)
    }

    /// The address; none where it needs a file and there is none. What is filled in is percent-encoded, so that it cannot
    /// be more than a part of a path or of a query.
    #[must_use]
    pub fn fill(&self, task: &TaskId, file: Option<&FileName>) -> Option<String> {
        let encode = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
        let file = match (self.needs_file(), file) {
            (true, None) => return None,
            (_, file) => file.map_or_else(String::new, |file| encode(file.expose())),
        };
        // No brace is left in what is filled in.
        Some(self.0.replace(TASK, &encode(task.as_ref())).replace(FILE, &file))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn filled(template: &str, file: Option<&str>) -> Option<String> {
        let file = file.map(|file| FileName::parse(file).unwrap());
        LocationTemplate::parse(template).unwrap().fill(&TaskId::parse("t1").unwrap(), file.as_ref())
    }

    #[test]
    fn a_template_is_filled_once_everything_in_it_is_known() {
        let (plain, full) =
            ("https://r.example.com/{taskId}", "https://r.example.com/{taskId}/{fileName}?a={taskId}");
        assert_eq!(filled(plain, None).as_deref(), Some("https://r.example.com/t1"));
        assert_eq!(filled(plain, Some("a.wav")).as_deref(), Some("https://r.example.com/t1"));
        assert_eq!(filled(full, None), None);
        assert_eq!(
            filled(full, Some("{taskId} ü/../?.wav")).as_deref(),
            Some("https://r.example.com/t1/%7BtaskId%7D%20%C3%BC%2F..%2F%3F.wav?a=t1")
        );
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (text, problem) in [
            ("http://r.example.com/{taskId}", "is not an https URL"),
            ("https://", "is not an https URL"),
            ("https://r.example.com/{task}", "holds a placeholder other than {taskId} and {fileName}"),
            ("https://r.example.com/a b", "holds a space"),
            (
                "https://r.example.com/player",
                "holds neither {taskId} nor {fileName}, so all recordings would have one address",
            ),
        ] {
            assert_eq!(LocationTemplate::parse(text), Err(problem.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_file_name_changes_where_an_address_leads(name in any::<String>()) {
            let Ok(file) = FileName::parse(name.as_str()) else { return Ok(()) };
            let template = LocationTemplate::parse("https://r.example.com/calls/{fileName}/play").unwrap();
            let filled = template.fill(&TaskId::parse("t1").unwrap(), Some(&file)).unwrap();
            let url = Url::parse(&filled).unwrap();
            let path: Vec<&str> = url.path_segments().unwrap().collect();
            prop_assert_eq!((url.host_str(), path.len(), path[0], path[2]), (Some("r.example.com"), 3, "calls", "play"));
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
            let decoded = percent_encoding::percent_decode_str(path[1]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, name);
        }
    }
}
