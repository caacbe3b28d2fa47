//! Fuzzes XML of object stores.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::xml::check;

fuzz_target!(|input: &[u8]| check(input));
