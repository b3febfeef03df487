//! TLS of the listeners.

use std::sync::Arc;

use arc_swap::ArcSwap;
use openssl::error::ErrorStack;
use openssl::sha::Sha256;
use openssl::ssl::{
    ClientHelloResponse, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslVerifyMode,
};
use openssl::x509::store::X509StoreBuilder;

use crate::listener::choose_protocol;
use crate::settings::Tls;

/// Certificate, key and authorities of the listeners at this moment. They can be replaced while connections are open:
/// those go on, and the next handshake is under the new ones.
pub(super) struct Door {
    current: ArcSwap<Under>,
}

/// What a handshake is under.
pub(super) struct Under {
    context: SslContext,
    verify: SslVerifyMode,
}

impl Door {
    pub(super) fn new(under: Under) -> Arc<Self> {
        Arc::new(Self { current: ArcSwap::from_pointee(under) })
    }

    pub(super) fn replace(&self, under: Under) {
        self.current.store(Arc::new(under));
    }

    /// What a listener needs: each handshake begins with a look at what is current, before anything of the client's
    /// hello was used, whether or not it names a host.
    pub(super) fn acceptor(self: &Arc<Self>, tls: &Tls) -> Result<SslAcceptorBuilder, ErrorStack> {
        let door = Arc::clone(self);
        let mut builder = acceptor(tls)?;
        builder.set_client_hello_callback(move |ssl, _| {
            let under = door.current.load();
            ssl.set_ssl_context(&under.context)?;
            // Taken over from the context when a connection begins, and not with another context.
            ssl.set_verify(under.verify);
            Ok(ClientHelloResponse::SUCCESS)
        });
        Ok(builder)
    }
}

impl Under {
    /// # Errors
    /// OpenSSL refuses the certificate or the key.
    pub(super) fn new(tls: &Tls) -> Result<Self, ErrorStack> {
        let mut builder = acceptor(tls)?;
        // As for the listener: this too is taken from the context that is current.
        choose_protocol(&mut builder);
        Ok(Self { context: builder.build().into_context(), verify: verify(tls) })
    }
}

/// With `client_ca`, only clients that show a certificate of it.
fn verify(tls: &Tls) -> SslVerifyMode {
    match tls.client_ca.is_empty() {
        true => SslVerifyMode::NONE,
        false => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    }
}

/// TLS 1.2 and 1.3 with today's ciphers.
fn acceptor(tls: &Tls) -> Result<SslAcceptorBuilder, ErrorStack> {
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
    let mut authorities = Sha256::new();
    if !tls.client_ca.is_empty() {
        let mut store = X509StoreBuilder::new()?;
        for authority in &tls.client_ca {
            authorities.update(&authority.to_der()?);
            store.add_cert(authority.clone())?;
            builder.add_client_ca(authority)?;
        }
        builder.set_verify_cert_store(store.build())?;
    }
    builder.set_verify(verify(tls));
    // A session is resumed under the authorities that it began under, or not at all: OpenSSL does not ask a client
    // that resumes for its certificate again.
    builder.set_session_id_context(&authorities.finish())?;
    Ok(builder)
}
