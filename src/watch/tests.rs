//! Real files in real folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// Longer than any of it takes on a busy machine.
const BOUND: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(86_400);

fn rotation(watch: Watch, poll: Duration) -> Rotation {
    Rotation { watch, poll, warn_before: NEVER }
}

/// Secrets as Kubernetes mounts them: files are links through `..data`, which is a link to a folder.
fn mounted(version: &str) -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), version);
    symlink(version, folder.path().join("..data")).unwrap();
    symlink("..data/tls.key", folder.path().join("tls.key")).unwrap();
    let mut files = Files::default();
    files.read(&folder.path().join("tls.key")).unwrap();
    (folder, files)
}

fn write(folder: &Path, version: &str) {
    fs::create_dir(folder.join(version)).unwrap();
    fs::write(folder.join(version).join("tls.key"), version).unwrap();
}

/// As the kubelet does it.
fn swap(folder: &Path, version: &str) {
    write(folder, version);
    symlink(version, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
}

async fn notices(watcher: &Watcher) -> bool {
    timeout(BOUND, watcher.changed()).await.is_ok()
}

#[tokio::test]
async fn a_link_that_is_swapped_is_noticed_by_what_the_system_tells() {
    let (folder, files) = mounted("..2026_11_20");
    let watcher = Watcher::new(files, rotation(Watch::Events, NEVER));
    let (noticed, ()) = tokio::join!(notices(&watcher), async { swap(folder.path(), "..2026_11_21") });
    assert!(noticed);
}

#[tokio::test]
async fn where_the_system_tells_of_nothing_looking_is_enough() {
    let (folder, files) = mounted("..2026_11_20");
    let watcher = Watcher::new(files, rotation(Watch::Poll, Duration::from_millis(10)));
    let (noticed, ()) = tokio::join!(notices(&watcher), async { swap(folder.path(), "..2026_11_21") });
    assert!(noticed);
}

#[tokio::test]
async fn what_changed_before_the_watch_began_is_noticed_too() {
    let (folder, files) = mounted("..2026_11_20");
    swap(folder.path(), "..2026_11_21");
    assert!(notices(&Watcher::new(files, rotation(Watch::Events, NEVER))).await);
}

#[tokio::test]
async fn the_same_written_anew_is_no_change_and_off_is_off() {
    let (folder, files) = mounted("..2026_11_20");
    let (other, others) = mounted("..2026_11_20");
    let quick = |watch| rotation(watch, Duration::from_millis(1));
    fs::write(folder.path().join("tls.key"), "..2026_11_20").unwrap();
    fs::write(other.path().join("tls.key"), "other").unwrap();
    let [same, off] =
        [Watcher::new(files, quick(Watch::Poll)), Watcher::new(others.clone(), quick(Watch::Off))];
    let noticing = Watcher::new(others, quick(Watch::Poll));
    tokio::select! {
        biased;
        () = same.changed() => panic!("nothing has changed"),
        () = off.changed() => panic!("it is off"),
        noticed = notices(&noticing) => assert!(noticed),
    }
}

#[test]
fn every_folder_with_a_link_on_the_way_is_watched() {
    let (folder, mut files) = mounted("v1");
    let root = folder.path().canonicalize().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let link = outside.path().canonicalize().unwrap().join("certs");
    symlink(&root, &link).unwrap();
    files.read(&link.join("tls.key")).unwrap();
    let found = folders::leading_to(files.paths());
    let wanted = [root.clone(), root.join("v1"), link.parent().unwrap().to_owned()];
    for folder in &wanted {
        assert!(found.contains(folder), "{folder:?} in {found:?}");
    }
    symlink("loop", root.join("loop")).unwrap();
    let mut circle = Files::default();
    assert!(circle.read(&root.join("loop")).is_err());
    assert!(folders::leading_to(circle.paths()).contains(&root), "a circle ends");
}
