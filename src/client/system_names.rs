//! The host's files about names: `hosts` and `resolv.conf`, texts to values.
//!
//! Invariant: a line that is not understood is skipped, as the C library does; every number is
//! brought within its bounds.
//!
//! Sources: hosts(5), resolv.conf(5).

use std::net::IpAddr;
use std::time::Duration;

/// The addresses of a name in the text of `hosts`.
pub fn hosts_addresses(hosts: &str, name: &str) -> Vec<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut addresses = Vec::new();
    for line in hosts.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let address = words.next().and_then(|word| word.parse().ok());
        if let Some(address) = address
            && words.any(|word| word.eq_ignore_ascii_case(name))
        {
            addresses.push(address);
        }
    }
    addresses
}

/// How names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverConfig {
    /// At most three, as the C library has it.
    pub servers: Vec<IpAddr>,
    /// Domains that are appended to short names.
    pub search: Vec<String>,
    /// A name with fewer dots is first looked up with the domains.
    pub dots_min: usize,
    /// How long one server is waited for.
    pub timeout: Duration,
    /// How often all servers are asked.
    pub attempts: usize,
}

const SERVERS_MAX: usize = 3;
/// Kubernetes allows 32 domains.
const SEARCH_MAX: usize = 32;

impl ResolverConfig {
    /// Reads the text of `resolv.conf`.
    pub fn parse(text: &str) -> Self {
        let mut config = Self {
            servers: Vec::new(),
            search: Vec::new(),
            dots_min: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // An IPv6 address may have a zone, such as fe80::1%eth0, which is not usable.
                    let server = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    if config.servers.len() < SERVERS_MAX {
                        config.servers.extend(server);
                    }
                }
                // The last of these lines counts.
                Some("search" | "domain") => {
                    let domains = words.map(|word| word.trim_end_matches('.'));
                    let domains = domains.filter(|domain| !domain.is_empty());
                    config.search = domains.take(SEARCH_MAX).map(str::to_owned).collect();
                }
                Some("options") => words.for_each(|word| config.set_option(word)),
                _ => {}
            }
        }
        if config.servers.is_empty() {
            config.servers.push(IpAddr::from([127, 0, 0, 1]));
        }
        config
    }

    fn set_option(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else {
            return;
        };
        let Ok(value) = value.parse::<u8>() else {
            return;
        };
        match name {
            "ndots" => self.dots_min = usize::from(value.min(15)),
            "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 5).into()),
            "attempts" => self.attempts = usize::from(value.clamp(1, 5)),
            _ => {}
        }
    }

    /// The full names that a name may stand for, in the order in which they are looked up.
    pub fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let with_domain = self.search.iter().map(|domain| format!("{name}.{domain}"));
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let itself = std::iter::once(name.to_owned());
        if dots >= self.dots_min {
            itself.chain(with_domain).collect()
        } else {
            with_domain.chain(itself).collect()
        }
    }
}
