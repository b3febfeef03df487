//! Every key and its section, as `config/default.toml` lists them: to say where a key belongs that stands elsewhere,
//! and what a key stands for that is left out.
//!
//! The file itself is the lowest layer and gives the defaults of its keys. Keys after a `#` cannot be in a layer,
//! because their section stands for several, or changes what the service does by being there. The value of such a key
//! is its default where the comment behind it begins with the words "the default".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use config::{File, FileFormat, Source as _, ValueKind};

use super::names::nearest;
use super::source::DEFAULTS;

/// What an administrator is told to look at for all keys.
pub(super) const ALL_KEYS: &str = "`scv-bridge check --defaults` prints every key";

/// Stands for a name that somebody chose.
pub(super) const NAME: &str = "NAME";
/// Sections of which there are several, each under a name.
pub(super) const NAMED: [&str; 2] = ["call_centers", "certificates"];
/// Sections of which there are several in a list.
pub(super) const LISTED: [&str; 1] = ["clients"];
/// The end of the sections that are a list below a name.
const EXAMPLES: &str = ".translations.examples";

/// A key, or a section itself; with its default, if it has one that no layer gives.
type Places = BTreeMap<Place, Option<ValueKind>>;

/// Where a key is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The section that holds it; empty at the top.
    section: String,
    key: String,
}

/// Where a key is known, as headers such as `[server]`; empty where nowhere. Of several, those of the same contact
/// center or certificate as `path` count, under its name.
pub(super) fn homes(key: &str, path: &str) -> Vec<String> {
    let mut parts = path.split('.');
    let (table, name) = (parts.next().unwrap_or_default(), parts.next());
    let sections = || places().keys().filter(|place| place.key == key).map(|place| place.section.as_str());
    let header = |section: &str| match LISTED.contains(&section) || section.ends_with(EXAMPLES) {
        true => format!("[[{section}]]"),
        false => format!("[{section}]"),
    };
    if let Some(name) = name.filter(|_| NAMED.contains(&table)) {
        let under = format!("{table}.{NAME}");
        let same = sections().filter_map(|section| section.strip_prefix(&under));
        let same: Vec<_> = same.map(|rest| header(&format!("{table}.{name}{rest}"))).collect();
        if !same.is_empty() {
            return same;
        }
    }
    sections().filter(|section| !section.is_empty()).map(header).collect()
}

/// The variable that was probably meant by one whose parts are joined by any number of underscores; `rest` is what
/// follows the prefix.
pub(super) fn variable(rest: &str) -> Option<String> {
    let named = |section: &str| {
        let table = section.split('.').next().unwrap_or_default();
        NAMED.contains(&table) || LISTED.contains(&table)
    };
    let plain = |text: &str| text.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
    let all = places().keys().filter(|place| !place.section.is_empty() && !named(&place.section));
    let all: Vec<(String, String)> = all
        .map(|place| {
            let path = format!("{}.{}", place.section, place.key).to_ascii_uppercase();
            (plain(&path.replace('.', "_")), path.replace('.', "__"))
        })
        .collect();
    let known: BTreeSet<String> = all.iter().map(|(flat, _)| flat.clone()).collect();
    let meant = nearest(&plain(&rest.to_ascii_uppercase()), &known)?;
    all.iter().find(|(flat, _)| flat == meant).map(|(_, variable)| format!("SCV_BRIDGE__{variable}"))
}

/// The default of a key after a `#`, in the section with this header.
pub(super) fn default(header: &str, key: &str) -> Option<ValueKind> {
    places().get(&Place { section: header.to_owned(), key: key.to_owned() })?.clone()
}

fn places() -> &'static Places {
    static PLACES: OnceLock<Places> = OnceLock::new();
    PLACES.get_or_init(|| read(DEFAULTS))
}

/// Headers and keys, those that are commented out too. A comment that begins a key's other form (`or url_file = ...`)
/// counts where it is the key with `_file` at its end, or without.
fn read(text: &str) -> Places {
    let mut found = Places::new();
    let mut section = String::new();
    for line in text.lines().map(|line| line.trim_start_matches("# ")) {
        if let Some((header, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = neutral(header.trim_start_matches('['));
            let (above, key) = section.rsplit_once('.').unwrap_or(("", &section));
            if key != NAME {
                found.insert(Place { section: above.to_owned(), key: key.to_owned() }, None);
            }
            continue;
        }
        let mut words = line.split(' ');
        let (Some(key), Some("=")) = (words.next(), words.next()) else { continue };
        // Below these stand names of other people's, not keys of ours.
        if section.ends_with(".attributes") {
            continue;
        }
        let place = |key: &str| Place { section: section.clone(), key: key.to_owned() };
        // Of two samples of a section the first counts.
        found.entry(place(key)).or_insert_with(|| stated_default(line));
        let comment: BTreeSet<&str> =
            line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').skip(1).collect();
        let other = key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned);
        let listed = key.strip_suffix("_files").map(|stem| format!("{stem}s"));
        for form in [Some(other), listed].into_iter().flatten() {
            if comment.contains(form.as_str()) {
                found.entry(place(&form)).or_default();
            }
        }
    }
    found
}

/// The value of a line whose comment calls it the default.
fn stated_default(line: &str) -> Option<ValueKind> {
    let (_, comment) = line.split_once("# the default")?;
    if !comment.is_empty() && !comment.starts_with([',', ';']) {
        return None;
    }
    let pair = File::from_str(line, FileFormat::Toml).collect().ok()?;
    pair.into_values().next().map(|value| value.kind)
}

/// A header with what somebody chose taken out.
fn neutral(header: &str) -> String {
    let mut parts: Vec<&str> = header.split('.').collect();
    if let [table, name, ..] = parts.as_mut_slice()
        && NAMED.contains(table)
    {
        *name = NAME;
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_home_where_the_reference_has_it() {
        assert_eq!(homes("listen", "store"), ["[operations]", "[server]"]);
        assert_eq!(homes("secret_sha256", ""), ["[[clients]]"]);
        assert_eq!(homes("tls", ""), ["[server]"]);
        assert_eq!(homes("url_file", "server"), ["[store]"]);
        assert_eq!(homes("webhook_secrets", ""), ["[webex]"]);
        assert_eq!(homes("consumer_key", "").len(), 2);
        assert_eq!(homes("org_id", "call_centers.Main.abandonment"), ["[call_centers.Main]"]);
        assert_eq!(homes("from", "call_centers.Main"), ["[call_centers.Main.translations]"]);
        assert_eq!(homes("translations", ""), ["[call_centers.NAME]"]);
        for nowhere in ["ca", "Recording_Id__c", "NAME", "nothing", ""] {
            assert_eq!(homes(nowhere, "server"), [""; 0], "{nowhere}");
        }
    }

    #[test]
    fn a_variable_is_found_whatever_joins_its_parts() {
        for (rest, meant) in [
            ("SERVER_LISTEN", "SCV_BRIDGE__SERVER__LISTEN"),
            ("SERVER__LISTN", "SCV_BRIDGE__SERVER__LISTEN"),
            ("server_tls_private_key", "SCV_BRIDGE__SERVER__TLS__PRIVATE_KEY"),
            ("LIMITS_CREATES__PER_SECOND", "SCV_BRIDGE__LIMITS__CREATES_PER_SECOND"),
            ("_STORE_URL", "SCV_BRIDGE__STORE__URL"),
        ] {
            assert_eq!(variable(rest).as_deref(), Some(meant), "{rest}");
        }
        assert_eq!(variable("SOMETHING_OF_OTHERS"), None);
    }
}
