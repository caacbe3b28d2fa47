//! The kernel's view of a TCP connection's queues, asked over netlink: `/proc/net/tcp` lists every
//! connection of the machine for each question.
//!
//! Sources: `sock_diag(7)`; `linux/netlink.h` (`nlmsghdr`); `linux/inet_diag.h`
//! (`inet_diag_req_v2`, `inet_diag_msg`).

use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::SocketAddrV4;

/// Bytes that the process at `end` of a connection has not read, and bytes that it sent and `peer`
/// has not acknowledged; `None` if there is no such connection.
pub fn queues(end: SocketAddrV4, peer: SocketAddrV4) -> Option<(u32, u32)> {
    let kernel = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )
    .unwrap();
    let mut request = Vec::new();
    // A header, for SOCK_DIAG_BY_FAMILY with NLM_F_REQUEST; then AF_INET, TCP, every state.
    request.extend(72u32.to_ne_bytes());
    request.extend(20u16.to_ne_bytes());
    request.extend(1u16.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([2, 6, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes());
    request.extend(end.port().to_be_bytes());
    request.extend(peer.port().to_be_bytes());
    for address in [end.ip(), peer.ip()] {
        request.extend(address.octets());
        request.extend([0; 12]);
    }
    // Any interface, no cookie.
    request.extend([0; 4]);
    request.extend([0xff; 8]);
    let address = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&kernel, &request, SendFlags::empty(), &address).unwrap();
    let mut answer = [0; 512];
    let (length, _) = rustix::net::recv(&kernel, &mut answer, RecvFlags::empty()).unwrap();
    let word = |at: usize| u32::from_ne_bytes(answer[at..at + 4].try_into().unwrap());
    // Any other message is an error: no such connection. After the header: 52 bytes, then the
    // timer's 4.
    let is_found = answer[4..6] == 20u16.to_ne_bytes() && length >= 80;
    is_found.then(|| (word(72), word(76)))
}
