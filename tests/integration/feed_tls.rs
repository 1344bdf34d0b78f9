//! TLS of network feeds, from the lines of the file to the bytes on the wire: who gets in, who does not,
//! and that a crowd at the door disturbs nobody.

use crate::feed_stand::{LINES, PATIENCE, Stand, monitored};
use infusewatch::configuration::{Catalogue, Configuration, Problem, Transport, load_with};
use infusewatch::engine::FeedState;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    version,
};

/// A certificate with its key.
struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    fn fingerprint(&self) -> String {
        ring::digest::digest(&ring::digest::SHA256, self.certificate.der())
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect::<Vec<_>>()
            .join(":")
    }
}

/// An authority of the clinic's own.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self, name: &str, until: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        Identity {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            key,
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        roots
    }
}

/// A folder with an authority, our certificate and key, and a configuration.
struct Clinic {
    folder: tempfile::TempDir,
    authority: Authority,
    address: SocketAddr,
}

impl Clinic {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let ours = authority.sign("127.0.0.1", 2100);
        let clinic = Self {
            folder,
            authority,
            address: TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap(),
        };
        clinic.write("profile.toml", "fine");
        clinic.write("ca.pem", &clinic.authority.certificate.pem());
        clinic.write("ours.pem", &ours.certificate.pem());
        clinic.write("ours.key", &ours.key.serialize_pem());
        clinic
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A feed over `transport` (line 10) with TLS (line 11) and its `keys` (from line 12).
    fn load(&self, transport: &str, keys: &str) -> Result<Configuration, Vec<Problem>> {
        let text = format!(
            "[bed]\nname = \"Chair 3\"\n[journal]\npath = \"journal.db\"\n[profile]\nfile = \"profile.toml\"\n\
             [[feed]]\nname = \"monitor\"\nprotocol = \"lines\"\n{transport}\n[feed.tls]\n{keys}\n"
        );
        self.write("bedside.toml", &text);
        load_with(
            &self.folder.path().join("bedside.toml"),
            &Catalogue {
                protocols: std::slice::from_ref(&LINES),
                read_profile: |_| Ok(Vec::new()),
                runtime_dir: None,
            },
        )
    }

    fn transport(&self, kind: &str, keys: &str) -> Transport {
        let loaded = self.load(&format!("{kind} = \"{}\"", self.address), keys);
        loaded.unwrap().feeds.remove(0).transport
    }

    /// A feed that listens with our certificate and these further keys.
    fn listen(&self, more: &str) -> Stand {
        let keys = format!("certificate = \"ours.pem\"\nkey = \"ours.key\"\n{more}");
        let stand = Stand::run(monitored(self.transport("listen", &keys)));
        assert_eq!(stand.state(), FeedState::Ok);
        stand
    }

    /// A feed that connects with these keys.
    fn connect(&self, keys: &str) -> Stand {
        Stand::run(monitored(self.transport("connect", keys)))
    }

    fn call(&self, own: Option<&Identity>) -> StreamOwned<ClientConnection, TcpStream> {
        self.call_with(own, &version::TLS13)
    }

    /// A sender that believes our authority.
    fn call_with(
        &self,
        own: Option<&Identity>,
        version: &'static tokio_rustls::rustls::SupportedProtocolVersion,
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.authority.roots());
        let settings = match own {
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(own.chain(), own.private())
                .unwrap(),
        };
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connection = ClientConnection::new(Arc::new(settings), name).unwrap();
        StreamOwned::new(connection, plain(self.address))
    }
}

fn plain(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A device that shows `own`, and asks for a certificate of `clients` where there are some.
fn device(
    listener: &TcpListener,
    own: &Identity,
    clients: Option<&Authority>,
) -> StreamOwned<ServerConnection, TcpStream> {
    let provider = Arc::new(provider::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(clients.roots()), provider)
                .build()
                .unwrap(),
        ),
    };
    let settings = builder
        .with_single_cert(own.chain(), own.private())
        .unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(settings)).unwrap(), stream)
}

#[test]
fn a_sender_speaks_and_hears_under_either_version() {
    let clinic = Clinic::new();
    let stand = clinic.listen("");
    for (value, version) in [(97, &version::TLS12), (96, &version::TLS13)] {
        let mut sender = clinic.call_with(None, version);
        sender.write_all(b"spo").unwrap();
        sender
            .write_all(format!("2 {value}\nsay taken\n").as_bytes())
            .unwrap();
        assert_eq!(stand.reading(), format!("spo2 {value}"));
        let mut answer = String::new();
        BufReader::new(&mut sender).read_line(&mut answer).unwrap();
        assert_eq!(answer, "taken\n");
        // More than TLS and the socket hold at a time.
        sender.write_all(b"flood 900000\n").unwrap();
        let mut flood = vec![0; 900_000];
        sender.read_exact(&mut flood).unwrap();
        assert!(flood.iter().all(|&byte| byte == b'x'));
        sender.conn.send_close_notify();
        sender.flush().unwrap();
        assert_eq!(sender.read(&mut [0; 1]).unwrap(), 0, "closed in good order");
    }
    assert_eq!(stand.count(|counters| &counters.refused), 0);
    assert_eq!(stand.count(|counters| &counters.faults), 0);
}

#[test]
fn a_sender_without_tls_is_turned_away_and_counted() {
    let clinic = Clinic::new();
    let stand = clinic.listen("");
    let mut stranger = plain(clinic.address);
    stranger.write_all(b"spo2 50\n").unwrap();
    stand.counted(|counters| &counters.refused, 1);
    assert_eq!(stand.count(|counters| &counters.opened), 0);
    assert_eq!(stand.count(|counters| &counters.bytes), 0);
    clinic.call(None).write_all(b"spo2 97\n").unwrap();
    assert_eq!(stand.reading(), "spo2 97");
}

#[test]
fn only_senders_with_a_certificate_of_our_authority_get_in() {
    let clinic = Clinic::new();
    let stand = clinic.listen("client-ca = \"ca.pem\"");
    let foreign = Authority::new().sign("monitor", 2100);
    let expired = clinic.authority.sign("monitor", 2020);
    for (number, sender) in [(1, None), (2, Some(&foreign)), (3, Some(&expired))] {
        let mut stranger = clinic.call(sender);
        let _ = stranger.write_all(b"spo2 50\n");
        stand.counted(|counters| &counters.refused, number);
    }
    assert_eq!(stand.count(|counters| &counters.opened), 0);
    let ours = clinic.authority.sign("monitor", 2100);
    clinic.call(Some(&ours)).write_all(b"spo2 97\n").unwrap();
    assert_eq!(stand.reading(), "spo2 97");
}

#[test]
fn a_fingerprint_lets_one_sender_in_whoever_signed_it() {
    let clinic = Clinic::new();
    let monitor = Authority::new().sign("monitor", 2020);
    let stand = clinic.listen(&format!("fingerprint = \"{}\"", monitor.fingerprint()));
    let other = clinic.authority.sign("monitor", 2100);
    for version in [&version::TLS12, &version::TLS13] {
        let _ = clinic
            .call_with(Some(&other), version)
            .write_all(b"spo2 50\n");
        clinic
            .call_with(Some(&monitor), version)
            .write_all(b"spo2 97\n")
            .unwrap();
        assert_eq!(stand.reading(), "spo2 97");
    }
    stand.counted(|counters| &counters.refused, 2);
}

#[test]
fn a_device_is_believed_by_its_chain_and_its_name() {
    let clinic = Clinic::new();
    let listener = TcpListener::bind(clinic.address).unwrap();
    let stand = clinic.connect("ca = \"ca.pem\"\ncertificate = \"ours.pem\"\nkey = \"ours.key\"");
    for (wrong, why) in [
        (
            Authority::new().sign("127.0.0.1", 2100),
            "another authority",
        ),
        (clinic.authority.sign("monitor.local", 2100), "another name"),
        (clinic.authority.sign("127.0.0.1", 2020), "expired"),
    ] {
        let mut stranger = device(&listener, &wrong, None);
        assert!(
            stranger
                .write_all(b"hr 20\n")
                .and_then(|()| stranger.read(&mut [0; 1]))
                .is_err(),
            "{why}"
        );
    }
    let good = clinic.authority.sign("127.0.0.1", 2100);
    let mut monitor = device(&listener, &good, Some(&clinic.authority));
    monitor.write_all(b"hr 61\nsay hello\n").unwrap();
    assert_eq!(stand.reading(), "hr 61");
    let mut answer = String::new();
    BufReader::new(&mut monitor).read_line(&mut answer).unwrap();
    assert_eq!(answer, "hello\n");
    assert_eq!(
        stand.count(|counters| &counters.opened),
        1,
        "none of the others was listened to"
    );
}

#[test]
fn a_device_is_believed_by_its_fingerprint_alone() {
    let clinic = Clinic::new();
    let listener = TcpListener::bind(clinic.address).unwrap();
    let good = Authority::new().sign("MINDRAY-0042", 2020);
    let stand = clinic.connect(&format!("fingerprint = \"{}\"", good.fingerprint()));
    let other = clinic.authority.sign("127.0.0.1", 2100);
    let mut stranger = device(&listener, &other, None);
    assert!(
        stranger
            .write_all(b"hr 20\n")
            .and_then(|()| stranger.read(&mut [0; 1]))
            .is_err()
    );
    let mut monitor = device(&listener, &good, None);
    monitor.write_all(b"hr 61\n").unwrap();
    assert_eq!(stand.reading(), "hr 61");
}

#[test]
fn a_crowd_that_says_nothing_does_not_disturb_the_one_that_speaks() {
    let clinic = Clinic::new();
    let Transport::Listen { address, allow, .. } =
        clinic.transport("listen", "certificate = \"ours.pem\"\nkey = \"ours.key\"")
    else {
        panic!("a listening feed");
    };
    let stand = Stand::run(monitored(Transport::Listen {
        address,
        allow,
        tls: None,
    }));
    assert_eq!(stand.state(), FeedState::Ok);
    let mut good = plain(clinic.address);
    good.write_all(b"hr 60\n").unwrap();
    assert_eq!(stand.reading(), "hr 60");
    let mut crowd = VecDeque::new();
    for number in 0..1_000 {
        let mut one = plain(clinic.address);
        // Some begin a line that they never end.
        if number % 3 == 0 {
            let _ = one.write_all(b"sp");
        }
        crowd.push_back(one);
        // The first ones were turned away long ago.
        if crowd.len() > 200 {
            crowd.pop_front();
        }
        if number % 100 == 0 {
            good.write_all(b"hr 61\n").unwrap();
            assert_eq!(stand.reading(), "hr 61");
        }
    }
    stand.counted(|counters| &counters.opened, 1_001);
    good.write_all(b"hr 62\n").unwrap();
    assert_eq!(stand.reading(), "hr 62");
    assert!(stand.count(|counters| &counters.refused) > 0);
}

#[test]
fn a_crowd_that_does_not_agree_on_tls_is_turned_away_and_counted() {
    let clinic = Clinic::new();
    let stand = clinic.listen("");
    let mut good = clinic.call(None);
    good.write_all(b"hr 60\n").unwrap();
    assert_eq!(stand.reading(), "hr 60");
    let mut crowd = VecDeque::new();
    for number in 0..1_000 {
        let mut one = plain(clinic.address);
        if number % 3 == 0 {
            // The beginning of a handshake, which never goes on.
            let _ = one.write_all(&[22, 3, 1, 0]);
        }
        crowd.push_back(one);
        if crowd.len() > 200 {
            crowd.pop_front();
        }
        if number % 100 == 0 {
            good.write_all(b"hr 61\n").unwrap();
            assert_eq!(stand.reading(), "hr 61");
        }
    }
    // Another machine gets in all the same, while the crowd stands at the door.
    stand.counted(|counters| &counters.refused, 900);
    let socket = stand.runtime().block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        let stream = socket.connect(clinic.address).await.unwrap();
        stream.into_std().unwrap()
    });
    socket.set_nonblocking(false).unwrap();
    let mut second = clinic.call(None);
    second.sock = socket;
    second.write_all(b"hr 62\n").unwrap();
    assert_eq!(stand.reading(), "hr 62");
    good.write_all(b"hr 63\n").unwrap();
    assert_eq!(stand.reading(), "hr 63");
    // Those that are left have a few seconds, no more.
    stand.counted(|counters| &counters.refused, 1_000);
    assert_eq!(stand.count(|counters| &counters.opened), 2);
}

/// Lines and keys of the problems, or of the warnings where there is no problem.
fn told(found: Result<Configuration, Vec<Problem>>) -> Vec<(usize, String, String)> {
    let list = match found {
        Ok(configuration) => configuration.warnings,
        Err(problems) => problems,
    };
    list.into_iter()
        .map(|entry| (entry.line.unwrap_or(0), entry.key, entry.what))
        .collect()
}

#[test]
fn every_mistake_about_tls_is_found_at_its_line() {
    let clinic = Clinic::new();
    let other = Authority::new().sign("127.0.0.1", 2100);
    clinic.write("other.pem", &other.certificate.pem());
    clinic.write("other.key", &other.key.serialize_pem());
    clinic.write("empty.pem", "nothing in PEM\n");
    clinic.write(
        "damaged.pem",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    );
    clinic.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let listen = format!("listen = \"{}\"", clinic.address);
    let connect = format!("connect = \"{}\"", clinic.address);
    let ours = "certificate = \"ours.pem\"\nkey = \"ours.key\"\n";
    let fingerprint = format!("fingerprint = \"{}\"", other.fingerprint());
    for (transport, keys, expected) in [
        (
            &listen,
            "certificate = \"ours.pem\"".to_owned(),
            vec![(11, "key", "is missing")],
        ),
        (
            &listen,
            "client-ca = \"ca.pem\"".to_owned(),
            vec![(11, "certificate", "is missing"), (11, "key", "is missing")],
        ),
        (
            &listen,
            "certificate = \"ours.pem\"\nkey = \"other.key\"".to_owned(),
            vec![(13, "key", "is not the key of this certificate")],
        ),
        (
            &listen,
            "certificate = \"nowhere.pem\"\nkey = \"nowhere.key\"".to_owned(),
            vec![
                (12, "certificate", "cannot be read"),
                (13, "key", "cannot be read"),
            ],
        ),
        (
            &listen,
            "certificate = \"empty.pem\"\nkey = \"empty.pem\"".to_owned(),
            vec![
                (12, "certificate", "holds no certificate"),
                (13, "key", "holds no private key"),
            ],
        ),
        (
            &listen,
            "certificate = \"damaged.pem\"\nkey = \"locked.key\"".to_owned(),
            vec![(12, "certificate", "is damaged"), (13, "key", "encrypted")],
        ),
        (
            &listen,
            format!("{ours}ca = \"ca.pem\"\nserver-name = \"x\""),
            vec![
                (14, "ca", "connect only"),
                (15, "server-name", "connect only"),
            ],
        ),
        (
            &listen,
            format!("{ours}client-ca = \"ca.pem\"\n{fingerprint}"),
            vec![(15, "fingerprint", "client-ca is given already")],
        ),
        (
            &listen,
            format!("{ours}colour = \"red\""),
            vec![(14, "colour", "")],
        ),
        (
            &listen,
            format!("{ours}client-ca = 7"),
            vec![(14, "client-ca", "must be a text")],
        ),
        (&connect, String::new(), vec![(11, "ca", "is missing")]),
        (
            &connect,
            "fingerprint = \"12:34\"".to_owned(),
            vec![(12, "fingerprint", "64 hexadecimal digits")],
        ),
        (
            &connect,
            format!("client-ca = \"ca.pem\"\n{fingerprint}"),
            vec![(12, "client-ca", "listen only")],
        ),
        (
            &connect,
            "ca = \"ca.pem\"\nkey = \"ours.key\"".to_owned(),
            vec![(11, "certificate", "is missing")],
        ),
        (
            &connect,
            "ca = \"ca.pem\"\nserver-name = \"not a name\"".to_owned(),
            vec![(13, "server-name", "no name or IP address")],
        ),
    ] {
        let found = told(clinic.load(transport, &keys));
        let as_expected = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| {
                found.0 == expected.0
                    && found.1 == format!("feed.tls.{}", expected.1)
                    && found.2.contains(expected.2)
            });
        assert!(as_expected, "{transport}\n{keys}\ngave {found:#?}");
    }
    let found = told(clinic.load("serial = \"/dev/ttyUSB0\"", &fingerprint));
    assert_eq!((found[0].0, found[0].1.as_str()), (11, "feed.tls"));
}

#[test]
fn what_is_allowed_but_not_meant_is_a_warning() {
    let clinic = Clinic::new();
    let (old, early) = (
        clinic.authority.sign("127.0.0.1", 2020),
        Identity {
            certificate: {
                let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
                params.not_before = rcgen::date_time_ymd(2090, 1, 1);
                params.not_after = rcgen::date_time_ymd(2100, 1, 1);
                params.self_signed(&KeyPair::generate().unwrap()).unwrap()
            },
            key: KeyPair::generate().unwrap(),
        },
    );
    clinic.write("old.pem", &old.certificate.pem());
    clinic.write("old.key", &old.key.serialize_pem());
    clinic.write("early.pem", &early.certificate.pem());
    let listen = format!("listen = \"{}\"", clinic.address);
    let keys = "certificate = \"old.pem\"\nkey = \"old.key\"\nclient-ca = \"early.pem\"";
    let warned = told(clinic.load(&listen, keys));
    assert_eq!(
        warned
            .iter()
            .map(|(line, key, _)| (*line, key.as_str()))
            .collect::<Vec<_>>(),
        [(12, "feed.tls.certificate"), (14, "feed.tls.client-ca")]
    );
    assert!(warned[0].2.contains("expired on 2020-01-01"), "{warned:?}");
    assert!(
        warned[1].2.contains("not valid before 2090-01-01"),
        "{warned:?}"
    );

    let open = clinic.folder.path().join("ours.key");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = told(clinic.load(&listen, "certificate = \"ours.pem\"\nkey = \"ours.key\""));
    assert_eq!((warned[0].0, warned[0].1.as_str()), (13, "feed.tls.key"));

    // Who must show a certificate needs no list of addresses on one network.
    let network = "listen = \"192.0.2.1:2575\"";
    let keys = "certificate = \"ours.pem\"\nkey = \"ours.key\"";
    let open_to_all = |keys: &str| {
        told(clinic.load(network, keys))
            .iter()
            .any(|(_, key, _)| key == "feed.listen")
    };
    assert!(open_to_all(keys));
    assert!(!open_to_all(&format!("{keys}\nclient-ca = \"ca.pem\"")));
}
