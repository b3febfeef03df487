//! `[notices]`: who is told of what an operator has to act on.

use std::time::Duration;

use lettre::message::Mailbox;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::section::{Section, section};
use super::value::{BaseUrl, DAY, MINUTE};

const RELAY: &str = "smtps://user:password@relay.example.com, or smtp://relay.example.com:587?tls=required";
const MAILBOX: &str = "an address such as scv-bridge@example.com";

section! {
    /// Where notices go; nowhere, where no receiver is named.
    #[derive(Debug, Clone)]
    pub struct Notices in "notices" |section| {
        /// Takes notices as JSON; its address can hold a token.
        webhook_url: Option<Url> = webhook_url();
        /// What those are signed with.
        webhook_secret: Option<SecretString> = flatten(|section| Some(section.secret("webhook_secret")));
        /// Takes notices as mail.
        mail: Option<Mail> = flatten(|section| Some(mail(section)));
        /// After how long a condition that goes on is told again.
        repeat_every: Duration = duration(MINUTE..=30 * DAY);
    }
}

/// A mailbox behind a relay.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The relay, as a URL with its credentials.
    pub relay: SecretString,
    /// The sender.
    pub from: Mailbox,
    /// Who gets it; at least one.
    pub to: Vec<Mailbox>,
}

impl Section<'_> {
    fn webhook_url(&mut self, key: &str) -> Option<Option<Url>> {
        let Some(text) = self.secret(key) else { return Some(None) };
        let text = text.expose_secret();
        // Of a receiver's address, a query may hold its token.
        let (address, _) = text.split_once('?').unwrap_or((text, ""));
        match (BaseUrl::parse(address), Url::parse(text)) {
            (Ok(_), Ok(url)) => Some(Some(url)),
            (Err(problem), _) => {
                self.problem(key, format!("the value (not shown) {problem}"), "the address of the receiver");
                Some(None)
            }
            (_, Err(_)) => {
                self.problem(key, "the value (not shown) is not a URL", "the address of the receiver");
                Some(None)
            }
        }
    }
}

fn mail(section: &mut Section<'_>) -> Option<Mail> {
    // A value that is there and wrong has a problem of its own.
    let given = [
        section.has("mail_relay") || section.has("mail_relay_file"),
        section.has("mail_from"),
        section.has("mail_to"),
    ];
    let relay = section.secret("mail_relay");
    let from = section.optional("mail_from", MAILBOX, mailbox).flatten();
    let to = section.list("mail_to").unwrap_or_default();
    let to: Vec<Option<Mailbox>> = to
        .iter()
        .map(|text| {
            let wrong = || section.problem("mail_to", "holds something that is no address", MAILBOX);
            mailbox(text).map_err(|_| wrong()).ok()
        })
        .collect();
    let to: Vec<Mailbox> = to.into_iter().flatten().collect();
    if let Some(relay) = &relay
        && let Err(problem) = check_relay(relay)
    {
        section.problem("mail_relay", format!("the value (not shown) {problem}"), RELAY);
    }
    match (relay, from, to.is_empty()) {
        (Some(relay), Some(from), false) => Some(Mail { relay, from, to }),
        _ if given == [false; 3] => None,
        _ => {
            let keys = [("mail_relay", RELAY), ("mail_from", MAILBOX), ("mail_to", "a list of addresses")];
            for ((key, hint), _) in keys.into_iter().zip(given).filter(|(_, given)| !given) {
                section.problem(key, "is missing, and mail needs mail_relay, mail_from and mail_to", hint);
            }
            None
        }
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| "is no address".to_owned())
}

/// Mail to another machine is encrypted, and so are its credentials.
fn check_relay(relay: &SecretString) -> Result<(), String> {
    let url = Url::parse(relay.expose_secret()).map_err(|error| format!("is not a URL: {error}"))?;
    let is_encrypted = match url.scheme() {
        "smtps" => true,
        "smtp" => url.query_pairs().any(|(key, value)| key == "tls" && value == "required"),
        _ => return Err("is neither smtps:// nor smtp://".to_owned()),
    };
    let is_here = url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    match is_encrypted || is_here {
        true => Ok(()),
        false => Err("is not encrypted; that is only for loopback hosts".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_on_another_machine_is_encrypted() {
        for (relay, fits) in [
            ("smtps://user:password@relay.example.com", true),
            ("smtp://relay.example.com:587?tls=required", true),
            ("smtp://127.0.0.1:2525", true),
            ("smtp://relay.example.com:25", false),
            ("smtp://relay.example.com?tls=opportunistic", false),
            ("https://relay.example.com", false),
            ("relay", false),
        ] {
            assert_eq!(check_relay(&relay.into()).is_ok(), fits, "{relay}");
        }
    }
}
