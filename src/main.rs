//! The executable. All code is in the library, so that tests and fuzzers can call it.

fn main() -> std::process::ExitCode {
    release_server::commands::run()
}
