//! Notices: what an operator has to act on goes to a webhook, to a mailbox, or to both. Nothing about them delays a call.

mod condition;
mod decide;
mod mail;
mod webhook;

use std::time::Duration;

use jiff::Timestamp;
use openssl::x509::X509;
use reqwest::Client;
use tokio::time::timeout;

pub use condition::{Condition, ConditionKind, Finding, Findings};
pub use decide::{KnownConditions, Notice, NoticeState};
pub use webhook::{SIGNATURE, signature};

use crate::settings;
use mail::MailReceiver;
use webhook::WebhookReceiver;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a notice was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// It did not answer in time.
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Slow,
    /// It answered with something else than success.
    #[error("it answered HTTP {0}")]
    Refused(u16),
    /// It could not be reached, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
}

/// Where notices go, each with what it was told.
pub struct Notices {
    receivers: Vec<Receiver>,
    repeat_every: Duration,
}

struct Receiver {
    way: Way,
    known: KnownConditions,
}

enum Way {
    Webhook(Box<WebhookReceiver>),
    Mail(Box<MailReceiver>),
}

impl Notices {
    /// The receivers of the configuration. `client` follows no redirects.
    ///
    /// # Errors
    /// When the TLS library cannot be used.
    pub fn new(settings: &settings::Notices, client: Client, roots: &[X509]) -> Result<Self, NoticeError> {
        let mut ways = Vec::new();
        if let Some(url) = &settings.webhook_url {
            let receiver = WebhookReceiver::new(client, url.clone(), settings.webhook_secret.as_ref());
            ways.push(Way::Webhook(Box::new(receiver)));
        }
        if let Some(mail) = &settings.mail {
            ways.push(Way::Mail(Box::new(MailReceiver::new(mail, roots)?)));
        }
        let receiver = |way| Receiver { way, known: KnownConditions::default() };
        Ok(Self { receivers: ways.into_iter().map(receiver).collect(), repeat_every: settings.repeat_every })
    }

    /// Whether there is any receiver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.receivers.is_empty()
    }

    /// What was told before goes on to be known under another configuration, of receivers of the same kind.
    pub fn take_over(&mut self, before: Self) {
        for old in before.receivers {
            let alike = |new: &&mut Receiver| {
                matches!(
                    (&new.way, &old.way),
                    (Way::Webhook(_), Way::Webhook(_)) | (Way::Mail(_), Way::Mail(_))
                )
            };
            if let Some(new) = self.receivers.iter_mut().find(alike) {
                new.known = old.known;
            }
        }
    }

    /// Tells each receiver what is new, what goes on for long, and what is over. What a receiver does not take it is told
    /// the next time.
    pub async fn tell(&mut self, findings: &Findings, now: Timestamp) {
        for receiver in &mut self.receivers {
            let notices = receiver.known.due(findings, now, self.repeat_every);
            if notices.is_empty() {
                continue;
            }
            let sent = timeout(PATIENCE, receiver.way.send(&notices, now)).await;
            match sent.unwrap_or(Err(NoticeError::Slow)) {
                Ok(()) => {
                    tracing::info!(notices = notices.len(), to = receiver.way.name(), "sent notices");
                    receiver.known.told(&notices, now);
                }
                Err(error) => {
                    tracing::warn!(%error, to = receiver.way.name(), "notices were not taken; trying again later");
                }
            }
        }
    }
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "notices.webhook_url",
            Self::Mail(_) => "notices.mail_to",
        }
    }

    async fn send(&self, notices: &[Notice], now: Timestamp) -> Result<(), NoticeError> {
        match self {
            Self::Webhook(receiver) => receiver.send(notices, now).await,
            Self::Mail(receiver) => receiver.send(notices).await,
        }
    }
}
