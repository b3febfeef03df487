//! Where the configuration comes from, and how its layers become one tree: the defaults, the file, and variables such
//! as `SCV_BRIDGE__SERVER__LISTEN`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Config, ConfigError, File, FileFormat, Map, Source as _, Value, ValueKind};

use super::reference::{ALL_KEYS, LISTED, NAMED, variable};
use super::{Files, Problem, unreadable};

/// The lowest layer and the reference of every key.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// A configuration to begin with.
pub const EXAMPLE: &str = include_str!("../../config/example.toml");

/// Two underscores at its end on purpose: container platforms set variables such as
/// `SCV_BRIDGE_SERVICE_HOST` by themselves.
const PREFIX: &str = "SCV_BRIDGE__";

/// Names the configuration file, and is no setting.
const FILE: &str = "SCV_BRIDGE_CONFIG";

/// What a variable sets, in one line.
const RULE: &str = "SCV_BRIDGE__SECTION__KEY sets `key` of `[section]`";

/// What the configuration is read from; the program's edge collects it.
///
/// `Debug` shows no values of the environment.
#[derive(Clone, Default)]
pub struct Source {
    /// The TOML file; none means that there is no such layer.
    pub file: Option<PathBuf>,
    /// The environment. Only names that begin with `SCV_BRIDGE_` are looked at, in capitals or not.
    pub environment: Vec<(String, String)>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The file to read: `--config`, else the variable `SCV_BRIDGE_CONFIG`, else `config/bridge.toml`.
#[must_use]
pub fn configuration_file(argument: Option<PathBuf>, environment: &[(String, String)]) -> PathBuf {
    let named =
        |(name, value): &(String, String)| (name == FILE && !value.is_empty()).then(|| PathBuf::from(value));
    argument
        .or_else(|| environment.iter().find_map(named))
        .unwrap_or_else(|| PathBuf::from("config/bridge.toml"))
}

/// All layers as one tree.
pub(super) struct Tree {
    /// The sections.
    pub(super) root: Map<String, Value>,
    /// Which keys came from the environment, and from which variable.
    pub(super) variables: BTreeMap<String, String>,
}

impl Source {
    /// Merges the layers. A file that cannot be read at all gives its problem alone: what the other layers
    /// lack without it would only be noise.
    pub(super) fn tree(&self, problems: &mut Vec<Problem>, files: &mut Files) -> Option<Tree> {
        let file = match &self.file {
            Some(path) => Some(read(path, files).map_err(|problem| problems.push(problem)).ok()?),
            None => None,
        };
        if let Some(key) = file.as_deref().and_then(odd_key) {
            problems.push(Problem {
                key,
                problem: "is not a known key".to_owned(),
                hint: format!("remove it; {ALL_KEYS}"),
            });
            return None;
        }
        let without_environment = match merge(file.as_deref(), &[]) {
            Ok(root) => root,
            Err(error) => {
                problems.push(syntax(self.file.as_deref(), file.as_deref().unwrap_or_default(), &error));
                return None;
            }
        };
        let overrides = overrides(&self.environment, &without_environment, problems);
        let root = if overrides.is_empty() {
            without_environment
        } else {
            merge(file.as_deref(), &overrides).unwrap_or(without_environment)
        };
        let variables = overrides.into_iter().map(|set| (set.path, set.variable)).collect();
        Some(Tree { root, variables })
    }
}

fn merge(file: Option<&str>, overrides: &[Override]) -> Result<Map<String, Value>, ConfigError> {
    let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(text) = file {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    for set in overrides {
        builder = builder.set_override(&set.path, set.value.as_str())?;
    }
    match builder.build()?.cache.kind {
        ValueKind::Table(root) => Ok(root),
        _ => Ok(Map::new()),
    }
}

/// A key at the top of the file that no section has. `config` reads such a key as a path: `"a.b"` would be `b`
/// of `[a]`, and `"a[999999999]"` a list of that length.
fn odd_key(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let root = File::from_str(text, FileFormat::Toml).collect().ok()?;
    root.into_keys().filter(|key| !key.bytes().all(plain)).min()
}

fn read(path: &Path, files: &mut Files) -> Result<String, Problem> {
    let problem = |problem: String, hint: &str| Problem {
        key: path.display().to_string(),
        problem: format!("the configuration file {problem}"),
        hint: hint.to_owned(),
    };
    let bytes = files.read(path).map_err(|error| {
        let hint = "name it with --config FILE or SCV_BRIDGE_CONFIG; `scv-bridge check --example` prints one to begin with";
        let hint = unreadable::remedy(path, &error).unwrap_or(hint);
        problem(format!("cannot be read: {}", unreadable::why(path, &error)), hint)
    })?;
    unreadable::text(bytes).map_err(|wrong| problem(wrong.problem(), wrong.hint()))
}

/// A syntax error by line and column. The error's own text quotes the line, which could hold a secret.
fn syntax(path: Option<&Path>, text: &str, error: &ConfigError) -> Problem {
    let cause = match error {
        ConfigError::FileParse { cause, .. } => cause.downcast_ref::<toml::de::Error>(),
        _ => None,
    };
    let mut hint = "the file must be TOML; texts stand in quotes";
    let problem = match cause {
        Some(cause) => {
            let start = cause.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            hint = match cause.message().starts_with("duplicate key") {
                true => "each section and each key stands once: put both parts together",
                false => quotes(text, start),
            };
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("line {line}, column {column}: {}", cause.message())
        }
        None => "holds a value that TOML does not allow, such as a number too large".to_owned(),
    };
    Problem {
        key: path.map_or_else(String::new, |path| path.display().to_string()),
        problem,
        hint: hint.to_owned(),
    }
}

/// What to do about a line that TOML does not take. JSON and patterns have quotes and backslashes of their own, which
/// only single quotes leave alone.
fn quotes(text: &str, start: usize) -> &'static str {
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
    let line = text.get(..end).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
    if value.starts_with("\"{") || value.starts_with("\"\"\"{") {
        return "write JSON in single quotes, as in from = '{\"name\":\"[1,17]->[^\\\\d]+\"}'";
    }
    if value.starts_with('"') && value.contains('\\') {
        return "in double quotes a backslash begins an escape; in single quotes it stands for itself";
    }
    "the file must be TOML; texts stand in quotes"
}

/// One value that a variable sets.
struct Override {
    /// The key, such as `server.listen`.
    path: String,
    /// The variable's name.
    variable: String,
    /// Its value.
    value: String,
}

/// The values that variables set, sorted by key. Whether the keys exist is for their sections to say.
fn overrides(
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
        match check_path(&path, below) {
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

fn check_path(path: &[&str], below: &Map<String, Value>) -> Result<(), (&'static str, String)> {
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
