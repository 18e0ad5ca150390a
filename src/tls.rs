//! TLS setup: one crypto provider for the whole binary, one set of trusted roots, own authorities beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Why a file of certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    #[error("cannot read certificates from `{}`", path.display())]
    Read { path: PathBuf, source: pem::Error },
    #[error("`{}` holds no certificate: expected `-----BEGIN CERTIFICATE-----`", .0.display())]
    Empty(PathBuf),
    #[error("a certificate in `{}` cannot be used as an authority", path.display())]
    Certificate { path: PathBuf, source: rustls::Error },
}

/// Makes aws-lc-rs the process's default provider. `main` calls it first; calling it again changes nothing.
pub fn install_crypto_provider() {
    // An error means that one is installed already, and only this function installs any.
    let _ = aws_lc_rs::default_provider().install_default();
}

/// A client that trusts the built-in roots and those in `ca_file` (PEM, one or more certificates).
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    if let Some(path) = ca_file {
        add_authorities(&mut roots, path)?;
    }
    Ok(Arc::new(builder().with_root_certificates(roots).with_no_client_auth()))
}

/// A client that encrypts and accepts any certificate: for opportunistic STARTTLS only, where whoever could forge a
/// certificate could as well have removed the offer of STARTTLS (RFC 7435). Never send credentials over it.
pub fn unauthenticated_client_config() -> Arc<ClientConfig> {
    let verifier = Arc::new(AnyCertificate(aws_lc_rs::default_provider()));
    let builder = builder().dangerous().with_custom_certificate_verifier(verifier);
    Arc::new(builder.with_no_client_auth())
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs has cipher suites for TLS 1.2 and 1.3")
}

fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsSetupError> {
    let read = |source| TlsSetupError::Read { path: path.to_owned(), source };
    let mut found = false;
    for certificate in CertificateDer::pem_file_iter(path).map_err(read)? {
        let refused = |source| TlsSetupError::Certificate { path: path.to_owned(), source };
        roots.add(certificate.map_err(read)?).map_err(refused)?;
        found = true;
    }
    if found { Ok(()) } else { Err(TlsSetupError::Empty(path.to_owned())) }
}

#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_authorities_is_read_or_its_fault_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(matches!(client_config(Some(&path)), Err(TlsSetupError::Read { .. })));
        std::fs::write(&path, "not a certificate").unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsSetupError::Empty(_))));
        let own = rcgen::generate_simple_self_signed(["mail.test".to_owned()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        assert!(client_config(Some(&path)).is_ok());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsSetupError::Certificate { .. })));
    }
}
