//! The command line: which command, and the exit code it ends with.
//!
//! Invariants: standard output is for what was asked for (and the log of a running server), standard error for one line
//! that says what was wrong; the exit code is 0 when all went well, 1 when not (a package that `verify` finds wrong
//! included), 2 when the command line was not understood.

use crate::app::public_url::PublicUrl;
use crate::app::router::Endpoint;
use crate::app::{self, App};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::http::service::Channel;
use crate::log as output;
use crate::metrics::Metrics;
use crate::server::shutdown::{self, Ending, Signals};
use crate::server::{self, Server, descriptors, listener};
use crate::storage::{Maintenance, Retention, Store};
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = "\
An HTTP server: publish packages with a token, list, download and delete them.

Usage: release-server [COMMAND]

Commands:
  serve         serve packages (the default)
  healthcheck   ask the running server whether it is ready; the exit code says
  check-config  show every setting, its value and where that is from, and stop
  verify        compare every package with its checksum; the exit code is 1
                where one differs. --repair writes checksums that are missing
                or stale, beside running servers too

Options:
  -h, --help     print this
  -V, --version  print the version

Settings come from the YAML file at CONFIG_PATH (default
/etc/release-server/config.yaml), then a .env file, then the environment:

  AUTH_TOKEN=secret STORAGE_PATH=./data LOG_FORMAT=text release-server
  curl -H 'Authorization: Bearer secret' -T package.zip localhost:8000/assets/
";

enum Command {
    Serve,
    Healthcheck,
    CheckConfig,
    Verify { repair: bool },
    Help,
    Version,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let command = match parse() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("release-server: {error}; see release-server --help");
            return ExitCode::from(2);
        }
    };
    let result = match command {
        Command::Serve => serve().map(|never| match never {}),
        Command::Healthcheck => healthcheck(),
        Command::CheckConfig => check_config(),
        Command::Verify { repair } => verify(repair),
        Command::Help => {
            print!("{HELP}");
            Ok(true)
        }
        Command::Version => {
            println!("release-server {}", env!("CARGO_PKG_VERSION"));
            Ok(true)
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("release-server: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

/// Whether all is well; an error also has a line for whoever asked.
type Outcome = Result<bool, Failure>;

fn parse() -> Result<Command, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut arguments = lexopt::Parser::from_env();
    let mut command = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Long("repair") if let Some(Command::Verify { repair }) = &mut command => *repair = true,
            Value(word) if command.is_none() => {
                command = Some(match word.to_str() {
                    Some("serve") => Command::Serve,
                    Some("healthcheck") => Command::Healthcheck,
                    Some("check-config") => Command::CheckConfig,
                    Some("verify") => Command::Verify { repair: false },
                    _ => {
                        let word = word.to_string_lossy();
                        return Err(format!("unknown command '{word}'").into());
                    }
                });
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(command.unwrap_or(Command::Serve))
}

fn check_config() -> Outcome {
    let raw = config::raw::Raw::gather()?;
    Config::check(&raw)?;
    print!("{}", raw.describe());
    Ok(true)
}

fn healthcheck() -> Outcome {
    let address = config::address(&config::raw::Raw::gather()?)?;
    crate::healthcheck::check(address)?;
    Ok(true)
}

fn verify(repair: bool) -> Outcome {
    let path = config::storage_path(&config::raw::Raw::gather()?)?;
    Ok(crate::verify::run(&path, repair)?)
}

fn serve() -> Result<Infallible, Failure> {
    let config = Config::check(&config::raw::Raw::gather()?)?;
    output::start(&config.log_filter, config.log_format)?;
    let clock = Clock::system();
    let signals = Signals::register()?;
    let descriptor_limit = descriptors::raise_limit();
    let max_connections = descriptors::connections_within(descriptor_limit, config.max_connections);
    let retention = Retention {
        max_packages: config.max_packages,
        max_releases: config.max_releases,
        pinned: config.pinned,
    };
    let store = Store::open(&config.storage_path, retention, clock.clone())
        .map_err(|error| unusable_storage(&config.storage_path, &error))?;
    let metrics = Arc::new(Metrics::new(Endpoint::ALL.map(Endpoint::pattern)));
    let app = App::new(
        Arc::clone(&store),
        Arc::clone(&metrics),
        app::Options {
            token: config.token,
            public_url: PublicUrl::new(config.public_url, config.trust_forwarded),
            max_upload_bytes: config.max_upload_bytes,
            clock: clock.clone(),
        },
    );
    let (socket, address) =
        listener::bind(config.address).map_err(|error| unusable_address(config.address, &error))?;
    let options = server::Options {
        workers: config.workers,
        max_connections,
        clock,
        tls: None,
    };
    let entrance = listener::Entrance {
        socket,
        channel: Channel::Clear,
    };
    let server = Server::start(vec![entrance], Arc::new(app.clone()), metrics, options)?;
    if let Err(error) = store.check_ready() {
        log::warn!(error:% = error; "packages cannot be published until the storage directory can be used");
    }
    let _maintenance = Maintenance::start(store)?;
    if max_connections < config.max_connections {
        log::warn!(
            max_connections, wanted = config.max_connections, descriptors = descriptor_limit.unwrap_or_default();
            "the limit on open files allows fewer connections"
        );
    }
    log::info!(
        address:% = address, storage_path:% = config.storage_path.display(), workers = config.workers,
        max_connections, max_packages = config.max_packages.unwrap_or_default(),
        version = env!("CARGO_PKG_VERSION");
        "listening"
    );
    let announce = || app.start_draining();
    let (delay, grace) = (config.shutdown_delay, config.shutdown_grace);
    let ending = shutdown::serve_until_signal(&server, &signals, announce, delay, grace)?;
    output::flush();
    // Not by returning: that would wait for a worker that waits for the disk, beyond the grace. What such a worker has
    // not published goes with the process.
    end_process(i32::from(ending == Ending::Forced))
}

fn unusable_storage(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    format!("{path}: cannot be used: {error}; set STORAGE_PATH to a directory that can be written")
}

fn unusable_address(address: config::Address, error: &std::io::Error) -> String {
    let address = match address.host {
        Some(host) => std::net::SocketAddr::new(host, address.port).to_string(),
        None => format!("port {}", address.port),
    };
    format!("cannot listen on {address}: {error}; set PORT or HOST to listen elsewhere")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that ends the process"
)]
fn end_process(code: i32) -> ! {
    std::process::exit(code)
}
