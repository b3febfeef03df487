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
