use std::time::Duration;

use proptest::prelude::*;

use super::super::value::{duration_text, parse_duration, shown};
use super::*;

#[test]
fn durations_are_a_whole_number_and_a_unit() {
    for (text, milliseconds) in [
        ("4500ms", 4500),
        ("10s", 10_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("30d", 2_592_000_000),
        ("0s", 0),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for text in [
        "",
        "10",
        "s",
        "1.5s",
        "-1s",
        " 1s",
        "1 s",
        "1S",
        "1w",
        "99999999999999999999s",
        "9999999999999999999h",
        "١s",
    ] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_duration_is_read_as_it_is_written(milliseconds in 0_u64..1 << 40) {
        let duration = Duration::from_millis(milliseconds);
        prop_assert_eq!(parse_duration(&duration_text(duration)), Ok(duration));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,40}") {
        let _ = parse_duration(&text);
        let _ = BaseUrl::parse(&text);
        let _ = OrgId::parse(&text);
        prop_assert!(shown(&text).len() < 1000);
    }
}

#[test]
fn upstreams_are_https_and_http_only_on_loopback() {
    for good in [
        "https://acme.my.salesforce-scrt.com/telephony/v1",
        "http://localhost:9000",
        "http://127.0.0.1:9000/x",
        "http://127.8.9.1",
        "http://[::1]:9000",
    ] {
        assert_eq!(BaseUrl::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "http://example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "ftp://example.com",
        "example.com",
        "https://",
        "https://user@example.com",
        "https://user:secret@example.com",
        "https://example.com?x=1",
        "https://example.com#x",
        "",
    ] {
        assert!(BaseUrl::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_slash_at_the_end_of_a_url_makes_no_difference() {
    let url = BaseUrl::parse("https://Example.com/telephony/v1/").unwrap();
    assert_eq!(url.as_str(), "https://example.com/telephony/v1");
    assert_eq!(url.host(), "example.com");
    assert_eq!(url.origin(), "https://example.com");
    assert_eq!(BaseUrl::parse("https://example.com:8443").unwrap().origin(), "https://example.com:8443");
}

#[test]
fn org_ids_have_15_characters_or_18_with_fitting_check_letters() {
    for good in ["00D000000000001", "00D000000000001EAA", "00D000000000001eaa", "00DAbCdEfGhIjKl"] {
        assert_eq!(OrgId::parse(good).unwrap().as_str(), good);
    }
    for bad in [
        "00D000000000001EAB",
        "00d000000000001EAA",
        "001000000000001",
        "00D00000000000",
        "00D-00000000001",
        "00D0000000000ä1",
    ] {
        assert!(OrgId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_client_may_use_what_it_was_given() {
    let folder = Folder::new();
    let settings = folder.load(&SMALL.replace("[\"*\"]", "[\"Main\"]")).unwrap();
    assert!(settings.clients[0].may_use("Main"));
    assert!(!settings.clients[0].may_use("Other"));
    assert!(folder.load(SMALL).unwrap().clients[0].may_use("Other"));
}

#[test]
fn plain_http_stays_on_loopback_unless_a_proxy_is_trusted() {
    let folder = Folder::new();
    let open = "[server]\nlisten = \"0.0.0.0:80\"\n[operations]\nlisten = \"[::]:81\"\n".to_owned() + SMALL;
    insta::assert_snapshot!(folder.problems(&open));
    folder.load(&open.replace("[operations]", "trusted_proxy = true\n[operations]")).unwrap();
    let tls =
        "[server.tls]\ncertificate = \"{dir}/good.crt\"\nprivate_key = \"{dir}/good.key\"\n[operations]";
    let settings = folder.load(&open.replace("[operations]", tls)).unwrap();
    assert!(settings.server.tls.is_some() && settings.operations.wants_tls());
}

#[test]
fn the_public_url_is_the_configured_one_or_that_of_the_listener() {
    let folder = Folder::new();
    let bound = "127.0.0.1:4321".parse().unwrap();
    assert_eq!(folder.load(SMALL).unwrap().server.base_url(bound), "http://127.0.0.1:4321");
    let named = format!("[server]\npublic_url = \"https://bridge.example.com/\"\n{SMALL}");
    assert_eq!(folder.load(&named).unwrap().server.base_url(bound), "https://bridge.example.com");
}

#[test]
fn a_certificate_with_few_days_left_is_a_warning() {
    let folder = Folder::new();
    assert_eq!(folder.load(SMALL).unwrap().warnings(now()), Vec::<String>::new());
    let settings = folder.load(&SMALL.replace("good.", "other.")).unwrap();
    assert_eq!(settings.warnings(now()).len(), 1);
    assert!(settings.warnings(now())[0].contains("certificates.WebexCCSCV: 20 days left"));
}

#[test]
fn a_host_that_is_not_salesforces_is_a_warning_unless_it_is_this_machine() {
    let folder = Folder::new();
    let with_host = |url: &str| {
        let toml = SMALL.replace("https://acme.my.salesforce-scrt.com", url);
        folder.load(&toml).unwrap().warnings(now())
    };
    assert_eq!(
        with_host("https://scrt.acme.com"),
        ["call_centers.Main.telephony_url: scrt.acme.com is not a host under *.my.salesforce-scrt.com"]
    );
    assert_eq!(with_host("http://127.0.0.1:9000"), Vec::<String>::new());
}

#[test]
fn two_listeners_do_not_share_an_address() {
    let toml = format!("[operations]\nlisten = \"127.0.0.1:8080\"\n{SMALL}");
    let folder = Folder::new();
    assert_eq!(folder.load(&toml).unwrap_err().as_slice()[0].problem, "is the address of [server]");
    let any =
        "[server]\nlisten = \"127.0.0.1:0\"\n[operations]\nlisten = \"127.0.0.1:0\"\n".to_owned() + SMALL;
    folder.load(&any).unwrap();
}
