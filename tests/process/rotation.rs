//! The real program changes while it runs: told by a signal, or by what happens to its files.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use reqwest::{Certificate, Client, Identity};
use serde_json::json;

use super::authority::{Authority, Holder};
use super::flow::{DNIS, Flow};
use super::program::eventually;
use super::site::{SECRET, Service, Site};

const OFF: (&str, &str) = ("SCV_BRIDGE__ROTATION__WATCH", "off");
/// So that only what the system tells counts.
const EVENTS: (&str, &str) = ("SCV_BRIDGE__ROTATION__POLL", "1h");
const TLS: [(&str, &str); 2] = [
    ("SCV_BRIDGE__SERVER__TLS__CERTIFICATE", "mounted/tls.crt"),
    ("SCV_BRIDGE__SERVER__TLS__PRIVATE_KEY", "mounted/tls.key"),
];

/// Mounts a secret as Kubernetes does: files behind a link, which is swapped.
fn mount(site: &Site, version: &str, files: &[(&str, Vec<u8>)]) {
    let mounted = site.path().join("mounted");
    fs::create_dir_all(mounted.join(version)).unwrap();
    for (name, content) in files {
        fs::write(mounted.join(version).join(name), content).unwrap();
        let link = mounted.join(name);
        if !link.is_symlink() {
            symlink(format!("..data/{name}"), link).unwrap();
        }
    }
    symlink(version, mounted.join("..data_tmp")).unwrap();
    fs::rename(mounted.join("..data_tmp"), mounted.join("..data")).unwrap();
}

fn mount_tls(site: &Site, version: &str, authority: &Authority) -> X509 {
    let holder = authority.issue("localhost");
    mount(site, version, &[("tls.crt", authority.chain(&holder)), ("tls.key", holder.key_pem())]);
    holder.certificate
}

/// The certificate that the listener shows, to a client that names a host or to one that does not.
fn shown(address: SocketAddr, host: bool) -> X509 {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    let mut configured = builder.build().configure().unwrap();
    configured.set_use_server_name_indication(host);
    configured.set_verify_hostname(false);
    let stream = configured.connect("localhost", TcpStream::connect(address).unwrap()).unwrap();
    stream.ssl().peer_certificate().unwrap()
}

fn trusting(authority: &Authority) -> reqwest::ClientBuilder {
    Client::builder().tls_certs_only([Certificate::from_pem(&authority.root_pem()).unwrap()])
}

fn https(client: Client, service: &Service) -> Flow {
    Flow::new(client, format!("https://{}", service.public))
}

#[actix_web::test]
async fn a_new_certificate_of_the_listener_under_load_loses_no_request() {
    let authority = Authority::new();
    let site = Site::open().await;
    let first = mount_tls(&site, "..1", &authority);
    let service = site.serve(&[TLS[0], TLS[1], EVENTS]).await;
    let (ending, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    // Two keep their connections; two make a new one for each request.
    let clients = [
        trusting(&authority),
        trusting(&authority).http1_only(),
        trusting(&authority).pool_max_idle_per_host(0),
        trusting(&authority).http1_only().pool_max_idle_per_host(0),
    ];
    let flows: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, client)| {
            let flow = https(client.build().unwrap(), &service);
            let (ending, answered) = (Arc::clone(&ending), Arc::clone(&answered));
            actix_web::rt::spawn(async move {
                let mut failures = Vec::new();
                let key = format!("wxcc_{number}");
                // The org limits creates, and nothing else.
                failures.extend(Some(flow.create(&key).await).filter(|(status, _)| *status != 200));
                let body = json!({
                    "callCenterDevName": "WxCCContactCenterSCV",
                    "voiceCallId": key,
                    "dialedNumber": DNIS,
                });
                while !ending.load(Ordering::Acquire) {
                    // A connection that breaks panics, and that is told below.
                    let answer = flow.post("executeOmniFlow", &body).await;
                    failures.extend(Some(answer).filter(|(status, _)| *status != 200));
                    answered.fetch_add(1, Ordering::AcqRel);
                }
                failures
            })
        })
        .collect();
    let further = async |requests: usize| {
        let until = answered.load(Ordering::Acquire) + requests;
        eventually("further answers", async || answered.load(Ordering::Acquire) >= until).await;
    };
    further(20).await;
    assert!(shown(service.public, true) == first);
    let mut shown_last = first;
    for version in ["..2", "..3"] {
        let next = mount_tls(&site, version, &authority);
        eventually("the new certificate is shown", async || shown(service.public, true) == next).await;
        assert!(shown(service.public, false) == next, "to a client that names no host too");
        assert!(shown_last != next);
        shown_last = next;
        further(20).await;
    }
    ending.store(true, Ordering::Release);
    for flow in flows {
        assert_eq!(flow.await.unwrap(), []);
    }
    // Who offers HTTP/2 too is answered by HTTP/1.1 still.
    let answer =
        trusting(&authority).build().unwrap().get(format!("https://{}/livez", service.public)).send();
    assert_eq!(answer.await.unwrap().version(), reqwest::Version::HTTP_11);
}

#[actix_web::test]
async fn authorities_of_clients_change_without_a_restart() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let site = Site::open().await;
    mount_tls(&site, "..1", &authority);
    site.write("clients.pem", old.root_pem());
    let client_ca = ("SCV_BRIDGE__SERVER__TLS__CLIENT_CA", "clients.pem");
    let mut service = site.serve(&[TLS[0], TLS[1], client_ca, OFF]).await;
    let with = |authority_of: &Authority, holder: &Holder| {
        let identity = Identity::from_pkcs8_pem(&authority_of.chain(holder), &holder.key_pem()).unwrap();
        trusting(&authority).identity(identity).pool_max_idle_per_host(0).build().unwrap()
    };
    let (olds, news) = (with(&old, &old.issue("webex")), with(&new, &new.issue("webex")));
    assert_eq!(https(olds.clone(), &service).create("wxcc_1").await.0, 200);
    assert!(https(news.clone(), &service).refused().await);
    site.write("clients.pem", new.root_pem());
    service.program.hang_up();
    service.program.line_with("the configuration was read again").await;
    assert_eq!(https(news, &service).create("wxcc_2").await.0, 200);
    assert!(https(olds, &service).refused().await);
}

/// What the openssl program tells of a connection with the client's certificate, over TLS 1.2: there a session is there
/// as soon as the handshake is through.
fn s_client(site: &Site, service: &Service, session: &str) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-cert", "client.pem", "-key", "client.key", session, "session.pem"])
        .args(["-connect", &service.public.to_string()])
        .current_dir(site.path())
        .stdin(Stdio::null())
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

#[actix_web::test]
async fn a_session_under_an_authority_that_is_gone_is_not_taken_up_again() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let site = Site::open().await;
    mount_tls(&site, "..1", &authority);
    let client = old.issue("webex");
    site.write("client.pem", client.certificate.to_pem().unwrap());
    site.write("client.key", client.key_pem());
    let trusted = |authorities: &[&Authority]| {
        site.write("clients.pem", authorities.iter().flat_map(|one| one.chain_pem()).collect::<Vec<_>>());
    };
    trusted(&[&old]);
    let client_ca = ("SCV_BRIDGE__SERVER__TLS__CLIENT_CA", "clients.pem");
    let mut service = site.serve(&[TLS[0], TLS[1], client_ca, OFF]).await;
    assert!(s_client(&site, &service, "-sess_out").contains("New, TLSv1.2"));
    assert!(s_client(&site, &service, "-sess_in").contains("Reused, TLSv1.2"), "nothing has changed");
    trusted(&[&new]);
    service.program.hang_up();
    service.program.line_with("the configuration was read again").await;
    assert!(!s_client(&site, &service, "-sess_in").contains("Reused"));
}

#[actix_web::test]
async fn sighup_reads_the_configuration_again_and_refuses_a_bad_one() {
    let site = Site::open().await;
    let mut service = site.serve(&[OFF]).await;
    let good = site.configuration();
    site.write("bridge.toml", good.replace("\"webex-flow\"", "\"other-flow\""));
    service.program.hang_up();
    service.program.line_with("the configuration was read again and runs").await;
    assert_eq!(service.flow().create("wxcc_1").await.0, 401);

    site.write("bridge.toml", good.replace("org_id", "orgid"));
    service.program.hang_up();
    let line = service.program.line_with("the new configuration is refused").await;
    assert!(line.contains("orgid") || line.contains("org_id"), "{line}");
    let metrics = service.text("/metrics").await;
    assert!(metrics.contains("scv_bridge_configuration_current 0"), "{metrics}");
    assert!(service.text("/readyz").await.contains("\"refused\""));
    let body = super::flow::create("WxCCContactCenterSCV", "wxcc_2").to_string();
    let other = service.flow();
    let (status, _) = other.with_credentials("/voice/v1/createVoiceCall", body, "other-flow", SECRET).await;
    assert_eq!(status, 200, "what ran before runs on");

    site.write("bridge.toml", good);
    service.program.hang_up();
    service.program.line_with("the configuration was read again and runs").await;
    assert_eq!(service.flow().create("wxcc_3").await.0, 200);
}

#[actix_web::test]
async fn a_file_that_changes_is_noticed_and_one_that_comes_too_late_mends_it() {
    let site = Site::open().await;
    let mut service = site.serve(&[EVENTS]).await;
    let text = site.configuration();
    site.write("bridge.toml", text.replace("\"consumer_key\"", "\"consumer_key_2027\""));
    let line = service.program.line_with("the new configuration is refused").await;
    assert!(line.contains("consumer_key_file"), "{line}");
    site.write("consumer_key_2027", super::site::CONSUMER_KEY);
    service.program.line_with("the configuration was read again and runs").await;
}
