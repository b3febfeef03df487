//! `certificate`, `next_certificate` and `next_certificate_from`: what signs for a contact center, and when.

use jiff::Timestamp;

use super::super::section::Section;
use super::Surroundings;
use crate::certificate::SigningCertificate;

/// What signs from a moment on, so that Salesforce and the bridge can change at different moments.
#[derive(Debug, Clone)]
pub struct NextCertificate {
    /// Signs in place of the contact center's `certificate`.
    pub certificate: SigningCertificate,
    /// From this moment on.
    pub from: Timestamp,
}

/// The keys of a contact center that say what signs for it.
pub(super) struct Signers {
    /// The name of its certificate, if there is one.
    pub(super) name: Option<String>,
    next: Option<(String, Timestamp)>,
    /// Whether what there is of `next_certificate` could be read.
    sound: bool,
}

impl Signers {
    pub(super) fn read(section: &mut Section<'_>, around: &Surroundings<'_>) -> Self {
        const NEXT: &str = "next_certificate";
        const FROM: &str = "next_certificate_from";
        let name = section.required("certificate", "name the [certificates.NAME] section that signs for it");
        if let Some(certificate) = &name {
            around.certificate_names.check(section, "certificate", certificate);
        }
        let given = [NEXT, FROM].map(|key| section.has(key));
        let next = section.text(NEXT).filter(|next| !next.is_empty());
        let from = section.parsed_if_given(FROM, "a time such as 2026-12-01T06:00:00Z", moment);
        if let Some(next) = &next {
            around.certificate_names.check(section, NEXT, next);
            if Some(next) == name.as_ref() {
                section.problem(NEXT, "is the same as `certificate`", "name the certificate to change to");
            }
        }
        match given {
            [true, false] => {
                section.problem(FROM, "is missing", "say from when on it signs: 2026-12-01T06:00:00Z");
            }
            [false, true] => {
                section.problem(NEXT, "is missing", "name the certificate that signs from then on");
            }
            _ => {}
        }
        let next = next.zip(from);
        if let Some((next, from)) = &next
            && let Some(certificate) = around.certificates.get(next)
            && certificate.not_after() <= *from
        {
            let problem = format!("is after the end of {next}, {:.0}", certificate.not_after());
            section.problem(FROM, problem, "change earlier, or to a certificate that is valid then");
        }
        Self { name, sound: next.is_some() || given == [false, false], next }
    }

    /// The certificates themselves; `None` if one could not be read, which was reported where it stands.
    pub(super) fn find(
        self,
        around: &Surroundings<'_>,
    ) -> Option<(SigningCertificate, Option<NextCertificate>)> {
        let certificate = around.certificates.get(&self.name?)?.clone();
        let next = match self.next {
            Some((name, from)) => {
                Some(NextCertificate { certificate: around.certificates.get(&name)?.clone(), from })
            }
            None if self.sound => None,
            None => return None,
        };
        Some((certificate, next))
    }
}

/// A moment needs its offset from UTC: nobody can say which one a time without it is.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "is not a time with its offset from UTC".to_owned())
}
