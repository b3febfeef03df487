//! The highest layer: variables such as `SCV_BRIDGE__SERVER__LISTEN`.

use config::{Map, Value, ValueKind};

use super::Problem;
use super::reference::{ALL_KEYS, LISTED, NAMED, variable};

/// Two underscores at its end on purpose: container platforms set variables such as
/// `SCV_BRIDGE_SERVICE_HOST` by themselves.
const PREFIX: &str = "SCV_BRIDGE__";

/// Names the configuration file, and is no setting.
const FILE: &str = "SCV_BRIDGE_CONFIG";

/// What a variable sets, in one line.
const RULE: &str = "SCV_BRIDGE__SECTION__KEY sets `key` of `[section]`";

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
    problems.extend(environment.iter().filter_map(|(name, value)| misspelt(name, value)));
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
            Err((problem, hint)) => {
                problems.push(Problem { key: variable.clone(), problem: problem.to_owned(), hint });
            }
        }
    }
    found
}

/// A variable that looks like one of ours and sets nothing. Others that begin alike are the platform's.
fn misspelt(name: &str, value: &str) -> Option<Problem> {
    let capitals = name.to_ascii_uppercase();
    let rest = ["SCV_BRIDGE_", "SCVBRIDGE_"].iter().find_map(|prefix| capitals.strip_prefix(prefix))?;
    if name.starts_with(PREFIX) || name == FILE || is_of_the_platform(rest, value) {
        return None;
    }
    let hint = match variable(rest) {
        _ if capitals == FILE => format!("did you mean {FILE}?"),
        Some(meant) => format!("did you mean {meant}? {RULE}"),
        None => format!("take it out of the environment; {RULE}, {ALL_KEYS}"),
    };
    Some(Problem { key: name.to_owned(), problem: "sets nothing".to_owned(), hint })
}

/// Kubernetes sets these for every service in the namespace, and Docker for a link: for one called `scv-bridge`, or
/// `scv-bridge-...`, they begin as ours do.
fn is_of_the_platform(rest: &str, value: &str) -> bool {
    let rest = format!("_{rest}");
    let address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_port = rest.split("_PORT_").skip(1).any(|after| after.split('_').next().is_some_and(number));
    rest.ends_with("_SERVICE_HOST")
        || rest.ends_with("_SERVICE_PORT") && number(value)
        || rest.contains("_SERVICE_PORT_") && number(value)
        || rest.ends_with("_PORT") && address
        || of_port
}

fn check(path: &[&str], below: &Map<String, Value>) -> Result<(), (&'static str, String)> {
    let unknown = || {
        let hint = match variable(&path.join("_")) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("{RULE}; {ALL_KEYS}"),
        };
        ("sets no known key", hint)
    };
    let plain = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (Some((last, sections)), true) = (path.split_last(), path.iter().all(plain)) else {
        return Err(unknown());
    };
    // A variable cannot spell a name that somebody chose: names know upper and lower case.
    if path.first().is_some_and(|first| NAMED.contains(first) || LISTED.contains(first)) {
        return Err((
            "contact centers, certificates and clients cannot be set by variables",
            "set it in the file; for a secret use its key with `_file` at the end".to_owned(),
        ));
    }
    let mut table = below;
    for section in sections {
        match table.get(*section).map(|value| &value.kind) {
            Some(ValueKind::Table(inner)) => table = inner,
            Some(_) => return Err(unknown()),
            None => return Ok(()),
        }
    }
    match table.get(*last).map(|value| &value.kind) {
        Some(ValueKind::Table(_)) => Err(("names a section, not a value", format!("{RULE}; {ALL_KEYS}"))),
        Some(ValueKind::Array(_)) => {
            Err(("is a list; variables set single values", "set it in the file".to_owned()))
        }
        _ if sections.is_empty() => Err(unknown()),
        _ => Ok(()),
    }
}
