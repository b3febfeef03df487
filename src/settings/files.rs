//! The files that a configuration was read from: what they hold, and whether they are still the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use openssl::sha::sha256;
use secrecy::{ExposeSecret as _, SecretString};

use super::section::Section;
use super::unreadable;
use super::value::{hides, shown};

/// What to do about the file of a secret.
const SECRET_FILE: &str = "name a readable text file that holds the secret alone";

/// Files by path, each with the digest of what was read. One that could not be read has none: it may appear.
///
/// `Debug` shows the paths only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Files {
    digests: BTreeMap<PathBuf, Option<[u8; 32]>>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.digests.keys()).finish()
    }
}

impl Files {
    /// Reads a file and remembers what was read. Of one that is named twice the first reading counts: should it change
    /// in between, then it differs from what was read first.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let content = fs::read(path);
        self.digests
            .entry(path.to_owned())
            .or_insert_with(|| content.as_ref().ok().map(|bytes| sha256(bytes)));
        content
    }

    /// The paths, as they were named.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.digests.keys().map(PathBuf::as_path)
    }

    /// The same paths with what they hold now.
    #[must_use]
    pub fn now(&self) -> Self {
        let digest = |path: &PathBuf| fs::read(path).ok().map(|bytes| sha256(&bytes));
        Self { digests: self.digests.keys().map(|path| (path.clone(), digest(path))).collect() }
    }
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
        self.note_exposed(key, Path::new(&path));
        Some(content)
    }

    /// The content of the file that a key names, if there is such a key.
    pub(super) fn file_if_given(&mut self, key: &str, hint: &str) -> Option<Vec<u8>> {
        let path = self.filled(key)?;
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
        Some(self.secret_and_key(key)?.1)
    }

    /// The same, with the key that gives it.
    pub(super) fn secret_and_key(&mut self, key: &str) -> Option<(String, SecretString)> {
        let file_key = format!("{key}_file");
        match (self.filled(key), self.filled(&file_key)) {
            (Some(_), Some(_)) => {
                let problem = format!("is given, and `{file_key}` too");
                self.problem(key, problem, "keep one of the two");
                None
            }
            (Some(secret), None) => Some((key.to_owned(), secret.into())),
            (None, Some(path)) => self.secret_in_file(&file_key, &path).map(|secret| (file_key, secret)),
            (None, None) => None,
        }
    }

    /// A secret that has no blank in it, such as one that another program has made: a blank was copied along with it.
    pub(super) fn secret_without_blanks(&mut self, key: &str) -> Option<SecretString> {
        let (given, secret) = self.secret_and_key(key)?;
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
        let file = Path::new(path);
        let bytes = match self.report.read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                let (problem, hint) = no_secret(path, &error);
                self.problem(key, problem, hint);
                return None;
            }
        };
        let problem = match unreadable::text(bytes) {
            Ok(text) => match text.trim_end_matches(['\r', '\n']) {
                "" => ("names an empty file".to_owned(), SECRET_FILE),
                secret => {
                    self.note_exposed(key, file);
                    return Some(secret.to_owned().into());
                }
            },
            Err(wrong) => (format!("names a file that {}", wrong.problem()), wrong.hint()),
        };
        self.problem(key, problem.0, problem.1);
        None
    }

    /// Notes a file with a secret that every user of the machine can read.
    fn note_exposed(&self, key: &str, file: &Path) {
        if let Some(exposed) = unreadable::exposed(file) {
            // The owner comes first: the service itself may be one of the others that the right is taken from.
            let remedy = "chown it to the user that the service runs as, then chmod 600";
            self.report.note(&self.path(key), format!("{exposed}; {remedy}"));
        }
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
            remedy.unwrap_or(SECRET_FILE).to_owned(),
        );
    }
    let folder =
        env::current_dir().map_or_else(|_| String::new(), |folder| format!(", {}", folder.display()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_appears_or_goes_is_noticed_and_one_that_is_touched_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        fs::write(&one, "secret").unwrap();
        let mut files = Files::default();
        assert_eq!(files.read(&one).unwrap(), b"secret");
        assert!(files.read(&other).is_err());
        assert_eq!(files.now(), files);
        fs::write(&one, "secret").unwrap();
        assert_eq!(files.now(), files, "written anew, the same");
        fs::write(&other, "").unwrap();
        assert_ne!(files.now(), files, "appeared");
        fs::remove_file(&other).unwrap();
        assert_eq!(files.now(), files);
        fs::write(&one, "Secret").unwrap();
        assert_ne!(files.now(), files, "changed");
        fs::remove_file(&one).unwrap();
        assert_ne!(files.now(), files, "gone");
        assert!(!format!("{files:?}").contains("115"), "{files:?}");
    }
}
