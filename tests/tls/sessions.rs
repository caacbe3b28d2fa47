//! Records to bytes and back: whole, cut anywhere, hostile; and what a session holds.

use crate::certificates::Authority;
use crate::client::{Client, receive, receive_all};
use release_server::tls::Acceptor;
use release_server::tls::{Failed, Session};
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, ClientConfig, Error, ProtocolVersion, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

const RECORD_BYTES_MAX: usize = 16 * 1024 + 2048 + 5;

struct World {
    authority: Authority,
    acceptor: Acceptor,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let files = authority.pair().write(folder.path());
        let acceptor = Acceptor::open(files, SystemTime::now()).unwrap();
        Self {
            authority,
            acceptor,
        }
    }

    fn connected(&self, version: &'static SupportedProtocolVersion) -> (Client, Session) {
        let mut client = Client::with_versions(&self.authority, &[version]);
        let mut session = self.acceptor.session().unwrap();
        client.handshake(&mut session);
        (client, session)
    }
}

#[test]
fn requests_and_answers_pass_in_both_versions() {
    let world = World::new();
    for (version, name) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let (mut client, mut session) = world.connected(version);
        assert_eq!(client.connection.protocol_version(), Some(name));
        assert_eq!(client.connection.alpn_protocol(), Some(&b"http/1.1"[..]));
        client.exchange(
            &mut session,
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        );
        let large = vec![b'x'; 200_000];
        client.exchange(&mut session, b"again", &large);
        // Nothing is held between calls.
        assert_eq!(session.held_bytes(), 0);
    }
}

#[test]
fn a_second_connection_resumes_in_both_versions() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let (mut client, mut session) = world.connected(version);
        client.exchange(&mut session, b"ping", b"pong");
        let mut session = world.acceptor.session().unwrap();
        client.again().handshake(&mut session);
        assert_eq!(session.is_resumed(), Some(true), "{version:?}");
    }
}

#[test]
fn bytes_that_arrive_one_by_one_are_put_together() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let mut client = Client::with_versions(&world.authority, &[version]);
        let mut session = world.acceptor.session().unwrap();
        let drip = |client: &mut Client, session: &mut Session| {
            let mut received = Vec::new();
            for byte in client.records() {
                let (plaintext, answer) = receive(session, &[byte]).unwrap();
                received.extend(plaintext);
                client.take(&answer);
            }
            received
        };
        for _ in 0..4 {
            drip(&mut client, &mut session);
        }
        assert!(!session.is_handshaking());
        client.connection.writer().write_all(b"ping").unwrap();
        assert_eq!(drip(&mut client, &mut session), b"ping");
        assert_eq!(session.held_bytes(), 0);
    }
}

#[test]
fn many_records_are_opened_at_once() {
    let world = World::new();
    let (mut client, mut session) = world.connected(&TLS13);
    let sent: Vec<u8> = (0..60_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    client.connection.writer().write_all(&sent).unwrap();
    let records = client.records();
    // The last record is cut: the rest is held, and counted.
    let (first, _) = receive(&mut session, &records[..records.len() - 10]).unwrap();
    assert!(!first.is_empty() && first.len() < sent.len());
    assert!((1..=RECORD_BYTES_MAX).contains(&session.held_bytes()));
    let (second, _) = receive(&mut session, &records[records.len() - 10..]).unwrap();
    assert_eq!([first, second].concat(), sent);
    assert_eq!(session.held_bytes(), 0);
}

#[test]
fn an_end_is_told_from_a_cut() {
    let world = World::new();
    for version in [&TLS12, &TLS13] {
        let (mut client, mut session) = world.connected(version);
        client.connection.writer().write_all(b"last").unwrap();
        let without_end = client.records();
        let (opened, plaintext, _) = receive_all(&mut session, &without_end);
        assert_eq!(
            (opened.unwrap().is_closed, &plaintext[..]),
            (false, &b"last"[..])
        );
        client.connection.send_close_notify();
        let end = client.records();
        let (opened, plaintext, _) = receive_all(&mut session, &end);
        assert_eq!(
            (opened.unwrap().is_closed, &plaintext[..]),
            (true, &b""[..])
        );
        // A client that ended its side still gets its answer, and the server's own end.
        let mut records = Vec::new();
        session.seal(b"answer", &mut records).unwrap();
        session.close(&mut records).unwrap();
        assert_eq!(client.take(&records), b"answer");
        assert!(session.seal(b"more", &mut records).is_err());
    }
}

#[test]
fn garbage_gets_an_alert_and_nothing_more() {
    let world = World::new();
    let hello = Client::new(&world.authority).records();
    let table: [(&str, Vec<u8>); 5] = [
        ("no record", vec![0x16, 9, 9, 0, 1, 0]),
        (
            "application data before a handshake",
            vec![23, 3, 3, 0, 1, 0],
        ),
        ("a record that is too long", vec![0x16, 3, 1, 0xff, 0xff]),
        (
            "a hello without content",
            vec![0x16, 3, 1, 0, 4, 1, 0, 0, 0],
        ),
        ("a hello with a bit turned", {
            let mut hello = hello.clone();
            hello[5] ^= 0x40;
            hello
        }),
    ];
    for (what, bytes) in table {
        let mut session = world.acceptor.session().unwrap();
        let (opened, _, records) = receive_all(&mut session, &bytes);
        assert!(opened.is_err(), "{what}");
        // A fatal alert, in clear: no keys were agreed upon.
        assert_eq!(records[..1], [21], "{what}");
        assert_eq!(records[5], 2, "{what}");
        assert!(session.seal(b"answer", &mut Vec::new()).is_err(), "{what}");
    }
}

#[test]
fn an_alert_follows_the_records_that_were_made_before_a_failure() {
    let world = World::new();
    let mut provider = rustls::crypto::ring::default_provider();
    // The server's key makes no such signature, which it finds out after its first message.
    let schemes = provider.signature_verification_algorithms.mapping.iter();
    let only_ed25519: Vec<_> = schemes
        .filter(|(scheme, _)| *scheme == SignatureScheme::ED25519)
        .copied()
        .collect();
    provider.signature_verification_algorithms.mapping = only_ed25519.leak();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut client = Client::with_config(Arc::new(config));
    let mut session = world.acceptor.session().unwrap();
    let (opened, _, records) = receive_all(&mut session, &client.records());
    assert!(opened.is_err());
    client.connection.read_tls(&mut &records[..]).unwrap();
    let alert = Error::AlertReceived(AlertDescription::HandshakeFailure);
    assert_eq!(client.connection.process_new_packets().err(), Some(alert));
}

#[test]
fn a_hello_without_end_is_not_collected() {
    let world = World::new();
    let mut session = world.acceptor.session().unwrap();
    let mut failed = None;
    let mut sent = 0;
    // A message of 65,000 bytes, in records of 1,000.
    let mut payload = vec![1, 0, 0xfd, 0xe8];
    payload.resize(1000, 0);
    while failed.is_none() && sent < 65_000 {
        let mut record = vec![0x16, 3, 1, 0x03, 0xe8];
        record.extend(&payload);
        payload = vec![0; 1000];
        sent += 1000;
        failed = receive(&mut session, &record).err();
        assert!(session.held_bytes() <= RECORD_BYTES_MAX);
    }
    assert_eq!(
        failed,
        Some(Failed("a handshake message is too long".to_owned()))
    );
    assert!(sent <= RECORD_BYTES_MAX + 1000);
}

#[test]
fn sealing_beside_half_a_message_does_not_panic() {
    // A client that knows its keys may send the first bytes of a handshake message and stop.
    let world = World::new();
    let (mut client, mut session) = world.connected(&TLS12);
    let mut hello = vec![1, 0, 0, 50];
    hello.extend([0; 10]);
    client.connection.writer().write_all(b"ping").unwrap();
    receive(&mut session, &client.records()).unwrap();
    // The beginning of a record, and garbage that looks like one.
    for held in [&[23, 3, 3][..], &[0x40, 1, 2, 3, 4][..]] {
        let outcome = receive(&mut session, held);
        let mut records = Vec::new();
        let sealed = session.seal(b"pong", &mut records);
        assert!(outcome.is_err() || sealed.is_ok());
    }
}

#[test]
fn no_older_version_is_spoken() {
    let world = World::new();
    // A hello of TLS 1.1 without extensions.
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]);
    let mut hello = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    hello.extend(body);
    let mut record = vec![0x16, 3, 1, 0, u8::try_from(hello.len()).unwrap()];
    record.extend(hello);
    let mut session = world.acceptor.session().unwrap();
    let (opened, _, records) = receive_all(&mut session, &record);
    assert!(opened.is_err());
    // protocol_version (70), or handshake_failure (40) for want of extensions.
    assert!([70, 40].contains(&records[6]), "{records:?}");
}
