//! The other end of the connection: its address, and the names in its certificate.

use std::any::Any;
use std::net::SocketAddr;

use actix_tls::accept::openssl::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
use openssl::nid::Nid;
use openssl::x509::X509Ref;

/// The names in the certificate that a connection began with. The handshake has verified it.
pub struct CertificateNames(Vec<String>);

/// Keeps the names of a client's certificate with its connection.
pub fn on_connect(stream: &dyn Any, connection: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    if let Some(certificate) = stream.ssl().peer_certificate() {
        connection.insert(CertificateNames::of(&certificate));
    }
}

impl CertificateNames {
    /// Common names, and the DNS names, URIs and mail addresses of subjectAltName.
    fn of(certificate: &X509Ref) -> Self {
        let common = certificate
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .filter_map(|entry| entry.data().to_string().ok());
        let mut names: Vec<String> = common.collect();
        for other in certificate.subject_alt_names().iter().flatten() {
            names.extend(other.dnsname().or(other.uri()).or(other.email()).map(str::to_owned));
        }
        Self(names)
    }
}

/// Who sent a request, as far as the connection and the headers tell.
pub struct Peer<'a> {
    /// The address of the connection's other end.
    pub address: Option<SocketAddr>,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The names in the certificate; empty without mutual TLS.
    pub names: &'a [String],
}

impl<'a> Peer<'a> {
    /// Of a request.
    pub fn of(request: &'a HttpRequest) -> Self {
        let names = request.conn_data::<CertificateNames>().map_or(&[][..], |names| &names.0);
        Self { address: request.peer_addr(), headers: request.headers(), names }
    }
}
