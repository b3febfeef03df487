//! Where the configuration comes from, and how its layers are merged.

use std::path::PathBuf;

/// What the configuration is read from; the program's edge collects it.
#[derive(Clone, Default)]
pub struct Source {
    /// The TOML file; none means that there is no such layer.
    pub file: Option<PathBuf>,
    /// The environment. Only names that begin with `SCV_BRIDGE__` are looked at.
    pub environment: Vec<(String, String)>,
}

/// The file to read: `--config`, else the variable `SCV_BRIDGE_CONFIG`, else `config/bridge.toml`.
#[must_use]
pub fn configuration_file(argument: Option<PathBuf>, environment: &[(String, String)]) -> PathBuf {
    let named = |(name, value): &(String, String)| {
        (name == "SCV_BRIDGE_CONFIG" && !value.is_empty()).then(|| PathBuf::from(value))
    };
    argument
        .or_else(|| environment.iter().find_map(named))
        .unwrap_or_else(|| PathBuf::from("config/bridge.toml"))
}
