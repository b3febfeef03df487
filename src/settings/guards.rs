//! `[breaker]` and `[limits]`: what keeps a dead or busy Salesforce from costing a caller time, and strangers from
//! guessing secrets.

use std::time::Duration;

use super::section::Section;

/// When Salesforce is left alone, per org and way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Consecutive failures that open it.
    pub failures: usize,
    /// From when on an answer is slow.
    pub slow: Duration,
    /// Consecutive slow answers that open it.
    pub slow_calls: usize,
    /// How long it stays open the first time; doubled each time that it opens again.
    pub pause: Duration,
    /// The longest it stays open.
    pub longest_pause: Duration,
    /// Requests that may try at once whether Salesforce is back.
    pub probes: usize,
}

/// How much is asked of one org, and how often a login may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Creates in any one second; Salesforce answers 429 to the 51st of an org.
    pub creates_per_second: usize,
    /// Requests in flight at once, per org and way.
    pub concurrent_requests: usize,
    /// Failed logins.
    pub failed_logins: FailedLogins,
}

/// How often a login may fail before it is refused unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedLogins {
    /// From one address within the window; of IPv6, one network of 64 bits.
    pub per_address: u32,
    /// Of one client id within the window, from addresses where it never succeeded.
    pub per_client: u32,
    /// How long a failure counts.
    pub window: Duration,
}

impl Breaker {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let failures = section.count("failures", None, 1..=1000);
        let slow = section.duration("slow", None, Duration::from_millis(1)..=Duration::from_secs(60));
        let slow_calls = section.count("slow_calls", None, 1..=1000);
        let pauses = Duration::from_millis(10)..=Duration::from_secs(600);
        let pause = section.duration("pause", None, pauses.clone());
        let longest_pause = section.duration("longest_pause", None, pauses);
        let probes = section.count("probes", None, 1..=100);
        if let (Some(pause), Some(longest)) = (pause, longest_pause)
            && longest < pause
        {
            section.problem("longest_pause", "is shorter than `pause`", "make it at least as long");
        }
        section.finish();
        Some(Self {
            failures: failures?,
            slow: slow?,
            slow_calls: slow_calls?,
            pause: pause?,
            longest_pause: longest_pause?,
            probes: probes?,
        })
    }
}

impl Limits {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let creates_per_second = section.count("creates_per_second", None, 1..=100_000);
        let concurrent_requests = section.count("concurrent_requests", None, 1..=100_000);
        let failed_logins = FailedLogins::read(&mut section);
        section.finish();
        Some(Self {
            creates_per_second: creates_per_second?,
            concurrent_requests: concurrent_requests?,
            failed_logins: failed_logins?,
        })
    }
}

impl FailedLogins {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut count =
            |key| section.count(key, None, 1..=10_000).and_then(|count| u32::try_from(count).ok());
        let per_address = count("failed_logins_per_address");
        let per_client = count("failed_logins_per_client");
        let bounds = Duration::from_secs(1)..=Duration::from_secs(86_400);
        let window = section.duration("failed_logins_window", None, bounds);
        Some(Self { per_address: per_address?, per_client: per_client?, window: window? })
    }
}
