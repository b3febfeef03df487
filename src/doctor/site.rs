//! What checks share: the configuration, the clients made of it as the service makes them, and what one check leaves for
//! those after it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use native_tls::TlsConnector;
use openssl::x509::X509;
use reqwest::Client;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::{Budget, ClientError, Orgs, clients_trusting, tls_connector};
use crate::settings::Settings;
use crate::store::Inspection;
use crate::telemetry::Metrics;

/// How long one request of a check may take: less than a check, which may make several.
const REQUEST_WITHIN: Duration = Duration::from_secs(4);

/// The configuration and its clients.
pub(super) struct Site {
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<Ids>,
    /// Where the service's own clients count; nobody reads it.
    pub(super) metrics: Arc<Metrics>,
    /// The service's own contact centers.
    pub(super) orgs: Orgs,
    /// The service's own client.
    pub(super) http: Client,
    /// Trusts as that client does.
    pub(super) trusted: TlsConnector,
    /// A client that trusts as Webex does: public authorities only.
    pub(super) public_http: Client,
    /// Trusts as that client does.
    pub(super) public: TlsConnector,
    /// What the look at the database found.
    pub(super) database: OnceLock<Inspection>,
    /// Whether the service listens on this machine.
    pub(super) serves: OnceLock<bool>,
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum SiteError {
    /// The HTTPS client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The metrics that the service's own clients want cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Site {
    /// The clients of a configuration. `public_roots`: authorities that count as public besides the system's.
    ///
    /// # Errors
    /// When the TLS library or a root cannot be used.
    pub(super) fn new(
        settings: Settings,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
        public_roots: &[X509],
    ) -> Result<Self, SiteError> {
        let own = &settings.http_client;
        let trusted = tls_connector(&own.extra_roots)?;
        // Reading the system's authorities takes longer than most checks.
        let public = match own.extra_roots.is_empty() && public_roots.is_empty() {
            true => trusted.clone(),
            false => tls_connector(public_roots)?,
        };
        let client = |tls: &TlsConnector| {
            Ok::<_, ClientError>(clients_trusting(own, tls, 1)?.pop().unwrap_or_default())
        };
        let (http, public_http) = (client(&trusted)?, client(&public)?);
        let metrics = Arc::new(Metrics::new()?);
        Ok(Self {
            orgs: Orgs::new(&settings, None, (clock, ids), &metrics),
            metrics,
            settings,
            clock: Arc::clone(clock),
            ids: Arc::clone(ids),
            http,
            trusted,
            public_http,
            public,
            database: OnceLock::new(),
            serves: OnceLock::new(),
        })
    }

    /// The time of one request.
    pub(super) fn budget() -> Budget {
        Budget::new(Instant::now(), REQUEST_WITHIN)
    }

    /// Whether the service runs on this machine, as far as was seen.
    pub(super) fn service_runs(&self) -> bool {
        let holds = self.database.get().is_some_and(|database| database.holder.is_some());
        holds || self.serves.get() == Some(&true)
    }
}
