//! Answers of the kernel's socket diagnostics: whatever they hold is read within its bounds, and
//! the two numbers are those that another writer wrote.
//!
//! Source: `linux/inet_diag.h`, `linux/netlink.h`.

use release_server::server::sock_diag::queues;

/// `SOCK_DIAG_BY_FAMILY`.
const MESSAGE_TYPE: [u8; 2] = 20u16.to_ne_bytes();
/// `idiag_wqueue` is in the middle of a message of 72 bytes, after the header of 16.
const BEFORE_WQUEUE_BYTES: usize = 16 + 56 + 4;
const AFTER_WQUEUE_BYTES: usize = 8;
/// `INET_DIAG_SKMEMINFO`.
const MEMORY_ATTRIBUTE: u16 = 7;

/// Every property of answers. The input is one, its attributes, and what they hold.
pub fn check(input: &[u8]) {
    let _ = queues(input);
    let message = message(input.len(), input);
    let read = queues(&message).expect("an answer");
    assert_eq!(read.unacked_bytes, input.len() as u64);
    assert!(queues(&message[..BEFORE_WQUEUE_BYTES + 3]).is_err());
    check_written(input);
}

fn message(unacked: usize, attributes: &[u8]) -> Vec<u8> {
    let mut message = vec![0; BEFORE_WQUEUE_BYTES];
    message[4..6].copy_from_slice(&MESSAGE_TYPE);
    message.extend(u32::try_from(unacked).expect("a short input").to_ne_bytes());
    message.extend([0; AFTER_WQUEUE_BYTES]);
    message.extend(attributes);
    message
}

fn attribute(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + content.len()).expect("a short attribute");
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Attributes with the pieces of the input, and the memory after them.
fn check_written(input: &[u8]) {
    let pieces = input.chunks(7).take(9).map(|piece| attribute(6, piece));
    let mut attributes: Vec<u8> = pieces.flatten().collect();
    let memory = u32::try_from(input.len()).expect("a short input") << 4;
    attributes.extend(attribute(
        MEMORY_ATTRIBUTE,
        &[memory.to_ne_bytes(), [1; 4]].concat(),
    ));
    let read = queues(&message(1, &attributes)).expect("an answer");
    assert_eq!(read.received_memory_bytes, memory as usize);
}
