//! TLS of a network feed: certificate, key and whom to believe, made ready once when the file is checked.
//!
//! TLS 1.2 and 1.3, one provider. The other end is believed by the chain of its certificate or by the
//! certificate itself, named by its fingerprint; never by the authorities that browsers trust, which
//! know no monitor. Every connection is checked anew: no session is resumed.

use ring::digest;
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring as provider, verify_tls12_signature,
    verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    RootCertStore, ServerConfig, SignatureScheme,
};

/// The certificate that we show, its own first, with its key.
pub(super) type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Whom we believe.
pub(super) enum Trust {
    /// A certificate that one of these authorities signed.
    Authorities(RootCertStore),
    /// The one certificate with this fingerprint, whoever signed it and however old it is.
    Certificate(Fingerprint),
}

/// TLS of a listening feed, ready to be used.
#[derive(Clone)]
pub struct TlsServer(Arc<ServerConfig>);

impl TlsServer {
    /// Shows `own`; with `clients` a sender must show a certificate that is believed.
    pub(super) fn new(own: Own, clients: Option<Trust>) -> Result<Self, Error> {
        let (chain, key) = own;
        let provider = Arc::new(provider::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(Trust::Authorities(roots)) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| Error::General(error.to_string()))?,
            ),
            Some(Trust::Certificate(fingerprint)) => {
                builder.with_client_cert_verifier(Arc::new(Pinned::new(fingerprint, &provider)))
            }
        };
        Ok(Self(Arc::new(builder.with_single_cert(chain, key)?)))
    }

    /// What a handshake needs.
    pub fn settings(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

/// TLS of a connecting feed, ready to be used.
#[derive(Clone)]
pub struct TlsClient {
    settings: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl TlsClient {
    /// Believes `trust`, expects the certificate of `name` and shows `own` when it is asked for one.
    pub(super) fn new(
        trust: Trust,
        name: ServerName<'static>,
        own: Option<Own>,
    ) -> Result<Self, Error> {
        let provider = Arc::new(provider::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = match trust {
            Trust::Authorities(roots) => builder.with_root_certificates(roots),
            Trust::Certificate(fingerprint) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned::new(fingerprint, &provider))),
        };
        let mut settings = match own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        };
        settings.resumption = Resumption::disabled();
        Ok(Self {
            settings: Arc::new(settings),
            name,
        })
    }

    /// What a handshake needs.
    pub fn settings(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.settings)
    }

    /// Whom the certificate must name.
    pub fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }
}

// Settings have no value to compare: the same ones are equal.
impl PartialEq for TlsServer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TlsServer {}

impl PartialEq for TlsClient {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.settings, &other.settings) && self.name == other.name
    }
}

impl Eq for TlsClient {}

// Nothing of a key is ever printed.
impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsServer(…)")
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsClient({:?}, …)", self.name)
    }
}

/// SHA-256 of a certificate as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// 64 hexadecimal digits; colons between the bytes, as other programs print them, are left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut digits = text.chars().filter(|&digit| digit != ':');
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// That of a certificate.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Self {
        let sum = digest::digest(&digest::SHA256, certificate);
        let mut bytes = [0; 32];
        for (byte, of_sum) in bytes.iter_mut().zip(sum.as_ref()) {
            *byte = *of_sum;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The other end's certificate is not the one that was named.
#[derive(Debug)]
struct AnotherCertificate(Fingerprint);

impl fmt::Display for AnotherCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another certificate, with the fingerprint {}", self.0)
    }
}

impl std::error::Error for AnotherCertificate {}

/// Believes one certificate. That the other end holds its key is proved by the handshake's signature
/// as for any other.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(fingerprint: Fingerprint, provider: &CryptoProvider) -> Self {
        Self {
            fingerprint,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        let shown = Fingerprint::of(shown);
        if shown == self.fingerprint {
            return Ok(());
        }
        let why = OtherError(Arc::new(AnotherCertificate(shown)));
        Err(CertificateError::Other(why).into())
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate can be read, and whether its time has come and is not over at `at`.
pub(super) enum Validity {
    /// It is valid.
    Valid,
    /// Not before this second of the epoch.
    NotYet(u64),
    /// Not after this second of the epoch.
    Over(u64),
}

/// Looks at a certificate's own time. A chain is checked when the other end shows it, not here.
pub(super) fn validity(certificate: &CertificateDer<'_>, at: UnixTime) -> Result<Validity, Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let algorithms = provider::default_provider().signature_verification_algorithms;
    // Without an authority this always fails, and time is what is looked at first.
    let found = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &RootCertStore::empty(),
        &[],
        at,
        algorithms.all,
    );
    Ok(match found {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Validity::Over(not_after.as_secs())
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => Validity::NotYet(not_before.as_secs()),
        Ok(()) | Err(_) => Validity::Valid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_64_digits_with_or_without_colons() {
        let plain = "00ff".repeat(16);
        let fingerprint = Fingerprint::parse(&plain).unwrap();
        assert_eq!(fingerprint.to_string(), plain);
        let colons = ["00:FF"; 16].join(":");
        assert_eq!(Fingerprint::parse(&colons), Some(fingerprint));
        for wrong in [
            "",
            "00ff",
            plain.get(1..).unwrap(),
            &format!("{plain}0"),
            "zz",
            "é",
        ] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_certificate() {
        // The sum of nothing (FIPS 180-4).
        assert_eq!(
            Fingerprint::of(&CertificateDer::from(Vec::new())).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
