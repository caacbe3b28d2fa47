//! Messages of the domain name system, as far as a lookup of addresses needs them: bytes to values.
//!
//! Invariants: an answer counts only for the question that was asked, with its id; reading ends
//! within the message, whatever the message says.
//!
//! Source: RFC 1035, section 4; RFC 3596 (AAAA).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A = 1,
    /// IPv6 addresses.
    Aaaa = 28,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The addresses of the name; none where it exists without any of this kind.
    Addresses(Vec<IpAddr>),
    NoSuchName,
    /// The whole answer did not fit the datagram: ask over TCP.
    Truncated,
    /// The server cannot say now.
    Failed,
}

const HEADER_BYTES: usize = 12;
const CLASS_INTERNET: u16 = 1;

/// A question for the addresses of a name; `None` for a text that is not a DNS name.
pub fn query(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > 253 {
        return None;
    }
    let mut message = id.to_be_bytes().to_vec();
    // Recursion is desired; one question, nothing else.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok();
        message.push(length.filter(|length| (1..=63).contains(length))?);
        message.extend(label.bytes());
    }
    message.push(0);
    message.extend((kind as u16).to_be_bytes());
    message.extend(CLASS_INTERNET.to_be_bytes());
    Some(message)
}

/// What `message` answers to `query`; `None` where it is not an answer to it, or is malformed.
pub fn answer(query: &[u8], message: &[u8]) -> Option<Answer> {
    let question = query.get(HEADER_BYTES..)?;
    let header = message.get(..HEADER_BYTES)?;
    let is_response = header[2] & 0x80 != 0 && header[2] & 0x78 == 0;
    if header[..2] != query[..2] || !is_response {
        return None;
    }
    let mut reader = Reader {
        rest: &message[HEADER_BYTES..],
    };
    if !reader.bytes(question.len())?.eq_ignore_ascii_case(question) {
        return None;
    }
    match header[3] & 0x0f {
        0 => {}
        3 => return Some(Answer::NoSuchName),
        _ => return Some(Answer::Failed),
    }
    if header[2] & 0x02 != 0 {
        return Some(Answer::Truncated);
    }
    let kind = &question[question.len() - 4..question.len() - 2];
    let kind = [Kind::A, Kind::Aaaa]
        .into_iter()
        .find(|known| (*known as u16).to_be_bytes() == kind)?;
    let records = u16::from_be_bytes([header[6], header[7]]);
    let mut addresses = Vec::new();
    for _ in 0..records {
        reader.skip_name()?;
        let head = reader.bytes(10)?;
        let length = u16::from_be_bytes([head[8], head[9]]);
        let data = reader.bytes(usize::from(length))?;
        // A chain of aliases precedes the addresses, which have the last alias' name.
        if head[..2] == (kind as u16).to_be_bytes() && head[2..4] == CLASS_INTERNET.to_be_bytes() {
            addresses.push(address(kind, data)?);
        }
    }
    Some(Answer::Addresses(addresses))
}

fn address(kind: Kind, data: &[u8]) -> Option<IpAddr> {
    match kind {
        Kind::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        Kind::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
    }
}

struct Reader<'m> {
    rest: &'m [u8],
}

impl<'m> Reader<'m> {
    fn bytes(&mut self, length: usize) -> Option<&'m [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// Passes over labels, up to the root or a pointer, which is not followed.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.bytes(1)?[0] {
                0 => return Some(()),
                length @ 1..=63 => self.bytes(usize::from(length))?,
                192.. => return self.bytes(1).map(|_| ()),
                _ => return None,
            };
        }
    }
}
