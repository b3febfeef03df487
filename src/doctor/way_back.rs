//! The way from Webex to the bridge, seen from outside as far as that goes from here: the public address, its certificate,
//! its answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::engine::Check;
use super::network::Host;
use super::site::Site;
use super::tls::{Shown, shake};
use super::{CheckId, Code, Finding, database, ports};
use crate::settings::BaseUrl;
use crate::webex::destination;

const KEY: &str = "server.public_url";
/// From when on an answer is slow: flows wait two seconds, and Salesforce has to answer within them too.
const SLOW: Duration = Duration::from_secs(1);
const MEANS: &str =
    "Webex cannot reach the bridge: a flow's HTTP activity shows no status, and no webhook comes";

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let id = |code| CheckId::new(code, KEY);
    let server = &site.settings.server;
    let address = address(site);
    let mut checks = vec![Check::new(id(Code::PublicAddress), async { address })];
    let Some(url) = &server.public_url else { return checks };
    let seen_before = || [ports::public(), database::id()];
    let is_tls = url.as_str().starts_with("https:");
    if is_tls {
        let (one, url) = (Arc::clone(site), url.clone());
        let chain = Check::new(id(Code::PublicChain), async move { chain(&one, &url).await });
        checks.push(chain.unless_failed([id(Code::PublicAddress)]).unless_failed(seen_before()));
    }
    let (one, url) = (Arc::clone(site), url.clone());
    let answer = Check::new(id(Code::PublicAnswer), async move { answer(&one, &url).await });
    let answer = if is_tls { answer.after([id(Code::PublicChain)]) } else { answer };
    checks.push(answer.unless_failed([id(Code::PublicAddress)]).unless_failed(seen_before()));
    checks
}

/// Whether Webex takes the address.
fn address(site: &Site) -> Finding {
    let Some(url) = &site.settings.server.public_url else {
        let wanted = site.settings.webex.is_some();
        return match wanted {
            false => Finding::skipped("server.public_url is not set, so nobody is told where the bridge is"),
            true => Finding::warn("unset", "server.public_url is not set")
                .means("no subscription can be made: Webex is not told where the bridge is")
                .cause("it was left out")
                .step("server.public_url = \"https://HOST\", the name that Webex reaches the bridge by"),
        };
    };
    if let Some(warning) = site.settings.other_host() {
        let text = warning.split_once(": ").map_or(warning.as_str(), |(_, text)| text).to_owned();
        return Finding::fail("name", format!("the certificate of server.tls {text}"))
            .means(MEANS)
            .cause("the certificate was made for another name")
            .cause(format!("{KEY} is not the name that the certificate is for"))
            .step(format!("get a certificate for {}, or set {KEY} to a name it is for", url.host()));
    }
    if url.is_loopback() {
        return Finding::skipped("it is this machine, which Webex does not reach: a set-up to try things");
    }
    match destination(Some(url)) {
        Ok(_) => Finding::ok(format!("{url} is https on port 443")),
        Err(_) => Finding::fail("port", format!("{url} is not https on port 443"))
            .means(MEANS)
            .cause("the port of the listener was given, in place of that of the proxy before it")
            .step("server.public_url = \"https://HOST\" without a port, and let a proxy take port 443, or listen there")
            .seen("Webex sends to https on port 443 only"),
    }
}

/// A service that does not run is not reached, whatever the way is like.
fn not_running(site: &Site, words: &str) -> Option<Finding> {
    (!site.service_runs()).then(|| {
        Finding::skipped(format!(
            "the service does not run on this machine, so nothing answers ({words}): start it and ask again"
        ))
    })
}

async fn chain(site: &Site, url: &BaseUrl) -> Finding {
    let port = url.join("").port_or_known_default().unwrap_or(443);
    let trouble = match shake(&site.public, url.host(), port, site.clock.now()).await {
        Ok(Shown { ends, took }) => {
            let days = (ends.as_second() - site.clock.now().as_second()).div_euclid(86_400);
            let seen = format!("its certificate ends {ends:.0}, in {days} days");
            let finding = match days < 14 {
                false => Finding::ok(format!("trusted with its whole chain, {} ms", took.as_millis())),
                true => Finding::warn("ends-soon", format!("the certificate of {url} ends in {days} days"))
                    .means(MEANS)
                    .cause("its renewal does not work, or does not reach the listener or proxy")
                    .step("renew it: docs/rotation.md tells how while calls come in"),
            };
            return finding.seen(seen);
        }
        Err(trouble) => trouble,
    };
    let finding = trouble.finding(&Host::subject(url)).means(MEANS);
    match trouble.fault {
        "unreachable" => match not_running(site, "no connection") {
            Some(skipped) => skipped,
            None => finding
                .cause("no proxy or firewall lets port 443 of the public name through to the bridge")
                .cause("the public name is known outside only: then ask from another network")
                .step(format!("`curl -v {url}/livez` from outside must print {{\"status\":\"alive\"}}")),
        },
        "other-name" => finding
            .cause("the certificate was made for another name")
            .cause(format!("{KEY} is not the name that the certificate is for"))
            .step(format!("get a certificate for {}, or set {KEY} to a name it is for", url.host())),
        "incomplete-chain" => finding
            .cause("only the server's own certificate is in the file, without those up to the root: browsers fetch them, Webex does not")
            .step("put all into the file of server.tls.certificate, ours first (`fullchain.pem` of most authorities); behind a proxy, into the proxy's"),
        "ended" => finding
            .cause("its renewal does not work, or does not reach the listener or proxy")
            .step("renew it, then `systemctl reload` whoever shows it: docs/rotation.md"),
        "no-tls" => finding
            .cause("plain HTTP is spoken there, or something else")
            .step("set [server.tls], or let the proxy before the bridge end TLS"),
        _ => finding
            .cause("the certificate is of an authority of your own, which Webex does not know")
            .step("get a certificate of a public authority, such as Let's Encrypt"),
    }
}

async fn answer(site: &Site, url: &BaseUrl) -> Finding {
    if site.settings.server.tls.as_ref().is_some_and(|tls| !tls.client_ca.is_empty()) {
        return Finding::skipped(
            "only clients with a certificate of server.tls.client_ca are let in, and doctor has none",
        );
    }
    let mut livez = url.join("");
    livez.set_path("/livez");
    let started = Instant::now();
    let request = site.public_http.get(livez).timeout(Duration::from_secs(6)).send().await;
    let took = started.elapsed();
    let answer = match request {
        Ok(answer) => answer,
        Err(error) => {
            let words = crate::salesforce::causes(error);
            return not_running(site, "no answer").unwrap_or_else(|| nobody(url).seen(words));
        }
    };
    let status = answer.status().as_u16();
    if ports::is_alive(answer).await {
        return in_time(url, took);
    }
    if matches!(status, 502..=504)
        && let Some(skipped) = not_running(site, &format!("HTTP {status}"))
    {
        return skipped;
    }
    Finding::fail("not-the-bridge", format!("under {url} answers somebody else than the bridge"))
        .means(MEANS)
        .cause("the proxy before the bridge leads this name or path elsewhere")
        .cause("the name leads to another machine")
        .step(format!(
            "lead all paths of {url} to the bridge's listener, server.listen = \"{}\"",
            site.settings.server.listen
        ))
        .seen(format!("GET {url}/livez: HTTP {status}, {} ms", took.as_millis()))
}

fn nobody(url: &BaseUrl) -> Finding {
    Finding::fail("unreachable", format!("nobody answers under {url}"))
        .means(MEANS)
        .cause("no proxy or firewall lets the public name through to the bridge")
        .cause("the public name is known outside only: then ask from another network")
        .step(format!("`curl -v {url}/livez` from outside must print {{\"status\":\"alive\"}}"))
}

fn in_time(url: &BaseUrl, took: Duration) -> Finding {
    let milliseconds = took.as_millis();
    if took < SLOW {
        return Finding::ok(format!("the bridge answers, {milliseconds} ms"));
    }
    Finding::warn("slow", format!("the way to the bridge and back takes {milliseconds} ms"))
        .means("flows wait 2 s for clearRouting and phoneContactEnded: little is left for Salesforce")
        .cause("the proxy before the bridge is slow or far away, or makes a new connection for each request")
        .step("let the proxy keep connections to the bridge open, near to it")
        .step("HTTP activities of the flow: Response Timeout 5000 ms, and 2000 ms at least")
        .seen(format!("GET {url}/livez took {milliseconds} ms; a name lookup and a TLS handshake are in it"))
}
