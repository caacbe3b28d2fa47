//! Fuzzes identity tokens and key sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::identity::check;

fuzz_target!(|input: &[u8]| check(input));
