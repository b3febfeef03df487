//! TLS of the listeners.

use openssl::error::ErrorStack;
use openssl::ssl::{SslAcceptor, SslAcceptorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::store::X509StoreBuilder;

use crate::settings::Tls;

/// TLS 1.2 and 1.3 with today's ciphers; with `client_ca`, only for clients that show a certificate of it.
pub(super) fn acceptor(tls: &Tls) -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    let (own, above) = tls.chain.split_first().map_or((None, &[][..]), |(own, above)| (Some(own), above));
    if let Some(own) = own {
        builder.set_certificate(own)?;
    }
    for certificate in above {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    builder.set_private_key(&tls.private_key)?;
    builder.check_private_key()?;
    if !tls.client_ca.is_empty() {
        let mut store = X509StoreBuilder::new()?;
        for authority in &tls.client_ca {
            store.add_cert(authority.clone())?;
            builder.add_client_ca(authority)?;
        }
        builder.set_verify_cert_store(store.build())?;
        // Without it, OpenSSL breaks off with any client that comes back and takes its session up again.
        builder.set_session_id_context(b"scv-bridge")?;
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    Ok(builder)
}
