//! `[logs]`: how and how much is logged.

use std::collections::BTreeSet;

use tracing_subscriber::EnvFilter;

use super::names::nearest;
use super::section::{Section, section};
use super::value::shown;

section! {
    /// Form and filter of the log.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Logs in "logs" |section| {
        /// One JSON object a line, or text for people.
        format: LogFormat = choice(&[("json", LogFormat::Json), ("text", LogFormat::Text)]), at_start;
        /// A filter as `tracing` takes it, such as `info` or `info,scv_bridge=debug`; it was parsed once.
        level: String = filter(), at_start;
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

impl Logs {
    /// What would be missed in the log.
    pub(super) fn silence(&self) -> Option<&'static str> {
        let ours = |directive: &str| {
            directive.split_once('=').is_none_or(|(target, _)| target == env!("CARGO_CRATE_NAME"))
        };
        let heard = |directive: &str| {
            !directive.rsplit('=').next().is_some_and(|level| level.eq_ignore_ascii_case("off"))
        };
        if !self.level.split(',').any(heard) {
            return Some("off, so nothing is logged, no error either");
        }
        (!self.level.split(',').any(ours))
            .then_some("names parts of the program only, so nothing else is logged: put `info,` before them")
    }
}

impl Section<'_> {
    /// A filter of the log.
    fn filter(&mut self, key: &str) -> Option<String> {
        let hint = "error, warn, info, debug or trace, or a filter such as info,scv_bridge::api=debug";
        let text = self.required(key, hint)?;
        let read = filter(&text).map_err(|(problem, meant)| {
            let hint = meant.map_or_else(|| hint.to_owned(), |meant| format!("did you mean \"{meant}\"?"));
            self.problem(key, format!("{} {problem}", shown(&text)), hint);
        });
        read.ok()
    }
}

/// Whether a filter means something. The library takes any word for the name of a module, of which it then logs
/// everything, and nothing of anybody else: "warning" would silence all there is.
fn filter(text: &str) -> Result<String, (String, Option<String>)> {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let no_filter = || ("is not a log filter".to_owned(), None);
    let mut directives = Vec::new();
    for directive in text.split(',').map(str::trim) {
        let (target, level) = match directive.split_once('=') {
            Some((target, level)) => (Some(target.trim()), level.trim()),
            None => (None, directive),
        };
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            let meant = nearest_level(&level.to_ascii_lowercase());
            return match target {
                Some(target) if plain(level) => Err((
                    format!("holds {level:?}, which is not a level"),
                    meant.map(|meant| format!("{target}={meant}")),
                )),
                None if level == text && plain(level) => Err(("is not a level".to_owned(), meant)),
                None if plain(level) => Err((format!("holds {level:?}, which is not a level"), meant)),
                None if level.split("::").all(plain) => {
                    Err((format!("names {level:?} without a level"), Some(format!("info,{level}=debug"))))
                }
                _ => Err(no_filter()),
            };
        }
        match target {
            Some(target) if !target.split("::").all(plain) => return Err(no_filter()),
            Some(target) => {
                part(target, level)?;
                directives.push(format!("{target}={level}"));
            }
            None => directives.push(level.to_owned()),
        }
    }
    let filter = directives.join(",");
    EnvFilter::try_new(&filter).map_err(|_| no_filter())?;
    Ok(filter)
}

/// The level that was probably meant: other programs say "warning", "err", "information", "fatal".
fn nearest_level(level: &str) -> Option<String> {
    let longer =
        LEVELS.iter().find(|known| level.starts_with(**known) || level.len() > 2 && known.starts_with(level));
    match (longer, level) {
        (Some(known), _) => Some((*known).to_owned()),
        (None, "fatal" | "critical" | "severe") => Some("error".to_owned()),
        (None, "verbose" | "fine") => Some("debug".to_owned()),
        (None, "all") => Some("trace".to_owned()),
        (None, "none") => Some("off".to_owned()),
        (None, other) => nearest(other, &LEVELS.map(str::to_owned).into()).cloned(),
    }
}

/// Whether a part of the program is one that there is. Of libraries we do not know the parts.
fn part(target: &str, level: &str) -> Result<(), (String, Option<String>)> {
    const OURS: &str = env!("CARGO_CRATE_NAME");
    let (first, rest) = target.split_once("::").map_or((target, None), |(first, rest)| (first, Some(rest)));
    let problem = format!("names {target:?}, which is no part of the program");
    if first != OURS {
        let ours = BTreeSet::from([OURS.to_owned()]);
        return match nearest(first, &ours) {
            Some(_) => {
                let rest = rest.map_or_else(String::new, |rest| format!("::{rest}"));
                Err((problem, Some(format!("{OURS}{rest}={level}"))))
            }
            None => Ok(()),
        };
    }
    let Some(module) = rest.and_then(|rest| rest.split("::").next()) else {
        return Ok(());
    };
    let modules: BTreeSet<String> = modules().map(str::to_owned).collect();
    if modules.contains(module) {
        return Ok(());
    }
    Err((problem, nearest(module, &modules).map(|meant| format!("{OURS}::{meant}={level}"))))
}

/// The modules of the program, as its root lists them.
fn modules() -> impl Iterator<Item = &'static str> {
    include_str!("../lib.rs").lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
}
