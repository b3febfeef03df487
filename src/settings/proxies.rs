//! Which proxies in front of us are believed when they say who called.

use std::net::IpAddr;

use super::section::{Section, section};

section! {
    /// The proxies in front of the public listener, and where they write whom they speak for. `trusted`: whether there is
    /// one, the key `trusted_proxy`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Proxies in "server" |section, trusted: Option<bool>| {
        /// Where the callers' addresses stand; none: nobody is believed, who connects is who calls.
        header as "proxy_header": Option<ProxyHeader> = proxy_header(trusted);
        /// The proxies' own addresses; empty: whoever connects is our one proxy.
        networks as "trusted_proxies": Vec<Network> = networks(trusted);
    }
}

/// The header in which a proxy notes whom it speaks for. One, chosen by the administrator: of two, a stranger could
/// write the one that the proxy does not touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, the last added by the nearest proxy.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Proxies {
    /// Whether this is one of our proxies.
    #[must_use]
    pub fn include(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

impl Section<'_> {
    /// The header of a proxy, where there is one.
    fn proxy_header(&mut self, key: &str, trusted: Option<bool>) -> Option<Option<ProxyHeader>> {
        let words = [("x-forwarded-for", ProxyHeader::XForwardedFor), ("forwarded", ProxyHeader::Forwarded)];
        let header = self.choice(key, &words)?;
        Some(trusted?.then_some(header))
    }

    /// The addresses of the proxies.
    fn networks(&mut self, key: &str, trusted: Option<bool>) -> Option<Vec<Network>> {
        let given = self.list(key)?;
        let parse = |text: &String| {
            let network = Network::parse(text);
            if network.is_none() {
                let hint = "addresses or networks of the proxies, such as [\"10.0.0.0/8\", \"fd00::1\"]";
                self.problem(key, format!("holds {text:?}, which is no address and no network"), hint);
            }
            network
        };
        let networks = given.iter().filter_map(parse).collect();
        if !given.is_empty() && trusted == Some(false) {
            let hint =
                "set `trusted_proxy = true` if the bridge is behind these proxies, else remove the list";
            self.problem(key, "is given, and `trusted_proxy` is false", hint);
        }
        Some(networks)
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many leading bits count.
    prefix: u32,
}

impl Network {
    /// An address, or an address, a slash and the number of leading bits that count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => longest,
        };
        (prefix <= longest).then_some(Self { address, prefix })
    }

    /// Whether the address is in the range. An IPv4 address that is mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differing = u32::from(ours) ^ u32::from(theirs);
                differing.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differing = u128::from(ours) ^ u128::from(theirs);
                differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_what_its_leading_bits_say() {
        for (network, address) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.1.2.3", "10.1.2.3"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("10.0.0.0/8", "::ffff:10.1.1.1"),
            ("fd00::/8", "fdff::1"),
            ("::/0", "2001:db8::1"),
            ("192.0.2.128/25", "192.0.2.200"),
        ] {
            assert!(contains(network, address), "{address} in {network}");
        }
        for (network, address) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("fd00::/8", "fe00::1"),
            ("192.0.2.128/25", "192.0.2.100"),
        ] {
            assert!(!contains(network, address), "{address} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/", "proxy.example.com"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
