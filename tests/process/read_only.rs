//! The service needs no place to write but its data, and no user of a name.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use super::program::Program;
use super::site::Site;

/// Every mounted file system but the data becomes read-only, for this process and its children. The first argument is
/// the folder of the data; the others are the command to run there. Ends 3 where this system forbids it.
const WALL_IN: &str = r#"
data=$1 folder=$2; shift 2
mount --make-rprivate / && mount --bind "$data" "$data" || exit 3
awk '{ print $5 }' /proc/self/mountinfo | while read -r place; do
    [ "$place" = "$data" ] || mount -o remount,bind,ro "$place" 2>/dev/null
done
for place in /tmp /var/tmp /dev/shm "$HOME" "$folder"; do
    if ( : >"$place/scv-bridge-probe.$$" ) 2>/dev/null; then rm -f "$place/scv-bridge-probe.$$"; exit 3; fi
done
cd "$folder"
exec "$@"
"#;

/// Nobody's number; the one of the container.
const NOBODY: u32 = 65532;

#[actix_web::test]
async fn with_everything_but_the_data_read_only_it_serves_and_keeps() {
    let site = Site::open().await;
    let data = site.path().join("data");
    fs::create_dir(&data).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        give_away(site.path());
    }
    let mut command = walled_in(&site, &data, is_root, &["true"]);
    if !command.status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: this system does not let us make a file system read-only (unshare, mount)");
        return;
    }
    let bridge = env!("CARGO_BIN_EXE_scv-bridge");
    let command = walled_in(&site, &data, is_root, &[bridge, "serve", "--config", "bridge.toml"]);
    let service = Site::serving(Program::start(command)).await;
    let (status, answer) = service.flow().create("wxcc_1").await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(service.operations("/readyz").await, Some(200));
    let (code, said) = service.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(data.join("bridge.db").exists());
    let owner = fs::metadata(data.join("bridge.db")).unwrap().uid();
    assert_eq!(owner, if is_root { NOBODY } else { fs::metadata(&data).unwrap().uid() });
}

/// The command behind the wall; for root, as nobody and without any privilege.
fn walled_in(site: &Site, data: &Path, is_root: bool, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(if is_root { &["--mount"][..] } else { &["--user", "--map-root-user", "--mount"] });
    command.args(["sh", "-c", WALL_IN, "sh"]).arg(data).arg(site.path());
    if is_root {
        let number = NOBODY.to_string();
        command.args(["setpriv", "--reuid", &number, "--regid", &number, "--clear-groups"]);
        command.args(["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]);
    }
    command.args(arguments).env("HOME", "/var").env_remove("RUST_LOG");
    command
}

fn give_away(folder: &Path) {
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}
