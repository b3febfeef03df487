//! The way from Webex to the bridge: its certificate as somebody sees it who knows public authorities only.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;

use super::*;
use crate::authority::Authority;

/// What a proxy shows.
#[derive(Clone, Copy)]
enum Shows {
    /// The certificate with the one in between.
    Chain,
    /// The certificate alone.
    Leaf,
}

/// A proxy with a certificate of this authority, which answers everything so. It runs as long as the tests do.
fn proxy(authority: &Authority, shows: Shows, answer: &'static str) -> u16 {
    let holder = authority.issue("localhost");
    let chain = X509::stack_from_pem(&authority.chain(&holder)).unwrap();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    builder.set_certificate(&holder.certificate).unwrap();
    if matches!(shows, Shows::Chain) {
        builder.add_extra_chain_cert(chain[1].clone()).unwrap();
    }
    builder.set_private_key(&holder.key).unwrap();
    let acceptor = builder.build();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who only looks at the certificate, or refuses it, goes away again.
            if let Ok(mut stream) = acceptor.accept(stream)
                && stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0)
            {
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.shutdown();
            }
        }
    });
    port
}

const ALIVE: &str =
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 18\r\n\r\n{\"status\":\"alive\"}";
const STRANGER: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A set-up that is known under this address, where this authority counts as public.
async fn known_as(url: &str, authority: &Authority) -> Setup {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change("[operations]", &format!("public_url = \"{url}\"\n[operations]"));
    setup.questions.public_roots = vec![authority.root.clone()];
    setup
}

#[actix_web::test]
async fn a_whole_chain_for_the_right_name_in_front_of_the_bridge_gives_no_finding() {
    let authority = Authority::new();
    let port = proxy(&authority, Shows::Chain, ALIVE);
    let setup = known_as(&format!("https://localhost:{port}"), &authority).await;
    let text = setup.nothing_wrong().await.text(true);
    assert!(text.contains("trusted with its whole chain") && text.contains("the bridge answers"), "{text}");
}

#[actix_web::test]
async fn the_certificate_in_between_is_missing() {
    let authority = Authority::new();
    let port = proxy(&authority, Shows::Leaf, ALIVE);
    let setup = known_as(&format!("https://localhost:{port}"), &authority).await;
    setup
        .fault()
        .await
        .is(Code::PublicChain, "incomplete-chain", "without those up to the root", "fullchain.pem")
        .seen("unable to get local issuer certificate")
        .hides(Code::PublicAnswer);
}

#[actix_web::test]
async fn the_certificate_is_for_another_name() {
    let authority = Authority::new();
    let port = proxy(&authority, Shows::Chain, ALIVE);
    let setup = known_as(&format!("https://127.0.0.2:{port}"), &authority).await;
    let found = setup.fault().await;
    found.is(Code::PublicChain, "other-name", "made for another name", "get a certificate for 127.0.0.2");
    assert!(found.row.finding.what.full().ends_with("shows a certificate for localhost, 127.0.0.1"));
}

#[actix_web::test]
async fn the_authority_is_nobodys() {
    let (authority, own) = (Authority::new(), Authority::new());
    let port = proxy(&own, Shows::Chain, ALIVE);
    let setup = known_as(&format!("https://localhost:{port}"), &authority).await;
    setup.fault().await.is(Code::PublicChain, "untrusted", "an authority of your own", "public authority");
}

#[actix_web::test]
async fn plain_http_is_spoken_where_https_is_promised() {
    let authority = Authority::new();
    let mut setup = known_as("https://localhost:1", &authority).await;
    let port = setup.org.url().rsplit(':').next().unwrap().to_owned();
    setup.change("https://localhost:1", &format!("https://localhost:{port}"));
    setup.fault().await.is(Code::PublicChain, "no-tls", "plain HTTP", "[server.tls]");
}

#[actix_web::test]
async fn somebody_else_answers() {
    let authority = Authority::new();
    let port = proxy(&authority, Shows::Chain, STRANGER);
    let setup = known_as(&format!("https://localhost:{port}"), &authority).await;
    setup.fault().await.is(
        Code::PublicAnswer,
        "not-the-bridge",
        "leads this name or path elsewhere",
        "server.listen",
    );
}

#[actix_web::test]
async fn the_listeners_own_certificate_is_for_another_name() {
    let authority = Authority::new();
    let mut setup = known_as("https://bridge.acme.test", &authority).await;
    let holder = authority.issue("localhost");
    let [chain, key] = ["tls.crt", "tls.key"].map(|name| setup.folder.path().join(name));
    std::fs::write(&chain, authority.chain(&holder)).unwrap();
    std::fs::write(&key, holder.key_pem()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // The clock of the tests stands still before the certificates of an authority begin.
    setup.clock.advance(Duration::from_secs(20 * 86_400));
    setup.add(&format!("[server.tls]\ncertificate = {chain:?}\nprivate_key = {key:?}"));
    setup.questions.offline = true;
    setup.fault().await.is(
        Code::PublicAddress,
        "name",
        "made for another name",
        "get a certificate for bridge.acme.test",
    );
}

#[actix_web::test]
async fn webex_takes_no_other_port() {
    let setup = known_as("https://bridge.acme.test:8443", &Authority::new()).await;
    setup.fault().await.is(Code::PublicAddress, "port", "the port of the listener", "without a port");
}
