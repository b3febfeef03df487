//! All clients together: what they may not share, and what they need of other sections.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Server, TokenEndpoint};
use super::{Client, Names, Section};

/// `[[clients]]`; at least one.
pub(in crate::settings) fn read_all(root: &mut Section<'_>, call_centers: &Names) -> Vec<Client> {
    let before = root.report.count();
    let sections = root.items("clients");
    if sections.is_empty() && root.report.count() == before {
        root.problem(
            "clients",
            "there is no client, so nobody could call the bridge",
            "`scv-bridge secret new CLIENT` prints a secret and the section to add",
        );
    }
    let mut ids = BTreeSet::new();
    let mut clients = Vec::new();
    for section in sections {
        let Some(client) = Client::read(section, call_centers) else {
            continue;
        };
        if !ids.insert(client.id.clone()) {
            root.problem(
                "clients",
                format!("the id {:?} is given twice", client.id),
                "give each client an id of its own",
            );
        }
        clients.push(client);
    }
    clients
}

/// What clients need of other sections. A section that could not be read has problems of its own.
pub(in crate::settings) fn check_surroundings(
    root: &Section<'_>,
    clients: &[Client],
    server: Option<&Server>,
    oauth: Option<&TokenEndpoint>,
) {
    certificate_names(root, clients);
    let takes_certificates =
        server.is_none_or(|server| server.tls.as_ref().is_some_and(|tls| !tls.client_ca.is_empty()));
    for client in clients {
        if !client.certificate_names.is_empty() && !takes_certificates {
            root.problem(
                &format!("clients.{}.certificate_names", client.id),
                "is given, but no client can show a certificate",
                "set `client_ca` of [server.tls] to the authorities of the clients' certificates",
            );
        }
        if client.needs_tokens() && oauth.is_some_and(|oauth| oauth.keys.is_none()) {
            root.problem(
                "oauth.signing_key_file",
                format!("is missing, and the client {:?} gets in by an access token", client.id),
                "`scv-bridge secret signing-key` prints a key: write it into a file and name that here",
            );
        }
    }
}

/// A name in a certificate stands for one client.
fn certificate_names(root: &Section<'_>, clients: &[Client]) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for client in clients {
        for name in &client.certificate_names {
            if let Some(owner) = owners.insert(name, &client.id) {
                root.problem(
                    &format!("clients.{}.certificate_names", client.id),
                    format!("holds {name:?}, as that of the client {owner:?} does"),
                    "a name in a certificate stands for one client",
                );
            }
        }
    }
}
