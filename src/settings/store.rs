//! What is kept: `[store]`, `[outbox]` and `[journal]`.

use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Deadlines;
use super::section::{Section, section};
use super::unreadable;
use super::value::{DAY, HOUR, MILLISECOND, MINUTE, SECOND};

section! {
    /// Where calls and outbox are kept.
    #[derive(Debug, Clone)]
    pub struct Store in "store" |section| {
        /// `sqlite:PATH` or `postgres://...`; a secret, because it can carry a password.
        url: SecretString = database(), secret_at_start;
    }
}

section! {
    /// What must still reach Salesforce.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Outbox in "outbox" |section, deadlines: Option<&Deadlines>| {
        /// The pause after the first attempt, after the second, and so on; the last one repeats. Never empty, and
        /// no pause is shorter than the one before.
        schedule: Vec<Duration> = pauses();
        /// The time from an entry's creation to its last attempt.
        give_up_after: Duration = duration(MINUTE..=30 * DAY);
        /// How long a worker owns an entry that it has taken up.
        lease: Duration = lease(deadlines);
        /// How long buried entries can be looked at and sent again.
        keep_buried: Duration = duration(HOUR..=365 * DAY);
        /// Entries of one contact center delivered at the same time.
        concurrency: usize = count(1..=1000), at_start;
    }
}

section! {
    /// What we know of each call.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Journal in "journal" |section| {
        /// How long, from the last that was heard of a call.
        keep: Duration = duration(HOUR..=365 * DAY);
        /// Whether what was asked and answered is kept with each call, for `call show`.
        exchanges: bool = boolean();
    }
}

impl Outbox {
    /// How long one attempt of the worker may take: nobody waits for it.
    pub const ATTEMPT: Duration = Duration::from_secs(10);

    /// How much longer a lease must be than what is done under it, so that its end can still be written down.
    const RESERVE: Duration = Duration::from_secs(5);

    /// The shortest lease that a configuration may have.
    pub const LEAST_LEASE: Duration = Self::ATTEMPT.saturating_add(Self::RESERVE);
}

impl Journal {
    /// How long what may hold phone numbers is kept for filling fields, from when it was told last: a day at most.
    #[must_use]
    pub fn keep_private(&self) -> Duration {
        self.keep.min(DAY)
    }
}

impl Section<'_> {
    /// Pauses that do not become shorter.
    fn pauses(&mut self, key: &str) -> Option<Vec<Duration>> {
        let pauses = self.durations(key, 100 * MILLISECOND..=DAY)?;
        if pauses.is_empty() {
            self.problem(key, "is empty", "name at least one pause, such as \"1m\"");
        }
        if !pauses.is_sorted() {
            let hint = "list the pauses from the shortest to the longest";
            self.problem(key, "holds a pause that is shorter than the one before", hint);
        }
        Some(pauses)
    }

    /// A lease that outlasts an attempt of the worker and every deadline: one that ended during an attempt would let
    /// another worker send the same.
    fn lease(&mut self, key: &str, deadlines: Option<&Deadlines>) -> Option<Duration> {
        let lease = self.duration(key, SECOND..=HOUR)?;
        let own = ("an attempt of the worker", Outbox::ATTEMPT);
        let route = deadlines.map(Deadlines::longest).filter(|(_, time)| *time > Outbox::ATTEMPT);
        let (what, time) = route.unwrap_or(own);
        let least = time + Outbox::RESERVE;
        if lease < least {
            let (time, least) = (time.as_secs_f64(), least.as_secs_f64().ceil());
            self.problem(
                key,
                format!("is too short: {what} may take {time}s, and its end must still be written down"),
                format!("make it at least \"{least}s\""),
            );
        }
        Some(lease)
    }

    /// The URL of a database, in place or in a file.
    fn database(&mut self, key: &str) -> Option<SecretString> {
        let (before, file_key) = (self.report.count(), format!("{key}_file"));
        let given = [key, &file_key].into_iter().find(|key| self.has(key)).map(str::to_owned);
        let Some((given, url)) = self.secret_and_key(key) else {
            // A secret that was not set must not mean another database than before.
            if let Some(empty) = given.filter(|_| self.report.count() == before) {
                self.problem(&empty, "is empty", DATABASE_HINT);
            }
            let default = self.default_text(key).filter(|_| self.report.count() == before);
            return default.map(Into::into);
        };
        if let Err((problem, hint)) = check_database(url.expose_secret()) {
            let problem = format!("{problem} (it is not shown: it could hold a password)");
            self.problem(&given, problem, hint);
        }
        Some(url)
    }
}

/// Who may read SQLite's file of this URL although nobody but the service should; none if all is well, or for a server.
#[must_use]
pub fn exposed_database(url: &str) -> Option<String> {
    let place = url.strip_prefix("sqlite:")?;
    let path = place.strip_prefix("//").unwrap_or(place);
    unreadable::exposed(Path::new(path.split('?').next().unwrap_or(path)))
}

/// What a database's URL looks like.
const DATABASE_HINT: &str = "sqlite:PATH, or postgres://user@host/database";

/// # Errors
/// What is wrong with the URL, and what to do.
fn check_database(text: &str) -> Result<(), (&'static str, &'static str)> {
    if text.trim() != text {
        return Err(("begins or ends with a blank", "copy it alone"));
    }
    if let Some(path) = text.strip_prefix("sqlite:") {
        return if path.is_empty() { Err(("names no file", DATABASE_HINT)) } else { Ok(()) };
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(("is not the URL of a database", DATABASE_HINT));
    };
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(("is not the URL of a database", DATABASE_HINT));
    }
    // User and password end at the @ before the host: one that comes after a sign that ends the host was meant to.
    let (host, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let of_password = after.split_once('@').is_some_and(|(before, _)| !before.contains('='));
    if of_password || Url::parse(text).is_err() && host.contains(':') && rest.contains('@') {
        return Err((
            "has a user or password with a sign in it that ends the host",
            "write in user and password %2F for /, %3F for ?, %23 for #, %40 for @, %3A for : and %25 for %",
        ));
    }
    match Url::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(("is not the URL of a database", DATABASE_HINT)),
    }
}
