//! The address of a listener, without listening on it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Whether somebody could listen on the address. It is bound for a moment, and nothing is accepted there.
///
/// # Errors
/// As the system says; see [`remedy`].
pub fn could_listen(address: SocketAddr) -> io::Result<()> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)
}

/// What to do about an address on which nobody can listen.
#[must_use]
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program has it, perhaps an earlier instance of this service: end that, or name another port"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: 0.0.0.0 and [::] stand for all that it has"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for those with CAP_NET_BIND_SERVICE: name a higher one"
        }
        _ => "",
    }
}

/// The address by which this machine reaches a listener on all addresses.
#[must_use]
pub fn reached_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        for (listen, asked) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.1.2.3:1", "10.1.2.3:1")]
        {
            assert_eq!(reached_here(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[tokio::test]
    async fn an_address_is_free_until_somebody_listens_there() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = could_listen(address).unwrap_err();
        assert!(remedy(&taken).contains("name another port"), "{taken}");
        drop(listener);
        could_listen(address).unwrap();
        could_listen(address).unwrap();
        let other = could_listen("192.0.2.1:1234".parse().unwrap()).unwrap_err();
        assert!(remedy(&other).contains("no such address"), "{other}");
    }
}
