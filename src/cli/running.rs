//! The service that runs, as its metrics tell of it: for commands that look beside it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};

use crate::domain::printable;
use crate::listener::reached_here;
use crate::telemetry::metric_names;

/// How long the answer may take.
const WITHIN: Duration = Duration::from_secs(3);
/// The most of an answer that is read: metrics of many contact centers have less than a tenth of it.
const LARGEST: usize = 16 << 20;

/// A series of a metric, with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    /// The value.
    pub(super) value: f64,
}

impl Sample {
    /// The value of a label; nothing where it has none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// The value as a moment, where it is one: Unix time in seconds.
    pub(super) fn time(&self) -> Option<Timestamp> {
        #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no moment")]
        let milliseconds = (self.value * 1000.0).round() as i64;
        Timestamp::from_millisecond(milliseconds).ok()
    }

    /// The value as a number of things.
    pub(super) fn count(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of things")]
        let count = self.value.max(0.0) as u64;
        count
    }
}

/// The sum of numbers of things, as far as it goes.
pub(super) fn total<'s>(samples: impl Iterator<Item = &'s Sample>) -> u64 {
    samples.map(Sample::count).fold(0, u64::saturating_add)
}

/// The text that Prometheus reads.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    samples: Vec<Sample>,
}

impl Exposition {
    /// Reads all that is a series; what is none says nothing to us.
    pub(super) fn parse(text: &str) -> Self {
        Self { samples: text.lines().filter_map(sample).collect() }
    }

    /// When what is told of this was looked at; none where the service does not tell, or has not looked yet.
    pub(super) fn looked_at(&self, what: &str) -> Option<Timestamp> {
        self.of(metric_names::looked_at).find(|sample| sample.label("what") == what).and_then(Sample::time)
    }

    /// The series of a metric.
    pub(super) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }
}

fn sample(line: &str) -> Option<Sample> {
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = line.trim().rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)?),
        None => (series, BTreeMap::new()),
    };
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

/// A label on its line of a terminal: another program may answer where the service should.
fn one_line(value: &str) -> String {
    printable(value).replace(['\n', '\t'], " ")
}

/// Labels as they stand between braces: `a="1",b="2"`.
fn labels(text: &str) -> Option<BTreeMap<String, String>> {
    let (mut labels, mut rest) = (BTreeMap::new(), text);
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (end, '"') => break end,
                (_, '\\') => match characters.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.trim_start_matches(',').to_owned(), one_line(&value));
        rest = after.get(end + 1..)?;
    }
    Some(labels)
}

/// What the service that runs tells, and where.
#[derive(Debug)]
pub(super) struct RunningMetrics {
    /// The address that answered.
    pub(super) url: String,
    /// What it told.
    pub(super) told: Exposition,
}

impl RunningMetrics {
    /// The service: scheme, host and port.
    pub(super) fn service(&self) -> &str {
        self.url.trim_end_matches("/metrics")
    }

    /// Asks the same service whether it is ready, and of its configuration; none where it does not tell, such as one of
    /// another version.
    pub(super) async fn readiness(&self) -> Option<Readiness> {
        let url = format!("{}/readyz", self.service());
        // One that is not ready says so with 503, and tells the same.
        let (_, body) = fetch(&client().ok()?, &url).await.ok()?;
        serde_json::from_slice(&body).ok()
    }
}

/// What the service that runs tells of itself at `/readyz`, at the moment.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Readiness {
    /// Why requests may not come; empty: they may.
    pub(super) not_ready: Vec<OneLine>,
    /// The configuration.
    pub(super) configuration: ToldConfiguration,
}

impl Readiness {
    /// Whether the service uses another database than the one that is configured now.
    fn has_other_store(&self) -> bool {
        self.configuration.after_restart.iter().any(|key| key.0 == "store.url")
    }
}

/// How the configuration on disk and the one that runs differ.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ToldConfiguration {
    /// Why the newest is refused; empty: it runs.
    pub(super) problems: Vec<ToldProblem>,
    /// Keys whose new value takes effect after a restart.
    pub(super) after_restart: Vec<OneLine>,
}

/// A problem of a configuration that was refused.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ToldProblem {
    pub(super) key: OneLine,
    pub(super) problem: OneLine,
    pub(super) hint: OneLine,
}

/// A text on its line of a terminal, whoever has sent it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String")]
pub(super) struct OneLine(pub(super) String);

impl From<String> for OneLine {
    fn from(text: String) -> Self {
        Self(one_line(&text))
    }
}

impl fmt::Display for OneLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks the service that has the operations listener at `listen` for its metrics.
///
/// # Errors
/// When no service answers there, with what to do.
pub(super) async fn ask(listen: SocketAddr) -> Result<RunningMetrics, String> {
    if listen.port() == 0 {
        return Err(
            "operations.listen has port 0, so that nobody knows where the service listens: give it a port"
                .to_owned(),
        );
    }
    let address = reached_here(listen);
    let client = client().map_err(|error| error.to_string())?;
    // Beyond loopback the listener has TLS, unless a proxy ends it.
    let schemes = if listen.ip().is_loopback() { &["http"][..] } else { &["https", "http"] };
    let mut problem = String::new();
    for scheme in schemes {
        let url = format!("{scheme}://{address}/metrics");
        match fetch(&client, &url).await.and_then(|answer| exposition(&url, &answer)) {
            Ok(told) => return Ok(RunningMetrics { url, told }),
            Err(why) => problem = why,
        }
    }
    Err(problem)
}

/// The certificate is for the public host, not for this address, and what is asked holds no secret.
fn client() -> reqwest::Result<Client> {
    let client = Client::builder().timeout(WITHIN).no_proxy().redirect(Policy::none());
    client.tls_danger_accept_invalid_certs(true).build()
}

/// Why there is no answer: nobody listens, or something does that does not answer as the service does.
pub(super) fn unanswered(url: &str, error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let is_refused =
        cause.downcast_ref::<io::Error>().map(io::Error::kind) == Some(ErrorKind::ConnectionRefused);
    match is_refused {
        true => format!(
            "no service answers at {url}: does it run on this machine, and is that its operations.listen (it takes a new one after a restart)? `scv-bridge serve` starts it, `scv-bridge doctor` says what keeps it from starting"
        ),
        false => format!(
            "what listens at {url} does not answer as scv-bridge does ({cause}): is operations.listen that of the service that runs, and does it still answer `scv-bridge healthcheck`?"
        ),
    }
}

/// The status of an answer, and its body.
async fn fetch(client: &Client, url: &str) -> Result<(u16, Vec<u8>), String> {
    let mut answer = client.get(url).send().await.map_err(|error| unanswered(url, &error))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unanswered(url, &error))? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(format!("what answers at {url} is no scv-bridge: it sends more than 16 MiB"));
        }
    }
    Ok((status, body))
}

/// The metrics in an answer, if it is one of ours.
fn exposition(url: &str, (status, body): &(u16, Vec<u8>)) -> Result<Exposition, String> {
    let told = Exposition::parse(&String::from_utf8_lossy(body));
    let is_ours = told.of(metric_names::build_info).next().is_some();
    match *status == 200 && is_ours {
        true => Ok(told),
        false => Err(format!(
            "what answers at {url} is no scv-bridge (HTTP {status}): is operations.listen that of the service that runs?"
        )),
    }
}

/// What of the service that runs tells when an entry of the outbox is tried.
#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    /// Whether a service answers; none where it was not asked.
    pub(super) answers: Option<bool>,
    /// The contact centers whose breaker lets nobody through, each with until when; none where it tries Salesforce now.
    pub(super) held: BTreeMap<String, Option<Timestamp>>,
    /// Whether it uses another database than the one that is configured now: it takes a new `store.url` after a restart.
    pub(super) has_other_store: bool,
}

impl Running {
    /// Asks the service at `listen`, before the database is opened: that may be another one than the service's.
    ///
    /// # Errors
    /// The warning of that cannot be written.
    pub(super) fn look_and_warn(listen: Option<SocketAddr>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let running = runtime.block_on(Self::look(listen));
        running.warn()?;
        Ok(running)
    }

    /// Asks the service at `listen`. One that does not answer is no failure: the database can be looked at without.
    pub(super) async fn look(listen: Option<SocketAddr>) -> Self {
        let Some(listen) = listen else { return Self::default() };
        match ask(listen).await {
            Ok(asked) => {
                let has_other_store = asked.readiness().await.is_some_and(|told| told.has_other_store());
                Self { has_other_store, ..Self::of(&asked.told) }
            }
            Err(_) => Self { answers: Some(false), ..Self::default() },
        }
    }

    /// Tells on standard error where the service does not use the database that is looked at.
    fn warn(&self) -> io::Result<()> {
        match self.other_store() {
            Some(warning) => writeln!(io::stderr(), "scv-bridge: warning: {warning}"),
            None => Ok(()),
        }
    }

    /// What is told where the service does not use the database that is configured now.
    pub(super) fn other_store(&self) -> Option<&'static str> {
        self.has_other_store.then_some(
            "the service that runs uses another database: store.url was changed, and it takes that after a restart",
        )
    }

    /// What is told of entries that wait where no service answers.
    pub(super) fn nobody_sends(&self) -> Option<&'static str> {
        (self.answers == Some(false)).then_some(
            "no service answers at operations.listen of this configuration: nothing is sent until one runs",
        )
    }

    fn of(told: &Exposition) -> Self {
        let until: BTreeMap<&str, Option<Timestamp>> = told
            .of(metric_names::breaker_until)
            .map(|sample| (sample.label("call_center"), sample.time()))
            .collect();
        let held = told
            .of(metric_names::breaker_state)
            .filter(|sample| sample.label("state") != "closed" && sample.value > 0.0)
            .map(|sample| {
                let center = sample.label("call_center");
                (center.to_owned(), until.get(center).copied().flatten())
            });
        Self { answers: Some(true), held: held.collect(), has_other_store: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_read_with_their_labels_whatever_stands_in_them() {
        let text = "# HELP a b\nplain 3\nnamed{one=\"a, b=\\\"c\\\"} d\",two=\"\\\\\"} 1.5\nbucket{le=\"+Inf\"} 7\n\nbroken{a=\"} 1\nnone{} x\n";
        let told = Exposition::parse(text);
        assert_eq!(told.samples.len(), 3, "{told:?}");
        assert_eq!(told.of("plain").map(Sample::count).collect::<Vec<_>>(), [3]);
        let named = told.of("named").next().unwrap();
        assert_eq!((named.label("one"), named.label("two")), ("a, b=\"c\"} d", "\\"));
        assert_eq!(named.label("three"), "");
        let hostile = Exposition::parse("a{b=\"\u{1b}[2J\\nrow\"} 1e300\na +Inf");
        assert_eq!(hostile.of("a").next().unwrap().label("b"), " [2J row");
        assert_eq!(total(hostile.of("a")), u64::MAX);
        assert_eq!(told.of("bucket").next().unwrap().label("le"), "+Inf");
    }

    #[test]
    fn a_breaker_that_is_not_closed_holds_its_contact_center() {
        let state = metric_names::breaker_state;
        let until = metric_names::breaker_until;
        let told = Exposition::parse(&format!(
            "{state}{{call_center=\"A\",state=\"open\"}} 1\n{state}{{call_center=\"A\",state=\"closed\"}} 0\n\
             {until}{{call_center=\"A\"}} 1795000000.5\n{state}{{call_center=\"B\",state=\"half_open\"}} 1\n\
             {state}{{call_center=\"C\",state=\"closed\"}} 1\n{state}{{call_center=\"C\",state=\"open\"}} 0\n"
        ));
        let running = Running::of(&told);
        let at = Timestamp::from_millisecond(1_795_000_000_500).unwrap();
        let held = BTreeMap::from([("A".to_owned(), Some(at)), ("B".to_owned(), None)]);
        assert_eq!((running.answers, running.held), (Some(true), held));
    }

    #[test]
    fn a_store_that_waits_for_a_restart_is_another_one() {
        let told = |keys: &[&str]| {
            let configuration = serde_json::json!({ "problems": [], "after_restart": keys });
            let told = serde_json::json!({ "not_ready": [], "configuration": configuration });
            serde_json::from_value::<Readiness>(told).unwrap().has_other_store()
        };
        assert!(told(&["logs.level", "store.url"]));
        assert!(!told(&["operations.listen"]) && !told(&[]));
    }

    #[tokio::test]
    async fn where_nobody_listens_that_is_said_with_what_to_do() {
        let told = ask("127.0.0.1:1".parse().unwrap()).await.unwrap_err();
        assert!(told.starts_with("no service answers at http://127.0.0.1:1/metrics: does it run"), "{told}");
        assert!(ask("127.0.0.1:0".parse().unwrap()).await.unwrap_err().contains("give it a port"));
        assert_eq!(Running::look(None).await.answers, None);
        assert_eq!(Running::look("127.0.0.1:1".parse().ok()).await.answers, Some(false));
    }
}
