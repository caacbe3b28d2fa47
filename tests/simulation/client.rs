//! A simulated client: it sends what it planned in pieces, reads as it likes, may leave at any
//! point, and checks what it gets against the model.

use crate::answer_head::parse_head;
use crate::random::Random;
use crate::request::{KINDS, Kind, Planned, plan, plan_expecting, plan_garbage, plan_persistent};
use release_server::limits::{LINGER_TIME_MAX, REQUESTS_PER_TURN_MAX};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A connection that is younger is ended by no deadline: none is shorter.
const UNTOUCHED_TIME: Duration = LINGER_TIME_MAX;

/// One client in so many sends more requests than a turn answers.
const LONG_PIPELINE: usize = 16;

/// What the model has to know of the server to judge an end of the connection.
#[derive(Clone, Copy)]
pub struct Circumstances {
    pub now: Instant,
    /// Idle connections may be closed in favour of others.
    pub crowded: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about both directions"
)]
pub struct Client {
    /// Connections are accepted in the order of their numbers.
    number: u64,
    stream: UnixStream,
    opened: Instant,
    planned: Vec<Planned>,
    bytes: Vec<u8>,
    sent: usize,
    /// How much was sent when the shutdown began.
    sent_before_drain: Option<usize>,
    half_closed: bool,
    /// The server does not take more.
    refused: bool,
    received: Vec<u8>,
    answered: usize,
    /// The interim answer to the present request has arrived.
    continued: bool,
    /// The last answer said that the connection ends.
    closing: bool,
    /// Bytes of content that may follow the last answer.
    may_follow_bytes: usize,
    ended: bool,
}

impl Client {
    pub fn new(
        random: &mut Random,
        (number, stream): (u64, UnixStream),
        now: Instant,
        kinds: &[Kind],
    ) -> Self {
        let mut bytes = Vec::new();
        let mut planned = Vec::new();
        if random.below(LONG_PIPELINE) == 0 {
            for _ in 0..=2 * REQUESTS_PER_TURN_MAX {
                planned.push(plan_persistent(Kind::Empty, 0, &mut bytes));
            }
        }
        for _ in 0..=random.below(5) {
            let kind = random.pick(if kinds.is_empty() { &KINDS } else { kinds });
            planned.push(plan(random, kind, &mut bytes));
        }
        if random.below(8) == 0 {
            planned.push(plan_garbage(random, &mut bytes));
        }
        Self::with((number, stream), now, planned, bytes)
    }

    /// A client that asks for a large answer and does not read, then waits for an interim answer.
    pub fn interim(stream: UnixStream, now: Instant, answer_bytes: usize) -> Self {
        let mut bytes = Vec::new();
        let large = plan_persistent(Kind::Large, answer_bytes, &mut bytes);
        let expecting = plan_expecting(&mut bytes);
        let head_end = expecting.head_end;
        let mut client = Self::with((0, stream), now, vec![large, expecting], bytes);
        client
            .stream
            .write_all(&client.bytes[..head_end])
            .expect("an empty socket");
        client.sent = head_end;
        client
    }

    fn with(
        (number, stream): (u64, UnixStream),
        opened: Instant,
        planned: Vec<Planned>,
        bytes: Vec<u8>,
    ) -> Self {
        stream.set_nonblocking(true).expect("a socket");
        Self {
            number,
            stream,
            opened,
            planned,
            bytes,
            sent: 0,
            sent_before_drain: None,
            half_closed: false,
            refused: false,
            received: Vec::new(),
            answered: 0,
            continued: false,
            closing: false,
            may_follow_bytes: 0,
            ended: false,
        }
    }

    pub fn has_ended(&self) -> bool {
        self.ended
    }

    pub fn has_sent_all(&self) -> bool {
        self.sent == self.bytes.len() || self.half_closed || self.refused
    }

    /// Notes that the shutdown begins. Connections that were not accepted by then are not served.
    pub fn note_drain(&mut self, accepted: u64) {
        let is_accepted = self.number < accepted;
        self.sent_before_drain = Some(if is_accepted { self.sent } else { 0 });
    }

    /// Sends the next piece: a byte, a few, up to the end of a head or a request, or all.
    pub fn send(&mut self, random: &mut Random) {
        if self.has_sent_all() || self.ended {
            return;
        }
        let next = |end: fn(&Planned) -> usize| {
            let ends = self.planned.iter().map(end);
            ends.filter(|end| *end > self.sent)
                .min()
                .unwrap_or(self.bytes.len())
        };
        let left = self.bytes.len() - self.sent;
        let to = match random.below(6) {
            0 => self.sent + 1,
            1 => self.sent + 1 + random.below(left.min(200)),
            2 => next(|planned| planned.head_end),
            3 | 4 => next(|planned| planned.end),
            _ => self.bytes.len(),
        };
        match self.stream.write(&self.bytes[self.sent..to]) {
            Ok(length) => self.sent += length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The reason is seen by reading.
            Err(_) => self.refused = true,
        }
    }

    /// Ends the sending side.
    pub fn half_close(&mut self) {
        if !self.half_closed && !self.ended {
            self.half_closed = true;
            // The server may have closed the connection.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }

    /// Reads some of what has arrived, and checks it; whether anything had arrived.
    pub fn read(&mut self, buffer: &mut [u8], around: Circumstances) -> Result<bool, String> {
        if self.ended {
            return Ok(false);
        }
        match self.stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Ok(length @ 1..) => {
                self.received.extend_from_slice(&buffer[..length]);
                self.check_answers(around)?;
            }
            Ok(0) | Err(_) => self.check_end(around)?,
        }
        Ok(true)
    }

    fn is_old(&self, around: Circumstances) -> bool {
        around.now.saturating_duration_since(self.opened) >= UNTOUCHED_TIME
    }

    /// Where the last answered request ends.
    fn answered_end(&self) -> usize {
        let last = self.answered.checked_sub(1);
        last.map_or(0, |last| self.planned[last].end)
    }

    fn check_end(&mut self, around: Circumstances) -> Result<(), String> {
        self.ended = true;
        let owed = self.owed();
        let may_end = self.closing
            || self.is_old(around)
            || (self.half_closed && owed == 0)
            || (around.crowded && self.sent <= self.answered_end())
            || self
                .sent_before_drain
                .is_some_and(|sent| sent <= self.answered_end());
        if !may_end {
            return Err(format!(
                "the connection ended with {owed} answers owed: {self}"
            ));
        }
        if !self.received.is_empty() && !self.is_old(around) {
            return Err(format!("the connection ended within an answer: {self}"));
        }
        Ok(())
    }

    /// Requests that were sent whole and are not answered.
    fn owed(&self) -> usize {
        let sent = self
            .planned
            .iter()
            .filter(|planned| planned.end <= self.sent)
            .count();
        sent.saturating_sub(self.answered)
    }

    /// What must hold when the server has nothing left to do and every answer was read.
    pub fn check_settled(&self) -> Result<(), String> {
        if self.ended {
            return Ok(());
        }
        if self.closing {
            return Err("the connection is open after an answer with 'close'".to_owned());
        }
        if self.owed() > 0 {
            return Err(format!("{} requests are not answered: {self}", self.owed()));
        }
        if self.half_closed {
            return Err("a connection whose client has finished is open".to_owned());
        }
        let waits = |planned: &Planned| planned.expects_continue && planned.head_end == self.sent;
        if self.planned.get(self.answered).is_some_and(waits) && !self.continued {
            return Err("a client waits for 100".to_owned());
        }
        Ok(())
    }

    fn check_answers(&mut self, around: Circumstances) -> Result<(), String> {
        while !self.received.is_empty() {
            if self.closing {
                if self.received.len() <= self.may_follow_bytes {
                    return Ok(());
                }
                let bytes = String::from_utf8_lossy(&self.received);
                return Err(format!("bytes follow the last answer: {bytes:.300}"));
            }
            let Some(head) = parse_head(&self.received)? else {
                return Ok(());
            };
            let Some(planned) = self.planned.get(self.answered) else {
                return Err(format!("an answer {} to no request", head.status));
            };
            if head.status == 100 {
                if !planned.expects_continue || self.continued || self.sent < planned.head_end {
                    return Err("an interim answer that was not asked for".to_owned());
                }
                self.continued = true;
                self.received.drain(..head.length);
                continue;
            }
            let cut_short = self.half_closed && self.sent < planned.end;
            let is_ended =
                (head.status == 408 && self.is_old(around)) || (head.status == 400 && cut_short);
            // The server knows a HEAD by its first word.
            let head_only = planned.head_only && self.sent >= planned.method_end;
            let bodiless = head_only || matches!(head.status, 204 | 304);
            let announced = head.content_bytes.unwrap_or(0);
            let body_bytes = if bodiless { 0 } else { announced };
            let Some(body) = self.received.get(head.length..head.length + body_bytes) else {
                return Ok(());
            };
            if !is_ended {
                if head.status != planned.status || self.sent < planned.head_end {
                    let sent = (self.sent, planned.head_end, planned.end);
                    return Err(format!("{} for {planned:?}, sent {sent:?}", head.status));
                }
                if let Some(content) = &planned.content
                    && (announced != content.len() || (!bodiless && body != &content[..]))
                {
                    return Err(format!("another content for {:?}", planned.kind));
                }
            }
            let may_close = planned.may_close || planned.must_close || is_ended;
            if head.closes && !may_close && self.sent_before_drain.is_none() {
                return Err(format!("'close' after {:?}", planned.kind));
            }
            if !head.closes && (planned.must_close || is_ended) {
                return Err(format!("no 'close' after {:?}", planned.kind));
            }
            self.closing = head.closes;
            // What the client sent while the server gave up may have made a HEAD of its request.
            if head.status == 408 && head_only {
                self.may_follow_bytes = announced;
            }
            self.received.drain(..head.length + body_bytes);
            self.answered += 1;
            self.continued = false;
        }
        Ok(())
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<Kind> = self.planned.iter().map(|planned| planned.kind).collect();
        write!(
            f,
            "{kinds:?}, {} answered, {} of {} bytes sent, {} received of the next answer, half \
             closed {}, sent before the shutdown {:?}",
            self.answered,
            self.sent,
            self.bytes.len(),
            self.received.len(),
            self.half_closed,
            self.sent_before_drain
        )
    }
}
