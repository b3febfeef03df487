//! A file for a ticket: what was found, the configuration without secrets, versions, and the last errors. No secret and no
//! phone number is in it: of the configuration only the values of keys are shown that are known to hold neither.

use std::fmt::Write as _;

use config::{File, FileFormat, Map, Source as _, Value, ValueKind};

use super::Report;
use crate::domain::{hide_numbers, printable, quote};

/// Keys whose texts are shown. Of all others only that they are set is told.
const SHOWN: [&str; 37] = [
    "api",
    "api_url",
    "audience",
    "authorize_url",
    "bad_signature_status",
    "ca_file",
    "call_center",
    "call_centers",
    "certificate",
    "certificate_in_org",
    "client_ca",
    "fallback_queue",
    "format",
    "id",
    "level",
    "listen",
    "login_url",
    "next_certificate",
    "next_certificate_from",
    "oauth_audience",
    "on_create_failure",
    "org_id",
    "path_prefix",
    "private_key",
    "provider_name",
    "proxies",
    "public_url",
    "reason",
    "reason_in_ivr",
    "recording_location",
    "schedule",
    "telephony_url",
    "token_url",
    "trusted_proxies",
    "username",
    "watch",
    "header",
];

impl Report {
    /// The file for a ticket. `configuration`: the text of the file; `variables`: names of the variables that change it.
    #[must_use]
    pub fn ticket(&self, configuration: Option<&str>, variables: &[&str]) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write_ticket(&mut text, configuration, variables);
        printable(&text).into_owned()
    }

    fn write_ticket(
        &self,
        out: &mut String,
        configuration: Option<&str>,
        variables: &[&str],
    ) -> std::fmt::Result {
        writeln!(out, "scv-bridge doctor, {:.0}", self.at)?;
        writeln!(out, "This file holds no secret and no phone number.\n")?;
        writeln!(out, "# Versions\n")?;
        writeln!(out, "scv-bridge {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(out, "{}", openssl::version::version())?;
        writeln!(out, "{} {}\n", std::env::consts::OS, std::env::consts::ARCH)?;
        writeln!(out, "# Results\n")?;
        writeln!(out, "{}", self.shared_text())?;
        writeln!(out, "# Last errors\n")?;
        match self.last_errors.as_deref() {
            None => writeln!(out, "The database was not read.")?,
            Some([]) => writeln!(out, "No entry of the outbox is buried.")?,
            Some(errors) => {
                for error in errors.iter().take(20) {
                    writeln!(out, "{}", hide_numbers(error))?;
                }
            }
        }
        if let Some(summary) = &self.summary {
            writeln!(out, "\n# Set-up\n")?;
            write!(out, "{summary}")?;
        }
        writeln!(out, "\n# Configuration\n")?;
        match configuration {
            Some(configuration) => write!(out, "{}", without_secrets(configuration))?,
            None => writeln!(out, "The file cannot be read.")?,
        }
        if !variables.is_empty() {
            writeln!(out, "\nChanged by the variables {}", variables.join(", "))?;
        }
        Ok(())
    }
}

/// A configuration with the values of those keys only that hold neither secrets nor numbers.
fn without_secrets(configuration: &str) -> String {
    let Ok(table) = File::from_str(configuration, FileFormat::Toml).collect() else {
        return String::from("The file is not TOML.\n");
    };
    let mut lines = Vec::new();
    table_without_secrets(&mut lines, "", table);
    lines.concat()
}

fn table_without_secrets(lines: &mut Vec<String>, path: &str, table: Map<String, Value>) {
    let mut table: Vec<(String, Value)> = table.into_iter().collect();
    table.sort_by(|one, other| one.0.cmp(&other.0));
    for (key, value) in table {
        let key = quote(&key);
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value.kind {
            ValueKind::Table(table) => table_without_secrets(lines, &below, table),
            ValueKind::Array(values) if values.iter().all(is_table) && !values.is_empty() => {
                for (place, value) in values.into_iter().enumerate() {
                    if let ValueKind::Table(table) = value.kind {
                        table_without_secrets(lines, &format!("{below}[{place}]"), table);
                    }
                }
            }
            value => lines.push(format!("{below} = {}\n", shown(&key, &value))),
        }
    }
}

fn is_table(value: &Value) -> bool {
    matches!(value.kind, ValueKind::Table(_))
}

fn shown(key: &str, value: &ValueKind) -> String {
    let hidden = || String::from("(set, not shown)");
    let text = match value {
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::I64(value) => value.to_string(),
        ValueKind::String(text) if is_telling(key, text) => format!("{text:?}"),
        ValueKind::Array(values) => {
            let texts = values.iter().map(|value| match &value.kind {
                ValueKind::String(text) if is_telling(key, text) => Some(format!("{text:?}")),
                _ => None,
            });
            match texts.collect::<Option<Vec<_>>>() {
                Some(texts) => format!("[{}]", texts.join(", ")),
                None => return hidden(),
            }
        }
        _ => return hidden(),
    };
    quote(&text)
}

/// Whether a text may be shown: of a key that is known to hold no secret, or a duration; and nothing was pasted there that
/// belongs elsewhere.
fn is_telling(key: &str, text: &str) -> bool {
    let is_known = SHOWN.contains(&key) || key.ends_with("_file") || key.ends_with("_files");
    let is_duration = crate::settings::parse_duration(text).is_ok();
    let is_pasted = text.contains("-----BEGIN") || text.contains("://") && text.contains(['@', '?', '#']);
    let is_long = text.len() > 200;
    (is_known && !is_pasted && !is_long && !is_secret_like(key, text)) || is_duration
}

/// What could be a secret, written after a key that names its file: it is surely a path only with a folder in it.
fn is_secret_like(key: &str, text: &str) -> bool {
    let names_file = key.ends_with("_file") || key.ends_with("_files") || key == "private_key";
    names_file && !text.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_configuration_only_what_holds_no_secret_is_shown() {
        let text = r#"
            [server]
            listen = "0.0.0.0:8443"
            keep_alive = "30s"
            workers = 2
            [store]
            url = "postgres://bridge:s3cret-of-the-database@db/calls"
            [[clients]]
            id = "webex-flow"
            secret_sha256 = "00112233"
            call_centers = ["*"]
            [certificates.A]
            private_key = "certs/A.key"
            private_key_passphrase = "s3cret-passphrase"
            [call_centers.A]
            consumer_key = "3MVG9s3cret"
            consumer_key_file = "3MVG9s3cret.pasted.here"
            login_url = "https://user:s3cret@acme.my.salesforce.com"
            username = "scv@acme.com"
            usrname = "s3cret after a misspelt key"
            translations.from = '{"to +14693150217":"[1,17]->4693150217"}'
            translations.examples = [{ field = "from", input = "+14693150217", output = "1" }]
            [webex]
            webhook_secrets = ["s3cret-of-the-subscription-32chars"]
            token_key = "s3cret"
        "#;
        let shown = without_secrets(text);
        assert!(!shown.contains("s3cret") && !shown.contains("469315"), "{shown}");
        insta::assert_snapshot!(shown);
        assert_eq!(without_secrets("[x\ns3cret"), "The file is not TOML.\n");
    }
}
