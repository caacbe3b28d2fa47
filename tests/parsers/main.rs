//! Every parser of the library, and other pure functions, fed with tables, with every split of
//! their entries, and with seeded random input.
//!
//! The expected results come from the RFCs and the project's contract, which each module names;
//! properties of all input are in `properties`, which the fuzz targets check as well. The tables
//! are plain data, from which `corpus` takes the inputs that are mutated here and in `fuzz/`. This
//! file has the code that the tables' tests share.

#[path = "../support/archives.rs"]
mod archives;
mod authority;
mod body;
mod catalog;
mod chunked;
mod conditional;
mod config;
mod config_layers;
mod config_refusals;
mod corpus;
mod corpus_messages;
mod date;
mod differential;
mod digest;
mod disposition;
mod head;
mod head_accepted;
mod head_refused;
mod listing;
mod manifest;
mod manifest_tables;
mod multipart;
mod multipart_random;
mod multipart_tables;
mod name;
mod parameters;
mod pattern;
mod properties;
mod range;
mod sentences;
mod smoke;
mod step_files;
mod target;
mod template;
mod tokens;
mod value;
mod version;
mod yaml;
mod zip;

use properties::random::Random;
use release_server::http::fields::Fields;

/// Calls `check` with the two halves of `input`, for every split.
fn at_every_split(input: &[u8], mut check: impl FnMut(&[&[u8]])) {
    for at in 0..=input.len() {
        let (first, second) = input.split_at(at);
        check(&[first, second]);
    }
}

/// The input, one byte at a time.
fn single_bytes(input: &[u8]) -> Vec<&[u8]> {
    input.chunks(1).collect()
}

/// Calls `check` with the fields of a request with these header lines, each without its line end.
fn with_fields<T>(lines: &[&str], check: impl FnOnce(&Fields<'_, '_>) -> T) -> T {
    let joined = lines.join("\r\n");
    properties::fields::with_fields(joined.as_bytes(), check)
        .unwrap_or_else(|| panic!("no head has the lines {lines:?}"))
}
