//! Fuzzes messages of DNS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::dns::check;

fuzz_target!(|input: &[u8]| check(input));
