//! Fuzzes request heads, against a second reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::head::check;

fuzz_target!(|input: &[u8]| check(input));
