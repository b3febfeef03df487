//! Text files that an editor or a shell has saved as something else than UTF-8.

/// Reads texts.
pub(super) struct Text;

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

impl Text {
    /// The text of a file, without the mark that some editors put before it.
    ///
    /// # Errors
    /// What it is instead.
    pub(super) fn of(bytes: Vec<u8>) -> Result<String, WrongEncoding> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || is_wide(&bytes) {
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
}

/// Letters of ASCII with a zero before or after each.
fn is_wide(bytes: &[u8]) -> bool {
    let pairs = || bytes.chunks_exact(2).take(64);
    let all = |zero: usize| pairs().all(|pair| pair.get(zero) == Some(&0) && pair.get(1 - zero) != Some(&0));
    bytes.len() > 3 && (all(0) || all(1))
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
