use std::time::Duration;

use super::*;

#[test]
fn the_file_stands_above_the_defaults_and_a_variable_above_both() {
    let folder = Folder::new();
    let defaults = folder.load(SMALL).unwrap();
    assert_eq!(defaults.server.listen.to_string(), "127.0.0.1:8080");
    let file = format!("[server]\nlisten = \"127.0.0.1:1\"\n[deadlines]\nclear_routing = \"1s\"\n{SMALL}");
    let settings = folder.load(&file).unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:1");
    assert_eq!(settings.deadlines.clear_routing, Duration::from_secs(1));
    assert_eq!(settings.deadlines.agent_answered, defaults.deadlines.agent_answered);
    let mut source = folder.source(&file);
    source.environment = vec![("SCV_BRIDGE__SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
    assert_eq!(load(&source).unwrap().server.listen.to_string(), "127.0.0.1:2");
}

#[test]
fn variables_set_texts_numbers_switches_durations_and_keys_of_sections_not_there_yet() {
    let variables = [
        ("SCV_BRIDGE__SERVER__WORKERS", "3"),
        ("SCV_BRIDGE__SERVER__TRUSTED_PROXY", "true"),
        ("SCV_BRIDGE__SERVER__LISTEN", "0.0.0.0:8080"),
        ("SCV_BRIDGE__LOGS__FORMAT", "text"),
        ("SCV_BRIDGE__DEADLINES__CREATE_VOICE_CALL", "3s"),
        ("SCV_BRIDGE__WEBEX__GRACE", "0s"),
    ];
    let settings = load_with(&Folder::new(), &variables).unwrap();
    assert_eq!(settings.server.workers, 3);
    assert!(settings.server.trusted_proxy);
    assert_eq!(settings.logs.format, LogFormat::Text);
    assert_eq!(settings.deadlines.create_voice_call, Duration::from_secs(3));
    assert_eq!(settings.webex.unwrap().grace, Duration::ZERO);
}

#[test]
fn what_variables_cannot_set_is_a_problem_under_their_name() {
    let variables = [
        ("SCV_BRIDGE__SERVER__LISTN", "127.0.0.1:1"),
        ("SCV_BRIDGE__SERVER__WORKERS", "many"),
        ("SCV_BRIDGE__SERVER__LISTEN__PORT", "1"),
        ("SCV_BRIDGE__SERVER__TRUSTED_PROXY", "yes"),
        ("SCV_BRIDGE__SERVER", "x"),
        ("SCV_BRIDGE__NOTHING", "x"),
        ("SCV_BRIDGE__NOWHERE__LISTEN", "x"),
        ("SCV_BRIDGE__", "x"),
        ("SCV_BRIDGE__SERVER__A.B[3]", "x"),
        ("SCV_BRIDGE__CALL_CENTERS__MAIN__ORG_ID", "x"),
        ("SCV_BRIDGE__CLIENTS", "x"),
        ("SCV_BRIDGE__WEBEX__WEBHOOK_SECRETS", "x"),
        ("SCV_BRIDGE__DEADLINES__CLEAR_ROUTING", "soon"),
    ];
    let folder = Folder::new();
    let problems = load_with(&folder, &variables).unwrap_err();
    insta::assert_snapshot!(folder.neutral(&problems.to_string()));
}

#[test]
fn variables_of_others_are_not_looked_at() {
    let variables = [
        ("SCV_BRIDGE_SERVICE_HOST", "10.0.0.1"),
        ("SCV_BRIDGE_PORT", "tcp://10.0.0.1:80"),
        ("SCV_BRIDGE_CONFIG", "elsewhere.toml"),
        ("PATH", "/bin"),
    ];
    load_with(&Folder::new(), &variables).unwrap();
}

#[test]
fn the_file_is_named_by_argument_then_variable_then_habit() {
    let variable = vec![("SCV_BRIDGE_CONFIG".to_owned(), "variable.toml".to_owned())];
    let empty = vec![("SCV_BRIDGE_CONFIG".to_owned(), String::new())];
    let argument = Some(PathBuf::from("argument.toml"));
    assert_eq!(configuration_file(argument, &variable), PathBuf::from("argument.toml"));
    assert_eq!(configuration_file(None, &variable), PathBuf::from("variable.toml"));
    assert_eq!(configuration_file(None, &empty), PathBuf::from("config/bridge.toml"));
    assert_eq!(configuration_file(None, &[]), PathBuf::from("config/bridge.toml"));
}

#[test]
fn a_contact_center_takes_its_token_from_the_general_one_but_for_what_it_says_itself() {
    let toml = format!(
        "{SMALL}[call_centers.Main.token]\njti = true\n[token]\naudience = \"https://scrt.salesforce.com\"\n"
    );
    let settings = Folder::new().load(&toml).unwrap();
    let Api::Telephony(telephony) = &settings.call_centers["Main"].api else {
        panic!("api = telephony");
    };
    let expected = Token {
        life: Duration::from_secs(180),
        jti: true,
        audience: Some("https://scrt.salesforce.com".to_owned()),
    };
    assert_eq!(telephony.token, expected);
}
