//! Fuzzes ranges, conditions, digests and dates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::fields::check;

fuzz_target!(|input: &[u8]| check(input));
