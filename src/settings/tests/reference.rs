//! `config/default.toml` and `config/example.toml` tell the truth.

use super::*;

const CONTRACT: &str = include_str!("contract.toml");

/// The reference with its commented examples brought to life.
fn uncommented() -> String {
    let is_setting = |line: &str| {
        let line = line.trim_start_matches("# ");
        line.starts_with('[') || line.split(' ').nth(1) == Some("=")
    };
    DEFAULTS
        .lines()
        .filter(|line| is_setting(line))
        .map(|line| format!("{}\n", line.trim_start_matches("# ")))
        .collect()
}

/// Files and hashes that an example cannot have.
fn real(folder: &Folder, example: &str) -> String {
    folder.write("signing_key", "s".repeat(43).as_bytes());
    folder.write("previous_signing_key", "p".repeat(43).as_bytes());
    folder.write("relay", b"smtps://user:password@relay.acme.com");
    folder.write("secret", b"0123456789abcdef0123456789abcdef");
    let hash = "0a".repeat(32);
    let encrypted = example.contains("\nprivate_key_passphrase_file");
    let key_file = if encrypted { "{dir}/encrypted.key" } else { "{dir}/good.key" };
    let mut toml = String::new();
    let example = [
        ("00D000000000001EAA", "00D5g000007AbCdEAK"),
        ("https://example.my.salesforce", "https://acme.my.salesforce"),
        ("scv.integration@example.com", "scv.integration@acme.com"),
        ("\"00000000-0000-0000-0000-000000000000\"", "\"7f9c2ba4-e88f-4e4c-9c2d-6c0d4c1e5a11\""),
    ]
    .iter()
    .fold(example.to_owned(), |text, (sample, own)| text.replace(sample, own));
    for line in example.lines() {
        let key = line.split(' ').next().unwrap_or_default();
        let value = match key {
            "secret_sha256" | "previous_secret_sha256" | "password_sha256" => &hash,
            "signing_key_file" => "{dir}/signing_key",
            "previous_signing_key_file" => "{dir}/previous_signing_key",
            "assertion_certificates" => {
                toml.push_str("assertion_certificates = [\"{dir}/good.crt\"]\n");
                continue;
            }
            "certificate" if line.contains("certs/") => "{dir}/good.crt",
            "client_ca" => "{dir}/good.crt",
            "private_key" => key_file,
            "webhook_secret_file" | "authorization_file" => "{dir}/secret",
            "mail_relay_file" => "{dir}/relay",
            "private_key_passphrase_file" => "{dir}/sesame",
            "consumer_key_file" | "client_secret_file" if !line.contains("\"\"") => "{dir}/secret",
            _ => {
                toml.push_str(&format!("{line}\n"));
                continue;
            }
        };
        toml.push_str(&format!("{key} = \"{value}\"\n"));
    }
    toml
}

#[test]
fn every_key_that_is_read_stands_in_the_reference() {
    let folder = Folder::new();
    let (problems, asked) = read_with_report(&folder.source(&real(&folder, &uncommented())));
    assert_eq!(problems, []);
    assert!(asked.len() > 70, "{asked:?}");
    let words: Vec<&str> = DEFAULTS.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for key in asked {
        let last = key.rsplit('.').next().unwrap();
        assert!(words.contains(&last), "{key} is not in config/default.toml");
    }
}

#[test]
fn what_the_reference_calls_a_default_is_the_default() {
    let folder = Folder::new();
    let told = folder.load(&real(&folder, &uncommented())).unwrap();
    let toml = SMALL.to_owned() + "[webex]\n";
    let silent = folder.load(&toml).unwrap();
    let (told_center, silent_center) =
        (&told.call_centers["WxCCContactCenterSCV"], &silent.call_centers["Main"]);
    assert_eq!(told_center.on_create_failure, silent_center.on_create_failure);
    assert_eq!(told_center.fallback_queue, silent_center.fallback_queue);
    assert_eq!(told_center.translations.from.rules(), 0);
    assert_eq!(silent_center.translations.from.rules(), 0);
    assert_eq!(silent_center.translations.to.rules(), 0);
    assert_eq!(told_center.abandonment, silent_center.abandonment);
    assert_eq!(told_center.enrichment, silent_center.enrichment);
    assert_eq!(told_center.attribute_length, silent_center.attribute_length);
    let (Api::Telephony(told_api), Api::Telephony(silent_api)) = (&told_center.api, &silent_center.api)
    else {
        panic!("api = telephony");
    };
    assert_eq!(told_api.provider_name, silent_api.provider_name);
    assert_eq!(told_api.token, silent_api.token);
    let (told_webex, silent_webex) = (told.webex.unwrap(), silent.webex.unwrap());
    assert_eq!(told_webex.bad_signature_status, silent_webex.bad_signature_status);
    assert_eq!(told_webex.grace, silent_webex.grace);
    assert_eq!(told_webex.token_url, silent_webex.token_url);
    assert_eq!(told_webex.authorize_url, silent_webex.authorize_url);
    assert_eq!(told_webex.reactivate_subscriptions, silent_webex.reactivate_subscriptions);
    assert_eq!(told_webex.reconcile_every, silent_webex.reconcile_every);
    assert_eq!(told_webex.log_unknown_calls, silent_webex.log_unknown_calls);
}

/// The range at the end of what the reference says of a key, or of a whole section.
fn range(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.split_once('#')?.1.split_whitespace().collect();
    let number = |text: &str| text.parse::<u64>().is_ok() || parse_duration(text).is_ok();
    let mut ranges = words.windows(3).filter_map(|three| {
        let (from, to) = (three[0], three[2].trim_end_matches(['.', ';', ',']));
        (three[1] == "to" && number(from) && number(to)).then_some((from, to))
    });
    ranges.next_back()
}

#[test]
fn what_the_reference_calls_a_range_is_the_range() {
    let folder = Folder::new();
    let full = real(&folder, &uncommented());
    let same = |left: &str, right: &str| match (parse_duration(left), parse_duration(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    };
    let (mut of_section, mut ranges) = (None, 0);
    for line in full.lines() {
        if line.starts_with('[') {
            of_section = range(line);
        }
        let Some((key, rest)) = line.split_once(" = ") else { continue };
        let Some((from, to)) = range(line).or(of_section) else { continue };
        let beyond = match rest {
            _ if rest.starts_with('[') => "[\"9999d\"]",
            _ if rest.starts_with('"') => "\"9999d\"",
            _ => "999999999",
        };
        let told = folder.load(&full.replacen(line, &format!("{key} = {beyond}"), 1)).unwrap_err();
        let Problem { problem, hint, .. } = &told.as_slice()[0];
        assert!(problem.contains("out of range"), "{key}: {problem}");
        let words: Vec<&str> = hint.rsplit(' ').collect();
        assert!(same(words[0], to) && same(words[2], from), "{key} is from {from} to {to}: {hint}");
        ranges += 1;
    }
    assert!(ranges > 30, "{ranges}");
}

#[test]
fn the_apex_defaults_are_those_of_the_reference() {
    let folder = Folder::new();
    let told = folder.load(&real(&folder, &uncommented())).unwrap();
    let silent = folder.load(&real(&folder, EXAMPLE)).unwrap();
    let (Api::Apex(told), Api::Apex(silent)) =
        (&told.call_centers["Sandbox"].api, &silent.call_centers["Sandbox"].api)
    else {
        panic!("api = apex");
    };
    assert_eq!(told.oauth.audience, silent.oauth.audience);
    assert_eq!(told.path_prefix, silent.path_prefix);
    assert_eq!(told.certificate_in_org, silent.certificate_in_org);
}

#[test]
fn the_example_loads_once_its_files_exist() {
    let folder = Folder::new();
    let settings = folder.load(&real(&folder, EXAMPLE)).unwrap();
    insta::assert_snapshot!(settings.summary(now()));
}

#[test]
fn every_key_that_was_promised_is_taken() {
    let folder = Folder::new();
    let settings = folder.load(&real(&folder, CONTRACT)).unwrap();
    let webex = settings.webex.unwrap();
    assert_eq!(webex.oauth_client.unwrap().id, "C0123");
    assert_eq!(webex.webhook_secrets.len(), 1);
    let center = &settings.call_centers["WxCCContactCenterSCV"];
    assert_eq!(center.attributes.len(), 1);
    assert_eq!(center.translations.from.rules(), 1);
    assert_eq!(center.enrichment.queues["<Webex queue id>"], "Sales");
    assert_eq!(settings.server.tls.unwrap().client_ca.len(), 1);
}

#[test]
fn the_example_as_it_stands_names_what_is_missing() {
    let folder = Folder::new();
    // Whatever this machine has there.
    insta::assert_snapshot!(folder.problems(&EXAMPLE.replace("/etc/scv-bridge/certs/", "certs/")));
}
