//! Fuzzes the YAML of manifests, versions and version ranges.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::yaml::check;

fuzz_target!(|input: &[u8]| check(input));
