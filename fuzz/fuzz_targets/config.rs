//! Fuzzes settings as a whole: YAML documents, `.env` files, variables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use release_server_fuzz::properties::config::check;

fuzz_target!(|input: &[u8]| check(input));
