//! Fuzzes the text of sidecars.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::checksum::check;

fuzz_target!(|input: &[u8]| check(input));
