//! Fuzzes request targets, query parameters, path segments and authorities.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::target::check;

fuzz_target!(|input: &[u8]| check(input));
