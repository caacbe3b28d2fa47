//! The command line: the commands and their exit codes.
//!
//! Invariants: standard output has the result of the command, or the log of a running server.
//! Standard error has one line that says what was wrong. The exit code is 0 after success, 1 after
//! a failure (which includes a wrong package that `verify` finds), 2 for a command line that was
//! not understood.

mod check_bucket;
mod copy;
mod healthcheck;
mod listen;
mod report;
mod token;
mod verify;

use crate::app::public_url::PublicUrl;
use crate::app::router::Endpoint;
use crate::app::{self, App};
use crate::clock::{self, Clock};
use crate::config::{self, Config, keys};
use crate::log as output;
use crate::metrics::Metrics;
use crate::server::memory_limit::MemoryLimit;
use crate::server::shutdown::{self, Ending, Signals};
use crate::server::sock_diag::SockDiag;
use crate::server::{self, Server, descriptors};
use crate::storage::engines::{self, OpenError};
use crate::storage::{Retention, StorageError, Store};
use crate::tls;
use crate::tokens::Tokens;
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use token::TokenCommand;

const HELP: &str = "\
Serves packages over HTTP. Everyone can list and download them; publishing and
deleting need a token.

Usage: release-server [COMMAND]

Commands:
  serve         serve packages (the default)
  healthcheck   whether the running server is ready, as the exit code
  check-config  print every setting and its origin, and ask the bucket, if any
  verify        compare every package with its checksum; --repair writes
                checksums that are missing or stale
  copy          copy all packages --from PATH --to s3://NAME/PREFIX, or back
  token new     make the token NAME and its entry for tokens_file; takes
                --may RIGHTS, --names PATTERNS, --expires TIME
  token check   say which entry the token on standard input belongs to

Options:
  -h, --help     print this help
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
    Copy { from: String, to: String },
    Token(TokenCommand),
    Help,
    Version,
}

/// Runs the command that the command line names.
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
        Command::Healthcheck => run_healthcheck(),
        Command::CheckConfig => check_config(),
        Command::Verify { repair } => run_verify(repair),
        Command::Copy { from, to } => run_copy(&from, &to),
        Command::Token(command) => token::run(command).map(|text| {
            print!("{text}");
            true
        }),
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

/// Whether the command succeeded; an error also has a line for standard error.
type Outcome = Result<bool, Failure>;

fn parse() -> Result<Command, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value, ValueExt as _};
    let mut arguments = lexopt::Parser::from_env();
    let mut command = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Long("repair") if let Some(Command::Verify { repair }) = &mut command => *repair = true,
            Long("from") if let Some(Command::Copy { from, .. }) = &mut command => {
                *from = arguments.value()?.string()?;
            }
            Long("to") if let Some(Command::Copy { to, .. }) = &mut command => {
                *to = arguments.value()?.string()?;
            }
            Value(word) if command.is_none() => {
                command = Some(match word.to_str() {
                    Some("serve") => Command::Serve,
                    Some("healthcheck") => Command::Healthcheck,
                    Some("check-config") => Command::CheckConfig,
                    Some("verify") => Command::Verify { repair: false },
                    Some("copy") => Command::Copy {
                        from: String::new(),
                        to: String::new(),
                    },
                    Some("token") => Command::Token(token::parse(&mut arguments)?),
                    _ => {
                        let word = word.to_string_lossy();
                        return Err(format!("unknown command '{word}'").into());
                    }
                });
            }
            Long(name) if let Some(variable) = keys::variable_of_option(name) => {
                let name = name.to_owned();
                return Err(format!("invalid option '--{name}'; set {variable} instead").into());
            }
            other => return Err(other.unexpected()),
        }
    }
    match command {
        Some(Command::Copy { from, to }) if from.is_empty() || to.is_empty() => {
            Err("copy needs --from PLACE and --to PLACE".into())
        }
        command => Ok(command.unwrap_or(Command::Serve)),
    }
}

fn check_config() -> Outcome {
    let raw = config::raw::Raw::gather()?;
    let config = Config::check(&raw)?;
    let pair = config
        .tls
        .map(|tls| tls::describe(&tls.files, clock::wall_now()));
    let pair = pair.transpose()?.unwrap_or_default();
    Tokens::open(config.tokens, Clock::system(), Arc::new(Metrics::new([])))?;
    let bucket = config.bucket.as_ref().map(check_bucket::describe);
    let bucket = bucket.transpose()?.unwrap_or_default();
    for warning in &raw.warnings {
        eprintln!("release-server: warning: {warning}");
    }
    print!("{}{pair}{bucket}", raw.describe());
    Ok(true)
}

fn run_healthcheck() -> Outcome {
    let raw = config::raw::Raw::gather()?;
    let is_tls = config::tls(&raw)?.is_some();
    healthcheck::check(config::address(&raw)?, is_tls)?;
    Ok(true)
}

fn run_verify(repair: bool) -> Outcome {
    let raw = config::raw::Raw::gather()?;
    let path = config::storage_path(&raw)?;
    Ok(verify::run(&path, config::bucket(&raw)?.as_ref(), repair)?)
}

fn run_copy(from: &str, to: &str) -> Outcome {
    Ok(copy::run(&config::raw::Raw::gather()?, from, to)?)
}

fn serve() -> Result<Infallible, Failure> {
    let raw = config::raw::Raw::gather()?;
    let mut config = Config::check(&raw)?;
    output::start(&config.log_filter, config.log_format)?;
    raw.warnings
        .iter()
        .for_each(|warning| log::warn!("{warning}"));
    let clock = Clock::system();
    let signals = Signals::register()?;
    let max_connections = connections_within_limit(config.workers, config.max_connections);
    let metrics = Arc::new(Metrics::new(Endpoint::ALL.map(Endpoint::pattern)));
    let opened = listen::open(&config, &metrics)?;
    let address = opened.address;
    let store = open_store(&mut config, &metrics, &clock)?;
    let tokens = Tokens::open(config.tokens, clock.clone(), Arc::clone(&metrics))?;
    let tokens = Arc::new(tokens);
    tokens.watch()?;
    let app = App::new(
        Arc::clone(&store),
        Arc::clone(&metrics),
        app::Options {
            tokens: Arc::clone(&tokens),
            public_url: PublicUrl::new(config.public_url, config.trust_forwarded, address.port()),
            max_upload_bytes: config.max_upload_bytes,
            latest_by: config.latest_by,
            clock: clock.clone(),
        },
    );
    let options = server::Options {
        workers: config.workers,
        max_connections,
        trust_forwarded: config.trust_forwarded,
        idle_time_max: config.idle_timeout,
        sock_diag: SockDiag::system(),
        memory_limit: MemoryLimit::system(),
        disk: Arc::clone(store.gate()),
        clock,
        tls: opened.tls,
    };
    let server = Server::start(opened.entrances, Arc::new(app.clone()), metrics, options)?;
    warn_of_storage(&*store);
    let _maintenance = store.start_maintenance()?;
    log::info!(
        address:% = address, storage_path:% = config.storage_path.display(),
        workers = config.workers,
        max_connections, max_packages = config.max_packages.unwrap_or_default(),
        version = env!("CARGO_PKG_VERSION");
        "listening"
    );
    let announce = || app.start_draining();
    let reload = || {
        tokens.reread_now();
        if let Some(renewal) = &opened.renewal {
            renewal.reread_now();
        }
    };
    let (delay, grace) = (config.shutdown_delay, config.shutdown_grace);
    let ending = shutdown::serve_until_signal(&server, &signals, announce, reload, delay, grace)?;
    output::flush();
    // Returning would wait, beyond the grace, for a worker that waits for the disk. An upload that
    // such a worker has not published is dropped with the process.
    end_process(i32::from(ending == Ending::Forced))
}

fn open_store(
    config: &mut Config,
    metrics: &Metrics,
    clock: &Clock,
) -> Result<Arc<dyn Store>, String> {
    let retention = Retention {
        max_packages: config.max_packages,
        max_releases: config.max_releases,
        pinned: std::mem::take(&mut config.pinned),
    };
    let bucket = config.bucket.take();
    let options = engines::Options {
        path: config.storage_path.clone(),
        retention,
        workers: config.workers,
        clock: clock.clone(),
        bucket: bucket.map(|settings| (settings, Arc::clone(&metrics.store))),
    };
    engines::open(options).map_err(|error| unusable_storage(&config.storage_path, error))
}

fn warn_of_storage(store: &dyn Store) {
    // Not known yet is not a fault.
    if let Err(error) = store.check_ready()
        && !matches!(error, StorageError::Pending(_))
    {
        log::warn!(
            error:% = error;
            "the storage directory cannot be used; publishing fails until it can"
        );
    }
}

/// The most connections that the limit on open files allows, once that is raised.
fn connections_within_limit(workers: usize, wanted: usize) -> usize {
    let limit = descriptors::raise_limit();
    let max_connections = descriptors::connections_within(limit, workers, wanted);
    if max_connections < wanted {
        log::warn!(
            max_connections, wanted, descriptors = limit.unwrap_or_default();
            "the limit on open files allows fewer connections"
        );
    }
    max_connections
}

fn unusable_storage(path: &Path, error: OpenError) -> String {
    let error = match error {
        OpenError::Bucket(why) => return format!("the bucket cannot be used: {why}"),
        OpenError::Directory(error) => error,
    };
    let why = if path.exists() && !path.is_dir() {
        "it is not a directory".to_owned()
    } else {
        error.to_string()
    };
    let path = path.display();
    format!("{path}: cannot be used: {why}; set STORAGE_PATH to a writable directory")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place that ends the process"
)]
fn end_process(code: i32) -> ! {
    std::process::exit(code)
}
