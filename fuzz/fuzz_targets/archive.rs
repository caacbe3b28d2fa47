//! Fuzzes archives: which are packages, and what their manifests say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::archive::check;

fuzz_target!(|input: &[u8]| check(input));
