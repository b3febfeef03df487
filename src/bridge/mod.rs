//! What happens to a call: one verb a file. Each takes a request that is known to be sound, asks Salesforce
//! within the budget and says what came of it.

mod answer;
mod create;
mod end;
mod route;
mod update;

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::Client;

use crate::clock::Clock;
use crate::domain::CallCenterName;
use crate::ids::Ids;
use crate::salesforce::{Failure, Org};
use crate::settings::{CallCenter, Settings};

pub use route::Routed;

/// Everything the verbs need. One a worker thread, each with its own pool of connections; tokens and sessions
/// are shared.
#[derive(Clone)]
pub struct Bridge {
    settings: Arc<Settings>,
    orgs: Arc<HashMap<String, Org>>,
    client: Client,
}

impl Bridge {
    /// One bridge for each client.
    #[must_use]
    pub fn build(
        settings: &Arc<Settings>,
        clients: Vec<Client>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Vec<Self> {
        let orgs = Arc::new(Org::all(settings, clock, ids));
        clients
            .into_iter()
            .map(|client| Self { settings: Arc::clone(settings), orgs: Arc::clone(&orgs), client })
            .collect()
    }

    /// A contact center of the configuration.
    #[must_use]
    pub fn call_center(&self, name: &str) -> Option<&CallCenter> {
        self.settings.call_centers.get(name)
    }

    fn org(&self, name: &CallCenterName) -> Result<&Org, Failure> {
        self.orgs.get(name.as_ref()).ok_or_else(|| Failure::Misconfigured {
            words: format!("no contact center {name} is configured"),
        })
    }
}
