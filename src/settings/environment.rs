//! The highest layer: variables such as `SCV_BRIDGE__SERVER__LISTEN`.

use config::{Map, Value, ValueKind};

use super::Problem;

/// Two underscores at its end on purpose: container platforms set variables such as
/// `SCV_BRIDGE_SERVICE_HOST` by themselves.
const PREFIX: &str = "SCV_BRIDGE__";

/// Sections whose keys stand under names that somebody chose. A variable cannot spell such a name: names
/// know upper and lower case, and variables are written in capitals.
const NAMED: [&str; 3] = ["call_centers", "certificates", "clients"];

/// One value that a variable sets.
pub(super) struct Override {
    /// The key, such as `server.listen`.
    pub(super) path: String,
    /// The variable's name.
    pub(super) variable: String,
    /// Its value.
    pub(super) value: String,
}

/// The values that variables set, sorted by key. Whether the keys exist is for their sections to say.
pub(super) fn overrides(
    environment: &[(String, String)],
    below: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Vec<Override> {
    let mut found = Vec::new();
    let mut ours: Vec<_> = environment
        .iter()
        .filter_map(|(name, value)| Some((name, name.strip_prefix(PREFIX)?, value)))
        .collect();
    ours.sort();
    for (variable, rest, value) in ours {
        let rest = rest.to_ascii_lowercase();
        let path: Vec<&str> = rest.split("__").collect();
        match check(&path, below) {
            Ok(()) => found.push(Override {
                path: path.join("."),
                variable: variable.clone(),
                value: value.clone(),
            }),
            Err((problem, hint)) => problems.push(Problem {
                key: variable.clone(),
                problem: problem.to_owned(),
                hint: hint.to_owned(),
            }),
        }
    }
    found
}

fn check(path: &[&str], below: &Map<String, Value>) -> Result<(), (&'static str, &'static str)> {
    const UNKNOWN: (&str, &str) = (
        "sets no known key",
        "SCV_BRIDGE__SECTION__KEY sets `key` of `[section]`; config/default.toml lists every key",
    );
    let plain = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (Some((last, sections)), true) = (path.split_last(), path.iter().all(plain)) else {
        return Err(UNKNOWN);
    };
    if path.first().is_some_and(|first| NAMED.contains(first)) {
        return Err((
            "contact centers, certificates and clients cannot be set by variables",
            "set it in the file; for a secret use its key with `_file` at the end",
        ));
    }
    let mut table = below;
    for section in sections {
        match table.get(*section).map(|value| &value.kind) {
            Some(ValueKind::Table(inner)) => table = inner,
            Some(_) => return Err(UNKNOWN),
            None => return Ok(()),
        }
    }
    match table.get(*last).map(|value| &value.kind) {
        Some(ValueKind::Table(_)) => Err(("names a section, not a value", UNKNOWN.1)),
        Some(ValueKind::Array(_)) => Err(("is a list; variables set single values", "set it in the file")),
        _ if sections.is_empty() => Err(UNKNOWN),
        _ => Ok(()),
    }
}
