//! Fuzzes answers of the kernel's socket diagnostics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::netlink::check;

fuzz_target!(|input: &[u8]| check(input));
