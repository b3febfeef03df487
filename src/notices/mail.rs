//! Notices as mail, through a relay.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use openssl::x509::X509;
use secrecy::ExposeSecret as _;
use url::Url;

use super::{Notice, NoticeError, NoticeState};
use crate::domain::cut;
use crate::settings;

/// How long one step of the conversation with the relay may take.
const STEP: Duration = Duration::from_secs(5);
/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 150;

/// How the relay is reached, as its address says, by a client that trusts these too.
fn tls(relay: &Url, roots: &[X509]) -> Option<Tls> {
    let mut parameters = TlsParameters::builder(relay.host_str()?.to_owned());
    for root in roots {
        parameters = parameters.add_root_certificate(Certificate::from_der(root.to_der().ok()?).ok()?);
    }
    let parameters = parameters.build().ok()?;
    let is_required = relay.query_pairs().any(|(key, value)| key == "tls" && value == "required");
    Some(match relay.scheme() {
        "smtps" => Tls::Wrapper(parameters),
        _ if is_required => Tls::Required(parameters),
        _ => Tls::None,
    })
}

/// A mailbox behind a relay.
pub(super) struct MailReceiver {
    relay: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl MailReceiver {
    /// `roots`: what is trusted beside the system's authorities.
    pub(super) fn new(settings: &settings::Mail, roots: &[X509]) -> Result<Self, NoticeError> {
        let wrong = |words: &str| NoticeError::Unreachable(words.to_owned());
        let url = settings.relay.expose_secret();
        let relay = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| wrong("the address of the relay cannot be used"))?;
        let relay = match Url::parse(url) {
            // Else the transport trusts the system's authorities only.
            Ok(url) if !roots.is_empty() => relay.tls(tls(&url, roots).ok_or_else(|| {
                wrong("the certificates of http_client.ca_file cannot be used for the relay")
            })?),
            _ => relay,
        };
        let relay = relay.timeout(Some(STEP)).build();
        Ok(Self { relay, from: settings.from.clone(), to: settings.to.clone() })
    }

    /// Sends notices as one message.
    ///
    /// # Errors
    /// When the relay cannot be reached or does not take it.
    pub(super) async fn send(&self, notices: &[Notice]) -> Result<(), NoticeError> {
        let wrong = |error: &dyn std::fmt::Display| NoticeError::Unreachable(error.to_string());
        let mut message = Message::builder().from(self.from.clone()).subject(subject(notices));
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.body(body(notices)).map_err(|error| wrong(&error))?;
        self.relay.send(message).await.map_err(|error| wrong(&error)).map(drop)
    }
}

fn subject(notices: &[Notice]) -> String {
    let texts: Vec<String> = notices.iter().map(line).collect();
    cut(format!("scv-bridge: {}", texts.join("; ")), LONGEST_SUBJECT)
}

fn body(notices: &[Notice]) -> String {
    let paragraph = |notice: &Notice| format!("{}\nSince {}.\n", line(notice), notice.since);
    notices.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

fn line(notice: &Notice) -> String {
    let state = match notice.state {
        NoticeState::Begun => "",
        NoticeState::GoesOn => "still: ",
        NoticeState::Over => "over: ",
    };
    format!("{state}{}", notice.text)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::notices::ConditionKind;

    #[test]
    fn a_message_tells_each_notice_and_its_state() {
        let notice = |state, text: &str| Notice {
            state,
            kind: ConditionKind::BreakerOpen,
            subject: "Main".to_owned(),
            text: text.to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        let notices =
            [notice(NoticeState::Begun, "Salesforce is not asked."), notice(NoticeState::Over, "x")];
        assert_eq!(subject(&notices), "scv-bridge: Salesforce is not asked.; over: x");
        assert_eq!(
            body(&notices),
            "Salesforce is not asked.\nSince 1970-01-01T00:00:00Z.\n\nover: x\nSince 1970-01-01T00:00:00Z.\n"
        );
        let many = vec![notice(NoticeState::GoesOn, &"x".repeat(100)); 5];
        assert!(subject(&many).chars().count() <= LONGEST_SUBJECT);
    }
}
