//! How Salesforce is asked: `[deadlines]`, `[breaker]`, `[limits]`, `[http_client]`, `[token]` and `[session]`.

use std::time::Duration;

use openssl::x509::X509;

use super::section::{Section, section};
use super::server::authorities;
use super::value::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, duration_text};

section! {
    /// One deadline per route, from the first byte of the request to the last of the answer.
    ///
    /// The flow's own timeout covers connect, TLS and answer together (5 s in the vendor's flow, 2 s for
    /// clearRouting), so ours must be shorter.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Deadlines in "deadlines" |section| {
        /// createVoiceCall.
        create_voice_call: Duration = duration(MILLISECOND..=MINUTE);
        /// executeOmniFlow.
        execute_omni_flow: Duration = duration(MILLISECOND..=MINUTE);
        /// updateVoiceCall.
        update_voice_call: Duration = duration(MILLISECOND..=MINUTE);
        /// clearRouting.
        clear_routing: Duration = duration(MILLISECOND..=MINUTE);
        /// phoneContactEnded.
        phone_contact_ended: Duration = duration(MILLISECOND..=MINUTE);
        /// agentAnswered.
        agent_answered: Duration = duration(MILLISECOND..=MINUTE);
    }
}

impl Deadlines {
    /// The longest of them, with its key.
    pub(super) fn longest(&self) -> (&'static str, Duration) {
        let all = [
            ("deadlines.execute_omni_flow", self.execute_omni_flow),
            ("deadlines.update_voice_call", self.update_voice_call),
            ("deadlines.clear_routing", self.clear_routing),
            ("deadlines.phone_contact_ended", self.phone_contact_ended),
            ("deadlines.agent_answered", self.agent_answered),
        ];
        let first = ("deadlines.create_voice_call", self.create_voice_call);
        all.into_iter().fold(first, |longest, one| if one.1 > longest.1 { one } else { longest })
    }
}

section! {
    /// When Salesforce is left alone, per org and way.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Breaker in "breaker" |section| {
        /// Consecutive failures that open it.
        failures: usize = count(1..=1000);
        /// From when on an answer is slow.
        slow: Duration = duration(MILLISECOND..=MINUTE);
        /// Consecutive slow answers that open it.
        slow_calls: usize = count(1..=1000);
        /// How long it stays open the first time; doubled each time that it opens again.
        pause: Duration = duration(10 * MILLISECOND..=10 * MINUTE);
        /// The longest it stays open.
        longest_pause: Duration = duration(10 * MILLISECOND..=10 * MINUTE);
        /// Requests that may try at once whether Salesforce is back.
        probes: usize = count(1..=100);
    }
    check {
        if let (Some(pause), Some(longest)) = (pause, longest_pause)
            && longest < pause
        {
            section.problem("longest_pause", "is shorter than `pause`", "make it at least as long");
        }
    }
}

section! {
    /// How much is asked of one org, and how often a login may fail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Limits in "limits" |section| {
        /// Creates in any one second; Salesforce answers 429 to the 51st of an org.
        creates_per_second: usize = count(1..=100_000);
        /// Requests in flight at once, per org and way.
        concurrent_requests: usize = count(1..=100_000);
        /// Failed logins.
        failed_logins: FailedLogins = flatten(FailedLogins::read);
    }
}

section! {
    /// How often a login may fail before it is refused unread.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct FailedLogins in "limits" |section| {
        /// From one address within the window; of IPv6, one network of 64 bits.
        per_address as "failed_logins_per_address": u32 = failures();
        /// Of one client id within the window, from addresses where it never succeeded.
        per_client as "failed_logins_per_client": u32 = failures();
        /// How long a failure counts.
        window as "failed_logins_window": Duration = duration(SECOND..=DAY);
    }
}

section! {
    /// The pool of connections to Salesforce. The time of a whole request is the route's deadline.
    #[derive(Debug, Clone, PartialEq)]
    pub struct HttpClient in "http_client" |section| {
        /// How long connecting may take, TLS included.
        connect_timeout: Duration = duration(MILLISECOND..=30 * SECOND);
        /// How long an unused connection is kept.
        pool_idle_timeout: Duration = duration(SECOND..=HOUR);
        /// How many unused connections are kept for each host.
        pool_max_idle_per_host: usize = count(0..=10_000);
        /// Roots to trust besides the system's.
        extra_roots as "ca_file": Vec<X509> = roots();
    }
}

section! {
    /// The JWT that we sign for the telephony API. A key that is left out has the value of `base`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Token in "token" |section, base: Option<&Self>| {
        /// From `iat` to `exp`; a day is the longest that Salesforce takes.
        life: Duration = duration_or(base.map(|base| duration_text(base.life)), 30 * SECOND..=DAY);
        /// Send a `jti`. Salesforce checks it for replay, so every request then needs its own signature.
        jti: bool = or(base.map(|base| base.jti), Section::boolean);
        /// The claim `aud`; none leaves it out.
        audience: Option<String> = or(base.map(|base| base.audience.clone()), Section::optional_text);
    }
}

section! {
    /// The OAuth session of the Apex way.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Session in "session" |section| {
        /// How long an access token is used; Salesforce does not say when it ends.
        keep: Duration = duration(MINUTE..=DAY);
    }
}

impl Section<'_> {
    /// A number of failed logins.
    fn failures(&mut self, key: &str) -> Option<u32> {
        self.count(key, 1..=10_000)?.try_into().ok()
    }

    /// The certificates in a file that may be left out.
    fn roots(&mut self, key: &str) -> Option<Vec<X509>> {
        let pem = self.file_if_given(key, "a PEM file of certificates to trust");
        authorities(self, key, pem)
    }
}
