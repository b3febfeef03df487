//! The kept inputs: `corpus/TARGET/*`, each a file.

use std::fs;
use std::path::PathBuf;

/// A kept input.
pub struct Input {
    /// Its file.
    pub file: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// All inputs of a target, by name; at least one.
pub fn corpus(target: &str) -> Vec<Input> {
    let mut inputs: Vec<_> = fs::read_dir(folder().join(target))
        .unwrap_or_else(|error| panic!("tests/fuzz/corpus/{target}: {error}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| Input { file: path.display().to_string(), bytes: fs::read(&path).unwrap() })
        .collect();
    inputs.sort_by(|one, other| one.file.cmp(&other.file));
    assert!(!inputs.is_empty(), "tests/fuzz/corpus/{target} is empty");
    inputs
}

/// One file.
pub fn file(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("tests/fuzz/corpus/{name}: {error}"))
}

/// The names of the folders.
pub fn folders() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus"))
}
