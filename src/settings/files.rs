//! The files that a configuration was read from, and whether they are still the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use openssl::sha::sha256;

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
