//! Typed configuration: the built-in defaults, one TOML file and the environment become one tree, of which each section
//! reads and checks its own part. Whatever is wrong anywhere ends up in one list, and no value of a secret does.

mod base_url;
mod call_center;
mod certificates;
mod clients;
mod deadlines;
mod encoding;
mod environment;
mod expiry;
mod files;
mod guards;
mod http_client;
mod inbound;
mod logs;
mod names;
mod nearest;
mod operations;
mod org_id;
mod outbox;
mod problem;
mod proxies;
mod reference;
mod report;
mod restart;
mod rotation;
mod scalars;
mod section;
mod server;
mod source;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod token_endpoint;
mod translations;
mod unreadable;
mod value;
mod webex;

use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;

use self::call_center::Surroundings;
use self::names::Names;
use self::report::Report;
use self::section::Section;
use crate::certificate::SigningCertificate;
use crate::clock::Clock;

pub use base_url::BaseUrl;
pub use call_center::{
    Abandonment, Apex, Api, CallCenter, Enrichment, NextCertificate, OAuth, OnCreateFailure, Telephony,
};
pub use clients::{Access, AssertionKey, Client, User};
pub(crate) use clients::{client_id, user_name};
pub use deadlines::Deadlines;
pub use expiry::Expiry;
pub use files::Files;
pub use guards::{Breaker, FailedLogins, Limits};
pub use http_client::HttpClient;
pub use inbound::Inbound;
pub use logs::{LogFormat, Logs};
pub(crate) use nearest::nearest;
pub use operations::Operations;
pub use org_id::OrgId;
pub use outbox::{Journal, Outbox};
pub use problem::{Problem, Problems};
pub use proxies::{Network, Proxies, ProxyHeader};
pub use rotation::{Rotation, Watch};
pub use server::Server;
pub use source::{DEFAULTS, EXAMPLE, Source, configuration_file};
pub use store::Store;
pub use tls::Tls;
pub use token::{Session, Token};
pub use token_endpoint::{SigningKeys, TokenEndpoint};
pub use translations::Translations;
pub(crate) use value::parse_duration;
pub use webex::{BadSignatureStatus, Webex, WebexClient};

/// The whole configuration: read, checked, with every file it names opened and parsed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The public listener.
    pub server: Server,
    /// The listener for people and probes.
    pub operations: Operations,
    /// How long each route may take.
    pub deadlines: Deadlines,
    /// The database.
    pub store: Store,
    /// What must still reach Salesforce.
    pub outbox: Outbox,
    /// What we know of each call.
    pub journal: Journal,
    /// When Salesforce is left alone.
    pub breaker: Breaker,
    /// How much is asked of Salesforce.
    pub limits: Limits,
    /// What is done when files change and certificates end.
    pub rotation: Rotation,
    /// The log.
    pub logs: Logs,
    /// Connections to Salesforce.
    pub http_client: HttpClient,
    /// The OAuth session of the Apex way.
    pub session: Session,
    /// The access tokens that we give to those who call us.
    pub oauth: TokenEndpoint,
    /// Who may call; at least one.
    pub clients: Vec<Client>,
    /// Signing certificates by name.
    pub certificates: BTreeMap<String, SigningCertificate>,
    /// Contact centers by name; at least one.
    pub call_centers: BTreeMap<String, CallCenter>,
    /// The Webex tenant, if it is configured.
    pub webex: Option<Webex>,
    /// What is worth a warning, and is known only while the files are read.
    notes: Vec<String>,
}

impl Settings {
    /// Reads the configuration and every file it names.
    ///
    /// # Errors
    /// Every problem of the whole configuration.
    pub fn load(source: &Source, clock: &dyn Clock) -> Result<Self, Problems> {
        Self::load_with_files(source, clock).0
    }

    /// The same, and every file that was read or could not be: when one of them changes, it is worth trying again.
    pub fn load_with_files(source: &Source, clock: &dyn Clock) -> (Result<Self, Problems>, Files) {
        let (mut problems, mut files) = (Vec::new(), Files::default());
        let Some(tree) = source.tree(&mut problems, &mut files) else {
            return (Err(Problems::new(problems)), files);
        };
        let report = Report::new(clock.now(), tree.variables, problems, files);
        let settings = Self::read(Section::new(&report, "", tree.root));
        let (problems, files) = report.finish();
        let result = match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(Problems::new(problems)),
        };
        (result, files)
    }

    /// Reads every section, whatever is wrong in the others.
    fn read(mut root: Section<'_>) -> Option<Self> {
        let server = root.section("server").and_then(Server::read);
        let operations =
            root.section("operations").and_then(|section| Operations::read(section, server.as_ref()));
        let deadlines = root.section("deadlines").and_then(Deadlines::read);
        let store = Store::read(root.section_or_empty("store"));
        let outbox = root.section("outbox").and_then(|section| Outbox::read(section, deadlines.as_ref()));
        let journal = root.section("journal").and_then(Journal::read);
        let breaker = root.section("breaker").and_then(Breaker::read);
        let limits = root.section("limits").and_then(Limits::read);
        let rotation = root.section("rotation").and_then(Rotation::read);
        let logs = root.section("logs").and_then(Logs::read);
        let http_client = root.section("http_client").and_then(HttpClient::read);
        let token = root.section("token").and_then(|section| Token::read(section, None));
        let session = root.section("session").and_then(Session::read);
        let oauth = root.section("oauth").and_then(TokenEndpoint::read);
        let (certificates, certificate_names) = read_certificates(&mut root);
        let around = Surroundings {
            certificates: &certificates,
            certificate_names: &certificate_names,
            token: token.as_ref(),
        };
        let (call_centers, call_center_names) = read_call_centers(&mut root, &around);
        let clients = clients::read_all(&mut root, &call_center_names);
        clients::check_surroundings(&root, &clients, server.as_ref(), oauth.as_ref());
        let webex = root.section("webex").map(|section| Webex::read(section, &call_center_names));
        let notes = root.report.notes();
        root.finish();
        Some(Self {
            notes,
            server: server?,
            operations: operations?,
            deadlines: deadlines?,
            store: store?,
            outbox: outbox?,
            journal: journal?,
            breaker: breaker?,
            limits: limits?,
            rotation: rotation?,
            logs: logs?,
            http_client: http_client?,
            session: session?,
            oauth: oauth?,
            clients,
            certificates,
            call_centers,
            webex: match webex {
                Some(webex) => Some(webex?),
                None => None,
            },
        })
    }
}

fn read_certificates(root: &mut Section<'_>) -> (BTreeMap<String, SigningCertificate>, Names) {
    let sections = root.named("certificates");
    let names = sections.iter().map(|(name, _)| name.clone());
    let names = Names::new("certificate", "certificates", names);
    let read = sections
        .into_iter()
        .filter_map(|(name, section)| Some((name.clone(), certificates::read(&name, section)?)))
        .collect();
    (read, names)
}

fn read_call_centers(
    root: &mut Section<'_>,
    around: &Surroundings<'_>,
) -> (BTreeMap<String, CallCenter>, Names) {
    let before = root.report.count();
    let sections = root.named("call_centers");
    if sections.is_empty() && root.report.count() == before {
        root.problem(
            "call_centers",
            "there is no contact center",
            "add a [call_centers.NAME] section; `scv-bridge check --example` shows both ways to Salesforce",
        );
    }
    let names = sections.iter().map(|(name, _)| name.clone());
    let names = Names::new("contact center", "call_centers", names);
    let read = sections
        .into_iter()
        .filter_map(|(name, section)| Some((name.clone(), CallCenter::read(&name, section, around)?)))
        .collect();
    (read, names)
}
