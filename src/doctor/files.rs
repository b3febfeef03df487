//! Files: the configuration and the certificates.

use std::sync::Arc;

use super::engine::Check;
use super::site::Site;
use super::{CheckId, Code, Finding, Row};
use crate::certificate::{CertificateProblem, Description, belongs};
use crate::settings::{Expiry, Problem, Problems};

const NOTHING_STARTS: &str =
    "the service does not start with it; one that runs goes on with what it read before";

/// What is wrong with a configuration that cannot be used: a row for each problem, under the code that it belongs to.
pub(super) fn problems(problems: &Problems) -> Vec<Row> {
    problems.as_slice().iter().map(problem).collect()
}

fn problem(problem: &Problem) -> Row {
    let Problem { key, problem, hint } = problem;
    let (code, fault) = place(problem);
    // Most problems are half a sentence about their key, those of the file itself a whole one.
    let what = if problem.starts_with("the ") { problem.clone() } else { format!("{key} {problem}") };
    let finding = Finding::fail(fault, what).means(NOTHING_STARTS).step(hint.as_str());
    let id = CheckId::new(code, key.as_str());
    Row { id, depends_on: Vec::new(), because_of: None, finding, took: std::time::Duration::ZERO }
}

/// Problems of a pair have codes of their own.
fn place(problem: &str) -> (Code, &'static str) {
    if problem == CertificateProblem::KeyDoesNotBelong.to_string() {
        return (Code::Pair, "other-key");
    }
    if problem.starts_with("expired on") || problem.starts_with("is not valid before") {
        return (Code::CertificateEnd, "not-valid");
    }
    (Code::Configuration, "problem")
}

/// Checks of a configuration that can be used.
pub(super) fn checks(site: &Arc<Site>, file: &str) -> Vec<Check> {
    let whole = Finding::ok("it is in order");
    let mut checks = vec![Check::new(CheckId::new(Code::Configuration, file), async { whole })];
    for remark in site.settings.remarks() {
        let (key, text) = remark.split_once(": ").unwrap_or((file, &remark));
        let finding = Finding::warn("remark", text).step(format!(
            "look at {key} in the configuration; `scv-bridge check --defaults` explains every key"
        ));
        checks.push(Check::new(CheckId::new(Code::Remarks, key), async { finding }));
    }
    if checks.len() == 1 {
        let id = CheckId::new(Code::Remarks, file);
        checks.push(Check::new(id, async { Finding::ok("nothing looks unintended") }));
    }
    for certificate in site.settings.certificates.values() {
        let finding = pair(certificate, site);
        checks.push(Check::new(CheckId::new(Code::Pair, certificate.name()), async { finding }));
    }
    for expiry in site.settings.expiries() {
        let finding = end(&expiry, site);
        checks.push(Check::new(CheckId::new(Code::CertificateEnd, expiry.key), async { finding }));
    }
    checks
}

fn pair(certificate: &crate::certificate::SigningCertificate, site: &Site) -> Finding {
    if !belongs(certificate.key(), certificate.x509()) {
        let name = certificate.name();
        return Finding::fail("other-key", "the private key is not the certificate's")
            .step(format!("name the pair that belongs together in [certificates.{name}]"));
    }
    let finding = Finding::ok("key and certificate belong together");
    match Description::of(certificate.x509(), site.clock.now()) {
        Ok(told) => finding.seen(format!("{}, SHA-256 {}", told.key, told.fingerprint)),
        Err(_) => finding,
    }
}

fn end(expiry: &Expiry, site: &Site) -> Finding {
    let now = site.clock.now();
    let days = expiry.days_left(now);
    let warn = i64::try_from(site.settings.rotation.warn_before.as_secs() / 86_400).unwrap_or(i64::MAX);
    let seen = format!("valid until {:.0}, {days} days left; warned of from {warn} on", expiry.at);
    if now > expiry.at {
        return Finding::fail("ended", format!("{} has ended", expiry.key))
            .means("whatever it signs or protects is refused")
            .step(expiry.remedy())
            .seen(seen);
    }
    if days <= warn {
        return Finding::warn("ends-soon", format!("{} ends in {days} days", expiry.key))
            .means("on that day whatever it signs or protects is refused")
            .step(format!("{}: docs/rotation.md tells how while calls come in", expiry.remedy()))
            .seen(seen);
    }
    Finding::ok(format!("{days} days left")).seen(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_does_not_fit_and_one_that_has_ended_have_their_codes() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        for (problem, expected) in [
            (CertificateProblem::KeyDoesNotBelong.to_string(), Code::Pair),
            (CertificateProblem::Expired(now).to_string(), Code::CertificateEnd),
            (CertificateProblem::NotYetValid(now).to_string(), Code::CertificateEnd),
            (CertificateProblem::KeyEncrypted.to_string(), Code::Configuration),
        ] {
            assert_eq!(place(&problem).0, expected, "{problem}");
        }
    }
}
