//! Lookups against name servers of the test's own.

use crate::messages::{ANSWERED, FAILED, NO_SUCH_NAME, TRUNCATED, response};
use release_server::client::SystemResolver;
use release_server::clock::Clock;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

type Answers = fn(&[u8], &str) -> Option<Vec<u8>>;

/// Name servers at these addresses, on one port that is free at all of them.
fn servers(addresses: &[&str], answers: Answers) -> u16 {
    loop {
        let first = UdpSocket::bind((addresses[0], 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let rest = addresses[1..]
            .iter()
            .map(|address| UdpSocket::bind((*address, port)));
        let Ok(mut sockets) = rest.collect::<Result<Vec<_>, _>>() else {
            continue;
        };
        sockets.push(first);
        for socket in sockets {
            std::thread::spawn(move || serve(&socket, answers));
        }
        return port;
    }
}

fn serve(socket: &UdpSocket, answers: Answers) {
    let mut datagram = [0; 512];
    while let Ok((length, client)) = socket.recv_from(&mut datagram) {
        let query = &datagram[..length];
        if let Some(answer) = answers(query, &name_of(query)) {
            socket.send_to(&answer, client).unwrap();
        }
    }
}

fn name_of(query: &[u8]) -> String {
    let (mut name, mut at) = (String::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        name.push_str(std::str::from_utf8(&query[at + 1..end]).unwrap());
        name.push('.');
        at = end;
    }
    name
}

fn is_a(query: &[u8]) -> bool {
    query[query.len() - 3] == 1
}

/// Looks a name up with such files; the addresses as a text, or the kind of error.
fn lookup(resolv_conf: &str, port: u16, name: &str) -> Result<String, ErrorKind> {
    let folder = tempfile::tempdir().unwrap();
    let resolver = SystemResolver {
        hosts_path: folder.path().join("hosts"),
        resolv_conf_path: folder.path().join("resolv.conf"),
        dns_port: port,
        clock: Clock::system(),
    };
    std::fs::write(&resolver.hosts_path, "10.9.9.9 listed.example\n").unwrap();
    std::fs::write(&resolver.resolv_conf_path, resolv_conf).unwrap();
    let addresses = resolver.lookup(name, Duration::from_secs(5));
    let text = |addresses: Vec<std::net::IpAddr>| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        texts.join(" ")
    };
    addresses.map(text).map_err(|error| error.kind())
}

#[test]
fn hosts_and_literal_addresses_need_no_server() {
    assert_eq!(lookup("", 1, "listed.example").unwrap(), "10.9.9.9");
    assert_eq!(lookup("", 1, "10.1.2.3").unwrap(), "10.1.2.3");
    assert_eq!(lookup("", 1, "fd00::1").unwrap(), "fd00::1");
    assert_eq!(lookup("", 1, "localhost").unwrap(), "127.0.0.1 ::1");
}

#[test]
fn both_kinds_of_addresses_are_found_through_the_search_list() {
    let answers: Answers = |query, name| {
        Some(match name {
            "store.cluster.local." if is_a(query) => {
                response(query, ANSWERED, &[(1, &[10, 0, 0, 1]), (1, &[10, 0, 0, 2])])
            }
            "store.cluster.local." => response(query, ANSWERED, &[(28, &[0xfd; 16])]),
            "v4.example." if is_a(query) => response(query, ANSWERED, &[(1, &[10, 0, 0, 3])]),
            "v4.example." => response(query, ANSWERED, &[]),
            _ => response(query, NO_SUCH_NAME, &[]),
        })
    };
    let port = servers(&["127.0.0.1"], answers);
    let conf = "nameserver 127.0.0.1\nsearch ns.local cluster.local\noptions ndots:5\n";
    let both = "10.0.0.1 10.0.0.2 fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd";
    assert_eq!(lookup(conf, port, "store").unwrap(), both);
    assert_eq!(lookup(conf, port, "v4.example").unwrap(), "10.0.0.3");
    assert_eq!(lookup(conf, port, "store."), Err(ErrorKind::NotFound));
    assert_eq!(lookup(conf, port, "not a name"), Err(ErrorKind::NotFound));
}

#[test]
fn a_server_that_fails_or_lies_is_passed_over() {
    let answers: Answers = |query, _| {
        // Only the answer of the second server has the question's id.
        let mut other = response(query, ANSWERED, &[(1, &[6, 6, 6, 6])]);
        other[0] ^= 1;
        Some(if is_a(query) {
            other
        } else {
            response(query, FAILED, &[])
        })
    };
    let port = servers(&["127.0.0.1"], answers);
    let conf = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
    assert_eq!(
        lookup(conf, port, "x.example"),
        Err(ErrorKind::HostUnreachable)
    );

    // Nothing listens at the first address: the second one is asked.
    let answers: Answers = |query, _| {
        let records: &[(u16, &[u8])] = if is_a(query) {
            &[(1, &[10, 0, 0, 4])]
        } else {
            &[]
        };
        Some(response(query, ANSWERED, records))
    };
    let port = servers(&["127.0.0.3"], answers);
    let conf = "nameserver 127.0.0.2\nnameserver 127.0.0.3\n";
    assert_eq!(lookup(conf, port, "x.example").unwrap(), "10.0.0.4");
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let answers: Answers = |query, _| Some(response(query, TRUNCATED, &[]));
    let (port, listener) = loop {
        let port = servers(&["127.0.0.1"], answers);
        if let Ok(listener) = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))) {
            break (port, listener);
        }
    };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut query).unwrap();
            let address: (u16, &[u8]) = (1, &[10, 0, 0, 5]);
            let records = vec![address; if is_a(&query) { 60 } else { 0 }];
            let answer = response(&query, ANSWERED, &records);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            // In pieces, as TCP may deliver it.
            for piece in [&length[..1], &length[1..], &answer[..20], &answer[20..]] {
                stream.write_all(piece).unwrap();
            }
        }
    });
    let found = lookup("nameserver 127.0.0.1\n", port, "many.example").unwrap();
    assert_eq!(found.split(' ').count(), 60);
}
