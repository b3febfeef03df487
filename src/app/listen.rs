//! The two listeners.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, web};

use super::StartError;
use super::tls::acceptor;
use crate::api::{
    Access, Callers, Desk, Readiness, Replays, Throttle, Webhooks, access, attended, on_connect, operations,
    public, too_slow,
};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::listener::Listener;
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
    let key = "server.listen";
    let (socket, address) = bind(key, settings.server.listen)?;
    let (logins, proxies) = (&settings.limits.failed_logins, settings.server.proxies.clone());
    let throttle = Arc::new(Throttle::new(logins, proxies, Arc::clone(clock)));
    let base_url = settings.server.base_url(address);
    let callers = Arc::new(Callers::new(settings, base_url, Arc::new(Replays::default()), throttle)?);
    let access_data = web::Data::new(access_data);
    let (settings_of, clock, readiness) = (Arc::clone(settings), Arc::clone(clock), readiness.clone());
    let listener = Listener {
        socket,
        tls: settings.server.tls.as_ref().map(acceptor).transpose()?,
        workers,
        inbound: settings.server.inbound.clone(),
        shutdown_timeout: settings.server.shutdown_timeout,
        too_slow: too_slow(),
        on_connect,
    };
    let server = listener.serve(move || {
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
    });
    Ok((server.map_err(|source| StartError::Listen { key, address, source })?, address))
}

pub(super) fn serve_operations(
    settings: &Settings,
    metrics: &Arc<Metrics>,
    readiness: &web::Data<Readiness>,
) -> Result<Bound, StartError> {
    let key = "operations.listen";
    let (socket, address) = bind(key, settings.operations.listen)?;
    // On loopback it is for this machine; anywhere else it speaks TLS where the public listener does.
    let tls = settings.server.tls.as_ref().filter(|_| !address.ip().is_loopback());
    let (metrics, readiness) = (web::Data::from(Arc::clone(metrics)), readiness.clone());
    let listener = Listener {
        socket,
        tls: tls.map(acceptor).transpose()?,
        workers: 1,
        inbound: settings.server.inbound.clone(),
        shutdown_timeout: Duration::from_secs(1),
        too_slow: too_slow(),
        on_connect: |_, _| {},
    };
    let server = listener.serve(move || {
        let app = App::new().app_data(metrics.clone()).app_data(readiness.clone());
        app.wrap(from_fn(attended)).configure(operations)
    });
    Ok((server.map_err(|source| StartError::Listen { key, address, source })?, address))
}

fn bind(key: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { key, address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
