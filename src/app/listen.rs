//! The two listeners.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use super::StartError;
use super::tls::acceptor;
use crate::api::{Access, Callers, Desk, Readiness, Webhooks, access, operations, public};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::telemetry::Metrics;

pub(super) type Bound = (Server, SocketAddr);

pub(super) fn serve_public(
    settings: &Arc<Settings>,
    bridges: Vec<Bridge>,
    access_data: Access,
    webhooks: Option<web::Data<Webhooks>>,
    readiness: &web::Data<Readiness>,
    clock: &Arc<dyn Clock>,
) -> Result<Bound, StartError> {
    let workers = bridges.len();
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
        let app = match &webhooks {
            Some(webhooks) => app.app_data(webhooks.clone()),
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

pub(super) fn serve_operations(
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
