//! Fuzzes bodies: chunked, of a known length, and none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::body::check;

fuzz_target!(|input: &[u8]| check(input));
