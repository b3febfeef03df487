//! The two listeners.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use openssl::error::ErrorStack;
use openssl::ssl::SslAcceptorBuilder;
use tokio::net::TcpSocket;

use super::StartError;
use super::control::Control;
use super::generation::workers;
use crate::api::{
    AccessContext, ApiContext, CurrentMetrics, Documentation, access, attended, on_connect, operations,
    public, too_slow,
};
use crate::listener::{self, HandshakeLog, Listener};
use crate::settings::{Inbound, Settings};

pub(super) type Bound = (Server, SocketAddr);

/// What the system keeps of a connection each way: more than the longest request or answer of a flow.
const BUFFER: u32 = 64 * 1024;
/// Connections that the system accepts before a worker does.
const BACKLOG: u32 = 1024;
const PUBLIC: &str = "server.listen";
const OPERATIONS: &str = "operations.listen";

/// A socket that listens, and its address.
pub(super) type Socket = (TcpListener, SocketAddr);

pub(super) fn serve_public(
    control: &Control,
    (socket, address): Socket,
    access_data: AccessContext,
    max_connections: usize,
) -> Result<Bound, StartError> {
    let settings = control.settings();
    let access_data = web::Data::new(access_data);
    let (configured, clock) = (Arc::clone(&control.configured), Arc::clone(&control.lasting.clock));
    let (readiness, started) = (control.readiness.clone(), Arc::new(AtomicUsize::new(0)));
    let listener = Listener {
        socket,
        tls: tls(control, &settings)?,
        workers: workers(&settings),
        inbound: Inbound { max_connections, ..settings.server.inbound.clone() },
        shutdown_timeout: settings.server.shutdown_timeout,
        too_slow: too_slow(),
        on_connect,
        handshakes: handshakes(control, "public"),
    };
    let server = listener.serve(move || {
        let worker = started.fetch_add(1, Ordering::Relaxed);
        let context = web::Data::new(ApiContext::new(Arc::clone(&configured), worker, Arc::clone(&clock)));
        let app = App::new().app_data(access_data.clone()).app_data(readiness.clone()).app_data(context);
        app.wrap(from_fn(access)).configure(public)
    });
    Ok((server.map_err(|source| StartError::Listen { key: PUBLIC, address, source })?, address))
}

pub(super) fn serve_operations(
    control: &Arc<Control>,
    (socket, address): Socket,
    max_connections: usize,
) -> Result<Bound, StartError> {
    let settings = control.settings();
    let documentation =
        web::Data::new(Documentation::new(&settings.server.base_url(control.lasting.address)));
    let (measured, readiness) = (Arc::clone(control), control.readiness.clone());
    let metrics = Arc::clone(&control.lasting.metrics);
    let metrics = web::Data::new(CurrentMetrics::new(metrics, move || measured.measure_state()));
    let listener = Listener {
        socket,
        // On loopback it is for this machine; anywhere else it speaks TLS where the public listener does.
        tls: if address.ip().is_loopback() { None } else { tls(control, &settings)? },
        workers: 1,
        inbound: Inbound { max_connections, ..settings.server.inbound.clone() },
        shutdown_timeout: Duration::from_secs(1),
        too_slow: too_slow(),
        on_connect: |_, _| {},
        handshakes: handshakes(control, "operations"),
    };
    let server = listener.serve(move || {
        let app =
            App::new().app_data(metrics.clone()).app_data(readiness.clone()).app_data(documentation.clone());
        app.wrap(from_fn(attended)).configure(operations)
    });
    Ok((server.map_err(|source| StartError::Listen { key: OPERATIONS, address, source })?, address))
}

fn handshakes(control: &Control, listener: &'static str) -> HandshakeLog {
    HandshakeLog { listener, metrics: Arc::clone(&control.lasting.metrics) }
}

fn tls(control: &Control, settings: &Settings) -> Result<Option<SslAcceptorBuilder>, ErrorStack> {
    match (&control.door, &settings.server.tls) {
        (Some(door), Some(tls)) => door.acceptor(tls).map(Some),
        _ => Ok(None),
    }
}

/// Binds both sockets.
pub(super) fn sockets(settings: &Settings) -> Result<[Socket; 2], StartError> {
    Ok([bind(PUBLIC, settings.server.listen)?, bind(OPERATIONS, settings.operations.listen)?])
}

/// What to do about an address on which nobody can listen, as the end of a sentence.
pub(super) fn remedy(error: &io::Error) -> String {
    match listener::remedy(error) {
        "" => String::new(),
        remedy => format!("; {remedy}"),
    }
}

fn bind(key: &'static str, address: SocketAddr) -> Result<Socket, StartError> {
    let failed = |source| StartError::Listen { key, address, source };
    let listener = listen(address).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Connections inherit the buffers, which otherwise grow to megabytes each, as part of the memory of a container.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
