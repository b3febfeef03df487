//! The way to other machines: names, connections, certificates, and the clock by which they answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::engine::Check;
use super::site::Site;
use super::tls::{self, Shown, TlsTrouble};
use super::{CheckId, Code, Finding};
use crate::salesforce::greet;
use crate::settings::{Api, BaseUrl, Settings};

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// From which difference on a clock is worth a warning, and from which tokens are refused.
const CLOCK_WARN: SignedDuration = SignedDuration::from_secs(15);
const CLOCK_FAIL: SignedDuration = SignedDuration::from_secs(60);

/// A host that the service asks.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) base: BaseUrl,
    /// The keys that name it.
    keys: Vec<String>,
    is_salesforce: bool,
}

impl Host {
    /// Name and port of an address, the usual port left out.
    pub(super) fn subject(base: &BaseUrl) -> String {
        let (_, authority) = base.as_str().split_once("://").unwrap_or(("", base.as_str()));
        authority.split('/').next().unwrap_or(authority).to_owned()
    }

    fn port(&self) -> u16 {
        self.base.join("").port_or_known_default().unwrap_or(443)
    }

    fn is_tls(&self) -> bool {
        self.base.as_str().starts_with("https:")
    }
}

/// What must be in order before a host can be asked over HTTP.
pub(super) fn reached(base: &BaseUrl) -> CheckId {
    let code = if base.as_str().starts_with("https:") { Code::Handshake } else { Code::Connection };
    CheckId::new(code, Host::subject(base))
}

/// All hosts of a configuration, each once.
fn hosts(settings: &Settings) -> BTreeMap<String, Host> {
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    let mut add = |base: &BaseUrl, key: String, is_salesforce: bool| {
        let new = || Host { base: base.clone(), keys: Vec::new(), is_salesforce };
        hosts.entry(Host::subject(base)).or_insert_with(new).keys.push(key);
    };
    for center in settings.call_centers.values() {
        let name = &center.name;
        match &center.api {
            Api::Telephony(api) => {
                add(&api.url, format!("call_centers.{name}.telephony_url"), true);
                if let Some(oauth) = &api.oauth {
                    add(&oauth.login_url, format!("call_centers.{name}.oauth.login_url"), true);
                }
            }
            Api::Apex(api) => add(&api.oauth.login_url, format!("call_centers.{name}.login_url"), true),
        }
    }
    if let Some(webex) = settings.webex.as_ref().filter(|webex| webex.oauth_client.is_some()) {
        if let Some(api) = &webex.api_url {
            add(api, "webex.api_url".to_owned(), false);
        }
        add(&webex.token_url, "webex.token_url".to_owned(), false);
    }
    hosts
}

/// Checks of all hosts, and of the kind of those of contact centers.
pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut clocks: Vec<CheckId> = Vec::new();
    for (subject, host) in hosts(&site.settings) {
        let id = |code| CheckId::new(code, subject.as_str());
        let host = Arc::new(host);
        checks.push(Check::new(id(Code::Name), name(Arc::clone(&host))));
        let connect = Check::new(id(Code::Connection), connection(Arc::clone(&host)));
        checks.push(connect.after([id(Code::Name)]));
        if host.is_tls() {
            let work = handshake(Arc::clone(site), Arc::clone(&host));
            checks.push(Check::new(id(Code::Handshake), work).after([id(Code::Connection)]));
        }
        if host.is_salesforce {
            let work = clock(Arc::clone(site), host.base.clone());
            let check = Check::new(id(Code::Clock), work).after([reached(&host.base)]);
            checks.push(check.unless_failed(clocks.clone()));
            clocks.push(id(Code::Clock));
        }
    }
    for center in site.settings.call_centers.values() {
        let finding = match center.unusual_host() {
            None => Finding::ok("it is Salesforce's, or on this machine"),
            Some(warning) => {
                let text = warning.split_once(": ").map_or(warning.as_str(), |(_, text)| text).to_owned();
                Finding::warn("other-host", text)
                    .means("unless a proxy stands there, every request to Salesforce fails")
                    .cause("the address is mistyped, or of another host of the org")
                    .cause("a proxy stands between, which is as well")
                    .step("Setup > My Domain shows the name: https://NAME.my.salesforce-scrt.com/telephony/v1 for telephony_url, https://NAME.my.salesforce.com for login_url")
            }
        };
        checks.push(Check::new(CheckId::new(Code::HostKind, center.name.as_str()), async { finding }));
    }
    checks
}

fn means(host: &Host) -> &'static str {
    match host.is_salesforce {
        true => {
            "no request reaches Salesforce: a service that runs answers flows 503 (or as on_create_failure and fallback_queue say), and keeps in the outbox what can wait"
        }
        false => "Webex is asked for nothing: lost events stay lost, and no recording is found",
    }
}

async fn name(host: Arc<Host>) -> Finding {
    let name = host.base.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let started = Instant::now();
    let found = tokio::net::lookup_host((name.as_str(), host.port())).await;
    let took = started.elapsed().as_millis();
    let mut addresses: Vec<String> = match found {
        Ok(found) => found.map(|address| address.ip().to_string()).collect(),
        Err(error) => return unknown_name(&host, &error),
    };
    addresses.dedup();
    Finding::ok(format!("known, {took} ms")).seen(addresses.join(", "))
}

fn unknown_name(host: &Host, error: &io::Error) -> Finding {
    let (name, keys) = (host.base.host(), host.keys.join(" and "));
    Finding::fail("unknown-name", format!("no address is known for {name}"))
        .means(means(host))
        .cause(format!("{keys} is mistyped, or the My Domain was renamed"))
        .cause("this machine asks no name server that knows the internet")
        .step(format!("compare {keys} with Setup > My Domain (Salesforce) or the region (Control Hub)"))
        .step(format!("`getent hosts {name}` asks as the service does"))
        .seen(format!("the system says: {error}"))
}

async fn connection(host: Arc<Host>) -> Finding {
    let name = host.base.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let started = Instant::now();
    let connected = timeout(CONNECT_WITHIN, TcpStream::connect((name.as_str(), host.port()))).await;
    let took = started.elapsed().as_millis();
    let (fault, words) = match connected {
        Ok(Ok(_)) => return Finding::ok(format!("connected, {took} ms")),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            ("refused", format!("the system says: {error}"))
        }
        Ok(Err(error)) => ("unreachable", format!("the system says: {error}")),
        Err(_) => ("no-answer", format!("nothing came back in {} s", CONNECT_WITHIN.as_secs())),
    };
    let (subject, port) = (Host::subject(&host.base), host.port());
    let finding = Finding::fail(fault, format!("no connection to {subject}")).means(means(&host));
    unconnected(fault, &host)
        .into_iter()
        .fold(finding, Finding::cause)
        .step(format!("let this machine reach {name} on TCP port {port}"))
        .step(format!("from another machine, `nc -vz {name} {port}` tells whether the host is down for all"))
        .seen(words)
}

/// Why there is no connection, the likeliest first: a refusal comes from a host or from something before it, silence from a
/// firewall that drops or from a host that is down.
fn unconnected(fault: &str, host: &Host) -> Vec<String> {
    let (keys, port) = (host.keys.join(" and "), host.port());
    let firewall = format!("a firewall does not let this machine out to port {port}");
    let proxy = "machines here reach the internet only by a proxy: the bridge uses none".to_owned();
    let wrong = format!("{keys} names the wrong host or port");
    match fault {
        "refused" => {
            vec![format!("the host is up, and nothing listens at its port {port}"), firewall, wrong, proxy]
        }
        "no-answer" => vec![firewall, proxy, "the host is down".to_owned(), wrong],
        _ => vec!["this machine has no way there, or the host is down".to_owned(), firewall, proxy, wrong],
    }
}

async fn handshake(site: Arc<Site>, host: Arc<Host>) -> Finding {
    let shown = tls::shake(&site.trusted, host.base.host(), host.port(), site.clock.now()).await;
    match shown {
        Ok(Shown { ends, took }) => {
            let days = (ends.as_second() - site.clock.now().as_second()).div_euclid(86_400);
            Finding::ok(format!("trusted, {} ms", took.as_millis()))
                .seen(format!("its certificate ends {ends:.0}, in {days} days"))
        }
        Err(trouble) => untrusted(&host, &trouble),
    }
}

/// What a certificate means that Salesforce or Webex shows.
fn untrusted(host: &Host, trouble: &TlsTrouble) -> Finding {
    let subject = Host::subject(&host.base);
    let finding = trouble.finding(&subject).means(means(host));
    match trouble.fault {
        "other-name" => finding
            .cause(format!("{} names a host that is an alias of another", host.keys.join(" and ")))
            .cause("something between answers in its place")
            .step("Setup > My Domain shows the right name"),
        "no-tls" => finding
            .cause("something else than https listens there, or a firewall answers in its place")
            .step(format!("look at host and port of {}", host.keys.join(" and "))),
        "ended" => finding
            .cause("the clock of this machine is wrong")
            .cause("something between answers with a certificate of its own that has ended")
            .step("compare the clock with `timedatectl`; ask who runs the network"),
        _ => finding
            .cause("a proxy between opens TLS to look into it, and signs with an authority of its own")
            .cause("the authorities that this machine trusts are missing or old")
            .step("put the proxy's authority as PEM into the file of http_client.ca_file, or let this host pass unopened")
            .step("install the package ca-certificates"),
    }
}

async fn clock(site: Arc<Site>, base: BaseUrl) -> Finding {
    let before = site.clock.now();
    let answer = match greet(&site.http, &base, &Site::budget()).await {
        Ok(answer) => answer,
        Err(fault) => return Finding::skipped(format!("it does not tell the time: {fault}")),
    };
    match answer.date {
        None => Finding::skipped("its answer has no header Date"),
        Some(theirs) => compare_clocks(before, answer.elapsed, theirs),
    }
}

/// What two clocks mean, of which the other was read within `elapsed` after ours, in whole seconds.
fn compare_clocks(ours: Timestamp, elapsed: Duration, theirs: Timestamp) -> Finding {
    let half = SignedDuration::try_from(elapsed / 2).unwrap_or(SignedDuration::ZERO);
    // Theirs has lost its fraction: half a second on average.
    let theirs_now = theirs + SignedDuration::from_millis(500);
    let off = (ours + half).duration_since(theirs_now);
    let seconds = off.as_millis().div_euclid(1000) + i128::from(off.as_millis().rem_euclid(1000) >= 500);
    let direction = if seconds < 0 { "behind" } else { "ahead" };
    let seen = format!("this machine {ours:.0}, Salesforce {theirs:.0}");
    let told = |finding: Finding| {
        finding
            .cause("nothing keeps the clock of this machine right, or the machine was suspended")
            .step(
                "let it follow an NTP server: `timedatectl set-ntp true`, then `timedatectl timesync-status`",
            )
            .seen(seen.clone())
    };
    let what = format!("the clock of this machine is {} s {direction} of Salesforce's", seconds.abs());
    match off.abs() {
        off if off > CLOCK_FAIL => told(Finding::fail("clock", what))
            .means("tokens are refused as expired or not valid yet: every request to Salesforce fails"),
        off if off > CLOCK_WARN => {
            told(Finding::warn("clock", what)).means("from about a minute on tokens are refused")
        }
        _ => Finding::ok(format!("{seconds} s from Salesforce's")).seen(seen),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn a_clock_is_right_within_seconds_and_wrong_from_a_minute_on() {
        let theirs: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let at = |seconds: i64| {
            let ours = theirs + SignedDuration::from_secs(seconds);
            compare_clocks(ours, Duration::from_millis(40), theirs)
        };
        for seconds in [-14, 0, 1, 15] {
            assert_eq!(at(seconds).status, Status::Ok, "{seconds}");
        }
        assert_eq!((at(-20).status, at(40).status), (Status::Warn, Status::Warn));
        let behind = at(-600);
        assert_eq!(behind.status, Status::Fail);
        assert_eq!(behind.what.full(), "the clock of this machine is 600 s behind of Salesforce's");
        assert!(at(90).what.full().contains("ahead"));
    }

    #[test]
    fn a_host_is_called_by_name_and_unusual_port() {
        for (url, subject) in [
            ("https://acme.my.salesforce-scrt.com/telephony/v1", "acme.my.salesforce-scrt.com"),
            ("https://acme.my.salesforce.com:443", "acme.my.salesforce.com"),
            ("http://127.0.0.1:8090/telephony/v1", "127.0.0.1:8090"),
        ] {
            assert_eq!(Host::subject(&BaseUrl::parse(url).unwrap()), subject);
        }
    }
}
