//! Fuzzes tokens files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::tokens::check;

fuzz_target!(|input: &[u8]| check(input));
