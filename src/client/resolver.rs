//! The addresses of a name: from `hosts`, then from the servers of `resolv.conf`.
//!
//! Both files are read for each lookup, since containers get new ones while they run; a lookup
//! happens only for a new connection.
//!
//! Invariants: a lookup ends within its limit of time, whatever servers send; an answer is taken
//! only from the server that was asked, with the question's id.
//!
//! Sources: RFC 1035, sections 4.2.1 (UDP) and 4.2.2 (TCP); RFC 6761, section 6.3 (localhost).

use super::dns::{self, Answer, Kind};
use super::system_names::{ResolverConfig, hosts_addresses};
use crate::clock::Clock;
use crate::limits::{CLIENT_CONNECT_TIME_MAX, NAMES_FILE_BYTES_MAX};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The longest answer over UDP without extensions, with room for servers that send more.
const DATAGRAM_BYTES_MAX: usize = 4096;
/// As many as `ureq` takes.
const ADDRESSES_MAX: usize = 16;

/// Where names come from.
#[derive(Debug)]
pub struct SystemResolver {
    pub hosts_path: PathBuf,
    pub resolv_conf_path: PathBuf,
    /// Of all name servers.
    pub dns_port: u16,
    pub clock: Clock,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            hosts_path: "/etc/hosts".into(),
            resolv_conf_path: "/etc/resolv.conf".into(),
            dns_port: 53,
            clock: Clock::system(),
        }
    }
}

impl SystemResolver {
    /// The addresses of a name, at least one. Errors: `NotFound` where it has none, `TimedOut`,
    /// `HostUnreachable` where no name server answers.
    pub fn lookup(&self, name: &str, time_max: Duration) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        let listed = hosts_addresses(&read(&self.hosts_path), name);
        if !listed.is_empty() {
            return Ok(listed);
        }
        if name.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let config = ResolverConfig::parse(&read(&self.resolv_conf_path));
        let lookup = Lookup {
            config: &config,
            port: self.dns_port,
            clock: &self.clock,
            deadline: self.clock.now() + time_max,
        };
        for name in config.candidates(name) {
            let addresses = lookup.addresses(&name)?;
            if !addresses.is_empty() {
                return Ok(addresses);
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

impl Resolver for SystemResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let by_scheme = match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let port = uri.port_u16().unwrap_or(by_scheme);
        let time_max = (*timeout.after).min(CLIENT_CONNECT_TIME_MAX);
        let addresses = self
            .lookup(host, time_max)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Error::HostNotFound,
                io::ErrorKind::TimedOut => Error::Timeout(ureq::Timeout::Resolve),
                _ => Error::Io(error),
            })?;
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            resolved.push(SocketAddr::new(address, port));
        }
        Ok(resolved)
    }
}

/// A file's beginning; empty where it cannot be read, as if it were missing.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    // What was read before an error counts.
    let _ = File::open(path).and_then(|file| {
        let mut file = file.take(NAMES_FILE_BYTES_MAX as u64);
        file.read_to_end(&mut bytes)
    });
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Lookup<'l> {
    config: &'l ResolverConfig,
    port: u16,
    clock: &'l Clock,
    deadline: Instant,
}

impl Lookup<'_> {
    /// The addresses of a full name; none where it does not exist. IPv4 addresses first: a host
    /// without IPv6 often believes to have it, the other way round is rare.
    fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        for _ in 0..self.config.attempts {
            for server in &self.config.servers {
                let left = self.deadline.saturating_duration_since(self.clock.now());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                let server = SocketAddr::new(*server, self.port);
                let both = self.ask(server, name, left.min(self.config.timeout));
                if let Some(addresses) = both {
                    return Ok(addresses);
                }
            }
        }
        let kind = io::ErrorKind::HostUnreachable;
        Err(io::Error::new(kind, "no name server answered"))
    }

    /// Both kinds of addresses, from one server; `None` where it has no answer.
    fn ask(&self, server: SocketAddr, name: &str, wait: Duration) -> Option<Vec<IpAddr>> {
        let random = RandomState::new().hash_one(0).to_be_bytes();
        let ids = [[random[0], random[1]], [random[2], random[3]]].map(u16::from_be_bytes);
        let mut queries = Vec::new();
        for (id, kind) in ids.into_iter().zip([Kind::A, Kind::Aaaa]) {
            // A text that cannot be a name in DNS does not exist there.
            let Some(query) = dns::query(id, name, kind) else {
                return Some(Vec::new());
            };
            queries.push(query);
        }
        let end = self.clock.now() + wait;
        let mut answers = self.over_udp(server, &queries, end).ok()?;
        for (query, answer) in queries.iter().zip(&mut answers) {
            if *answer == Some(Answer::Truncated) {
                *answer = self.over_tcp(server, query, end).ok();
            }
        }
        let mut addresses = Vec::new();
        for answer in answers {
            match answer? {
                Answer::Addresses(found) => addresses.extend(found),
                Answer::NoSuchName => {}
                Answer::Truncated | Answer::Failed => return None,
            }
        }
        Some(addresses)
    }

    /// Sends all queries at once; the answers in their order, with `None` for a missing one.
    fn over_udp(
        &self,
        server: SocketAddr,
        queries: &[Vec<u8>],
        end: Instant,
    ) -> io::Result<Vec<Option<Answer>>> {
        let own: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((own, 0))?;
        // A connected socket receives from this server only.
        socket.connect(server)?;
        for query in queries {
            socket.send(query)?;
        }
        let mut answers = vec![None; queries.len()];
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        while answers.iter().any(Option::is_none) {
            socket.set_read_timeout(Some(self.left(end)?))?;
            let length = socket.recv(&mut datagram)?;
            for (query, answer) in queries.iter().zip(&mut answers) {
                if answer.is_none() {
                    *answer = dns::answer(query, &datagram[..length]);
                }
            }
        }
        Ok(answers)
    }

    fn over_tcp(&self, server: SocketAddr, query: &[u8], end: Instant) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&server, self.left(end)?)?;
        stream.set_write_timeout(Some(self.left(end)?))?;
        let length = u16::try_from(query.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), query].concat())?;
        let mut length = [0; 2];
        self.read_exact(&mut stream, &mut length, end)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        self.read_exact(&mut stream, &mut message, end)?;
        dns::answer(query, &message).ok_or_else(|| io::Error::other("not an answer"))
    }

    fn read_exact(&self, stream: &mut TcpStream, into: &mut [u8], end: Instant) -> io::Result<()> {
        let mut filled = 0;
        while filled < into.len() {
            stream.set_read_timeout(Some(self.left(end)?))?;
            match stream.read(&mut into[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => filled += length,
            }
        }
        Ok(())
    }

    fn left(&self, end: Instant) -> io::Result<Duration> {
        let left = end.saturating_duration_since(self.clock.now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}
