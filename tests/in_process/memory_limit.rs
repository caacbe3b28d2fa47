//! What sockets hold of answers that nobody reads, under a memory limit.

use crate::server::{BIG_BYTES, InProcess, wait_until_still};
use crate::support::Connection;
use crate::support::sock_diag::queues;
use release_server::limits::{KIB, MIB};
use release_server::server::memory_limit::MemoryLimit;
use release_server::server::sock_diag::SockDiag;
use std::fs;
use std::net::SocketAddr;

/// Sent bytes that the client's side has not acknowledged.
fn held_bytes(connection: &Connection) -> usize {
    let (Ok(SocketAddr::V4(own)), Ok(SocketAddr::V4(other))) = (
        connection.stream.local_addr(),
        connection.stream.peer_addr(),
    ) else {
        return 0;
    };
    queues(other, own).map_or(0, |(_, unacked)| unacked as usize)
}

#[test]
fn sockets_share_a_part_of_the_memory_limit() {
    let memory_limit = MemoryLimit::of(Some(32 * MIB));
    let server = InProcess::within(memory_limit, 1000, 1, SockDiag::system());
    let readers: Vec<Connection> = (0..200)
        .map(|_| {
            let mut reader = server.connect_and_wait();
            reader.send(b"GET /big HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
            reader
        })
        .collect();
    server.wait_until_active(readers.len());
    for reader in &readers {
        wait_until_still(reader, 2);
    }
    let held: usize = readers.iter().map(held_bytes).sum();
    assert!(held > 0 && held <= 4 * MIB, "{} KiB", held / KIB);
    // A client that reads gets all of its answer.
    let mut reader = readers.into_iter().next_back().unwrap();
    assert_eq!(reader.response("GET").body.len(), BIG_BYTES);
}

#[test]
fn the_least_limit_around_a_process_counts() {
    let root = tempfile::tempdir().unwrap();
    let inner = root.path().join("kube/pod/own");
    fs::create_dir_all(&inner).unwrap();
    let limit = |cgroup| MemoryLimit::within(root.path(), cgroup).bytes();
    assert_eq!(limit("0::/kube/pod/own\n"), None);
    fs::write(inner.join("memory.max"), "max\n").unwrap();
    assert_eq!(limit("0::/kube/pod/own\n"), None);
    fs::write(root.path().join("kube/memory.max"), "33554432\n").unwrap();
    assert_eq!(limit("0::/kube/pod/own\n"), Some(33_554_432));
    fs::write(inner.join("memory.max"), "1048576\n").unwrap();
    assert_eq!(limit("4:memory:/x\n0::/kube/pod/own\n"), Some(1_048_576));
    assert_eq!(limit("0::/kube/pod\n"), Some(33_554_432));
    assert_eq!(limit("0::/elsewhere\n"), None);
    // A container sees its own cgroup as the root, whatever its path outside is.
    fs::write(root.path().join("memory.max"), "4096\n").unwrap();
    assert_eq!(limit("0::/elsewhere\n"), Some(4096));
    assert_eq!(limit("0::/\n"), Some(4096));
    // Version 1 alone.
    assert_eq!(limit("4:memory:/x\n"), None);
    assert_eq!(limit(""), None);
}
