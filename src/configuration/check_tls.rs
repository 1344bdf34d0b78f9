//! From what the file says to what the daemon may hold: TLS of a feed. The files that it names are read
//! here, so that a wrong one is found by `check-config` and not in the night.

use super::check_feed::FeedCheck;
use super::problem::Findings;
use super::raw::RawTls;
use super::read_bytes;
use super::tls::{Fingerprint, Own, TlsClient, TlsServer, Trust, Validity, validity};
use super::tree::At;
use crate::clock::Clock;
use jiff::Timestamp;
use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{Error, InconsistentKeys, RootCertStore};

/// A certificate that ends within this time is spoken of.
const SOON: Duration = Duration::from_secs(30 * 24 * 3_600);

const CERTIFICATE: &str = "feed.tls.certificate";
const KEY: &str = "feed.tls.key";
const CLIENT_CA: &str = "feed.tls.client-ca";
const CA: &str = "feed.tls.ca";
const FINGERPRINT: &str = "feed.tls.fingerprint";
const SERVER_NAME: &str = "feed.tls.server-name";

impl FeedCheck<'_> {
    /// TLS of a listening feed. The outer `None`: a mistake. The inner one: none is wanted.
    pub(super) fn tls_server(&self, findings: &mut Findings) -> Option<Option<TlsServer>> {
        let Some(raw) = &self.raw.tls else {
            return Some(None);
        };
        refuse(raw.ca.as_ref(), CA, "connect", "client-ca", findings);
        let stray = raw.server_name.as_ref();
        refuse(stray, SERVER_NAME, "connect", "allow", findings);
        let own = self.own(raw, true, findings);
        let clients = self.trust(raw, (raw.client_ca.as_ref(), CLIENT_CA), findings);
        let (own, clients) = (own??, clients?);
        TlsServer::new(own, clients)
            .map(Some)
            .map_err(|error| unusable(raw, &error, findings))
            .ok()
    }

    /// TLS of a connecting feed, to `address`: `None` as above.
    pub(super) fn tls_client(
        &self,
        address: &At<String>,
        findings: &mut Findings,
    ) -> Option<Option<TlsClient>> {
        let Some(raw) = &self.raw.tls else {
            return Some(None);
        };
        refuse(raw.client_ca.as_ref(), CLIENT_CA, "listen", "ca", findings);
        let own = self.own(raw, false, findings);
        let trust = self.trust(raw, (raw.ca.as_ref(), CA), findings);
        if matches!(trust, Some(None)) {
            findings.missing(
                Some(raw.line),
                CA,
                "is missing: the file with the authority that signed the other end's certificate; or give its fingerprint",
            );
        }
        let name = server_name(raw, address, findings);
        let (own, trust, name) = (own?, trust??, name?);
        TlsClient::new(trust, name, own)
            .map(Some)
            .map_err(|error| unusable(raw, &error, findings))
            .ok()
    }

    /// Whether a sender has to show a certificate that we believe.
    pub(super) fn clients_are_known(&self) -> bool {
        let tls = self.raw.tls.as_ref();
        tls.is_some_and(|tls| tls.client_ca.is_some() || tls.fingerprint.is_some())
    }

    /// Our certificate and its key: `None` for a mistake, the inner `None` where there is none.
    fn own(&self, raw: &RawTls, needed: bool, findings: &mut Findings) -> Option<Option<Own>> {
        let (certificate, key) = (raw.certificate.as_ref(), raw.key.as_ref());
        let wanted = needed || certificate.is_some() || key.is_some();
        if !wanted {
            return Some(None);
        }
        if certificate.is_none() {
            findings.missing(
                Some(raw.line),
                CERTIFICATE,
                "is missing: the file with our certificate, which key belongs to",
            );
        }
        if key.is_none() {
            findings.missing(
                Some(raw.line),
                KEY,
                "is missing: the file with the key of our certificate",
            );
        }
        let chain = certificate.map(|file| self.certificates(file, CERTIFICATE, findings));
        let key = key.map(|file| self.key(file, findings));
        Some(Some((chain??, key??)))
    }

    /// Whom we believe: `None` for a mistake, the inner `None` where nothing is said.
    fn trust(
        &self,
        raw: &RawTls,
        (file, key): (Option<&At<String>>, &'static str),
        findings: &mut Findings,
    ) -> Option<Option<Trust>> {
        let roots = file.map(|file| self.authorities(file, key, findings));
        let named = raw.fingerprint.as_ref().map(|text| {
            let fingerprint = Fingerprint::parse(&text.value);
            if fingerprint.is_none() {
                findings.wrong(
                    text.line,
                    FINGERPRINT,
                    "must be the SHA-256 of the other end's certificate: 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` prints them",
                );
            }
            fingerprint
        });
        match (roots, named) {
            (None, None) => Some(None),
            (Some(roots), None) => Some(Some(Trust::Authorities(roots?))),
            (None, Some(fingerprint)) => Some(Some(Trust::Certificate(fingerprint?))),
            (Some(_), Some(_)) => {
                let line = raw.fingerprint.as_ref().map_or(raw.line, |text| text.line);
                let short = key.trim_start_matches("feed.tls.");
                findings.wrong(
                    line,
                    FINGERPRINT,
                    format!("{short} is given already: believe the chain or the one certificate"),
                );
                None
            }
        }
    }

    fn authorities(
        &self,
        file: &At<String>,
        key: &str,
        findings: &mut Findings,
    ) -> Option<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates(file, key, findings)? {
            if let Err(error) = roots.add(certificate) {
                let what = format!("{} is no authority: {error}", self.shown(file));
                findings.wrong(file.line, key, what);
                return None;
            }
        }
        Some(roots)
    }

    /// All certificates of a file, at least one, each readable; their times are spoken of.
    fn certificates(
        &self,
        file: &At<String>,
        key: &str,
        findings: &mut Findings,
    ) -> Option<Vec<CertificateDer<'static>>> {
        let text = self.read(file, key, findings)?;
        let mut chain = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let read = certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| {
                    self.warn_of_time(file, key, &certificate, findings)?;
                    Ok(certificate)
                });
            match read {
                Ok(certificate) => chain.push(certificate),
                Err(error) => {
                    let what = format!("{} is damaged: {error}", self.shown(file));
                    findings.wrong(file.line, key, what);
                    return None;
                }
            }
        }
        if chain.is_empty() {
            let what = format!("{} holds no certificate in PEM", self.shown(file));
            findings.wrong(file.line, key, what);
            return None;
        }
        Some(chain)
    }

    /// An expired certificate is the other end's to refuse, and a clock may be wrong: no mistake.
    fn warn_of_time(
        &self,
        file: &At<String>,
        key: &str,
        certificate: &CertificateDer<'_>,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let wall = Clock::real().now().wall.as_millis();
        let now = Duration::from_millis(u64::try_from(wall).unwrap_or(0));
        let soon = UnixTime::since_unix_epoch(now + SOON);
        let now = UnixTime::since_unix_epoch(now);
        let read = |at| validity(certificate, at).map_err(|error| error.to_string());
        let what = match (read(now)?, read(soon)?) {
            (Validity::Valid, Validity::Valid | Validity::NotYet(_)) => return Ok(()),
            (Validity::NotYet(from), _) => format!("is not valid before {}", date(from)),
            (Validity::Over(to), _) => {
                format!("expired on {}: the other end will refuse it", date(to))
            }
            (Validity::Valid, Validity::Over(to)) => format!("expires on {}", date(to)),
        };
        let what = format!("{} {what}", self.shown(file));
        findings.warn(Some(file.line), key, what);
        Ok(())
    }

    fn key(&self, file: &At<String>, findings: &mut Findings) -> Option<PrivateKeyDer<'static>> {
        let text = self.read(file, KEY, findings)?;
        let path = self.folder.join(&file.value);
        let others_may_read = std::fs::metadata(&path)
            .is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0);
        if others_may_read {
            let shown = path.display();
            let what = format!("every user of this machine can read the key: chmod o-r {shown}");
            findings.warn(Some(file.line), KEY, what);
        }
        match PrivateKeyDer::from_pem_slice(&text) {
            Ok(key) => Some(key),
            Err(error) => {
                let encrypted = text
                    .windows(ENCRYPTED.len())
                    .any(|window| window == ENCRYPTED);
                let why = if encrypted {
                    "holds an encrypted key, and nobody is there to type its password: decrypt \
                     it, with `openssl pkey`"
                        .to_owned()
                } else if matches!(error, pem::Error::NoItemsFound) {
                    "holds no private key in PEM".to_owned()
                } else {
                    format!("is damaged: {error}")
                };
                findings.wrong(file.line, KEY, format!("{} {why}", self.shown(file)));
                None
            }
        }
    }

    fn read(&self, file: &At<String>, key: &str, findings: &mut Findings) -> Option<Vec<u8>> {
        read_bytes(&self.folder.join(&file.value))
            .map_err(|error| {
                let what = format!("{} cannot be read: {error}", self.shown(file));
                findings.wrong(file.line, key, what);
            })
            .ok()
    }

    fn shown(&self, file: &At<String>) -> impl Display {
        self.folder.join(&file.value).display().to_string()
    }
}

/// How a PEM file says that its key is encrypted.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn date(second: u64) -> String {
    i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .map_or_else(
            || "a day that no calendar has".to_owned(),
            |at| at.strftime("%Y-%m-%d").to_string(),
        )
}

/// A key of the other kind of transport.
fn refuse(
    given: Option<&At<String>>,
    key: &str,
    belongs: &str,
    instead: &str,
    findings: &mut Findings,
) {
    if let Some(given) = given {
        let what = format!("has a meaning with {belongs} only; here it is {instead}");
        findings.wrong(given.line, key, what);
    }
}

/// Certificate and key were read, and do not fit.
fn unusable(raw: &RawTls, error: &Error, findings: &mut Findings) {
    let line = raw.key.as_ref().map_or(raw.line, |key| key.line);
    let what = if matches!(
        error,
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch)
    ) {
        "is not the key of this certificate".to_owned()
    } else {
        format!("cannot be used: {error}")
    };
    findings.wrong(line, KEY, what);
}

/// Whom the certificate must name: what `server-name` says, else the host that is connected to.
fn server_name(
    raw: &RawTls,
    address: &At<String>,
    findings: &mut Findings,
) -> Option<ServerName<'static>> {
    let (text, line, key) = match &raw.server_name {
        Some(given) => (given.value.as_str(), given.line, SERVER_NAME),
        None => {
            let host = address.value.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            (host, address.line, "feed.connect")
        }
    };
    let name = ServerName::try_from(text.to_owned());
    if name.is_err() {
        let what = format!("{text:?} is no name or IP address that a certificate can bear");
        findings.wrong(line, key, what);
    }
    name.ok()
}
