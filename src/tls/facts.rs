//! What a person wants to know of a certificate: its subject, its names, and when it is valid.
//!
//! Sources: RFC 5280, sections 4.1.2 (subject, validity) and 4.2.1.6 (subject alternative names).

use crate::date;
use crate::limits::CERTIFICATE_WARNING_TIME;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{SystemTime, UNIX_EPOCH};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The distinguished name, as RFC 4514 writes it; empty where the certificate has none.
    pub subject: String,
    /// DNS names and addresses that clients may connect to.
    pub names: Vec<String>,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
}

impl Facts {
    /// `None` where `certificate` is not an X.509 certificate.
    pub fn read(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let body = certificate.tbs_certificate();
        let names = match body.get_extension::<SubjectAltName>() {
            Ok(Some((_critical, names))) => names.0.iter().filter_map(shown).collect(),
            _ => Vec::new(),
        };
        Some(Self {
            subject: body.subject().to_string(),
            names,
            not_before: UNIX_EPOCH + body.validity().not_before.to_unix_duration(),
            not_after: UNIX_EPOCH + body.validity().not_after.to_unix_duration(),
        })
    }

    /// What to say about a certificate that expires soon, or has expired.
    pub fn expiry_warning(&self, now: SystemTime) -> Option<String> {
        let date = date::rfc3339(self.not_after);
        match self.not_after.duration_since(now) {
            Err(_) => Some(format!(
                "the certificate expired at {date}; clients refuse it"
            )),
            Ok(left) if left < CERTIFICATE_WARNING_TIME => {
                let days = left.as_secs() / (24 * 60 * 60);
                Some(format!(
                    "the certificate expires at {date}, in {days} days; renew it"
                ))
            }
            Ok(_) => None,
        }
    }
}

/// A name as a client would write it in a URL; `None` for kinds that servers are not reached by.
fn shown(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let v4 = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).into());
            let v6 = <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into());
            v4.or(v6).ok().map(|address: IpAddr| address.to_string())
        }
        _ => None,
    }
}
