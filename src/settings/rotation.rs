//! `[rotation]`, and what belongs to changes while the service runs: how they are noticed, which keys wait for a
//! restart, and when certificates end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use openssl::x509::X509;
use secrecy::{ExposeSecret as _, SecretString};

use super::section::section;
use super::value::{DAY, MILLISECOND};
use super::{Settings, WebexClient};
use crate::certificate::{days_between, not_after};

section! {
    /// What is done when files change and certificates end.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Rotation in "rotation" |section| {
        /// How changes of the configuration and the files that it names are noticed.
        watch: Watch = choice(&[("events", Watch::Events), ("poll", Watch::Poll), ("off", Watch::Off)]);
        /// How often the files are looked at, whatever the system tells.
        poll: Duration = duration(100 * MILLISECOND..=DAY);
        /// From when on the end of a certificate is worth a warning, once a day.
        warn_before: Duration = duration(DAY..=365 * DAY);
    }
}

/// How changes of files are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// The system tells, and they are looked at every [`Rotation::poll`] besides.
    Events,
    /// They are looked at every [`Rotation::poll`].
    Poll,
    /// Not at all: SIGHUP is the only word.
    Off,
}

/// A section of which some keys take effect at a start only.
pub(super) trait Fixed {
    /// Takes over the running values of those keys.
    fn hold(&mut self, running: &Self, held: &mut Held);
}

/// The keys whose new value waits for a restart, each with the running value put in its place.
#[derive(Default)]
pub(super) struct Held(Vec<&'static str>);

impl Held {
    fn hold<T: Clone>(&mut self, key: &'static str, value: &mut T, running: &T, is_same: bool) {
        if !is_same {
            value.clone_from(running);
            self.0.push(key);
        }
    }

    /// A key that takes effect at a start only.
    pub(super) fn at_start<T: Clone + PartialEq>(&mut self, key: &'static str, value: &mut T, running: &T) {
        let is_same = value == running;
        self.hold(key, value, running, is_same);
    }

    /// The same for a secret.
    pub(super) fn secret_at_start<T: Secret>(&mut self, key: &'static str, value: &mut T, running: &T) {
        let is_same = value.exposed() == running.exposed();
        self.hold(key, value, running, is_same);
    }

    /// A section of which only its presence takes effect at a start.
    pub(super) fn presence_at_start<T: Clone>(
        &mut self,
        key: &'static str,
        value: &mut Option<T>,
        running: &Option<T>,
    ) {
        let is_same = value.is_some() == running.is_some();
        self.hold(key, value, running, is_same);
    }

    /// Keys that are read into a struct of their own.
    pub(super) fn each_at_start<T: Fixed>(&mut self, _: &'static str, value: &mut T, running: &T) {
        value.hold(running, self);
    }
}

/// What is compared without being shown.
pub(super) trait Secret: Clone {
    /// All of its texts.
    fn exposed(&self) -> Vec<&str>;
}

impl Secret for SecretString {
    fn exposed(&self) -> Vec<&str> {
        vec![self.expose_secret()]
    }
}

impl Secret for WebexClient {
    fn exposed(&self) -> Vec<&str> {
        vec![&self.id, self.secret.expose_secret()]
    }
}

impl<T: Secret> Secret for Option<T> {
    fn exposed(&self) -> Vec<&str> {
        self.iter().flat_map(Secret::exposed).collect()
    }
}

/// The end of a certificate, or of the first in a file to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// What metrics call it: the name of a signing certificate, else its key in the configuration.
    pub name: String,
    /// Its key in the configuration.
    pub key: String,
    /// When it ends.
    pub at: Timestamp,
    /// What to do before.
    pub hint: &'static str,
}

impl Expiry {
    /// What to do before.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.hint
    }

    /// Whole days left, negative once it has ended.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        days_between(now, self.at)
    }

    fn of_file(key: &str, certificates: &[X509], hint: &'static str) -> Option<Self> {
        let ends = certificates.iter().filter_map(|certificate| not_after(certificate).ok());
        Some(Self { name: key.to_owned(), key: key.to_owned(), at: ends.min()?, hint })
    }
}

impl Settings {
    /// Takes over from the `running` settings what takes effect at a start only: addresses, threads, the database, the
    /// log, and what asks Webex. Tells the keys that differ; of `[webex]` the section alone.
    #[must_use]
    pub fn hold_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let mut held = Held::default();
        self.server.hold(&running.server, &mut held);
        self.operations.hold(&running.operations, &mut held);
        self.store.hold(&running.store, &mut held);
        self.outbox.hold(&running.outbox, &mut held);
        self.logs.hold(&running.logs, &mut held);
        self.traces.hold(&running.traces, &mut held);
        held.presence_at_start("webex", &mut self.webex, &running.webex);
        if let (Some(webex), Some(running)) = (&mut self.webex, &running.webex) {
            let mut keys = Held::default();
            webex.hold(running, &mut keys);
            if !keys.0.is_empty() {
                held.0.push("webex");
            }
        }
        held.0
    }

    /// Every certificate that stops something when it ends, those for later included.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        let signing = self.certificates.values().map(|certificate| Expiry {
            name: certificate.name().to_owned(),
            key: format!("certificates.{}", certificate.name()),
            at: certificate.not_after(),
            hint: "make a new pair and give it to Salesforce",
        });
        let tls = self.server.tls.iter().flat_map(|tls| {
            let own = "put a new certificate, with those up to the root, and its key into the files";
            let authorities = "put a new certificate of the authority into the file";
            [
                Expiry::of_file("server.tls", &tls.chain, own),
                Expiry::of_file("server.tls.client_ca", &tls.client_ca, authorities),
            ]
        });
        let clients = self.clients.iter().filter_map(|client| {
            let key = format!("clients.{}", client.id);
            let at = client.assertion_keys.iter().map(|key| key.valid.1).min()?;
            let hint = "register a new certificate for its signed assertions";
            Some(Expiry { name: key.clone(), key, at, hint })
        });
        signing.chain(tls.flatten()).chain(clients).collect()
    }

    /// A line for each certificate that ends within `rotation.warn_before`.
    #[must_use]
    pub fn ending(&self, now: Timestamp) -> Vec<String> {
        let warn = SignedDuration::try_from(self.rotation.warn_before).unwrap_or(SignedDuration::MAX);
        let soon = |expiry: &Expiry| expiry.at.duration_since(now) <= warn;
        let line =
            |expiry: Expiry| format!("{}: {} days left; {}", expiry.key, expiry.days_left(now), expiry.hint);
        self.expiries().into_iter().filter(soon).map(line).collect()
    }
}
