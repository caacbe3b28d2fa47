//! The body of an answer: what is copied after the head, and how the rest is sent.
//!
//! Invariant: a body is advanced by exactly the bytes of it that the socket took.

use super::secure::Scratch;
use super::socket::Sent;
use super::wire::Wire;
use crate::disk_gate::DiskGate;
use crate::http::response::Body;
use crate::limits::{COALESCE_BYTES_MAX, SEND_TURN_BYTES};
use bytes::{Buf, Bytes};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Copies a small body after its head, so that one write sends both; returns the rest of the body
/// and the bytes that were copied.
pub fn coalesce(body: Body, head: &mut Vec<u8>, disk: &DiskGate) -> (Body, u64) {
    let head_bytes = head.len();
    let is_copied = match &body {
        Body::Bytes(bytes) if bytes.len() <= COALESCE_BYTES_MAX => {
            head.extend_from_slice(bytes);
            true
        }
        Body::Composed(composed) if composed.left() <= COALESCE_BYTES_MAX => {
            let template = composed.template();
            template.is_some_and(|template| {
                composed.append_to(&template, head);
                true
            })
        }
        // Copying a few bytes costs less than sendfile.
        Body::File {
            file,
            offset,
            length,
        } if *length <= COALESCE_BYTES_MAX as u64 => {
            let inside = disk.enter();
            inside.is_some() && append_section(head, file, *offset, *length)
        }
        _ => false,
    };
    if is_copied {
        (Body::Bytes(Bytes::new()), (head.len() - head_bytes) as u64)
    } else {
        (body, 0)
    }
}

/// Appends a section of a file; whether the file has all of it.
fn append_section(out: &mut Vec<u8>, file: &File, offset: u64, length: u64) -> bool {
    let end = out.len();
    out.resize(end + usize::try_from(length).unwrap_or(0), 0);
    let read = file.read_exact_at(&mut out[end..], offset);
    if read.is_err() {
        out.truncate(end);
    }
    read.is_ok()
}

/// Memory of a body that no other answer shares, in bytes.
pub fn length_in_memory(body: &Body) -> usize {
    match body {
        Body::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// One write of the rest of a head and of the body after it, and how many bytes of the head it
/// took; `None` if the template of the body was dropped.
pub fn send(
    head: &[u8],
    body: &mut Body,
    wire: &mut Wire,
    scratch: &mut Scratch,
) -> Option<(Sent, usize)> {
    let mut template = None;
    let sent = match body {
        Body::Bytes(bytes) if bytes.is_empty() => wire.send(head, false, scratch),
        Body::Bytes(bytes) if head.is_empty() => wire.send(bytes, false, scratch),
        Body::Bytes(bytes) => wire.send_both(head, bytes, scratch),
        Body::Composed(composed) => {
            let template = template.insert(composed.template()?);
            let mut part = [0; COALESCE_BYTES_MAX];
            wire.send_both(head, composed.next(template, &mut part), scratch)
        }
        Body::File {
            file,
            offset,
            length,
        } => wire.send_file(head, (file, offset, slice(*length)), scratch),
        Body::Arriving {
            arriving,
            offset,
            length,
        } => match (arriving.arrived(), arriving.file()) {
            (None, _) => Sent::Bytes(0),
            (Some(arrived), Some(file)) if arrived > *offset => {
                let slice = slice((*length).min(arrived - *offset));
                wire.send_file(head, (file, offset, slice), scratch)
            }
            _ => wire.send(head, false, scratch),
        },
        // Only an answer to HEAD has it, which is sent without a body.
        Body::Omitted(_) => Sent::Bytes(0),
    };
    let mut of_head = 0;
    if let Sent::Bytes(sent_bytes) = sent {
        of_head = sent_bytes.min(head.len());
        let of_body = sent_bytes - of_head;
        match (body, template) {
            (Body::Bytes(bytes), _) => bytes.advance(of_body),
            (Body::Composed(composed), Some(template)) => composed.advance(&template, of_body),
            (Body::Composed(_) | Body::Omitted(_), _) => {}
            (Body::File { length, .. } | Body::Arriving { length, .. }, _) => {
                *length -= of_body as u64;
            }
        }
    }
    Some((sent, of_head))
}

/// Bytes of a file that are sent in one call, of so many.
fn slice(length: u64) -> usize {
    usize::try_from(length).map_or(SEND_TURN_BYTES, |length| length.min(SEND_TURN_BYTES))
}
