//! The command `token`: makes a token, or says which entry of a tokens file one belongs to.
//!
//! Invariants: a token is shown once, on the first line of standard output, and is kept nowhere; a
//! token is read from standard input, since command lines are visible to all users of a system.

use crate::app::error::TokenError;
use crate::checksum::hex;
use crate::clock::{self, Clock};
use crate::config::raw::Raw;
use crate::config::{self, token};
use crate::date;
use crate::limits::TOKEN_FILE_BYTES_MAX;
use crate::metrics::Metrics;
use crate::text;
use crate::tokens::{Denied, Grant, Right, Tokens, entry, secret};
use lexopt::prelude::{Long, Value, ValueExt};
use std::io::Read;
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::time::{Duration, SystemTime};

pub enum TokenCommand {
    New(NewToken),
    Check,
}

pub struct NewToken {
    grant: Grant,
    expires: Option<SystemTime>,
}

/// Reads the rest of a command line that begins with `token`.
pub fn parse(arguments: &mut lexopt::Parser) -> Result<TokenCommand, lexopt::Error> {
    let word = match arguments.next()? {
        Some(Value(word)) => word.string()?,
        _ => return Err("'token' takes the word new or check".into()),
    };
    match word.as_str() {
        "check" => match arguments.next()? {
            None => Ok(TokenCommand::Check),
            Some(other) => Err(other.unexpected()),
        },
        "new" => parse_new(arguments).map(TokenCommand::New),
        other => Err(format!("'token' takes the word new or check, not '{other}'").into()),
    }
}

fn parse_new(arguments: &mut lexopt::Parser) -> Result<NewToken, lexopt::Error> {
    let (mut name, mut expires) = (None, None);
    let (mut rights, mut names) = (vec![Right::Publish], Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("may") => {
                let text = arguments.value()?.string()?;
                rights = entry::rights(&split(&text))?;
            }
            Long("names") => {
                let text = arguments.value()?.string()?;
                names = entry::names(&split(&text))?;
            }
            Long("expires") => {
                let text = arguments.value()?.string()?;
                let time = expiry(&text).ok_or_else(|| {
                    let takes = entry::EXPIRES_TAKES;
                    format!("--expires takes a number of days such as 90d, or {takes}")
                })?;
                expires = Some(time);
            }
            Value(word) if name.is_none() => {
                let word = word.string()?;
                if !entry::is_name(&word) {
                    let takes = entry::NAME_TAKES;
                    return Err(
                        format!("'{word}' cannot be a token's name, which takes {takes}").into(),
                    );
                }
                name = Some(word);
            }
            other => return Err(other.unexpected()),
        }
    }
    let name = name.ok_or("'token new' takes the name of the token")?;
    let grant = Grant {
        name,
        rights,
        names,
        subject: None,
    };
    Ok(NewToken { grant, expires })
}

fn split(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

/// A number of days from now, or a time.
fn expiry(text: &str) -> Option<SystemTime> {
    let Some(days) = text.strip_suffix('d') else {
        return date::parse_rfc3339(text);
    };
    let days: u64 = text::number(days)?;
    let time = Duration::from_secs(days.checked_mul(24 * 60 * 60)?);
    clock::wall_now().checked_add(time)
}

/// What the command prints.
pub fn run(command: TokenCommand) -> Result<String, Box<dyn std::error::Error>> {
    match command {
        TokenCommand::New(new) => Ok(make(&new)?),
        TokenCommand::Check => Ok(check()?),
    }
}

fn make(new: &NewToken) -> Result<String, rustix::io::Errno> {
    let secret = secret::generate()?;
    let NewToken { grant, expires } = new;
    let hash = hex(&token::hash(secret.as_bytes()));
    let rights: Vec<&str> = grant.rights.iter().map(|right| right.word()).collect();
    let mut entry = format!(
        "- name: {}\n  sha256: {hash}\n  may: [{}]\n",
        grant.name,
        rights.join(", ")
    );
    if !grant.names.is_empty() {
        // A JSON string is a YAML string too.
        let texts = grant.names.iter().map(|name| serde_json::json!(name.text));
        let texts: Vec<String> = texts.map(|text| text.to_string()).collect();
        entry.extend(["  names: [", &texts.join(", "), "]\n"]);
    }
    if let Some(time) = expires {
        entry.extend(["  expires: ", &date::rfc3339(*time), "\n"]);
    }
    Ok(format!("{secret}\n{entry}"))
}

struct Fetched(mpsc::Sender<()>);

impl Wake for Fetched {
    fn wake(self: Arc<Self>) {
        // Its receiver waits.
        let _ = self.0.send(());
    }
}

fn check() -> Result<String, String> {
    let raw = Raw::gather().map_err(|error| error.to_string())?;
    let settings = config::tokens(&raw).map_err(|error| error.to_string())?;
    let tokens = Tokens::open(settings, Clock::system(), Arc::new(Metrics::new([])))?;
    let mut text = String::new();
    std::io::stdin()
        .take(TOKEN_FILE_BYTES_MAX as u64)
        .read_to_string(&mut text)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    loop {
        return match tokens.find(text.trim().as_bytes(), clock::wall_now()) {
            Ok(grant) => Ok(format!("{}: may {}\n", grant.name, grant.describe())),
            Err(Denied::Unfetched(keys)) => {
                let (sender, fetched) = mpsc::channel();
                keys.wake(Waker::from(Arc::new(Fetched(sender))));
                let _ = fetched.recv();
                continue;
            }
            Err(denied) => Err(TokenError::Denied(denied).to_string()),
        };
    }
}
