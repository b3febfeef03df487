//! From where a request came: the connection's other end, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, X_FORWARDED_FOR};

use crate::settings::{Proxies, ProxyHeader};

/// Hops that are looked at: behind more proxies of ours than this, the nearest that was looked at counts.
const HOPS: usize = 16;

/// What counts as one address. Of IPv6 that is a network of 64 bits: whoever has one address of it has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientAddress {
    /// An IPv4 address.
    V4(u32),
    /// The leading half of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.into()),
            IpAddr::V6(address) => Self::V6(u64::try_from(u128::from(address) >> 64).unwrap_or_default()),
        }
    }
}

/// Who called: the last hop that is none of our proxies. What stands left of it was written by strangers.
#[must_use]
pub fn caller(proxies: &Proxies, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
    // Every connection over TCP has a peer; one that has none counts as one address with its like.
    let mut nearest = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let Some(header) = proxies.header else { return nearest };
    if !proxies.networks.is_empty() && !proxies.include(nearest) {
        return nearest;
    }
    let name = match header {
        ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
        ProxyHeader::Forwarded => FORWARDED,
    };
    let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS) {
        // A hop that hides itself, or that nobody can read, is as far as we can see.
        let Some(address) = hop_address(header, hop) else { break };
        nearest = address;
        if !proxies.include(nearest) {
            break;
        }
    }
    nearest
}

/// The address of one hop, with or without a port. A comma within quotes would cut a hop in two; neither half is an
/// address then.
fn hop_address(header: ProxyHeader, hop: &str) -> Option<IpAddr> {
    let text = match header {
        ProxyHeader::XForwardedFor => hop.trim(),
        ProxyHeader::Forwarded => hop.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
        })?,
    };
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Network;

    fn proxies(header: Option<ProxyHeader>, networks: &[&str]) -> Proxies {
        Proxies { header, networks: networks.iter().map(|text| Network::parse(text).unwrap()).collect() }
    }

    fn called(proxies: &Proxies, peer: &str, name: &'static str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(line).unwrap());
        }
        caller(proxies, Some(SocketAddr::new(peer.parse().unwrap(), 4711)), &headers).to_string()
    }

    #[test]
    fn without_a_trusted_proxy_its_header_is_not_read() {
        let nobody = proxies(None, &[]);
        assert_eq!(called(&nobody, "192.0.2.1", "x-forwarded-for", &["203.0.113.9"]), "192.0.2.1");
    }

    #[test]
    fn one_proxy_is_believed_about_the_last_hop_only() {
        let one = proxies(Some(ProxyHeader::XForwardedFor), &[]);
        let called = |lines: &[&str]| called(&one, "10.0.0.1", "x-forwarded-for", lines);
        assert_eq!(called(&["203.0.113.9"]), "203.0.113.9");
        assert_eq!(called(&["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(called(&["1.1.1.1", "2.2.2.2,203.0.113.9:80 "]), "203.0.113.9");
        assert_eq!(called(&["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(called(&["2001:db8::1"]), "2001:db8::1");
        assert_eq!(called(&["::ffff:203.0.113.9"]), "203.0.113.9");
        for unreadable in ["", "unknown", "203.0.113.9, ", "203.0.113.9, somebody", "\u{fc}"] {
            assert_eq!(called(&[unreadable]), "10.0.0.1", "{unreadable}");
        }
        assert_eq!(called(&[]), "10.0.0.1");
    }

    #[test]
    fn of_several_proxies_the_last_hop_that_is_none_of_them_called() {
        let several = proxies(Some(ProxyHeader::XForwardedFor), &["10.0.0.0/8", "192.0.2.7"]);
        let called = |peer, line| called(&several, peer, "x-forwarded-for", &[line]);
        assert_eq!(called("10.0.0.1", "1.1.1.1, 203.0.113.9, 192.0.2.7, 10.9.9.9"), "203.0.113.9");
        assert_eq!(called("10.0.0.1", "10.9.9.9"), "10.9.9.9");
        assert_eq!(called("10.0.0.1", "203.0.113.9, hidden, 10.9.9.9"), "10.9.9.9");
        assert_eq!(called("198.51.100.1", "203.0.113.9"), "198.51.100.1", "a stranger is no proxy");
    }

    #[test]
    fn the_other_header_is_never_read() {
        let one = proxies(Some(ProxyHeader::Forwarded), &[]);
        assert_eq!(called(&one, "10.0.0.1", "x-forwarded-for", &["203.0.113.9"]), "10.0.0.1");
        let called = |line| called(&one, "10.0.0.1", "forwarded", &[line]);
        assert_eq!(called("for=1.1.1.1, FOR=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
        assert_eq!(called("proto=https; for=\"[2001:db8::1]:4711\""), "2001:db8::1");
        for hidden in ["for=_hidden", "for=unknown", "proto=https", "for=\"203.0.113.9,\""] {
            assert_eq!(called(hidden), "10.0.0.1", "{hidden}");
        }
    }

    #[test]
    fn all_of_an_ipv6_network_is_one_address() {
        let of = |text: &str| ClientAddress::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    proptest! {
        /// Whoever stands left of our proxies cannot choose what is taken for their address.
        #[test]
        fn what_a_stranger_writes_does_not_change_who_called(forged in "[ -~]{0,60}") {
            let one = proxies(Some(ProxyHeader::XForwardedFor), &["10.0.0.0/8"]);
            let line = format!("{forged}, 203.0.113.9, 10.0.0.2");
            prop_assert_eq!(called(&one, "10.0.0.1", "x-forwarded-for", &[&line]), "203.0.113.9");
        }
    }
}
