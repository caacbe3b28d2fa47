//! Fuzzes values with parameters, and the names of packages that come in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::disposition::check;

fuzz_target!(|input: &[u8]| check(input));
