//! Files that cannot be read or are no text in UTF-8, and files that too many can read: in words that say where to
//! look.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// What a file is that should be a text in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongEncoding {
    /// Two bytes a letter: some editors, and `>` of Windows PowerShell.
    Utf16,
    /// One byte a letter; where the first is that is none in UTF-8.
    Latin1 {
        /// Counted from one.
        line: usize,
    },
    /// No text at all.
    Binary,
}

impl WrongEncoding {
    /// What is wrong, as half a sentence.
    pub(super) fn problem(self) -> String {
        match self {
            Self::Utf16 => "is saved as UTF-16".to_owned(),
            Self::Latin1 { line } => {
                format!("is not saved as UTF-8: line {line} holds a letter of Latin-1 (Windows-1252)")
            }
            Self::Binary => "holds bytes that are no text".to_owned(),
        }
    }

    /// What to do.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Utf16 => "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW",
            Self::Latin1 { .. } => "save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
            Self::Binary => "name a text file",
        }
    }
}

/// The text of a file, without the mark that some editors put before it.
///
/// # Errors
/// What the file is instead.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, WrongEncoding> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || is_utf16_ascii(&bytes) {
        return Err(WrongEncoding::Utf16);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{FEFF}').map_or_else(|| text.clone(), str::to_owned)),
        Err(error) => {
            let (valid, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
            let control = |byte: &u8| *byte < 0x20 && !b"\t\r\n\x0C".contains(byte);
            if bytes.iter().any(control) {
                return Err(WrongEncoding::Binary);
            }
            let line = bytes.iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
            Err(WrongEncoding::Latin1 { line })
        }
    }
}

/// Letters of ASCII with a zero before or after each.
fn is_utf16_ascii(bytes: &[u8]) -> bool {
    let pairs = || bytes.chunks_exact(2).take(64);
    let all = |zero: usize| pairs().all(|pair| pair.get(zero) == Some(&0) && pair.get(1 - zero) != Some(&0));
    bytes.len() > 3 && (all(0) || all(1))
}

/// Why a file cannot be read, with the folder or the rights it is about.
pub(super) fn why(path: &Path, error: &io::Error) -> String {
    let path = absolute(path);
    match error.kind() {
        ErrorKind::NotFound => missing(&path),
        ErrorKind::PermissionDenied => denied(&path),
        ErrorKind::IsADirectory => format!("{} is a folder", path.display()),
        ErrorKind::NotADirectory => format!("{} leads through a file that is no folder", path.display()),
        _ => error.to_string(),
    }
}

/// What to do about a file that is there and may not be read: another name for it would not help.
pub(super) fn remedy(path: &Path, error: &io::Error) -> Option<&'static str> {
    if error.kind() != ErrorKind::PermissionDenied {
        return None;
    }
    Some(match fs::metadata(path) {
        Ok(_) => {
            "make it the file of the user that the service runs as: chown USER FILE, then chmod 600 FILE; a command reads it as that user, or as root"
        }
        Err(_) => {
            "let the user that the service runs as into the folder: chgrp GROUP FOLDER, then chmod 750 FOLDER; a command reads it as that user, or as root"
        }
    })
}

/// What a kind of error is called where no path may be shown. The library's word for a file that is missing is
/// "entity not found".
pub(super) fn kind(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        kind => kind.to_string(),
    }
}

/// Whether a text can be shown that should be the path of a file with a secret, and could be the secret itself: only if
/// it begins with a folder that is there, or with one whose name is a plain word.
pub(super) fn is_surely_a_path(text: &str) -> bool {
    let word = |name: &str| name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_lowercase());
    let path = Path::new(text);
    let mut folders = path.parent().into_iter().flat_map(Path::components);
    let first = match folders.next() {
        Some(Component::RootDir) => folders.next(),
        other => other,
    };
    match first {
        Some(Component::Normal(name)) => {
            let below = if path.has_root() { Path::new("/").join(name) } else { PathBuf::from(name) };
            below.is_dir() || name.to_str().is_some_and(word)
        }
        Some(Component::CurDir | Component::ParentDir) => true,
        Some(_) | None => false,
    }
}

/// Who may read a file although nobody but the service should: `None` if all is well.
pub(super) fn exposed(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let file = fs::metadata(&path).ok()?;
    if !file.is_file() || file.mode() & 0o004 == 0 {
        return None;
    }
    // Nobody gets to it through a folder that is closed.
    let closed = |folder: &Path| fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o001 == 0);
    if path.ancestors().skip(1).any(closed) {
        return None;
    }
    Some(format!(
        "every user of this machine can read {} (mode {:04o})",
        path.display(),
        file.mode() & 0o7777
    ))
}

fn missing(path: &Path) -> String {
    let Some(folder) = path.parent() else {
        return format!("there is no {}", path.display());
    };
    match folder.ancestors().find(|folder| folder.exists()) {
        Some(there) if there == folder => {
            format!("there is no {} in the folder {}", name(path), folder.display())
        }
        Some(there) => {
            let missing = folder.strip_prefix(there).ok().and_then(|rest| rest.iter().next());
            let missing = missing.map_or_else(|| folder.to_owned(), |name| there.join(name));
            format!("there is no {}: the folder {} does not exist", path.display(), missing.display())
        }
        None => format!("there is no {}", path.display()),
    }
}

fn denied(path: &Path) -> String {
    let us = own_user().map_or_else(String::new, |uid| format!(", and this program runs as {}", user(uid)));
    // A folder that we may not enter hides what is in it.
    let seen = path.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    match seen {
        Some((seen, rights)) if seen == path => {
            format!("it belongs to {}{us}", owned(&rights))
        }
        Some((folder, rights)) => {
            format!(
                "its folder {} may not be entered: it belongs to {}{us}",
                folder.display(),
                owned(&rights)
            )
        }
        None => format!("the system does not allow it{us}"),
    }
}

/// `root, group root, mode 0600`.
fn owned(file: &Metadata) -> String {
    format!(
        "{}, group {}, mode {:04o}",
        user(file.uid()),
        named("/etc/group", file.gid()),
        file.mode() & 0o7777
    )
}

fn user(uid: u32) -> String {
    named("/etc/passwd", uid)
}

/// The name of a user or group, or its number where it has none.
fn named(table: &str, id: u32) -> String {
    let id = id.to_string();
    let table = fs::read_to_string(table).unwrap_or_default();
    let name = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&id)).then(|| format!("{name} ({id})"))
    });
    name.unwrap_or(id)
}

/// The effective user of this process, as Linux tells it: real, effective, saved, file system.
fn own_user() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    ids.split_whitespace().nth(1)?.parse().ok()
}

/// Relative paths begin where the program was started; a reader of a report is elsewhere.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
