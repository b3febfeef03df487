//! Everything that follows from the settings: built anew when they change, and replaced as a whole.

use std::sync::Arc;

use reqwest::Client;

use super::StartError;
use super::tls::Under;
use crate::api::{Callers, Staff};
use crate::bridge::{Bridge, CallTurns};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::Outbox;
use crate::salesforce::{Orgs, clients};
use crate::settings::{Expiry, Settings};

/// What lasts as long as the process, whatever the settings.
pub(super) struct Lasting {
    pub(super) outbox: Arc<Outbox>,
    pub(super) turns: Arc<CallTurns>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<Ids>,
}

/// What runs under one configuration.
pub(super) struct Generation {
    pub(super) settings: Arc<Settings>,
    pub(super) orgs: Arc<Orgs>,
    pub(super) ends: Vec<Expiry>,
    /// Of the outbox.
    pub(super) own: Client,
    /// One for each worker thread; at least one.
    clients: Vec<Client>,
}

/// A generation, and what it puts into its places: nothing of it can fail any more.
pub(super) struct Built {
    pub(super) generation: Generation,
    pub(super) staff: Staff,
    pub(super) under: Option<Under>,
}

impl Generation {
    /// Builds what follows from the settings, with what is worth keeping of the generation before: connections, and
    /// what [`Orgs::new`] keeps.
    ///
    /// # Errors
    /// When a certificate or the client cannot be used.
    pub(super) fn build(
        settings: Settings,
        before: Option<&Self>,
        lasting: &Lasting,
    ) -> Result<Built, StartError> {
        let settings = Arc::new(settings);
        let under = settings.server.tls.as_ref().map(Under::new).transpose()?;
        let callers = Callers::new(&settings.clients)?;
        let (own, clients) = match before {
            Some(before) if before.settings.http_client == settings.http_client => {
                (before.own.clone(), before.clients.clone())
            }
            _ => {
                let mut clients = clients(&settings.http_client, workers(&settings) + 1)?;
                (clients.pop().unwrap_or_default(), clients)
            }
        };
        let orgs = before.map(|before| before.orgs.as_ref());
        let orgs = Arc::new(Orgs::new(&settings, orgs, &lasting.clock, &lasting.ids));
        let bridge =
            |client: &Client| Bridge::new(&settings, client.clone(), &orgs, &lasting.outbox, &lasting.turns);
        let (first, others) = clients.split_first().map_or((&own, &[][..]), |split| split);
        let staff =
            Staff::new(Arc::clone(&settings), callers, bridge(first), others.iter().map(bridge).collect());
        let ends = settings.expiries();
        Ok(Built { generation: Self { settings, orgs, ends, own, clients }, staff, under })
    }
}

/// Worker threads of the public listener.
pub(super) fn workers(settings: &Settings) -> usize {
    match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}
