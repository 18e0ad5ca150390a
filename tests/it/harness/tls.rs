//! A certificate for this machine that only those trust who are given it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate of `localhost` and `127.0.0.1`, which is its own authority.
pub(crate) struct Certificate {
    pub(crate) acceptor: TlsAcceptor,
    pem: String,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let own = rcgen::generate_simple_self_signed(names).expect("these names are fine");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows today's TLS")
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .expect("the key was made for the certificate");
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem: own.cert.pem() }
    }

    /// Writes it into `folder`, for a `ca_file`.
    pub(crate) fn save(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &self.pem).expect("the folder can be written");
        path
    }
}
