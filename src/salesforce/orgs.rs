//! All contact centers in Salesforce, as one configuration says; what they know outlives it.

use std::collections::HashMap;
use std::sync::Arc;

use super::apex::ApexApi;
use super::inquiry::VoiceCallQuery;
use super::org::{Org, OrgApi};
use super::session::OAuthSessions;
use super::telephony::TelephonyApi;
use super::{Gate, SalesforceApi};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::{Api, CallCenter, OAuth, Settings};

/// All contact centers, by name. Those of one org share its gates.
pub struct Orgs {
    orgs: HashMap<String, Org>,
    /// One for each org and way.
    gates: HashMap<(SalesforceApi, String), Arc<Gate>>,
    /// By contact center.
    sessions: HashMap<String, Arc<OAuthSessions>>,
}

impl Orgs {
    /// The configured contact centers. What those `before` them know stays: how the org answers and how much is asked of
    /// it, and tokens and sessions about which nothing has changed.
    #[must_use]
    pub fn new(settings: &Settings, before: Option<&Self>, clock: &Arc<dyn Clock>, ids: &Arc<Ids>) -> Self {
        let orgs = Self { orgs: HashMap::new(), gates: HashMap::new(), sessions: HashMap::new() };
        let mut building = OrgsBuilder { orgs, settings, before, clock, ids };
        for center in settings.call_centers.values() {
            let org = building.org(center);
            building.orgs.orgs.insert(center.name.clone(), org);
        }
        building.orgs
    }

    /// Lets the gates that were kept go by these settings.
    pub fn adopt(&self, settings: &Settings) {
        self.gates.values().for_each(|gate| gate.adopt(settings));
    }

    /// A contact center.
    #[must_use]
    pub fn get(&self, call_center: &str) -> Option<&Org> {
        self.orgs.get(call_center)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Org)> {
        self.orgs.iter().map(|(name, org)| (name.as_str(), org))
    }
}

struct OrgsBuilder<'a> {
    orgs: Orgs,
    settings: &'a Settings,
    before: Option<&'a Orgs>,
    clock: &'a Arc<dyn Clock>,
    ids: &'a Arc<Ids>,
}

impl OrgsBuilder<'_> {
    fn org(&mut self, center: &CallCenter) -> Org {
        let (way, sessions) = match &center.api {
            Api::Telephony(api) => {
                let sessions = api.oauth.as_ref().map(|oauth| self.session(center, oauth).1);
                let gate = self.gate(SalesforceApi::Telephony, api.org_id.as_str());
                let certificates = self.settings.certificates.values();
                let before = self.before.and_then(|before| before.get(&center.name)?.telephony());
                let way = TelephonyApi::new(gate, center, api, certificates, before, self.clock, self.ids);
                (OrgApi::Telephony(Box::new(way)), sessions)
            }
            Api::Apex(api) => {
                let (gate, sessions) = self.session(center, &api.oauth);
                let way = ApexApi::new(gate, Arc::clone(&sessions), center, api);
                (OrgApi::Apex(Box::new(way)), Some(sessions))
            }
        };
        Org::new(way, sessions.map(VoiceCallQuery::new), center.abandonment.ask_salesforce)
    }

    /// The gate of an org: the one that is there, else the one from before, else a new one.
    fn gate(&mut self, way: SalesforceApi, org: &str) -> Arc<Gate> {
        let key = (way, org.to_owned());
        let (settings, ids) = (self.settings, self.ids);
        let before = self.before.and_then(|before| before.gates.get(&key)).map(Arc::clone);
        let new = || Arc::new(Gate::new(org.to_owned(), settings, Arc::clone(ids)));
        Arc::clone(self.orgs.gates.entry(key).or_insert_with(|| before.unwrap_or_else(new)))
    }

    /// The session of a contact center, and the gate before its login.
    fn session(&mut self, center: &CallCenter, oauth: &OAuth) -> (Arc<Gate>, Arc<OAuthSessions>) {
        let gate = self.gate(SalesforceApi::Apex, &format!("{} {}", oauth.login_url, oauth.username));
        let keep = self.settings.session;
        let before = self.before.and_then(|before| before.sessions.get(&center.name));
        let sessions = match before.filter(|before| before.fits(oauth, center, keep)) {
            Some(before) => Arc::clone(before),
            None => {
                let (gate, clock) = (Arc::clone(&gate), Arc::clone(self.clock));
                Arc::new(OAuthSessions::new(gate, oauth, center, keep, clock))
            }
        };
        self.orgs.sessions.insert(center.name.clone(), Arc::clone(&sessions));
        (gate, sessions)
    }
}
