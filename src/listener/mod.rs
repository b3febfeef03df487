//! A listener that is open to the internet: HTTP/1.1, on connections that clients cannot occupy without use.
//!
//! actix-web's own `HttpServer` puts a limit on the head of the first request of a connection only. Afterwards a client may
//! hold the connection for good, by beginning another head or by sending a refused body a byte at a time, and so may
//! one that does not take in its answer. Hence the parts of actix are put together here, with a [`GuardedSocket`] socket
//! below them that ends such connections. HTTP/2 is not spoken: flows and proxies need none, and a client without
//! credentials could fill memory with its streams.

mod address;
mod connections;
mod handshake;
mod socket;

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use actix_http::{Extensions, HttpService, Protocol, Request, Response};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory, fn_service,
    map_config,
};
use actix_tls::accept::openssl::{Acceptor, TlsStream};
use actix_tls::accept::{TlsError, max_concurrent_tls_connect};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
pub use address::{could_listen, reached_here, remedy};
pub use connections::{ConnectionActivity, ConnectionTimeouts, ServedRequest};
pub use handshake::{HandshakeLog, HandshakeProblem};
use openssl::ssl::{AlpnError, SslAcceptorBuilder};
pub use socket::{ConnectionMemory, GuardedSocket};

use self::connections::Connections;
use crate::settings::Inbound;

/// How long a refused body is still read after the answer, so that the client receives the answer.
const LINGER: Duration = Duration::from_secs(1);

/// Called with each new connection: its socket, and the data that its requests will carry.
pub type OnConnect = fn(&dyn Any, &mut Extensions);

/// A listener before it runs.
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// Certificate, key and protocol versions; none: plain HTTP.
    pub tls: Option<SslAcceptorBuilder>,
    /// Threads that serve it.
    pub workers: usize,
    /// Bounds of its connections.
    pub inbound: Inbound,
    /// How long requests in flight may take to end once it has to stop.
    pub shutdown_timeout: Duration,
    /// The answer to a request that does not arrive in time: a whole answer of HTTP/1.1.
    pub too_slow: Arc<[u8]>,
    /// Adds the data of a connection that handlers need.
    pub on_connect: OnConnect,
    /// Tells of TLS handshakes that fail.
    pub handshakes: HandshakeLog,
}

/// The HTTP service of a worker. A macro, because its type has no name.
macro_rules! http_service {
    ($factory:ident, $stopping:ident, $keep_alive:ident, $on_connect:ident) => {{
        let stopping = $stopping.clone();
        let app = $factory().into_factory().map_err(|error| error.into().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive($keep_alive)
            // `GuardedSocket` bounds the time of every request head, and answers with the bridge's JSON error body.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(move |io: &GuardedSocket<_>, extensions: &mut Extensions| {
                extensions.insert(io.traffic());
                $on_connect(io.inner(), extensions);
            })
            .finish(map_config(app, |()| AppConfig::default()));
        // A connection counts until the work of its requests has ended, so that a stop waits for that.
        apply_fn_factory(http, |(io, protocol, peer): (GuardedSocket<_>, _, _), http| {
            let traffic = io.traffic();
            let served = http.call((io, protocol, peer));
            async move {
                let served = served.await;
                traffic.wait_until_idle().await;
                served
            }
        })
    }};
}

impl Listener {
    /// Serves what `factory` makes for each worker.
    ///
    /// # Errors
    /// When the socket or the TLS of the listener cannot be used.
    pub fn serve<F, I, S, B>(self, factory: F) -> io::Result<Server>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<Error> + 'static,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>> + 'static,
        <S::Service as Service<Request>>::Future: 'static,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        let Self { socket, tls, workers, inbound, shutdown_timeout, too_slow, on_connect, handshakes } = self;
        // The workers share them evenly: the server gives each connection to the next.
        let most = inbound.max_connections.div_ceil(workers);
        // Closed connections take a moment to end, and no new one shall wait for that.
        let with_dismissed = most + most / 8 + 16;
        let builder = Server::build()
            .workers(workers)
            .max_concurrent_connections(with_dismissed)
            .shutdown_timeout(shutdown_timeout.as_secs())
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let (keep_alive, handshake) = (inbound.keep_alive, inbound.client_timeout);
        let timeouts =
            ConnectionTimeouts { first: inbound.client_timeout, between: inbound.keep_alive, too_slow };
        let memory = ConnectionMemory::default();
        let Some(mut tls) = tls else {
            let listening = builder.listen("http", socket, move || {
                let (timeouts, memory, connections) =
                    (timeouts.clone(), memory.clone(), Connections::new(most));
                fn_service(move |io: TcpStream| {
                    let peer = io.peer_addr().ok();
                    let io = GuardedSocket::new(io, timeouts.clone(), connections.admit(), &memory);
                    async move { Ok((io, Protocol::Http1, peer)) }
                })
                .and_then(http_service!(factory, stopping, keep_alive, on_connect))
            })?;
            return Ok(listening.run());
        };
        // Else a few hundred clients that begin a handshake and send no more would keep out all others.
        max_concurrent_tls_connect(with_dismissed);
        choose_protocol(&mut tls);
        let acceptor = tls.build();
        let listening = builder.listen("https", socket, move || {
            let (timeouts, memory, connections) = (timeouts.clone(), memory.clone(), Connections::new(most));
            let handshakes = handshakes.clone();
            let mut acceptor = Acceptor::new(acceptor.clone());
            acceptor.set_handshake_timeout(handshake);
            let acceptor = acceptor.map_err(TlsError::into_service_error);
            apply_fn_factory(acceptor, move |io: TcpStream, acceptor| {
                let (timeouts, memory, traffic) = (timeouts.clone(), memory.clone(), connections.admit());
                let peer = io.peer_addr().ok();
                let (handshake, handshakes) = (acceptor.call(io), handshakes.clone());
                async move {
                    let io: TlsStream<TcpStream> = tokio::select! {
                        io = handshake => io.inspect_err(|error| match error {
                            TlsError::Tls(error) => handshakes.refused(peer, error),
                            _ => handshakes.failed(peer, HandshakeProblem::Timeout, None),
                        })?,
                        () = traffic.dismissed() => {
                            handshakes.failed(peer, HandshakeProblem::Crowded, None);
                            return Err(TlsError::Timeout);
                        }
                    };
                    Ok((GuardedSocket::new(io, timeouts, traffic, &memory), Protocol::Http1, peer))
                }
            })
            .and_then(http_service!(factory, stopping, keep_alive, on_connect).map_err(TlsError::Service))
        })?;
        Ok(listening.run())
    }
}

/// HTTP/1 for every context of a handshake. A client that offers other protocols only gets an alert (RFC 7301, 3.2).
pub fn choose_protocol(tls: &mut SslAcceptorBuilder) {
    const ACCEPTED: &[u8] = b"\x08http/1.1\x08http/1.0";
    tls.set_alpn_select_callback(|_, offered| {
        openssl::ssl::select_next_proto(ACCEPTED, offered).ok_or(AlpnError::ALERT_FATAL)
    });
}
