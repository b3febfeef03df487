//! The listener with `[server.tls]` as the `openssl` program sees it: what a security officer would try.

use std::process::{Command, Output, Stdio};

use super::authority::Authority;
use super::site::{Service, Site};

const TLS: [(&str, &str); 2] = [
    ("SCV_BRIDGE__SERVER__TLS__CERTIFICATE", "tls.crt"),
    ("SCV_BRIDGE__SERVER__TLS__PRIVATE_KEY", "tls.key"),
];
const CLIENT_CA: (&str, &str) = ("SCV_BRIDGE__SERVER__TLS__CLIENT_CA", "clients.pem");
/// Our own side would refuse what is old before the bridge can.
const ANYTHING: [&str; 2] = ["-cipher", "ALL:@SECLEVEL=0"];

/// A site with an ECDSA certificate of an authority, which is in `root.pem`.
async fn site() -> Site {
    let (site, authority) = (Site::open().await, Authority::new());
    let holder = authority.issue("localhost");
    site.write("tls.crt", authority.chain(&holder));
    site.write("tls.key", holder.key_pem());
    site.write("root.pem", authority.root_pem());
    site
}

/// Runs `openssl s_client` with nothing to say.
fn s_client(site: &Site, service: &Service, options: &[&str]) -> Output {
    let address = service.public.to_string();
    let mut command = Command::new("openssl");
    command.current_dir(site.path()).stdin(Stdio::null());
    command.args(["s_client", "-connect", &address, "-servername", "localhost", "-CAfile", "root.pem"]);
    command.args(options).output().unwrap()
}

/// All it has said.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[actix_web::test]
async fn nothing_below_tls_1_2_is_spoken() {
    let site = site().await;
    let service = site.serve(&TLS).await;
    for old in ["-tls1", "-tls1_1"] {
        let tried = s_client(&site, &service, &[&[old], &ANYTHING[..]].concat());
        assert!(!tried.status.success(), "{old}");
        assert!(said(&tried).contains("alert protocol version"), "{old}: {}", said(&tried));
    }
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let spoken = s_client(&site, &service, &[version]);
        assert!(spoken.status.success(), "{}", said(&spoken));
        assert!(said(&spoken).contains(&format!("New, {name}, Cipher is ")), "{}", said(&spoken));
    }
}

#[actix_web::test]
async fn the_chain_is_complete_for_who_has_the_root_alone() {
    let site = site().await;
    let service = site.serve(&TLS).await;
    let options = ["-showcerts", "-verify_return_error", "-verify_hostname", "localhost"];
    let seen = said(&s_client(&site, &service, &options));
    assert!(seen.contains("Verify return code: 0 (ok)"), "{seen}");
    assert_eq!(seen.matches("-----BEGIN CERTIFICATE-----").count(), 2, "{seen}");
}

#[actix_web::test]
async fn nothing_is_compressed_and_no_client_negotiates_again() {
    let site = site().await;
    let service = site.serve(&TLS).await;
    let seen = said(&s_client(&site, &service, &["-tls1_2", "-comp"]));
    assert!(seen.contains("Compression: NONE") && seen.contains("Expansion: NONE"), "{seen}");
    assert!(seen.contains("Secure Renegotiation IS supported"), "{seen}");
}

/// Every cipher of TLS 1.2 that this OpenSSL knows, the broken ones too, with both kinds of keys.
#[actix_web::test]
async fn of_tls_1_2_only_ciphers_with_forward_secrecy_and_authenticated_encryption_are_taken() {
    let known = Command::new("openssl").args(["ciphers", "-tls1_2", ANYTHING[1]]).output().unwrap();
    let known = String::from_utf8(known.stdout).unwrap();
    let known: Vec<&str> = known.trim().split(':').filter(|name| !name.starts_with("TLS_")).collect();
    assert!(known.len() > 30 && known.contains(&"AES128-SHA"), "{known:?}");
    for keys in ["ECDSA", "RSA"] {
        let site = site().await;
        if keys == "RSA" {
            std::fs::copy(site.path().join("signing.crt"), site.path().join("tls.crt")).unwrap();
            site.write("tls.key", &site.key_pem);
        }
        let service = site.serve(&TLS).await;
        let takes = |cipher: &str| {
            let cipher = format!("{cipher}:@SECLEVEL=0");
            s_client(&site, &service, &["-tls1_2", "-cipher", &cipher]).status.success()
        };
        let taken: Vec<&str> = known.iter().copied().filter(|cipher| takes(cipher)).collect();
        let modern = |name: &str| {
            (name.starts_with("ECDHE-") || name.starts_with("DHE-"))
                && (name.contains("-GCM-") || name.ends_with("-CHACHA20-POLY1305"))
        };
        assert!(taken.iter().all(|name| modern(name)), "{taken:?}");
        for name in ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"] {
            assert!(
                taken.contains(&format!("ECDHE-{keys}-{name}").as_str()),
                "{name} is not among {taken:?}"
            );
        }
    }
}

#[actix_web::test]
async fn with_client_ca_a_certificate_of_it_is_asked_for_and_needed() {
    let (site, clients, others) = (site().await, Authority::new(), Authority::new());
    site.write("clients.pem", clients.root_pem());
    for (name, authority) in [("client", &clients), ("other", &others)] {
        let holder = authority.issue(name);
        site.write(&format!("{name}.crt"), authority.chain(&holder));
        site.write(&format!("{name}.key"), holder.key_pem());
    }
    let service = site.serve(&[TLS[0], TLS[1], CLIENT_CA]).await;
    for version in ["-tls1_2", "-tls1_3"] {
        let with = |name: &str| {
            let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
            let chain = ["-cert", &certificate, "-key", &key, "-cert_chain", &certificate];
            // With TLS 1.3 the refusal comes after the handshake: it must be waited for.
            let page = ["-ign_eof", "-quiet", "-no_ticket", version];
            let mut command = Command::new("openssl");
            command.current_dir(site.path()).args(["s_client", "-connect", &service.public.to_string()]);
            command.args(["-servername", "localhost", "-CAfile", "root.pem"]).args(page);
            if !name.is_empty() {
                command.args(chain);
            }
            get(command)
        };
        assert!(with("client").contains("HTTP/1.1 200 OK"), "{version}");
        for name in ["", "other"] {
            let refused = with(name);
            let alerted = refused.contains("SSL alert number");
            assert!(alerted && !refused.contains("HTTP/1.1"), "{version} {name}: {refused}");
        }
    }
}

/// Asks for a page and waits for the end.
fn get(mut command: Command) -> String {
    use std::io::Write as _;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    // Who is refused may be gone before it has read.
    let _ = child.stdin.take().unwrap().write_all(request);
    said(&child.wait_with_output().unwrap())
}
