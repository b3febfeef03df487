//! Wires everything: the one room that knows all others.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::store::X509StoreBuilder;
use tokio::sync::Notify;
use tokio::time::{Instant, interval};

use crate::api::{Access, Callers, Desk, InFlight, Readiness, access, operations, public};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::{ClientError, clients};
use crate::settings::{Settings, Tls};
use crate::telemetry::Metrics;

/// How long nothing may have been in flight before the last answers count as sent.
const SETTLED: Duration = Duration::from_millis(500);

/// Why the service cannot start although its configuration is sound.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("{key}: cannot listen on {address}: {source}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// OpenSSL refuses the certificate or key of `server.tls`, or lacks an algorithm.
    #[error("OpenSSL: {0}")]
    Tls(#[from] openssl::error::ErrorStack),
    /// The HTTPS client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// The service: both listeners bound, ready to run.
pub struct Application {
    public: (Server, SocketAddr),
    operations: (Server, SocketAddr),
    readiness: web::Data<Readiness>,
    metrics: Arc<Metrics>,
    settings: Arc<Settings>,
    end: Arc<End>,
}

/// How the service comes to its end.
#[derive(Default)]
struct End {
    in_flight: Arc<InFlight>,
    reached: Notify,
}

impl Application {
    /// Binds both listeners and wires what is behind them. Must be called within an actix system.
    ///
    /// # Errors
    /// When an address, a certificate or the client cannot be used.
    pub fn build(settings: Settings, clock: &Arc<dyn Clock>, ids: &Arc<Ids>) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let metrics = Arc::new(Metrics::new()?);
        for certificate in settings.certificates.values() {
            metrics.certificate(certificate.name(), certificate.days_left(clock.now()));
        }
        let readiness = web::Data::new(Readiness::default());
        let end = Arc::new(End::default());
        let access = Access {
            ids: Arc::clone(ids),
            metrics: Arc::clone(&metrics),
            in_flight: Arc::clone(&end.in_flight),
        };
        let public = serve_public(&settings, access, &readiness, clock, ids)?;
        let operations = serve_operations(&settings, &metrics, &readiness)?;
        Ok(Self { public, operations, readiness, metrics, settings, end })
    }

    /// Where flows reach it.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.1
    }

    /// Where operators reach it.
    #[must_use]
    pub fn operations_address(&self) -> SocketAddr {
        self.operations.1
    }

    /// The configuration it runs on.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is needed to stop it and to look after it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            servers: [self.public.0.handle(), self.operations.0.handle()],
            readiness: self.readiness.clone(),
            metrics: Arc::clone(&self.metrics),
            end: Arc::clone(&self.end),
        }
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// When a listener fails.
    pub async fn run(self) -> std::io::Result<()> {
        let serve = async {
            let (public, operations) = tokio::join!(self.public.0, self.operations.0);
            public.and(operations)
        };
        tokio::select! {
            served = serve => served,
            () = self.end.reached.notified() => Ok(()),
        }
    }
}

/// Reaches into a running service.
#[derive(Clone)]
pub struct Handle {
    servers: [ServerHandle; 2],
    readiness: web::Data<Readiness>,
    metrics: Arc<Metrics>,
    end: Arc<End>,
}

impl Handle {
    /// Takes no new connections, lets the requests in flight end within `server.shutdown_timeout`, and stops.
    pub async fn stop(&self) {
        self.readiness.stop();
        let servers = async {
            for server in &self.servers {
                server.stop(true).await;
            }
        };
        // The server waits for connections, and never closes an idle one of HTTP/2; requests are what counts.
        tokio::select! {
            () = servers => {}
            () = settled(&self.end.in_flight) => {}
        }
        self.end.reached.notify_one();
    }

    /// The metrics, to be tidied now and then.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Returns once nothing has been in flight for [`SETTLED`].
async fn settled(in_flight: &InFlight) {
    let mut beat = interval(SETTLED / 10);
    let mut since = Instant::now();
    while since.elapsed() < SETTLED {
        beat.tick().await;
        if in_flight.any() {
            since = Instant::now();
        }
    }
}

type Bound = (Server, SocketAddr);

fn serve_public(
    settings: &Arc<Settings>,
    access_data: Access,
    readiness: &web::Data<Readiness>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<Ids>,
) -> Result<Bound, StartError> {
    let workers = match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let clients = clients(&settings.http_client, workers)?;
    let bridges = Bridge::build(settings, clients, clock, ids);
    let spare = Arc::new(Mutex::new((bridges.first().cloned(), bridges)));
    let callers = Arc::new(Callers::new(&settings.clients)?);
    let access_data = web::Data::new(access_data);
    let (settings_of, clock, readiness) = (Arc::clone(settings), Arc::clone(clock), readiness.clone());
    let server = HttpServer::new(move || {
        // Each worker takes a bridge of its own; one that starts again after a panic shares the first.
        let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
        let bridge = spare.1.pop().or_else(|| spare.0.clone());
        let desk = bridge.map(|bridge| {
            web::Data::new(Desk::new(
                bridge,
                Arc::clone(&callers),
                Arc::clone(&settings_of),
                Arc::clone(&clock),
            ))
        });
        let app = App::new().app_data(access_data.clone()).app_data(readiness.clone());
        let app = match desk {
            Some(desk) => app.app_data(desk),
            None => app,
        };
        app.wrap(from_fn(access)).configure(public)
    })
    .workers(workers)
    .max_connections(settings.server.max_connections)
    .shutdown_timeout(settings.server.shutdown_timeout.as_secs())
    .disable_signals();
    let (listener, address) = bind("server.listen", settings.server.listen)?;
    let failed = |source| StartError::Listen { key: "server.listen", address, source };
    let server = match &settings.server.tls {
        Some(tls) => server.listen_openssl(listener, acceptor(tls)?),
        None => server.listen(listener),
    };
    Ok((server.map_err(failed)?.run(), address))
}

fn serve_operations(
    settings: &Settings,
    metrics: &Arc<Metrics>,
    readiness: &web::Data<Readiness>,
) -> Result<Bound, StartError> {
    let key = "operations.listen";
    let (metrics, readiness) = (web::Data::from(Arc::clone(metrics)), readiness.clone());
    let server = HttpServer::new(move || {
        App::new().app_data(metrics.clone()).app_data(readiness.clone()).configure(operations)
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals();
    let (listener, address) = bind(key, settings.operations.listen)?;
    let failed = |source| StartError::Listen { key, address, source };
    // On loopback it is for this machine; anywhere else it speaks TLS where the public listener does.
    let server = match &settings.server.tls {
        Some(tls) if !address.ip().is_loopback() => server.listen_openssl(listener, acceptor(tls)?),
        _ => server.listen(listener),
    };
    Ok((server.map_err(failed)?.run(), address))
}

fn bind(key: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { key, address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// TLS 1.2 and 1.3 with today's ciphers; with `client_ca`, only for clients that show a certificate of it.
fn acceptor(tls: &Tls) -> Result<SslAcceptorBuilder, openssl::error::ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    let (own, above) = tls.chain.split_first().map_or((None, &[][..]), |(own, above)| (Some(own), above));
    if let Some(own) = own {
        builder.set_certificate(own)?;
    }
    for certificate in above {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    builder.set_private_key(&tls.private_key)?;
    builder.check_private_key()?;
    if !tls.client_ca.is_empty() {
        let mut store = X509StoreBuilder::new()?;
        for authority in &tls.client_ca {
            store.add_cert(authority.clone())?;
            builder.add_client_ca(authority)?;
        }
        builder.set_verify_cert_store(store.build())?;
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(builder)
}
