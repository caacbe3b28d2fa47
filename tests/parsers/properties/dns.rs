//! Messages of DNS: an answer counts only for its question, and says what another writer wrote.
//!
//! Source: RFC 1035, section 4.

use release_server::client::dns::{Answer, Kind, answer, query};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The bytes of a record before its data, where its name is a pointer.
const RECORD_BYTES: usize = 12;
const ADDRESSES_MAX: usize = 20;

/// Every property of messages. The input is a name, a message, and the records of one.
pub fn check(input: &[u8]) {
    let name = String::from_utf8_lossy(input);
    if let Some(query) = query(7, &name, Kind::A) {
        let name = name.strip_suffix('.').unwrap_or(&name);
        // The header; a length before the first label, in place of each dot, and of the root.
        assert_eq!(query.len(), 12 + name.len() + 2 + 4, "{name:?}");
        assert_eq!(answer(&query, &query), None, "{name:?}");
    }
    for kind in [Kind::A, Kind::Aaaa] {
        let query = query(7, "store.example", kind).expect("a name");
        answer(&query, input);
        check_records(&query, kind, input);
        check_written(&query, kind, input);
    }
}

fn message(query: &[u8], records: u8, bytes: &[u8]) -> Vec<u8> {
    let counts = [0, 1, 0, records, 0, 0, 0, 0];
    [&query[..2], &[0x81, 0x80], &counts, &query[12..], bytes].concat()
}

fn check_records(query: &[u8], kind: Kind, input: &[u8]) {
    let Some((count, records)) = input.split_first() else {
        return;
    };
    let mut message = message(query, *count, records);
    if let Some(Answer::Addresses(addresses)) = answer(query, &message) {
        assert!(addresses.len() <= usize::from(*count));
        assert!(addresses.len() * (RECORD_BYTES + 3) <= records.len());
        assert!(
            addresses
                .iter()
                .all(|address| address.is_ipv4() == (kind == Kind::A))
        );
    }
    message[0] ^= 1;
    assert_eq!(
        answer(query, &message),
        None,
        "the answer to another question"
    );
}

/// Addresses of the input's bytes, in an answer that is written here.
fn check_written(query: &[u8], kind: Kind, input: &[u8]) {
    let v4 = |bytes: &[u8]| {
        Some(IpAddr::from(Ipv4Addr::from(
            <[u8; 4]>::try_from(bytes).ok()?,
        )))
    };
    let v6 = |bytes: &[u8]| {
        Some(IpAddr::from(Ipv6Addr::from(
            <[u8; 16]>::try_from(bytes).ok()?,
        )))
    };
    let addresses: Vec<IpAddr> = match kind {
        Kind::A => input.chunks(4).map_while(v4).take(ADDRESSES_MAX).collect(),
        Kind::Aaaa => input.chunks(16).map_while(v6).take(ADDRESSES_MAX).collect(),
    };
    let mut records = Vec::new();
    for address in &addresses {
        let data = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let length = u8::try_from(data.len()).expect("a short address");
        records.extend([0xc0, 12, 0, kind as u8, 0, 1, 0, 0, 0, 60, 0, length]);
        records.extend(data);
    }
    let count = u8::try_from(addresses.len()).expect("a few");
    let message = message(query, count, &records);
    assert_eq!(answer(query, &message), Some(Answer::Addresses(addresses)));
    if count > 0 {
        let cut = input.len() % records.len() + 1;
        assert_eq!(answer(query, &message[..message.len() - cut]), None);
    }
}
