//! A server between a release server and its store: it passes requests on, and answers chosen ones
//! itself. For faults that no real store can be made to show.
//!
//! Invariant: each connection carries one request, so that every request is compared with the
//! rules. Signatures hold, because nothing that is signed is changed.

use super::endpoint;
use release_server::date;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// What becomes of a request.
#[derive(Clone)]
pub enum Act {
    /// This answer is sent, and the store is not asked.
    Answer(String),
    /// The store is asked, and its answer is lost.
    LoseAnswer,
    /// The last byte of the store's answer is another one.
    Damage,
    /// There is no answer.
    Hang,
    /// The store's clock is ahead by this, and it refuses what another minute signed.
    ClockAhead(Duration),
}

struct Rule {
    method: &'static str,
    /// Part of the request's head, in lower case.
    part: String,
    act: Act,
}

pub struct Between {
    /// What servers use as the store's endpoint.
    pub endpoint: String,
    rules: Arc<Mutex<Vec<Rule>>>,
    hanging: Arc<Mutex<Vec<TcpStream>>>,
}

/// An error as stores write it.
pub fn error(status: u16, code: &str) -> Act {
    let body = format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>");
    let length = body.len();
    Act::Answer(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    ))
}

impl Between {
    /// `None` where there is no store.
    pub fn start() -> Option<Self> {
        let store = endpoint()?;
        let upstream = store.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let between = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            rules: Arc::default(),
            hanging: Arc::default(),
        };
        let (rules, hanging) = (Arc::clone(&between.rules), Arc::clone(&between.hanging));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (rules, hanging) = (Arc::clone(&rules), Arc::clone(&hanging));
                let upstream = upstream.clone();
                // A connection that either side breaks is of no interest.
                std::thread::spawn(move || serve(client, &upstream, &rules, &hanging));
            }
        });
        Some(between)
    }

    /// Requests of this method with `part` in their head, in lower case, are dealt with so.
    pub fn set(&self, method: &'static str, part: &str, act: Act) {
        let part = part.to_owned();
        self.rules.lock().unwrap().push(Rule { method, part, act });
    }

    /// Passes everything on again.
    pub fn heal(&self) {
        self.rules.lock().unwrap().clear();
        for client in self.hanging.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.heal();
    }
}

fn serve(
    mut client: TcpStream,
    upstream: &str,
    rules: &Mutex<Vec<Rule>>,
    hanging: &Mutex<Vec<TcpStream>>,
) -> Option<()> {
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(at) = memchr::memmem::find(&received, b"\r\n\r\n") {
            break at + 4;
        }
        let mut buffer = [0; 4096];
        match client.read(&mut buffer).ok()? {
            0 => return None,
            length => received.extend_from_slice(&buffer[..length]),
        }
    };
    let head = String::from_utf8_lossy(&received[..head_end]).to_lowercase();
    let method = head.split(' ').next()?.to_uppercase();
    let act = {
        let rules = rules.lock().unwrap();
        let mut rules = rules.iter();
        let rule = rules.find(|rule| rule.method == method && head.contains(&rule.part));
        rule.map(|rule| rule.act.clone())
    };
    match act {
        Some(Act::Hang) => {
            hanging.lock().unwrap().push(client);
            return None;
        }
        Some(Act::ClockAhead(by)) if !is_signed_about(&head, SystemTime::now() + by) => {
            refuse_time(&mut client, SystemTime::now() + by)?;
            return None;
        }
        Some(Act::Answer(answer)) => {
            if !head.contains("\r\nexpect:") {
                take_body(&mut client, &head, received.len() - head_end)?;
            }
            client.write_all(answer.as_bytes()).ok()?;
            client.shutdown(Shutdown::Write).ok()?;
            // Closing with unread bytes would take the answer back.
            std::io::copy(&mut client, &mut std::io::sink()).ok()?;
            return None;
        }
        Some(Act::LoseAnswer | Act::Damage | Act::ClockAhead(_)) | None => {}
    }
    let mut store = TcpStream::connect(upstream).ok()?;
    let line_end = memchr::memmem::find(&received, b"\r\n")? + 2;
    store.write_all(&received[..line_end]).ok()?;
    store.write_all(b"Connection: close\r\n").ok()?;
    store.write_all(&received[line_end..]).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, store.try_clone().ok()?);
    let upload = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    match act {
        // Interim answers ask for the body.
        Some(Act::LoseAnswer) => lose(&mut store, &mut client)?,
        Some(Act::Damage) => {
            let mut answer = Vec::new();
            store.read_to_end(&mut answer).ok()?;
            *answer.last_mut()? ^= 1;
            client.write_all(&answer).ok()?;
        }
        _ => {
            std::io::copy(&mut store, &mut client).ok()?;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = upload.join();
    Some(())
}

/// Whether a request was signed within a minute of this time.
fn is_signed_about(head: &str, time: SystemTime) -> bool {
    let minute = Duration::from_mins(1);
    [time - minute, time, time + minute].iter().any(|time| {
        let digits = date::rfc3339(*time).replace(['-', ':'], "");
        let minute = digits[..13].to_lowercase();
        head.contains(&format!("\r\nx-amz-date: {minute}"))
    })
}

/// Refuses a request as stores do whose clock says this time.
fn refuse_time(client: &mut TcpStream, time: SystemTime) -> Option<()> {
    let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    let (date, length) = (date::http(time), body.len());
    let answer = format!(
        "HTTP/1.1 403 X\r\ndate: {date}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n\
         {body}"
    );
    client.write_all(answer.as_bytes()).ok()?;
    client.shutdown(Shutdown::Write).ok()?;
    std::io::copy(client, &mut std::io::sink()).ok()?;
    Some(())
}

/// Receives the rest of a body, of which so many bytes are there.
fn take_body(client: &mut TcpStream, head: &str, there: usize) -> Option<()> {
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next());
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let mut rest = vec![0; length.saturating_sub(there)];
    client.read_exact(&mut rest).ok()
}

/// Passes 100 (Continue) on, and loses the final answer.
fn lose(store: &mut TcpStream, client: &mut TcpStream) -> Option<()> {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = store.read(&mut buffer).ok()?;
        answer.extend_from_slice(&buffer[..length]);
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        if answer.starts_with(interim) {
            client.write_all(interim).ok()?;
            answer.drain(..interim.len());
        }
        if length == 0 || memchr::memmem::find(&answer, b"\r\n\r\n").is_some() {
            return Some(());
        }
    }
}
