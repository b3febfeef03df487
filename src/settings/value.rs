//! Values of more than one section: durations, files, secrets, and how a value may be shown.

use std::io;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::encoding::Text;
use super::report::Report;
use super::section::Section;
use super::unreadable;

/// How much of a wrong value a problem repeats.
const SHOWN: usize = 60;

/// Reads a duration such as `4500ms`, `10s`, `5m`, `1h`, `30d`: a whole number and a unit, nothing else.
///
/// # Errors
/// What is wrong, as half a sentence.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("is not a duration".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "is not a duration".to_owned())?;
    let milliseconds = number.checked_mul(per_unit).ok_or_else(|| "is out of range".to_owned())?;
    Ok(Duration::from_millis(milliseconds))
}

/// A duration as the configuration spells it.
pub(super) fn duration_text(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 86_400_000 == 0 && ms > 86_400_000 => format!("{}d", ms / 86_400_000),
        ms if ms % 3_600_000 == 0 && ms > 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 && ms > 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// A wrong value as a problem may repeat it: quoted and cut; not at all if it looks like holding a secret.
pub(super) fn shown(value: &str) -> String {
    if hides(value) {
        return "the value (not shown)".to_owned();
    }
    if value.chars().count() <= SHOWN {
        return format!("{value:?}");
    }
    let cut: String = value.chars().take(SHOWN).collect();
    format!("{:?}", format!("{cut}..."))
}

/// Whether a value looks like holding a secret.
fn hides(value: &str) -> bool {
    let credentials = value.contains("://") && value.contains(['@', '?', '#']);
    credentials || value.contains("-----BEGIN")
}

impl Section<'_> {
    /// The content of the file that a key names; the key must be there.
    pub(super) fn file(&mut self, key: &str, hint: &str) -> Option<Vec<u8>> {
        let path = self.required(key, hint)?;
        self.content(key, &path, hint)
    }

    /// The same for a file that holds a secret.
    pub(super) fn secret_file(&mut self, key: &str, hint: &str) -> Option<Vec<u8>> {
        let path = self.required(key, hint)?;
        let content = self.content(key, &path, hint)?;
        note_exposed(self.report, &self.path(key), unreadable::exposed(Path::new(&path)));
        Some(content)
    }

    /// The content of the file that a key names, if there is such a key.
    pub(super) fn file_if_given(&mut self, key: &str, hint: &str) -> Option<Vec<u8>> {
        let path = self.text(key).filter(|text| !text.is_empty())?;
        self.content(key, &path, hint)
    }

    /// The content of each file that a list names; a list that is missing is empty. A file that cannot be read is
    /// reported and stands as none.
    pub(super) fn files(&mut self, key: &str, hint: &str) -> Option<Vec<Option<Vec<u8>>>> {
        let paths = self.list(key)?;
        Some(paths.iter().map(|path| self.content(key, path, hint)).collect())
    }

    fn content(&self, key: &str, path: &str, hint: &str) -> Option<Vec<u8>> {
        let file = Path::new(path);
        let error = match self.report.read(file) {
            Ok(content) => return Some(content),
            Err(error) => error,
        };
        let problem = match path {
            _ if path.contains("-----BEGIN") => {
                "is the PEM text itself, in place of the path of its file".to_owned()
            }
            // What is not shown is not shown in the reason either.
            _ if hides(path) => format!("cannot be read: {}", unreadable::kind(&error)),
            _ => format!("cannot be read: {}", unreadable::why(file, &error)),
        };
        let hint = unreadable::remedy(file, &error).unwrap_or(hint);
        self.problem(key, format!("{} {problem}", shown(path)), hint);
        None
    }

    /// A secret, given by `key` or in the file that `<key>_file` names. No problem repeats either value: a
    /// secret pasted after the wrong key must not end up in a report.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let in_place = self.text(key).filter(|text| !text.is_empty());
        let file = self.text(&file_key).filter(|text| !text.is_empty());
        match (in_place, file) {
            (Some(_), Some(_)) => {
                let problem = format!("is given, and `{file_key}` too");
                self.problem(key, problem, "keep one of the two");
                None
            }
            (Some(secret), None) => Some(secret.into()),
            (None, Some(path)) => self.secret_in_file(&file_key, &path),
            (None, None) => None,
        }
    }

    /// A secret that has no blank in it, such as one that another program has made: a blank was copied along with it.
    pub(super) fn secret_without_blanks(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let given = if self.has(&file_key) { file_key } else { key.to_owned() };
        let secret = self.secret(key)?;
        if !secret.expose_secret().chars().any(char::is_whitespace) {
            return Some(secret);
        }
        let problem = match given == key {
            true => "holds a blank",
            false => "names a file with a blank or a line break in what it holds",
        };
        self.problem(&given, problem, "copy it alone, without blanks before, in or after it");
        None
    }

    /// The secret in a file, without the line end that editors add.
    pub(super) fn secret_in_file(&self, key: &str, path: &str) -> Option<SecretString> {
        const HINT: &str = "name a readable text file that holds the secret alone";
        let file = Path::new(path);
        let bytes = match self.report.read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let (problem, hint) = no_secret(path, &error);
                self.problem(key, problem, hint);
                return None;
            }
        };
        let problem = match Text::of(bytes) {
            Ok(text) => match text.trim_end_matches(['\r', '\n']) {
                "" => ("names an empty file".to_owned(), HINT),
                secret => {
                    note_exposed(self.report, &self.path(key), unreadable::exposed(file));
                    return Some(secret.to_owned().into());
                }
            },
            Err(wrong) => (format!("names a file that {}", wrong.problem()), wrong.hint()),
        };
        self.problem(key, problem.0, problem.1);
        None
    }
}

/// Why there is no secret in a file. What stands for its path could be the secret itself, written after the wrong key.
fn no_secret(path: &str, error: &io::Error) -> (String, String) {
    let file = Path::new(path);
    if unreadable::is_surely_a_path(path) {
        let why = unreadable::why(file, error);
        let remedy = unreadable::remedy(file, error);
        return (
            format!("names a file that cannot be read: {why}"),
            remedy.unwrap_or("name a readable text file that holds the secret alone").to_owned(),
        );
    }
    let folder =
        std::env::current_dir().map_or_else(|_| String::new(), |folder| format!(", {}", folder.display()));
    let problem = match error.kind() {
        io::ErrorKind::NotFound => {
            format!("names no file in the folder that the program was started in{folder}")
        }
        _ => format!("names a file that cannot be read: {}", unreadable::kind(error)),
    };
    (
        format!("{problem} (the value is not shown: it could be a secret)"),
        "write the whole path, beginning with /".to_owned(),
    )
}

fn note_exposed(report: &Report, key: &str, exposed: Option<String>) {
    if let Some(exposed) = exposed {
        // The owner comes first: the service itself may be one of the others that the right is taken from.
        let remedy = "chown it to the user that the service runs as, then chmod 600";
        report.note(key, format!("{exposed}; {remedy}"));
    }
}
