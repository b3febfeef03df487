//! What people type, and what they are told.

use super::*;

/// The problems of a configuration, each as `key: problem; hint`.
fn told(folder: &Folder, toml: &str) -> Vec<String> {
    lines(folder, load(&folder.source(toml)))
}

fn lines(folder: &Folder, loaded: Result<Settings, Problems>) -> Vec<String> {
    let problems = loaded.err().map_or_else(Vec::new, |problems| problems.as_slice().to_vec());
    let line = |problem: &Problem| format!("{}: {}; {}", problem.key, problem.problem, problem.hint);
    problems.iter().map(|problem| folder.neutral(&line(problem))).collect()
}

#[test]
fn a_log_level_that_would_silence_the_log_is_refused_with_the_one_that_was_meant() {
    let folder = Folder::new();
    for (level, problem) in [
        ("warning", "\"warning\" is not a level; did you mean \"warn\"?"),
        ("inof", "\"inof\" is not a level; did you mean \"info\"?"),
        (
            "info,scv_bridge=debg",
            "\"info,scv_bridge=debg\" holds \"debg\", which is not a level; did you mean \"scv_bridge=debug\"?",
        ),
        (
            "info,scv_brigde::api=debug",
            "\"info,scv_brigde::api=debug\" names \"scv_brigde::api\", which is no part of the program; did you mean \"scv_bridge::api=debug\"?",
        ),
        (
            "scv-bridge=debug",
            "\"scv-bridge=debug\" names \"scv-bridge\", which is no part of the program; did you mean \"scv_bridge=debug\"?",
        ),
        (
            "info,scv_bridge::ouutbox=trace",
            "\"info,scv_bridge::ouutbox=trace\" names \"scv_bridge::ouutbox\", which is no part of the program; did you mean \"scv_bridge::outbox=trace\"?",
        ),
        (
            "scv_bridge::api",
            "\"scv_bridge::api\" names \"scv_bridge::api\" without a level; did you mean \"info,scv_bridge::api=debug\"?",
        ),
    ] {
        let toml = format!("[logs]\nlevel = \"{level}\"\n{SMALL}");
        assert_eq!(told(&folder, &toml), [format!("logs.level: {problem}")]);
    }
    for level in ["everything", "loud", "verbose", "", "info,", "info,[x]=debug", "2"] {
        let told = told(&folder, &format!("[logs]\nlevel = \"{level}\"\n{SMALL}"));
        assert!(told.len() == 1 && told[0].starts_with("logs.level: "), "{level}: {told:?}");
    }
    for level in ["error", "WARN", "info", "debug", "trace", "warn, scv_bridge::api::access=debug,h2=error"] {
        assert_eq!(told(&folder, &format!("[logs]\nlevel = \"{level}\"\n{SMALL}")), [""; 0], "{level}");
    }
}

#[test]
fn a_log_that_leaves_out_most_of_the_program_is_worth_a_warning() {
    let folder = Folder::new();
    let warnings = |level: &str| {
        folder.load(&format!("[logs]\nlevel = \"{level}\"\n{SMALL}")).unwrap().warnings(now()).join("")
    };
    assert_eq!(warnings("off"), "logs.level: off, so nothing is logged, no error either");
    assert!(warnings("scv_bridge::api=debug").contains("nothing else is logged"));
    for good in ["scv_bridge=info", "warn,scv_bridge::api=debug"] {
        assert_eq!(warnings(good), "", "{good}");
    }
}

#[test]
fn a_variable_that_sets_nothing_is_told_with_the_one_that_was_meant() {
    let folder = Folder::new();
    for (name, hint) in [
        ("SCV_BRIDGE_SERVER_LISTEN", "did you mean SCV_BRIDGE__SERVER__LISTEN? "),
        ("SCV_BRIDGE_STORE_URL", "did you mean SCV_BRIDGE__STORE__URL? "),
        ("SCV_BRIDGE_SERVER__LISTEN", "did you mean SCV_BRIDGE__SERVER__LISTEN? "),
        ("scv_bridge__server__listen", "did you mean SCV_BRIDGE__SERVER__LISTEN? "),
        ("SCVBRIDGE__SERVER__LISTEN", "did you mean SCV_BRIDGE__SERVER__LISTEN? "),
        ("SCV_BRIDGE_LOGLEVEL", "did you mean SCV_BRIDGE__LOGS__LEVEL? "),
        ("SCV_BRIDGE_PASSWORD", "take it out of the environment; "),
        ("SCV_BRIDGE_config", "did you mean SCV_BRIDGE_CONFIG?"),
    ] {
        let told = lines(&folder, load_with(&folder, &[(name, CANARY)]));
        assert!(
            told.len() == 1 && told[0].starts_with(&format!("{name}: sets nothing; {hint}")),
            "{name}: {told:?}"
        );
    }
    let told = lines(&folder, load_with(&folder, &[("SCV_BRIDGE__SERVER_LISTEN", "127.0.0.1:1")]));
    assert_eq!(
        told,
        ["SCV_BRIDGE__SERVER_LISTEN: sets no known key; did you mean SCV_BRIDGE__SERVER__LISTEN?"]
    );
}

#[test]
fn variables_of_kubernetes_are_nobodys_mistake() {
    let variables = [
        ("SCV_BRIDGE_SERVICE_HOST", "10.0.0.1"),
        ("SCV_BRIDGE_SERVICE_PORT", "8443"),
        ("SCV_BRIDGE_SERVICE_PORT_HTTPS", "8443"),
        ("SCV_BRIDGE_PORT", "tcp://10.0.0.1:8443"),
        ("SCV_BRIDGE_PORT_8443_TCP", "tcp://10.0.0.1:8443"),
        ("SCV_BRIDGE_PORT_8443_TCP_ADDR", "10.0.0.1"),
        ("SCV_BRIDGE_PORT_8443_TCP_PROTO", "tcp"),
        ("SCV_BRIDGE_OPERATIONS_SERVICE_HOST", "10.0.0.2"),
        ("SCV_BRIDGE_OPERATIONS_PORT", "tcp://10.0.0.2:8081"),
    ];
    load_with(&Folder::new(), &variables).unwrap();
}

#[test]
fn a_key_that_belongs_to_another_section_is_told_where() {
    let folder = Folder::new();
    for (toml, expected) in [
        (
            format!("[server]\nsigning_key_file = \"x\"\n{SMALL}"),
            "server.signing_key_file: is not a known key; `signing_key_file` belongs to [oauth]; a key belongs to the header above it",
        ),
        (
            format!("public_url = \"https://b.example.net\"\n{SMALL}"),
            "public_url: is not a known key; `public_url` belongs to [server]; a key belongs to the header above it",
        ),
        (
            format!("[tls]\ncertificate = \"x\"\n{SMALL}"),
            "tls: is not a known key; `tls` belongs to [server]; a key belongs to the header above it",
        ),
        (
            format!("{SMALL}[call_centers.Main.abandonment]\non_create_failure = \"defer\"\n"),
            "call_centers.Main.abandonment.on_create_failure: is not a known key; `on_create_failure` belongs to [call_centers.Main]; a key belongs to the header above it",
        ),
        (
            format!("{SMALL}ask_salesforce = true\n"),
            "call_centers.Main.ask_salesforce: is not a known key; `ask_salesforce` belongs to [call_centers.Main.abandonment]; a key belongs to the header above it",
        ),
        (
            format!("{SMALL}nonsense = true\n"),
            "call_centers.Main.nonsense: is not a known key; remove it; `scv-bridge check --defaults` prints every key",
        ),
    ] {
        assert_eq!(told(&folder, &toml), [expected]);
    }
}

#[test]
fn brackets_of_sections_are_told_as_they_must_be() {
    let folder = Folder::new();
    for (toml, expected) in [
        (
            SMALL.replace("[[clients]]", "[clients]"),
            "clients: is a single section, and must be a list of them; write [[clients]], in double brackets and without a name, above each one's keys",
        ),
        (
            SMALL.replace("[[clients]]", "[clients.webex-flow]"),
            "clients: is a single section, and must be a list of them; write [[clients]], in double brackets and without a name, above each one's keys",
        ),
        (
            SMALL.replace("[call_centers.Main]", "[[call_centers]]"),
            "call_centers: is a list; write [call_centers.NAME], in single brackets, above its keys",
        ),
        (
            SMALL.replace("[call_centers.Main]", "[[call_centers.Main]]"),
            "call_centers.Main: is a list; write [call_centers.Main], in single brackets, above its keys",
        ),
        (
            format!("[[server]]\nlisten = \"127.0.0.1:0\"\n{SMALL}"),
            "server: is a list; write [server], in single brackets, above its keys",
        ),
    ] {
        assert_eq!(told(&folder, &toml), [expected], "{toml}");
    }
    let told = told(&folder, &SMALL.replace("[certificates.WebexCCSCV]", "[certificates]"));
    assert_eq!(
        told[0],
        "certificates.certificate: stands where a name belongs; write [certificates.NAME] above it, with the name it has in Salesforce"
    );
}

#[test]
fn what_is_no_number_and_no_switch_is_not_called_out_of_range() {
    let folder = Folder::new();
    for (name, value, expected) in [
        (
            "SCV_BRIDGE__LIMITS__CREATES_PER_SECOND",
            "many",
            "\"many\" is not a whole number; a whole number from 1 to 100000",
        ),
        (
            "SCV_BRIDGE__LIMITS__CREATES_PER_SECOND",
            "",
            "\"\" is not a whole number; a whole number from 1 to 100000",
        ),
        (
            "SCV_BRIDGE__LIMITS__CREATES_PER_SECOND",
            "1.5",
            "\"1.5\" is not a whole number; a whole number from 1 to 100000",
        ),
        ("SCV_BRIDGE__LIMITS__CREATES_PER_SECOND", "0", "is out of range; a whole number from 1 to 100000"),
        ("SCV_BRIDGE__LIMITS__CREATES_PER_SECOND", "-3", "is out of range; a whole number from 1 to 100000"),
        (
            "SCV_BRIDGE__LIMITS__CREATES_PER_SECOND",
            "99999999999999999999999",
            "is out of range; a whole number from 1 to 100000",
        ),
        ("SCV_BRIDGE__SERVER__TRUSTED_PROXY", "yes", "\"yes\" is neither true nor false; true or false"),
        (
            "SCV_BRIDGE__WEBEX__WEBHOOK_SECRETS",
            "x",
            "is a list; variables set single values; set it in the file",
        ),
    ] {
        let told = lines(&folder, load_with(&folder, &[(name, value)]));
        assert_eq!(told, [format!("{name}: {expected}")]);
    }
}

#[test]
fn samples_of_the_documentation_are_refused_where_they_cannot_work() {
    const SAMPLE: &str = "is still the sample of the documentation";
    let folder = Folder::new();
    let center = |from: &str, to: &str| told(&folder, &SMALL.replace(from, to)).join("\n");
    assert!(
        center("00D5g000007AbCdEAK", "00D000000000001EAA")
            .starts_with(&format!("call_centers.Main.org_id: {SAMPLE}"))
    );
    assert!(
        center("00D5g000007AbCdEAK", "00D000000000000")
            .starts_with(&format!("call_centers.Main.org_id: {SAMPLE}"))
    );
    assert!(
        center("acme.my", "example.my").starts_with(&format!("call_centers.Main.telephony_url: {SAMPLE}"))
    );
    let apex =
        apex("https://example.my.salesforce.com", "scv.integration@example.com", "consumer_key = \"3MVG9\"");
    let both = told(&folder, &apex).join("\n");
    assert!(both.contains("Main.login_url: is still") && both.contains("Main.username: is still"), "{both}");
    let webex = format!("{SMALL}[webex]\norg_id = \"00000000-0000-0000-0000-000000000000\"\n");
    assert!(told(&folder, &webex)[0].starts_with(&format!("webex.org_id: {SAMPLE}")));
    // Towards a mock on this machine they are as good as any.
    let mock = SMALL
        .replace("00D5g000007AbCdEAK", "00D000000000001EAA")
        .replace("https://acme.my.salesforce-scrt.com", "http://127.0.0.1:8090");
    assert_eq!(told(&folder, &mock), [""; 0]);
    // What is only told to the world is worth a warning.
    let public = format!("[server]\npublic_url = \"https://bridge.example.com\"\n{SMALL}");
    let warnings = folder.load(&public).unwrap().warnings(now());
    assert_eq!(
        warnings,
        [
            "server.public_url: bridge.example.com is a name for samples, under which nobody reaches the bridge"
        ]
    );
}

/// The least of the other way.
fn apex(login_url: &str, username: &str, key: &str) -> String {
    let sections = SMALL.split("api = ").next().unwrap();
    format!("{sections}api = \"apex\"\nlogin_url = \"{login_url}\"\nusername = \"{username}\"\n{key}\n")
}

#[test]
fn a_path_that_is_not_that_of_the_telephony_api_names_the_right_one() {
    let folder = Folder::new();
    for (path, expected) in [
        ("", "has no path"),
        ("/telephony", "has the path \"/telephony\", which is not that of the telephony API"),
        ("/telephony/v2", "has the path \"/telephony/v2\", which is not that of the telephony API"),
    ] {
        let toml = SMALL.replace("/telephony/v1", path);
        let right = "https://acme.my.salesforce-scrt.com/telephony/v1";
        let expected = format!("call_centers.Main.telephony_url: {expected}; {right}");
        assert_eq!(told(&folder, &toml), [expected]);
    }
}

#[test]
fn a_host_of_the_org_that_is_the_wrong_one_names_the_right_one() {
    let folder = Folder::new();
    for (host, expected) in [
        (
            "acme.my.salesforce.com",
            "acme.my.salesforce.com is not the host of the org's telephony API; did you mean https://acme.my.salesforce-scrt.com/telephony/v1?",
        ),
        (
            "acme--uat.sandbox.lightning.force.com",
            "acme--uat.sandbox.lightning.force.com is not the host of the org's telephony API; did you mean https://acme--uat.sandbox.my.salesforce-scrt.com/telephony/v1?",
        ),
        (
            "login.salesforce.com",
            "login.salesforce.com is Salesforce's login, not the telephony API of an org; https://<MyDomain>.my.salesforce-scrt.com/telephony/v1",
        ),
    ] {
        let toml = SMALL.replace("acme.my.salesforce-scrt.com", host);
        assert_eq!(told(&folder, &toml), [format!("call_centers.Main.telephony_url: {expected}")]);
    }
    for (host, expected) in [
        (
            "acme.my.salesforce-scrt.com",
            "acme.my.salesforce-scrt.com is the host of the telephony API, which gives no tokens; did you mean https://acme.my.salesforce.com?",
        ),
        (
            "acme.lightning.force.com",
            "acme.lightning.force.com gives no tokens; did you mean https://acme.my.salesforce.com?",
        ),
    ] {
        let toml = apex(&format!("https://{host}"), "scv@acme.com", "consumer_key = \"3MVG9\"");
        assert_eq!(told(&folder, &toml), [format!("call_centers.Main.login_url: {expected}")]);
    }
}

#[test]
fn an_address_below_which_we_give_the_paths_has_none_itself() {
    let folder = Folder::new();
    for url in ["https://acme.my.salesforce.com/services/oauth2/token", "https://acme.my.salesforce.com/x/"] {
        let told = told(&folder, &apex(url, "scv@acme.com", "consumer_key = \"3MVG9\""));
        assert!(told[0].starts_with("call_centers.Main.login_url: holds the path \"/"), "{told:?}");
        assert!(told[0].ends_with("; https://acme.my.salesforce.com, without a path"), "{told:?}");
    }
    let public = format!("[server]\npublic_url = \"https://bridge.acme.com/scv\"\n{SMALL}");
    let expected =
        "server.public_url: \"https://bridge.acme.com/scv\" holds a path; write https://bridge.acme.com; ";
    assert!(told(&folder, &public)[0].starts_with(expected));
    let api = format!("{SMALL}[webex]\napi_url = \"https://api.wxcc-us1.cisco.com/v1\"\n");
    assert!(told(&folder, &api)[0].contains("holds a path; write https://api.wxcc-us1.cisco.com"));
}

#[test]
fn a_key_that_was_copied_with_blanks_is_refused() {
    let folder = Folder::new();
    let with_key = |key: &str| told(&folder, &apex("https://test.salesforce.com", "scv@acme.com", key));
    for key in [" 3MVG9", "3MVG9 ", "3MV G9", "3MVG9\\t"] {
        let told = with_key(&format!("consumer_key = \"{key}\""));
        assert!(told[0].starts_with("call_centers.Main.consumer_key: holds a blank; "), "{told:?}");
    }
    folder.write("padded", b"3MVG9 \n");
    let in_file = with_key("consumer_key_file = \"{dir}/padded\"");
    let expected =
        "call_centers.Main.consumer_key_file: names a file with a blank or a line break in what it holds; ";
    assert!(in_file[0].starts_with(expected), "{in_file:?}");
    let webex = format!("{SMALL}[webex]\nclient_id = \"C1 \"\nclient_secret = \"s \"\n");
    let keys = told(&folder, &webex).join("\n");
    assert!(
        keys.contains("webex.client_id: \"C1 \" holds a blank")
            && keys.contains("webex.client_secret: holds a blank"),
        "{keys}"
    );
}

#[test]
fn a_file_that_is_missing_is_told_by_its_whole_path_and_the_folder_that_lacks_it() {
    let folder = Folder::new();
    let apex = |key: &str| told(&folder, &apex("https://test.salesforce.com", "scv@acme.com", key));
    let secret = "; name a readable text file that holds the secret alone";
    assert_eq!(
        apex("consumer_key_file = \"{dir}/consumer_key\""),
        [format!(
            "call_centers.Main.consumer_key_file: names a file that cannot be read: there is no consumer_key in the folder [dir]{secret}"
        )]
    );
    assert_eq!(
        apex("consumer_key_file = \"{dir}/certs/new/consumer_key\""),
        [format!(
            "call_centers.Main.consumer_key_file: names a file that cannot be read: there is no [dir]/certs/new/consumer_key: the folder [dir]/certs does not exist{secret}"
        )]
    );
    let url = told(&folder, &format!("[store]\nurl_file = \"{{dir}}/store_url\"\n{SMALL}"));
    assert_eq!(
        url,
        [format!(
            "store.url_file: names a file that cannot be read: there is no store_url in the folder [dir]{secret}"
        )]
    );
    // A relative path begins where the program was started.
    let relative = apex("consumer_key_file = \"nowhere/consumer_key\"");
    assert!(
        relative[0].contains("there is no [here]/nowhere/consumer_key: the folder [here]/nowhere does not"),
        "{relative:?}"
    );
    // What may be the secret itself is not repeated.
    for value in [CANARY, "Zm9v/Y2FuYXJ5+Q==", "/Zm9vY2FuYXJ5/x"] {
        let hidden = apex(&format!("consumer_key_file = \"{value}\"")).join("");
        assert!(!hidden.contains(value), "{hidden}");
        assert!(hidden.contains("(the value is not shown") && hidden.contains("[here]"), "{hidden}");
    }
    let key = told(&folder, &SMALL.replace("good.key", "gone/good.key"));
    assert_eq!(
        key,
        [
            "certificates.WebexCCSCV.private_key: \"[dir]/gone/good.key\" cannot be read: there is no [dir]/gone/good.key: the folder [dir]/gone does not exist; name the PEM file of the private key"
        ]
    );
    let hidden = told(&folder, &SMALL.replace("{dir}/good.key", "https://u:p@example.com/key"));
    assert_eq!(
        hidden,
        [
            "certificates.WebexCCSCV.private_key: the value (not shown) cannot be read: there is no such file or folder; name the PEM file of the private key"
        ]
    );
    let folder_for_file = told(&folder, &SMALL.replace("/good.key", ""));
    assert!(folder_for_file[0].contains("cannot be read: [dir] is a folder"), "{folder_for_file:?}");
}

#[test]
fn a_file_that_may_not_be_read_is_told_with_owner_mode_and_who_asks() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = Folder::new();
    let key = folder.write("locked.key", b"key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(&key).unwrap().uid();
    // Who runs the tests may be root, whom nothing is denied to: so the refusal itself is made up.
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let told = unreadable::why(&key, &denied);
    assert!(told.starts_with("it belongs to "), "{told}");
    for words in [format!("{owner}"), "group ".to_owned(), "mode 0600, and this program runs as ".to_owned()]
    {
        assert!(told.contains(&words), "{words}: {told}");
    }
    let remedy = unreadable::remedy(&key, &denied).unwrap();
    assert!(remedy.contains("chown USER FILE, then chmod 600 FILE"), "{remedy}");
    let remedy = unreadable::remedy(&key.join("x"), &denied).unwrap();
    assert!(remedy.contains("into the folder: chgrp GROUP FOLDER"), "{remedy}");
    assert_eq!(unreadable::remedy(&key, &std::io::ErrorKind::NotFound.into()), None);
    let below = unreadable::why(&key.join("x"), &denied);
    assert!(below.starts_with("its folder ") && below.contains("may not be entered"), "{below}");
}

#[test]
fn a_secret_that_every_user_can_read_is_worth_a_warning() {
    let mode =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = Folder::new();
    let (key, secret) = (folder.dir.path().join("good.key"), folder.write("consumer", b"3MVG9"));
    let toml = apex("https://test.salesforce.com", "scv@acme.com", "consumer_key_file = \"{dir}/consumer\"");
    let warnings = || folder.neutral(&folder.load(&toml).unwrap().warnings(now()).join("\n"));
    mode(&key, 0o644);
    mode(&secret, 0o604);
    assert_eq!(warnings(), "", "the folder is closed");
    folder.allow(0o755);
    assert_eq!(
        warnings(),
        "certificates.WebexCCSCV.private_key: every user of this machine can read [dir]/good.key (mode 0644); chown it to the user that the service runs as, then chmod 600\n\
        call_centers.Main.consumer_key_file: every user of this machine can read [dir]/consumer (mode 0604); chown it to the user that the service runs as, then chmod 600"
    );
    mode(&key, 0o640);
    mode(&secret, 0o440);
    assert_eq!(warnings(), "", "a group is somebody's choice");
}

#[test]
fn a_configuration_in_another_encoding_is_told_which_and_how_to_change_it() {
    let folder = Folder::new();
    let load = |bytes: Vec<u8>| {
        let file = folder.write("bridge.toml", &bytes);
        lines(&folder, load(&Source { file: Some(file), environment: Vec::new() }))
    };
    let toml = SMALL.replace("{dir}", &folder.dir.path().display().to_string());
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let utf16 = "[dir]/bridge.toml: the configuration file is saved as UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW";
    assert_eq!(load(wide(&format!("\u{feff}{toml}"))), [utf16]);
    assert_eq!(load(wide(&toml)), [utf16]);
    let mut latin1 = b"# one\n# M\xfcller\n".to_vec();
    latin1.extend(toml.bytes());
    assert_eq!(
        load(latin1),
        [
            "[dir]/bridge.toml: the configuration file is not saved as UTF-8: line 2 holds a letter of Latin-1 (Windows-1252); save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
        ]
    );
    assert_eq!(
        load(b"\x7fELF\xff\x00\x01".to_vec()),
        ["[dir]/bridge.toml: the configuration file holds bytes that are no text; name a text file"]
    );
    // The mark before UTF-8 does no harm, here and before a secret.
    assert_eq!(load(format!("\u{feff}{toml}").into_bytes()), [""; 0]);
    folder.write("consumer", "\u{feff}3MVG9\r\n".as_bytes());
    let apex = apex("https://test.salesforce.com", "scv@acme.com", "consumer_key_file = \"{dir}/consumer\"");
    let settings = folder.load(&apex).unwrap();
    let Api::Apex(api) = &settings.call_centers["Main"].api else { panic!("api = apex") };
    assert_eq!(secrecy::ExposeSecret::expose_secret(&api.oauth.consumer_key), "3MVG9");
    folder.write("consumer", &wide("\u{feff}3MVG9\r\n"));
    assert_eq!(
        told(&folder, &apex),
        [
            "call_centers.Main.consumer_key_file: names a file that is saved as UTF-16; save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW"
        ]
    );
}

#[test]
fn rules_in_double_quotes_are_told_to_be_put_into_single_ones() {
    let folder = Folder::new();
    let single = "write JSON in single quotes, as in from = '{\"name\":\"[1,17]->[^\\\\d]+\"}'";
    for value in [
        r#""{"name":"[1,17]->[^\\d]+"}""#,
        r#""{\"name\":\"[1,17]->[^\d]+\"}""#,
        r#""""{"name":"[1,17]->[^\d]+"}""""#,
    ] {
        let toml = format!("{SMALL}[call_centers.Main.translations]\nfrom = {value}\n");
        let told = told(&folder, &toml);
        assert!(told.len() == 1 && told[0].ends_with(single), "{value}: {told:?}");
    }
    // TOML is content with this one, and has taken the backslash away that JSON needs.
    let toml =
        format!("{SMALL}[call_centers.Main.translations]\nto = {}\n", r#""{\"name\":\"[1,17]->[^\\d]+\"}""#);
    let toml_told = told(&folder, &toml);
    assert!(toml_told[0].ends_with("; in the file in single quotes, not double ones"), "{toml_told:?}");
    let windows = format!("{SMALL}fallback_queue = \"a\\queue\"\n");
    assert!(told(&folder, &windows)[0].contains("in double quotes a backslash begins an escape"));
}

#[test]
fn the_form_of_a_key_and_a_certificate_is_told_with_the_line_that_changes_it() {
    let folder = Folder::new();
    let x509 = openssl::x509::X509::from_pem(&pairs()[0].certificate_pem).unwrap();
    folder.write("good.crt", &x509.to_der().unwrap());
    let escaped = String::from_utf8(pairs()[0].key_pem.clone()).unwrap().replace('\n', "\\n");
    folder.write("good.key", escaped.as_bytes());
    folder.write("good.ca", b"");
    assert_eq!(
        told(&folder, &format!("[http_client]\nca_file = \"{{dir}}/good.crt\"\n{SMALL}")),
        [
            "http_client.ca_file: holds the certificate in DER form, not PEM; openssl x509 -inform DER -in FILE -out NEW",
            "certificates.WebexCCSCV.private_key: holds \\n where its lines should end; printf '%b\\n' \"$(cat FILE)\" | openssl pkey -out NEW",
            "certificates.WebexCCSCV.certificate: holds the certificate in DER form, not PEM; openssl x509 -inform DER -in FILE -out NEW",
        ]
    );
}

/// A certificate as an authority gives it to a server, for the good key.
fn server_certificate(names: &[&str]) -> Vec<u8> {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::x509::X509;
    use openssl::x509::extension::SubjectAlternativeName;
    let key = PKey::private_key_from_pem(&pairs()[0].key_pem).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(now().as_second() - 1).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(now().as_second() + 90 * 86_400).unwrap()).unwrap();
    let mut alternatives = SubjectAlternativeName::new();
    for name in names {
        match name.parse::<std::net::IpAddr>() {
            Ok(_) => alternatives.ip(name),
            Err(_) => alternatives.dns(name),
        };
    }
    if !names.is_empty() {
        let extension = alternatives.build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

#[test]
fn a_tls_certificate_for_another_host_than_public_urls_is_worth_a_warning() {
    let folder = Folder::new();
    let warned = |names: &[&str], host: &str, more: &str| {
        folder.write("tls.crt", &server_certificate(names));
        let tls = "[server.tls]\ncertificate = \"{dir}/tls.crt\"\nprivate_key = \"{dir}/good.key\"";
        let server = format!("[server]\npublic_url = \"https://{host}\"\n{more}\n{tls}\n{SMALL}");
        folder.load(&server).unwrap().warnings(now()).join("\n")
    };
    for (names, host) in [
        (&["bridge.acme.com"][..], "bridge.acme.com"),
        (&["other.acme.com", "Bridge.acme.com"], "bridge.ACME.com:8443"),
        (&["*.acme.com"], "bridge.acme.com"),
        (&["192.0.2.7"], "192.0.2.7"),
        (&["2001:db8::7"], "[2001:db8::7]:8443"),
    ] {
        assert_eq!(warned(names, host, ""), "", "{names:?} {host}");
    }
    for (names, host) in [
        (&["bridge.acme.com"][..], "scv.acme.com"),
        (&["*.acme.com"], "a.b.acme.com"),
        (&["*.acme.com"], "acme.com"),
        (&["192.0.2.7"], "192.0.2.8"),
    ] {
        let told = warned(names, host, "");
        let expected =
            format!("server.tls.certificate: speaks for {}, not for {host}, the host", names.join(", "));
        assert!(told.starts_with(&expected), "{told}");
        assert_eq!(warned(names, host, "trusted_proxy = true"), "");
    }
    assert!(warned(&[], "bridge.acme.com", "").contains("speaks for no host (it has no subjectAltName)"));
}

#[test]
fn names_of_certificates_and_contact_centers_that_differ_in_capitals_are_what_was_meant() {
    let folder = Folder::new();
    for (from, to, key, meant) in [
        (
            "certificate = \"WebexCCSCV\"",
            "certificate = \"webexccscv\"",
            "call_centers.Main.certificate",
            "WebexCCSCV",
        ),
        ("[\"*\"]", "[\"MAIN\"]", "clients.webex-flow.call_centers", "Main"),
    ] {
        let told = told(&folder, &SMALL.replace(from, to));
        assert!(told.len() == 1 && told[0].starts_with(key), "{told:?}");
        assert!(told[0].ends_with(&format!("; did you mean \"{meant}\"?")), "{told:?}");
    }
    let section = told(&folder, &SMALL.replace("[certificates.WebexCCSCV]", "[certificate.WebexCCSCV]"));
    assert_eq!(
        section[0],
        "call_centers.Main.certificate: names no configured certificate: \"WebexCCSCV\"; use the name of a [certificates.NAME] section, or add one"
    );
    assert_eq!(section[1], "certificate: is not a known key; did you mean `certificates`?");
    let life = told(&folder, &format!("[server]\ncertificate = \"x\"\n{SMALL}"));
    assert!(
        life[0]
            .contains("`certificate` belongs to [call_centers.NAME], [certificates.NAME] and [server.tls]; "),
        "{life:?}"
    );
}

#[test]
fn the_url_of_a_database_is_looked_at_before_anybody_connects() {
    let folder = Folder::new();
    let store = |url: &str| told(&folder, &format!("[store]\nurl = '{url}'\n{SMALL}")).join("");
    for good in [
        "sqlite:data/My Bridge.db",
        "postgres://user:p%40ss@host/db",
        "postgres://user:p@ss@host/db",
        "postgresql://host/db?user=a@b&password=c@d",
        "postgres:///db?host=/run/postgresql",
    ] {
        assert_eq!(store(good), "", "{good}");
    }
    for signs in [
        "postgres://u:a/b@host/db",
        "postgres://u:a#b@host/db",
        "postgres://u:a?b@host/db",
        "postgres://u:1/2@host/db",
        "postgres://u:a?b=c@host/db",
    ] {
        assert!(
            store(signs).starts_with("store.url: has a user or password with a sign in it"),
            "{signs}: {}",
            store(signs)
        );
    }
    for (other, problem) in [
        ("mysql://u@host/db", "is not the URL of a database"),
        ("/var/lib/bridge.db", "is not the URL of a database"),
        ("postgres://host:port/db", "is not the URL of a database"),
        ("sqlite:", "names no file"),
        ("sqlite:x.db ", "begins or ends with a blank"),
    ] {
        assert!(
            store(other).starts_with(&format!("store.url: {problem} (it is not shown")),
            "{other}: {}",
            store(other)
        );
    }
    assert!(store("").starts_with("store.url: is empty; sqlite:PATH"), "{}", store(""));
    let file = told(&folder, &format!("[store]\nurl_file = \"\"\n{SMALL}"));
    assert!(file[0].starts_with("store.url_file: is empty"), "{file:?}");
    let default = folder.load(SMALL).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&default.store.url), "sqlite:data/bridge.db");
    folder.write("url", b" postgres://u@host/db\n");
    let file = told(&folder, &format!("[store]\nurl_file = \"{{dir}}/url\"\n{SMALL}"));
    assert!(file[0].starts_with("store.url_file: begins or ends with a blank"), "{file:?}");
}
