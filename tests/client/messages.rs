//! Messages of DNS and the host's files about names: tables, and random input.
//!
//! Sources: RFC 1035, section 4; resolv.conf(5); hosts(5).

use release_server::client::dns::{Answer, Kind, answer, query};
use release_server::client::system_names::{ResolverConfig, hosts_addresses};
use std::net::IpAddr;

/// A response to `query` with such flags and records.
pub fn response(query: &[u8], flags: [u8; 2], records: &[(u16, &[u8])]) -> Vec<u8> {
    let mut message = query[..2].to_vec();
    message.extend(flags);
    message.extend([0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
    message.extend(&query[12..]);
    for (kind, data) in records {
        // A pointer to the question's name; class IN; 60 s.
        message.extend([0xc0, 12]);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(*data);
    }
    message
}

pub const ANSWERED: [u8; 2] = [0x81, 0x80];
pub const TRUNCATED: [u8; 2] = [0x83, 0x80];
pub const NO_SUCH_NAME: [u8; 2] = [0x81, 0x83];
pub const FAILED: [u8; 2] = [0x81, 0x82];

#[test]
fn a_query_is_written_as_rfc_1035_has_it() {
    let expected = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x01a\x02bc\0\0\x1c\0\x01";
    assert_eq!(query(0x1234, "a.bc.", Kind::Aaaa).unwrap(), expected);
    let long_label = "a".repeat(64);
    let long_name = "abcdefgh.".repeat(29);
    for name in ["", ".", "a..b", &long_label, &long_name] {
        assert_eq!(query(1, name, Kind::A), None, "{name}");
    }
}

#[test]
fn answers_are_read_and_others_are_not() {
    let asked = query(7, "store.example", Kind::A).unwrap();
    let alias: &[u8] = b"\x05other\xc0\x12";
    let two = [
        (5, alias),
        (1, &[10, 0, 0, 1]),
        (1, &[10, 0, 0, 2]),
        (28, &[0; 16]),
    ];
    let addresses = |texts: &[&str]| {
        let addresses = texts.iter().map(|text| text.parse().unwrap());
        Some(Answer::Addresses(addresses.collect()))
    };
    let expected = [
        (
            response(&asked, ANSWERED, &two),
            addresses(&["10.0.0.1", "10.0.0.2"]),
        ),
        (response(&asked, ANSWERED, &[]), addresses(&[])),
        (
            response(&asked, NO_SUCH_NAME, &[]),
            Some(Answer::NoSuchName),
        ),
        (response(&asked, FAILED, &[]), Some(Answer::Failed)),
        (response(&asked, TRUNCATED, &[]), Some(Answer::Truncated)),
        // An address of a wrong length.
        (response(&asked, ANSWERED, &[(1, &[10, 0, 0])]), None),
        // A query, not an answer.
        (asked.clone(), None),
    ];
    for (message, expected) in expected {
        assert_eq!(answer(&asked, &message), expected, "{message:?}");
    }
    for (id, name) in [(8, "store.example"), (7, "store.examplf")] {
        let other = query(id, name, Kind::A).unwrap();
        assert_eq!(answer(&asked, &response(&other, ANSWERED, &[])), None);
    }
    let upper = query(7, "STORE.example", Kind::A).unwrap();
    assert_eq!(
        answer(&asked, &response(&upper, ANSWERED, &[])),
        addresses(&[])
    );
}

#[test]
fn no_message_is_read_beyond_its_end() {
    let asked = query(7, "a.b", Kind::A).unwrap();
    let whole = response(&asked, ANSWERED, &[(1, &[10, 0, 0, 1])]);
    for length in 0..whole.len() {
        assert_eq!(answer(&asked, &whole[..length]), None, "{length} bytes");
    }
    for at in 0..whole.len() {
        for byte in 0..=255 {
            let mut changed = whole.clone();
            changed[at] = byte;
            let _ = answer(&asked, &changed);
        }
    }
}

#[test]
fn hosts_has_addresses_by_name_and_alias() {
    let hosts = "# comment\n127.0.0.1 localhost\n10.0.0.1\tstore.example store # the store\n\
                 ::1 localhost\nnonsense store\n10.0.0.2 STORE\n";
    let found = |name| {
        let addresses = hosts_addresses(hosts, name);
        let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        texts.join(" ")
    };
    assert_eq!(found("store"), "10.0.0.1 10.0.0.2");
    assert_eq!(found("store.example."), "10.0.0.1");
    assert_eq!(found("LOCALHOST"), "127.0.0.1 ::1");
    assert_eq!(found("the"), "");
}

#[test]
fn resolv_conf_is_read_within_bounds() {
    let config = ResolverConfig::parse("");
    assert_eq!(config.servers, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    assert_eq!((config.dots_min, config.attempts), (1, 2));

    let config = ResolverConfig::parse(
        "nameserver 10.96.0.10\nnameserver nonsense\nnameserver fd00::a\nnameserver 1.1.1.1\n\
         nameserver 9.9.9.9\ndomain lost\nsearch ns.svc.cluster.local svc.cluster.local. x\n\
         options ndots:5 timeout:60 attempts:0 rotate edns0 ndots:x\n",
    );
    assert_eq!(config.servers.len(), 3);
    assert_eq!(
        config.search,
        ["ns.svc.cluster.local", "svc.cluster.local", "x"]
    );
    assert_eq!((config.dots_min, config.attempts), (5, 1));
    assert_eq!(config.timeout.as_secs(), 5);
    let first = |name| config.candidates(name).swap_remove(0);
    assert_eq!(first("store"), "store.ns.svc.cluster.local");
    assert_eq!(
        first("s3.eu-central-1.amazonaws.com"),
        "s3.eu-central-1.amazonaws.com.ns.svc.\
                                                        cluster.local"
    );
    assert_eq!(config.candidates("store").len(), 4);
    assert_eq!(config.candidates("store.example."), ["store.example"]);
    assert_eq!(first("a.b.c.d.e.f"), "a.b.c.d.e.f");
}
