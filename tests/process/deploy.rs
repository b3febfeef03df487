//! What lies in `deploy/` fits the program and itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use scv_bridge::certificate::{IssuedPair as Issued, issue};
use scv_bridge::clock::{Clock as _, SystemClock};

use super::program::run;

const KUBERNETES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/kubernetes");
const SYSTEMD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd");
/// Ten times the exposure that systemd may find: the network is what the service is for, and the most of it.
const EXPOSURE: &str = "--threshold=15";

fn read(folder: &str, file: &str) -> String {
    fs::read_to_string(Path::new(folder).join(file)).unwrap()
}

/// The files that a configuration names.
fn paths(configuration: &str) -> Vec<&str> {
    configuration.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/')).collect()
}

/// Makes the files that a configuration names, and asks whether it is in order.
fn check(configuration: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let Issued { key_pem, certificate_pem } = issue("WebexCCSCV", 2048, 90, SystemClock.now()).unwrap();
    // Somebody has filled in what only they can know.
    let mut moved = configuration
        .replace(&"0".repeat(64), &"0a".repeat(32))
        .replace("bridge.example.com", "bridge.acme.com")
        .replace("00D000000000001EAA", "00D5g000007AbCdEAK")
        .replace("https://example.my.", "https://acme.my.");
    for path in paths(configuration) {
        let place = format!("{}{path}", root.path().display());
        fs::create_dir_all(Path::new(&place).parent().unwrap()).unwrap();
        let content = match path.rsplit_once(['.', '/']).unwrap().1 {
            "crt" => certificate_pem.clone(),
            "key" => key_pem.clone(),
            "url" => b"postgres://bridge:password@postgresql/bridge\n".to_vec(),
            other => panic!("what is a {other}?"),
        };
        fs::write(&place, content).unwrap();
        moved = moved.replace(&format!("\"{path}\""), &format!("\"{place}\""));
    }
    // Only the service's user may make the database in the folder that it has there.
    let data = format!("sqlite:{}/", root.path().display());
    fs::write(root.path().join("bridge.toml"), moved.replace("sqlite:/var/lib/scv-bridge/", &data)).unwrap();
    let ended = run(root.path(), &["check", "--config", "bridge.toml"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    ended.out
}

#[test]
fn the_configurations_are_in_order_once_their_files_exist() {
    for folder in [KUBERNETES, SYSTEMD] {
        let said = check(&read(folder, "bridge.toml"));
        // The certificate of this test is one for signing, and names no host; database and addresses are of another machine.
        let expected = ["subjectAltName", "store.url: ", "server.listen: ", "operations.listen: "];
        let is_expected = |line: &str| expected.iter().any(|words| line.contains(words));
        let warning = said.lines().find(|line| line.starts_with("warning") && !is_expected(line));
        assert_eq!(warning, None, "{said}");
    }
}

#[test]
fn the_placeholder_of_a_clients_secret_is_none_that_check_lets_pass() {
    for folder in [KUBERNETES, SYSTEMD] {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("bridge.toml"), read(folder, "bridge.toml")).unwrap();
        let ended = run(root.path(), &["check", "--config", "bridge.toml"]);
        let told = format!("{}{}", ended.out, ended.err);
        assert!(told.contains("secret_sha256\n  problem: is a placeholder"), "{told}");
        assert_ne!(ended.code, Some(0));
    }
}

#[test]
fn every_file_of_the_configuration_is_mounted_and_every_port_open() {
    let (configuration, manifest) = (read(KUBERNETES, "bridge.toml"), read(KUBERNETES, "deployment.yaml"));
    let files = paths(&configuration);
    assert_eq!(files.len(), 5);
    for file in files {
        let (folder, _) = file.rsplit_once('/').unwrap();
        assert!(manifest.contains(&format!("mountPath: {folder}\n")), "{file}");
    }
    for port in configuration.lines().filter_map(|line| line.strip_prefix("listen = \"0.0.0.0:")) {
        let port = port.trim_end_matches('"');
        assert!(manifest.contains(&format!("containerPort: {port}\n")), "{port}");
    }
}

/// The set-up has one story: the same user, folders and files wherever they are named.
#[test]
fn set_up_example_and_unit_use_the_same_paths_and_the_same_user() {
    const ROOT: &str = env!("CARGO_MANIFEST_DIR");
    let (configuration, example) = (read(SYSTEMD, "bridge.toml"), read(ROOT, "config/example.toml"));
    let setup = read(ROOT, "docs/setup.md");
    for path in paths(&configuration) {
        assert!(path.starts_with("/etc/scv-bridge/certs/"), "{path}");
        assert!(example.contains(&format!("\"{path}\"")), "{path} is not in the example");
        assert!(setup.contains(&format!("\"{path}\"")), "{path} is not in the set-up");
    }
    let unit = read(SYSTEMD, "scv-bridge.service");
    let made = "useradd --system --home-dir /var/lib/scv-bridge --no-create-home --shell /usr/sbin/nologin scv-bridge";
    assert!(setup.contains(made) && unit.contains("User=scv-bridge\n"));
    let store = "url = \"sqlite:/var/lib/scv-bridge/data/bridge.db\"";
    for text in [&configuration, &example, &setup] {
        assert!(text.contains(store), "{text}");
    }
    assert!(unit.contains("StateDirectory=scv-bridge\n"));
}

#[test]
fn systemd_finds_little_to_attack_in_the_unit() {
    let unit = format!("{SYSTEMD}/scv-bridge.service");
    let mut command = Command::new("systemd-analyze");
    let asked = command.args(["security", "--offline=true", "--no-pager", EXPOSURE, &unit]).output();
    let Ok(output) = asked else {
        eprintln!("SKIPPED: there is no systemd-analyze on this machine");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
