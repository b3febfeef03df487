//! The folders in which something happens when a file is replaced.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// How many links are followed for one file; the system follows no more either.
const LINKS: usize = 40;

/// The folder of each file, and of every link on the way to it.
pub(super) fn leading_to<'a>(files: impl Iterator<Item = &'a Path>) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for file in files {
        if let Ok(path) = std::path::absolute(file) {
            follow(&path, &mut folders);
        }
    }
    folders
}

fn follow(path: &Path, folders: &mut BTreeSet<PathBuf>) {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match first_link(&path) {
            Some((folder, behind)) => {
                folders.insert(folder);
                path = behind;
            }
            None => break,
        }
    }
    folders.extend(path.parent().map(Path::to_owned));
}

/// The folder that the first link of a path is in, and the path with what the link says.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut walked = PathBuf::new();
    let mut left = path.components();
    while let Some(component) = left.next() {
        if component == Component::ParentDir {
            walked.pop();
            continue;
        }
        let folder = walked.clone();
        walked.push(component);
        if let Ok(target) = std::fs::read_link(&walked) {
            return Some((folder.clone(), folder.join(target).join(left.as_path())));
        }
    }
    None
}
