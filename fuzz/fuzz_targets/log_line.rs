//! Fuzzes log lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::log_line::check;

fuzz_target!(|input: &[u8]| check(input));
