//! The listener with `[server.tls]`.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslStream, SslVersion};
use reqwest::{Certificate, Client, ClientBuilder, Identity};

use super::authority::{Authority, Holder};
use super::flow::Flow;
use super::program::eventually;
use super::site::{Service, Site};

const TLS: [(&str, &str); 2] = [
    ("SCV_BRIDGE__SERVER__TLS__CERTIFICATE", "tls.crt"),
    ("SCV_BRIDGE__SERVER__TLS__PRIVATE_KEY", "tls.key"),
];
const CLIENT_CA: (&str, &str) = ("SCV_BRIDGE__SERVER__TLS__CLIENT_CA", "clients.pem");

/// A site whose listener has a certificate of this authority.
async fn site(authority: &Authority) -> Site {
    let site = Site::open().await;
    let holder = authority.issue("localhost");
    site.write("tls.crt", authority.chain(&holder));
    site.write("tls.key", holder.key_pem());
    site
}

/// A client that trusts this authority and nobody else.
fn trusting(authority: &Authority) -> ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(&authority.root_pem()).unwrap()])
}

fn url(service: &Service) -> String {
    format!("https://{}", service.public)
}

type Handshake = Result<SslStream<TcpStream>, HandshakeError<TcpStream>>;

fn handshake(address: SocketAddr, set: impl FnOnce(&mut openssl::ssl::SslConnectorBuilder)) -> Handshake {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    set(&mut builder);
    builder.build().connect("localhost", TcpStream::connect(address).unwrap())
}

#[actix_web::test]
async fn https_works_for_who_trusts_the_root_whether_or_not_it_offers_http_2() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    for (client, key) in [(trusting(&authority), "wxcc_h2"), (trusting(&authority).http1_only(), "wxcc_h1")] {
        let flow = Flow::new(client.build().unwrap(), url(&service));
        assert_eq!(flow.create(key).await.0, 200, "{key}");
    }
    let stranger = trusting(&Authority::new()).build().unwrap();
    assert!(stranger.get(url(&service)).send().await.is_err());
}

#[actix_web::test]
async fn the_whole_chain_is_sent() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    let stream = handshake(service.public, |builder| {
        builder.cert_store_mut().add_cert(authority.root.clone()).unwrap();
    });
    let stream = stream.unwrap();
    let sent = stream.ssl().peer_cert_chain().unwrap();
    let names: Vec<_> = sent.iter().map(|one| format!("{:?}", one.subject_name())).collect();
    assert_eq!(names, ["[commonName = \"localhost\"]", "[commonName = \"between\"]"]);
}

#[actix_web::test]
async fn tls_1_1_is_refused_and_1_2_is_not() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    let at = |version| {
        handshake(service.public, |builder| {
            builder.cert_store_mut().add_cert(authority.root.clone()).unwrap();
            // Without this our own side would refuse it already.
            builder.set_cipher_list("DEFAULT:@SECLEVEL=0").unwrap();
            builder.set_min_proto_version(Some(version)).unwrap();
            builder.set_max_proto_version(Some(version)).unwrap();
        })
    };
    let refused = at(SslVersion::TLS1_1).unwrap_err().to_string();
    assert!(refused.contains("alert protocol version"), "{refused}");
    assert_eq!(at(SslVersion::TLS1_2).unwrap().ssl().version_str(), "TLSv1.2");
    assert_eq!(at(SslVersion::TLS1_3).unwrap().ssl().version_str(), "TLSv1.3");
}

#[actix_web::test]
async fn with_client_ca_only_its_clients_are_served() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let site = site(&authority).await;
    site.write("clients.pem", clients.root_pem());
    let service = site.serve(&[TLS[0], TLS[1], CLIENT_CA]).await;
    let with = |authority_of: &Authority, holder: &Holder| {
        let identity = Identity::from_pkcs8_pem(&authority_of.chain(holder), &holder.key_pem()).unwrap();
        Flow::new(trusting(&authority).identity(identity).build().unwrap(), url(&service))
    };
    let (status, _) = with(&clients, &clients.issue("webex")).create("wxcc_1").await;
    assert_eq!(status, 200);
    let without = Flow::new(trusting(&authority).build().unwrap(), url(&service));
    assert!(without.refused().await, "without a certificate");
    assert!(with(&authority, &authority.issue("other")).refused().await, "with another's certificate");
}

#[actix_web::test]
async fn a_handshake_that_fails_has_a_line_with_its_reason_and_is_counted() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    let mut plain = TcpStream::connect(service.public).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\n\r\n").unwrap();
    wait_for_the_end(plain);
    // Trusts nobody.
    assert!(handshake(service.public, |_| {}).is_err());
    // Only looks whether the port is open.
    drop(TcpStream::connect(service.public).unwrap());
    let counted = |metrics: &str, reason: &str| {
        let name = "scv_bridge_tls_handshake_failures_total";
        metrics.contains(&format!("{name}{{listener=\"public\",reason=\"{reason}\"}} 1\n"))
    };
    let reasons = ["not_tls", "certificate", "closed"];
    eventually("all are counted", async || {
        let metrics = service.text("/metrics").await;
        reasons.iter().all(|reason| counted(&metrics, reason))
    })
    .await;
    let (_, said) = service.stop().await;
    let told: Vec<&str> = said.lines().filter(|line| line.contains("a TLS handshake failed")).collect();
    assert_eq!(told.len(), 2, "a look at the port is not worth a line: {told:?}");
    for (line, reason) in told.iter().zip(reasons) {
        assert!(line.contains(reason) && line.contains("127.0.0.1"), "{line}");
    }
}

#[actix_web::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    let client = trusting(&authority).build().unwrap();
    let flow = Flow::new(client.clone(), url(&service));
    assert_eq!(flow.create("wxcc_1").await.0, 200);
    let answer = client.get(format!("{}/livez", url(&service))).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"status":"alive"}"#);
    let (code, _) = service.stop().await;
    assert_eq!(code, Some(0));
    drop(client);
}

/// Reads until the other side ends the connection; fails if it does not.
fn wait_for_the_end(mut stream: impl Read) {
    let mut part = [0; 1024];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("still connected: {error}"),
        }
    }
}

/// Patience of the bridge, and ours, which is far longer.
const IMPATIENT: (&str, &str) = ("SCV_BRIDGE__SERVER__CLIENT_TIMEOUT", "300ms");
const OURS: Option<Duration> = Some(Duration::from_secs(20));

#[actix_web::test]
async fn a_handshake_that_does_not_begin_is_not_waited_for() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&[TLS[0], TLS[1], IMPATIENT]).await;
    let silent = TcpStream::connect(service.public).unwrap();
    silent.set_read_timeout(OURS).unwrap();
    wait_for_the_end(silent);
}

/// Its streams cannot be bounded: a client without credentials could fill memory with them.
#[actix_web::test]
async fn http_2_is_not_spoken() {
    let authority = Authority::new();
    let site = site(&authority).await;
    let service = site.serve(&TLS).await;
    let offering = |protocols: &'static [u8]| {
        handshake(service.public, |builder| {
            builder.cert_store_mut().add_cert(authority.root.clone()).unwrap();
            builder.set_alpn_protos(protocols).unwrap();
        })
    };
    assert!(offering(b"\x02h2").is_err(), "no_application_protocol");
    let mut stream = offering(b"\x02h2\x08http/1.1").unwrap();
    assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"http/1.1"[..]));
    // Whoever goes on with it all the same gets an answer, and no connection.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    stream.get_ref().set_read_timeout(OURS).unwrap();
    wait_for_the_end(stream);
}

/// A client whose certificate is its only way in.
const NAMED: &str = r#"
            [[clients]]
            id = "named"
            certificate_names = ["flow.example.com"]
            call_centers = ["WxCCContactCenterSCV"]
"#;

#[actix_web::test]
async fn a_name_in_a_certificate_is_a_way_in_by_itself_and_a_way_to_a_token() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let site = site(&authority).await;
    site.write("clients.pem", clients.root_pem());
    site.write("bridge.toml", site.configuration() + NAMED);
    let service = site.serve(&[TLS[0], TLS[1], CLIENT_CA]).await;
    let of = |name: &str, builder: ClientBuilder| {
        let holder = clients.issue(name);
        let identity = Identity::from_pkcs8_pem(&clients.chain(&holder), &holder.key_pem()).unwrap();
        builder.identity(identity).build().unwrap()
    };
    let validate = format!("{}/voice/v1/validate", url(&service));
    for builder in [trusting(&authority), trusting(&authority).http1_only()] {
        let known = of("flow.example.com", builder);
        assert_eq!(known.get(&validate).send().await.unwrap().status(), 200);
        // The header decides where there is one.
        let wrong = known.get(&validate).basic_auth("named", Some("wrong"));
        assert_eq!(wrong.send().await.unwrap().status(), 401);
        let asked = known
            .post(format!("{}/oauth2/token", url(&service)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&client_id=named");
        assert_eq!(asked.send().await.unwrap().status(), 200);
    }
    let unknown = of("other.example.com", trusting(&authority));
    assert_eq!(unknown.get(&validate).send().await.unwrap().status(), 401);
}

#[actix_web::test]
async fn a_session_is_taken_up_again_with_its_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let site = site(&authority).await;
    site.write("clients.pem", clients.root_pem());
    site.write("bridge.toml", site.configuration() + NAMED);
    let service = site.serve(&[TLS[0], TLS[1], CLIENT_CA]).await;
    let holder = clients.issue("flow.example.com");
    site.write("client.crt", clients.chain(&holder));
    site.write("client.key", holder.key_pem());
    site.write("root.crt", authority.root_pem());
    let first = s_client(&site, &service, &["-sess_out", "session"]);
    assert!(first.contains("HTTP/1.1 200 ") && first.contains("\nNew, TLSv1.2"), "{first}");
    let again = s_client(&site, &service, &["-sess_in", "session"]);
    assert!(again.contains("HTTP/1.1 200 ") && again.contains("\nReused, TLSv1.2"), "{again}");
}

/// What `openssl s_client` says when it validates its certificate. With TLS 1.2 the session is there when the handshake
/// ends.
fn s_client(site: &Site, service: &Service, more: &[&str]) -> String {
    let request = b"GET /voice/v1/validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut child = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-ign_eof", "-servername", "localhost", "-CAfile", "root.crt"])
        .args(["-cert", "client.crt", "-cert_chain", "client.crt", "-key", "client.key"])
        .args(["-connect", &service.public.to_string()])
        .args(more)
        .current_dir(site.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(request).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}
