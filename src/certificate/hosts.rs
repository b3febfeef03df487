//! The hosts that a server's certificate speaks for.

use std::net::IpAddr;

use openssl::x509::X509Ref;

/// The names and addresses in a certificate's subjectAltName. What its common name says counts for nobody any more
/// (RFC 9525, 2).
#[must_use]
pub fn hosts(x509: &X509Ref) -> Vec<String> {
    let address = |bytes: &[u8]| -> Option<IpAddr> {
        let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
    };
    x509.subject_alt_names()
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let host = name.dnsname().map(str::to_ascii_lowercase);
            host.or_else(|| name.ipaddress().and_then(address).map(|address| address.to_string()))
        })
        .collect()
}

/// Whether a certificate speaks for this host, a name or an address; `*` stands for the first label of a name.
#[must_use]
pub fn speaks_for(x509: &X509Ref, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return hosts(x509).contains(&address.to_string());
    }
    let after_first = host.split_once('.').map(|(_, rest)| rest);
    hosts(x509)
        .iter()
        .any(|name| *name == host || name.strip_prefix("*.").is_some_and(|rest| Some(rest) == after_first))
}
