//! Typed configuration: the built-in defaults, one TOML file and the environment become one tree, of which each section
//! reads and checks its own part. Whatever is wrong anywhere ends up in one list, and no value of a secret does.

mod call_center;
mod certificates;
mod clients;
mod files;
mod logs;
mod names;
mod notices;
mod proxies;
mod reference;
mod report;
mod rotation;
mod salesforce;
mod section;
mod server;
mod source;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod traces;
mod unreadable;
mod value;
mod webex;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use self::call_center::Surroundings;
use self::names::ConfiguredNames;
use self::report::Report;
use self::section::Section;
use crate::certificate::SigningCertificate;
use crate::clock::Clock;

pub use call_center::{
    Abandonment, Apex, Api, CallCenter, Enrichment, NextCertificate, NumberField, OAuth, OnCreateFailure,
    Telephony, TranslationExample, Translations, WrongExample,
};
pub use clients::{Access, AssertionKey, Client, SigningKeys, TokenEndpoint, User};
pub(crate) use clients::{client_id, user_name};
pub use files::Files;
pub use logs::{LogFormat, Logs};
pub(crate) use names::nearest;
pub use notices::{Mail, Notices};
pub use proxies::{Network, Proxies, ProxyHeader};
pub use report::{Problem, Problems};
pub use rotation::{Expiry, Rotation, Watch};
pub use salesforce::{Breaker, Deadlines, FailedLogins, HttpClient, Limits, Session, Token};
pub use server::{Inbound, Operations, Server, Tls};
pub use source::{DEFAULTS, EXAMPLE, Source, configuration_file};
pub use store::{Journal, Outbox, Store, exposed_database};
pub use traces::Traces;
pub(crate) use value::parse_duration;
pub use value::{BaseUrl, OrgId};
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
    /// Who is told of what an operator has to act on.
    pub notices: Notices,
    /// Where spans go.
    pub traces: Traces,
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
        let settings = Section::root(&report, tree.root).read(Self::read);
        let (problems, files) = report.finish();
        let result = match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(Problems::new(problems)),
        };
        (result, files)
    }

    /// Reads the database's place and the names of the contact centers, for commands that look at the data beside a
    /// service: what else is wrong must not keep an operator from it.
    ///
    /// # Errors
    /// A file that cannot be read, variables that set nothing, and what is wrong with `[store]`.
    pub fn load_store(source: &Source, clock: &dyn Clock) -> Result<(Store, BTreeSet<String>), Problems> {
        let (mut problems, mut files) = (Vec::new(), Files::default());
        let Some(tree) = source.tree(&mut problems, &mut files) else {
            return Err(Problems::new(problems));
        };
        let report = Report::new(clock.now(), tree.variables, problems, files);
        let (store, names, count) = {
            let mut root = Section::root(&report, tree.root);
            let store = root.part_or_empty("store", Store::read);
            let count = report.count();
            (store, root.named("call_centers").into_iter().map(|(name, _)| name).collect(), count)
        };
        let (mut problems, _) = report.finish();
        // What is wrong with the contact centers is not asked here.
        problems.truncate(count);
        match store {
            Some(store) if problems.is_empty() => Ok((store, names)),
            _ => Err(Problems::new(problems)),
        }
    }

    /// Reads where the operations listener is, for commands that ask the service that runs: what else is wrong must not keep
    /// an operator from it.
    ///
    /// # Errors
    /// A file that cannot be read, variables that set nothing, and what is wrong with `[operations]`.
    pub fn load_operations(source: &Source, clock: &dyn Clock) -> Result<SocketAddr, Problems> {
        let (mut problems, mut files) = (Vec::new(), Files::default());
        let Some(tree) = source.tree(&mut problems, &mut files) else {
            return Err(Problems::new(problems));
        };
        let report = Report::new(clock.now(), tree.variables, problems, files);
        let mut root = Section::root(&report, tree.root);
        // What [server] allows of the address was asked when the service started.
        let operations = root.part("operations", |section| Operations::read(section, None));
        drop(root);
        let (problems, _) = report.finish();
        match operations {
            Some(operations) if problems.is_empty() => Ok(operations.listen),
            _ => Err(Problems::new(problems)),
        }
    }

    /// The deadlines of the built-in defaults.
    ///
    /// # Errors
    /// None that a test does not find: the defaults are part of the program.
    pub fn default_deadlines(clock: &dyn Clock) -> Result<Deadlines, Problems> {
        let (mut problems, mut files) = (Vec::new(), Files::default());
        let source = Source { file: None, environment: Vec::new() };
        let Some(tree) = source.tree(&mut problems, &mut files) else {
            return Err(Problems::new(problems));
        };
        let report = Report::new(clock.now(), tree.variables, problems, files);
        let deadlines = Section::root(&report, tree.root).part_or_empty("deadlines", Deadlines::read);
        let (problems, _) = report.finish();
        deadlines.ok_or_else(|| Problems::new(problems))
    }

    /// Reads every section, whatever is wrong in the others.
    fn read(root: &mut Section<'_>) -> Option<Self> {
        let server = root.part("server", Server::read);
        let operations = root.part("operations", |section| Operations::read(section, server.as_ref()));
        let deadlines = root.part("deadlines", Deadlines::read);
        let store = root.part_or_empty("store", Store::read);
        let outbox = root.part("outbox", |section| Outbox::read(section, deadlines.as_ref()));
        let journal = root.part("journal", Journal::read);
        let breaker = root.part("breaker", Breaker::read);
        let limits = root.part("limits", Limits::read);
        let rotation = root.part("rotation", Rotation::read);
        let logs = root.part("logs", Logs::read);
        let http_client = root.part("http_client", HttpClient::read);
        let token = root.part("token", |section| Token::read(section, None));
        let session = root.part("session", Session::read);
        let oauth = root.part("oauth", TokenEndpoint::read);
        let (certificates, names) = read_named(root, "certificate", "certificates", certificates::read);
        let around =
            Surroundings { certificates: &certificates, certificate_names: &names, token: token.as_ref() };
        let before = root.report.count();
        let (call_centers, names) = read_named(root, "contact center", "call_centers", |name, section| {
            call_center::read(name, section, &around)
        });
        if names.is_empty() && root.report.count() == before {
            let hint = "add a [call_centers.NAME] section; `scv-bridge check --example` shows both ways to Salesforce";
            root.problem("call_centers", "there is no contact center", hint);
        }
        let clients = clients::read_all(root, &names);
        clients::check_surroundings(root, &clients, server.as_ref(), oauth.as_ref());
        let notices = root.part("notices", Notices::read);
        let traces = root.part("traces", Traces::read);
        let webex = root.optional_part("webex", |section| Webex::read(section, &names));
        Some(Self {
            notes: root.report.notes(),
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
            webex: webex?,
            notices: notices?,
            traces: traces?,
        })
    }
}

/// The sections under names that could be read, and the names of all. `kind`: what one is called in a problem.
fn read_named<T>(
    root: &mut Section<'_>,
    kind: &'static str,
    table: &'static str,
    read: impl Fn(&str, &mut Section<'_>) -> Option<T>,
) -> (BTreeMap<String, T>, ConfiguredNames) {
    let sections = root.named(table);
    let names = ConfiguredNames::new(kind, table, sections.iter().map(|(name, _)| name.clone()));
    let read = sections.into_iter().filter_map(|(name, section)| {
        let value = section.read(|section| read(&name, section))?;
        Some((name, value))
    });
    (read.collect(), names)
}
