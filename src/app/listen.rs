//! The two listeners.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use super::StartError;
use super::control::Control;
use super::generation::workers;
use crate::api::{Access, Desk, access, operations, public};

pub(super) type Bound = (Server, SocketAddr);

pub(super) fn serve_public(control: &Control, access_data: Access) -> Result<Bound, StartError> {
    let settings = control.settings();
    let access_data = web::Data::new(access_data);
    let (staff, clock) = (Arc::clone(&control.staff), Arc::clone(&control.lasting.clock));
    let (readiness, started) = (control.readiness.clone(), Arc::new(AtomicUsize::new(0)));
    let server = HttpServer::new(move || {
        let worker = started.fetch_add(1, Ordering::Relaxed);
        let desk = web::Data::new(Desk::new(Arc::clone(&staff), worker, Arc::clone(&clock)));
        App::new()
            .app_data(access_data.clone())
            .app_data(readiness.clone())
            .app_data(desk)
            .wrap(from_fn(access))
            .configure(public)
    })
    .workers(workers(&settings))
    .max_connections(settings.server.max_connections)
    .shutdown_timeout(settings.server.shutdown_timeout.as_secs())
    .disable_signals();
    let (listener, address) = bind("server.listen", settings.server.listen)?;
    let failed = |source| StartError::Listen { key: "server.listen", address, source };
    let server = match (&control.door, &settings.server.tls) {
        (Some(door), Some(tls)) => server.listen_openssl(listener, door.acceptor(tls)?),
        _ => server.listen(listener),
    };
    Ok((server.map_err(failed)?.run(), address))
}

pub(super) fn serve_operations(control: &Control) -> Result<Bound, StartError> {
    let key = "operations.listen";
    let settings = control.settings();
    let (metrics, readiness) = (web::Data::from(Arc::clone(&control.metrics)), control.readiness.clone());
    let server = HttpServer::new(move || {
        App::new().app_data(metrics.clone()).app_data(readiness.clone()).configure(operations)
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals();
    let (listener, address) = bind(key, settings.operations.listen)?;
    let failed = |source| StartError::Listen { key, address, source };
    // On loopback it is for this machine; anywhere else it speaks TLS where the public listener does.
    let server = match (&control.door, &settings.server.tls) {
        (Some(door), Some(tls)) if !address.ip().is_loopback() => {
            server.listen_openssl(listener, door.acceptor(tls)?)
        }
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
