//! What the person at the terminal sees.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::mock::MockOrg;

/// One request and its answer, on one line.
///
/// # Errors
/// When the output cannot be written.
pub fn request(
    path: &str,
    status: u16,
    took: Duration,
    body: &Value,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let milliseconds = took.as_secs_f64() * 1000.0;
    let said = match body.get("data") {
        Some(data) if !data.is_null() => data,
        _ => body.get("errors").unwrap_or(body),
    };
    writeln!(out, "   POST {name:<18} {status}  {milliseconds:>6.1} ms  {said}")
}

/// The VoiceCalls as Salesforce would show them.
///
/// # Errors
/// When the output cannot be written.
pub fn voice_calls(org: &MockOrg, out: &mut dyn Write) -> std::io::Result<()> {
    const FIELDS: [&str; 11] = [
        "Id",
        "VendorCallKey",
        "FromPhoneNumber",
        "ToPhoneNumber",
        "CallStartDateTime",
        "CallAcceptDateTime",
        "CallEndDateTime",
        "CallDurationInSeconds",
        "CallDisposition",
        "DisconnectReason",
        "PendingServiceRouting",
    ];
    writeln!(out, "\nThe VoiceCalls in Salesforce:")?;
    for call in org.voice_calls() {
        let call = json!(call);
        writeln!(out)?;
        for field in FIELDS {
            let value = match call.get(field) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            writeln!(out, "   {field:<22} {value}")?;
        }
    }
    Ok(())
}

/// Whether all is right, and the exit status that says so.
///
/// # Errors
/// When the output cannot be written.
pub fn verdict(wrong: &[String], out: &mut dyn Write) -> std::io::Result<ExitCode> {
    if wrong.is_empty() {
        writeln!(
            out,
            "\nRight: the hang-up left the answered VoiceCall as it was; the abandoned ones are completed with"
        )?;
        writeln!(out, "their reason, and nothing waits in Omni-Channel for callers who have gone.")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\nWrong:")?;
    for problem in wrong {
        writeln!(out, "   {problem}")?;
    }
    Ok(ExitCode::FAILURE)
}
