//! What can be wrong with a key and its certificate, and the form of a file that should be PEM and is not: for most of
//! them there is a command that converts it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use openssl::x509::X509;
use thiserror::Error;

/// The part of the pair that a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificatePart {
    /// The certificate itself.
    Certificate,
    /// The private key.
    PrivateKey,
    /// The passphrase of the private key.
    Passphrase,
}

/// Why a key and a certificate cannot be used. No variant carries a part of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateProblem {
    /// The file is something else than PEM, or PEM that was spoilt on its way.
    #[error("{}", form.problem(*part))]
    Form {
        /// What it should hold.
        part: CertificatePart,
        /// What it is.
        form: FileForm,
    },
    /// The text holds no private key that OpenSSL understands.
    #[error("holds no private key in PEM form")]
    KeyUnreadable,
    /// The key is encrypted and no passphrase is configured. The bridge never prompts on the terminal.
    #[error("is encrypted, and no passphrase is configured")]
    KeyEncrypted,
    /// The passphrase does not open the key.
    #[error("does not open the private key")]
    WrongPassphrase,
    /// Salesforce takes RS256 only.
    #[error("is not an RSA key")]
    KeyNotRsa,
    /// Salesforce takes RSA keys of 2048 to 4096 bits.
    #[error("is an RSA key of {bits} bits; Salesforce takes 2048 to 4096")]
    KeySize {
        /// What was found.
        bits: u32,
    },
    /// The text holds no X.509 certificate.
    #[error("holds no X.509 certificate in PEM form")]
    CertificateUnreadable,
    /// Key and certificate are of different pairs.
    #[error("does not belong to the certificate")]
    KeyDoesNotBelong,
    /// The certificate has ended.
    #[error("expired on {0:.0}")]
    Expired(Timestamp),
    /// The certificate has not begun.
    #[error("is not valid before {0:.0}")]
    NotYetValid(Timestamp),
}

impl CertificateProblem {
    /// The piece to look at.
    pub fn part(&self) -> CertificatePart {
        match self {
            Self::Form { part, .. } => *part,
            Self::KeyUnreadable
            | Self::KeyEncrypted
            | Self::KeyNotRsa
            | Self::KeySize { .. }
            | Self::KeyDoesNotBelong => CertificatePart::PrivateKey,
            Self::WrongPassphrase => CertificatePart::Passphrase,
            Self::CertificateUnreadable | Self::Expired(_) | Self::NotYetValid(_) => {
                CertificatePart::Certificate
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Form { part, form } => form.hint(*part),
            Self::KeyUnreadable => "name a PEM file that begins with -----BEGIN PRIVATE KEY----- or alike",
            Self::KeyEncrypted => {
                "set `private_key_passphrase_file` to a file with the passphrase, or store the key unencrypted"
            }
            Self::WrongPassphrase => "the passphrase must be the one the key was encrypted with",
            Self::KeyNotRsa | Self::KeySize { .. } => {
                "make a new pair: `scv-bridge certificate new NAME`, and give its certificate to Salesforce"
            }
            Self::CertificateUnreadable => {
                "name a PEM file that begins with -----BEGIN CERTIFICATE-----; ours is the first in it"
            }
            Self::KeyDoesNotBelong => "name the key and the certificate of the same pair",
            Self::Expired(_) => "make a new pair with `scv-bridge certificate new`, or renew the certificate",
            Self::NotYetValid(_) => "check this machine's clock, or use a certificate that is valid now",
        }
    }
}

/// The form of a file that is no PEM, or damaged PEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// Nothing at all.
    Empty,
    /// The bytes that PEM is made of.
    Der,
    /// A key and certificates in one file: `.pfx`, `.p12`.
    Pkcs12,
    /// Certificates alone: `.p7b`.
    Pkcs7,
    /// The same, as bytes.
    Pkcs7Der,
    /// A key store of Java.
    KeyStore,
    /// Saved with two bytes a letter.
    Utf16,
    /// The two characters `\n` where lines should end: from JSON or an environment variable.
    Escaped,
    /// No line ends.
    OneLine,
    /// Blanks before its lines: from YAML or an e-mail.
    Indented,
    /// It begins and does not end.
    Cut,
    /// It begins and ends, and the text between cannot be parsed.
    Damaged,
    /// Base64 without the BEGIN and END lines.
    Bare,
    /// The dashes around BEGIN are no hyphens, or not five.
    Dashes,
    /// A certificate in place of a key.
    Certificate,
    /// A key in place of a certificate.
    PrivateKey,
    /// The public half of a key.
    PublicKey,
    /// What an authority makes a certificate of.
    Request,
    /// A key of SSH.
    OpenSsh,
}

impl FileForm {
    /// The form of a file that should contain a certificate or a key and cannot be parsed; none: unknown.
    pub(super) fn of(bytes: &[u8], wanted: CertificatePart) -> Option<Self> {
        match binary(bytes) {
            Some(Self::Der) => Some(of_der(bytes, wanted)),
            Some(form) => Some(form),
            None => of_text(&String::from_utf8_lossy(bytes), wanted),
        }
    }

    /// What is wrong, as half a sentence.
    pub(super) fn problem(self, wanted: CertificatePart) -> String {
        let what = match wanted {
            CertificatePart::Certificate => "certificate",
            CertificatePart::PrivateKey | CertificatePart::Passphrase => "private key",
        };
        match self {
            Self::Empty => "is an empty file".to_owned(),
            Self::Der => format!("holds the {what} in DER form, not PEM"),
            Self::Pkcs12 => "is a PKCS#12 archive (.pfx, .p12), not PEM".to_owned(),
            Self::Pkcs7 | Self::Pkcs7Der => "is a PKCS#7 file (.p7b), not a PEM certificate".to_owned(),
            Self::KeyStore => "is a Java key store, not PEM".to_owned(),
            Self::Utf16 => "is saved as UTF-16".to_owned(),
            Self::Escaped => "holds \\n where its lines should end".to_owned(),
            Self::OneLine => "holds all its lines in one".to_owned(),
            Self::Indented => "has blanks before its lines".to_owned(),
            Self::Cut => format!("is cut: the {what} begins, and has no -----END line"),
            Self::Damaged => format!("holds a damaged {what}: what is between BEGIN and END cannot be read"),
            Self::Bare => format!("holds the {what} without its BEGIN and END lines"),
            Self::Dashes => "has a BEGIN or END line without five hyphens on either side".to_owned(),
            Self::Certificate => format!("holds a certificate, and no {what}"),
            Self::PrivateKey => format!("holds a private key, and no {what}"),
            Self::PublicKey => format!("holds a public key, and no {what}"),
            Self::Request => format!("holds a certificate request, and no {what}"),
            Self::OpenSsh => "holds a key in OpenSSH's own form".to_owned(),
        }
    }

    /// What to do: where there is a command for it, the command, with `FILE` and `NEW`.
    pub(super) fn hint(self, wanted: CertificatePart) -> &'static str {
        let key = wanted != CertificatePart::Certificate;
        match self {
            Self::Der if key => "openssl pkey -inform DER -in FILE -out NEW",
            Self::Der => "openssl x509 -inform DER -in FILE -out NEW",
            Self::Pkcs12 if key => "openssl pkcs12 -in FILE -nocerts -noenc -out NEW",
            Self::Pkcs12 => "openssl pkcs12 -in FILE -nokeys -clcerts -out NEW",
            Self::Pkcs7 | Self::Pkcs7Der if key => "name the file of the private key: a .p7b never holds one",
            Self::Pkcs7 => "openssl pkcs7 -print_certs -in FILE -out NEW",
            Self::Pkcs7Der => "openssl pkcs7 -inform DER -print_certs -in FILE -out NEW",
            Self::KeyStore => {
                "keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12, \
                then openssl pkcs12"
            }
            Self::Utf16 => "iconv -f UTF-16 -t UTF-8 FILE > NEW",
            Self::Escaped if key => "printf '%b\\n' \"$(cat FILE)\" | openssl pkey -out NEW",
            Self::Escaped => "printf '%b\\n' \"$(cat FILE)\" | openssl x509 -out NEW",
            Self::OneLine | Self::Bare if key => {
                "sed 's/-----[^-]*-----//g' FILE | tr -d ' \\n' | base64 -d | openssl pkey -inform DER -out NEW"
            }
            Self::OneLine | Self::Bare => {
                "sed 's/-----[^-]*-----//g' FILE | tr -d ' \\n' | base64 -d | openssl x509 -inform DER -out NEW"
            }
            Self::Indented => "sed 's/^[[:blank:]]*//' FILE > NEW",
            Self::Cut | Self::Damaged => "copy it again, whole, from -----BEGIN to -----END",
            Self::Dashes => "write -----BEGIN and -----END with five hyphens on either side, as openssl does",
            Self::OpenSsh => "ssh-keygen -p -m PEM -f FILE",
            Self::Request => "name the certificate that the authority made of it",
            Self::Empty | Self::Certificate | Self::PrivateKey | Self::PublicKey if key => {
                "name a PEM file that begins with -----BEGIN PRIVATE KEY----- or alike"
            }
            Self::Empty | Self::Certificate | Self::PrivateKey | Self::PublicKey => {
                "name a PEM file that begins with -----BEGIN CERTIFICATE-----; ours is the first in it"
            }
        }
    }
}

/// Forms that are known by their first bytes.
fn binary(bytes: &[u8]) -> Option<FileForm> {
    let wide = |zero: usize| {
        let mut pairs = bytes.chunks_exact(2).take(16);
        bytes.len() > 3 && pairs.all(|pair| pair.get(zero) == Some(&0) && pair.get(1 - zero) != Some(&0))
    };
    match bytes {
        [0xFE, 0xED, 0xFE, 0xED, ..] => Some(FileForm::KeyStore),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(FileForm::Utf16),
        _ if wide(0) || wide(1) => Some(FileForm::Utf16),
        // A sequence in ASN.1 of 128 bytes or more: the length of its length, its length, its content.
        [0x30, long @ 0x81..=0x84, rest @ ..] => {
            let content = rest.get(usize::from(long - 0x80)..).unwrap_or_default();
            Some(match content {
                [0x02, 0x01, 0x03, ..] => FileForm::Pkcs12,
                [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02, ..] => FileForm::Pkcs7Der,
                _ => FileForm::Der,
            })
        }
        // Indefinite length, which some programs write.
        [0x30, 0x80, 0x02, 0x01, 0x03, ..] => Some(FileForm::Pkcs12),
        _ => None,
    }
}

fn of_der(bytes: &[u8], wanted: CertificatePart) -> FileForm {
    match (X509::from_der(bytes).is_ok(), wanted) {
        (true, CertificatePart::PrivateKey | CertificatePart::Passphrase) => FileForm::Certificate,
        // A key begins with its version, a certificate with another sequence.
        (false, CertificatePart::Certificate) if bytes.get(4) == Some(&0x02) => FileForm::PrivateKey,
        (false, CertificatePart::Certificate) => FileForm::Damaged,
        _ => FileForm::Der,
    }
}

fn of_text(text: &str, wanted: CertificatePart) -> Option<FileForm> {
    if text.trim().is_empty() {
        return Some(FileForm::Empty);
    }
    let labels = |border: &str| -> Vec<&str> {
        text.split(border).skip(1).filter_map(|rest| Some(rest.split_once("-----")?.0)).collect()
    };
    let (begun, ended) = (labels("-----BEGIN "), labels("-----END "));
    if begun.is_empty() {
        return of_unlabelled(text, wanted);
    }
    let is_key = |label: &&str| label.ends_with("PRIVATE KEY") && !label.starts_with("OPENSSH");
    let is_certificate = |label: &&str| *label == "CERTIFICATE" || label.ends_with(" CERTIFICATE");
    let is_wanted = |label: &&str| match wanted {
        CertificatePart::Certificate => is_certificate(label),
        CertificatePart::PrivateKey | CertificatePart::Passphrase => is_key(label),
    };
    let count = |labels: &[&str]| labels.iter().filter(|label| is_wanted(label)).count();
    if count(&begun) == 0 {
        let has = |is: &dyn Fn(&&str) -> bool| begun.iter().any(is);
        return match () {
            () if has(&|label| *label == "PKCS7" || *label == "CMS") => Some(FileForm::Pkcs7),
            () if has(&|label| label.starts_with("OPENSSH")) => Some(FileForm::OpenSsh),
            () if has(&|label| label.ends_with("CERTIFICATE REQUEST")) => Some(FileForm::Request),
            () if has(&|label| label.ends_with("PUBLIC KEY")) => Some(FileForm::PublicKey),
            () if has(&is_key) => Some(FileForm::PrivateKey),
            () if has(&is_certificate) => Some(FileForm::Certificate),
            () => None,
        };
    }
    Some(spoilt(text, count(&begun) > count(&ended)))
}

/// What has happened to lines that should be PEM.
fn spoilt(text: &str, cut: bool) -> FileForm {
    let border = |line: &str| line.contains("-----BEGIN ") || line.contains("-----END ");
    let alone = |line: &str| {
        let line = line.trim();
        line.starts_with("-----") && line.ends_with("-----") && line.matches("-----").count() == 2
    };
    match () {
        () if text.contains("\\n") => FileForm::Escaped,
        () if cut => FileForm::Cut,
        () if text.lines().any(|line| border(line) && !alone(line)) => FileForm::OneLine,
        () if text.lines().any(|line| line.starts_with([' ', '\t'])) => FileForm::Indented,
        () => FileForm::Damaged,
    }
}

fn of_unlabelled(text: &str, wanted: CertificatePart) -> Option<FileForm> {
    if text.contains("BEGIN CERTIFICATE") || text.contains("PRIVATE KEY") {
        // With an END line, the BEGIN line was cut off.
        let headless = text.contains("-----END ");
        return Some(if headless { FileForm::Cut } else { FileForm::Dashes });
    }
    if text.contains("-----END ") {
        return Some(FileForm::Cut);
    }
    let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bytes = STANDARD.decode(digits).ok()?;
    match binary(&bytes)? {
        FileForm::Der => Some(match of_der(&bytes, wanted) {
            FileForm::Der => FileForm::Bare,
            other => other,
        }),
        _ => None,
    }
}
