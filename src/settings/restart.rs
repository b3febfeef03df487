//! What cannot change while the service runs.

use std::mem::replace;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Inbound, Settings, Webex};

impl Settings {
    /// Takes over from the `running` settings what takes effect at a start only: addresses, threads, the database and
    /// the log. Tells the keys that differ.
    #[must_use]
    pub fn hold_fixed(&mut self, running: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        let (server, held) = (&mut self.server, &running.server);
        hold(&mut keys, "server.listen", &mut server.listen, &held.listen);
        hold(&mut keys, "server.workers", &mut server.workers, &held.workers);
        hold_inbound(&mut keys, &mut server.inbound, &held.inbound);
        hold(&mut keys, "server.shutdown_timeout", &mut server.shutdown_timeout, &held.shutdown_timeout);
        if server.tls.is_some() != held.tls.is_some() {
            server.tls.clone_from(&held.tls);
            keys.push("server.tls");
        }
        hold(&mut keys, "operations.listen", &mut self.operations.listen, &running.operations.listen);
        if self.store.url.expose_secret() != running.store.url.expose_secret() {
            self.store.url = running.store.url.clone();
            keys.push("store.url");
        }
        let (outbox, held) = (&mut self.outbox, &running.outbox);
        hold(&mut keys, "outbox.concurrency", &mut outbox.concurrency, &held.concurrency);
        hold(&mut keys, "logs.format", &mut self.logs.format, &running.logs.format);
        hold(&mut keys, "logs.level", &mut self.logs.level, &running.logs.level);
        if hold_webex(&mut self.webex, running.webex.as_ref()) {
            keys.push("webex");
        }
        keys
    }
}

/// What reconciliation was begun with, and whether there are webhooks at all. Secrets of webhooks and what calls are
/// judged by change at once.
fn hold_webex(webex: &mut Option<Webex>, held: Option<&Webex>) -> bool {
    let (Some(new), Some(held)) = (webex.as_mut(), held) else {
        let differs = webex.is_some() != held.is_some();
        *webex = held.cloned();
        return differs;
    };
    let fixed = |webex: &Webex| {
        let shown = |secret: &SecretString| secret.expose_secret().to_owned();
        (
            (webex.api_url.clone(), webex.token_url.clone(), webex.authorize_url.clone()),
            webex.token_key.as_ref().map(shown),
            webex.oauth_client.as_ref().map(|client| (client.id.clone(), shown(&client.secret))),
            (webex.org_id.clone(), webex.reactivate_subscriptions, webex.reconcile_every),
        )
    };
    if fixed(new) == fixed(held) {
        return false;
    }
    let live = (new.webhook_secrets.clone(), new.bad_signature_status, new.grace);
    let calls = (new.call_center.clone(), new.log_unknown_calls);
    *new = held.clone();
    (new.webhook_secrets, new.bad_signature_status, new.grace) = live;
    (new.call_center, new.log_unknown_calls) = calls;
    true
}

fn hold_inbound(keys: &mut Vec<&'static str>, inbound: &mut Inbound, held: &Inbound) {
    hold(keys, "server.max_connections", &mut inbound.max_connections, &held.max_connections);
    hold(keys, "server.max_requests", &mut inbound.max_requests, &held.max_requests);
    hold(keys, "server.max_head", &mut inbound.max_head, &held.max_head);
    hold(keys, "server.max_headers", &mut inbound.max_headers, &held.max_headers);
    hold(keys, "server.client_timeout", &mut inbound.client_timeout, &held.client_timeout);
    hold(keys, "server.keep_alive", &mut inbound.keep_alive, &held.keep_alive);
}

fn hold<T: PartialEq + Clone>(keys: &mut Vec<&'static str>, key: &'static str, value: &mut T, held: &T) {
    if replace(value, held.clone()) != *held {
        keys.push(key);
    }
}
