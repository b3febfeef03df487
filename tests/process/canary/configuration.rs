//! Secrets that stand where they do not belong, and what the commands say of it.

use super::super::program::command;
use super::{CONSUMER_KEY, DATABASE_PASSWORD, PASSPHRASE, SECRET, Site, WRONG_SECRET};

/// The commands that read a configuration.
const COMMANDS: [&[&str]; 6] = [
    &["check"],
    &["check", "--json"],
    &["serve"],
    &["outbox", "list"],
    &["doctor", "-v", "--report", "/dev/stdout"],
    &["doctor", "--json"],
];

/// Every configuration in every command: what each says.
pub fn everything_wrong(site: &Site) -> Vec<(String, String)> {
    let sound = site.configuration();
    let mut said = vec![];
    for (what, wrong) in mistakes(site, &sound) {
        assert_ne!(wrong, sound, "{what}: nothing was replaced");
        said.extend(report(site, what, &wrong, &[]));
    }
    for (name, value) in [
        ("SCV_BRIDGE__CLIENTS__0__SECRET", SECRET),
        ("SCV_BRIDGE__CERTIFICATES__WEBEXCCSCV__PRIVATE_KEY_PASSPHRASE", PASSPHRASE),
        ("SCV_BRIDGE__STORE__URL", SECRET),
        ("SCV_BRIDGE__STORE__PASSWORD", DATABASE_PASSWORD),
    ] {
        said.extend(report(site, name, &sound, &[(name, value)]));
    }
    said
}

/// Files that end in a report.
fn mistakes(site: &Site, sound: &str) -> Vec<(&'static str, String)> {
    let hash = sound.lines().find(|line| line.contains("secret_sha256")).unwrap();
    let instead = |old: &str, new: &str| sound.replace(old, new);
    let and = |section: String| format!("{sound}\n{section}\n");
    let passphrase_file = "private_key_passphrase_file = \"passphrase\"";
    let key_file = "consumer_key_file = \"consumer_key\"";
    vec![
        ("the secret instead of its hash", instead(hash, &format!("secret_sha256 = \"{SECRET}\""))),
        ("the secret under a key that is none", instead(hash, &format!("{hash}\nsecret = \"{SECRET}\""))),
        ("a line that does not end", instead(hash, &format!("secret_sha256 = \"{SECRET}"))),
        ("a list", instead(hash, &format!("secret_sha256 = [\"{SECRET}\"]"))),
        (
            "a wrong passphrase",
            instead(passphrase_file, &format!("private_key_passphrase = \"{WRONG_SECRET}\"")),
        ),
        ("the passphrase as a file", instead("\"passphrase\"", &format!("\"{PASSPHRASE}\""))),
        (
            "the passphrase twice",
            instead(
                passphrase_file,
                &format!("{passphrase_file}\nprivate_key_passphrase = \"{PASSPHRASE}\""),
            ),
        ),
        ("the key itself", instead("\"signing.key\"", &format!("'''\n{}'''", site.key_pem))),
        ("the key as a certificate", instead("\"signing.crt\"", &format!("'''\n{}'''", site.key_pem))),
        ("the consumer key as a file", instead(key_file, &format!("consumer_key_file = \"{CONSUMER_KEY}\""))),
        (
            "the consumer key twice",
            instead(key_file, &format!("{key_file}\nconsumer_key = \"{CONSUMER_KEY}\"")),
        ),
        (
            "a password in the address of Salesforce",
            instead("login_url = \"http://", &format!("login_url = \"https://me:{SECRET}@")),
        ),
        (
            "a database that is none",
            and(format!("[store]\nurl = \"mysql://bridge:{DATABASE_PASSWORD}@host/db\"")),
        ),
        (
            "a database without a host",
            and(format!("[store]\nurl = \"postgres://bridge:{DATABASE_PASSWORD}@[bad/db\"")),
        ),
        (
            "a database that is not there",
            and(format!("[store]\nurl = \"postgres://bridge:{DATABASE_PASSWORD}@127.0.0.1:1/db\"")),
        ),
        ("a short webhook secret", and(format!("[webex]\nwebhook_secrets = [\"{SECRET}\"]"))),
        ("a webhook secret as a text", and(format!("[webex]\nwebhook_secrets = \"{SECRET}\""))),
        ("a secret of Webex without a client", and(format!("[webex]\nclient_secret = \"{SECRET}\""))),
    ]
}

fn report(site: &Site, what: &str, configuration: &str, variables: &[(&str, &str)]) -> Vec<(String, String)> {
    site.write("wrong.toml", configuration);
    let said = |arguments: &&[&str]| {
        let mut command = command(site.path(), &[*arguments, &["--config", "wrong.toml"]].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        // Only the database is found out later than by `check`.
        assert!(!output.status.success() || what.starts_with("a database") || variables.len() == 1, "{what}");
        let said = [output.stdout, output.stderr].concat();
        (format!("{what}: {}", arguments.join(" ")), String::from_utf8(said).unwrap())
    };
    COMMANDS.iter().map(said).collect()
}
