//! Fuzzes single values of settings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::value::check;

fuzz_target!(|input: &[u8]| check(input));
