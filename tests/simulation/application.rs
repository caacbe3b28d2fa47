//! The simulated application: it answers what the path says, checks each byte of each body, and
//! lets other things happen at every call.

use crate::request::{BODY_BYTES_MAX, IDS, Kind, parse_path, pattern, text};
use crate::schedule::{Pending, Schedule};
use bytes::Bytes;
use release_server::app::error::ApiError;
use release_server::awaited::Awaited;
use release_server::http::response::{Body, Response};
use release_server::http::service::{
    BodySink, Completion, Decision, Refusal, Reply, Request, Service,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// A file with the bytes of every id, one after the other.
pub fn file() -> Arc<File> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    for id in 0..IDS {
        file.write_all(pattern(id, 0..BODY_BYTES_MAX))
            .expect("a disk with room");
    }
    Arc::new(file)
}

pub struct Application {
    pub schedule: Arc<Schedule>,
    pub file: Arc<File>,
    pub questions: Mutex<BTreeMap<usize, Arc<Question>>>,
}

/// Something that the application has to find out.
pub struct Question {
    state: Mutex<QuestionState>,
    schedule: Arc<Schedule>,
}

#[derive(Debug, Default)]
struct QuestionState {
    is_answered: bool,
    wakers: Vec<Waker>,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").finish_non_exhaustive()
    }
}

impl Question {
    fn new(schedule: &Arc<Schedule>) -> Self {
        Self {
            state: Mutex::default(),
            schedule: Arc::clone(schedule),
        }
    }

    fn lock(&self) -> MutexGuard<'_, QuestionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn answer(&self) {
        let mut state = self.lock();
        state.is_answered = true;
        state.wakers.drain(..).for_each(Waker::wake);
    }
}

impl Awaited for Question {
    fn wake(&self, waker: Waker) {
        let mut state = self.lock();
        if state.is_answered {
            waker.wake();
        } else {
            state.wakers.push(waker);
            drop(state);
            // Answered now, the question wakes a connection that its worker has not parked yet.
            self.schedule.interfere();
        }
    }
}

/// Sinks that are neither finished nor dropped.
#[derive(Default)]
pub struct Alive(AtomicUsize);

impl Alive {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Unwinds as a panic does, without its message.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("simulated"))
}

fn answer(kind: Kind, id: usize, bytes: usize, status: u16) -> Response {
    Response::new(status).body("text/plain", text(kind, id, bytes))
}

impl Application {
    fn later(&self, response: Option<Response>, panics: bool) -> Reply {
        let schedule = Arc::clone(&self.schedule);
        Reply::Later(Box::new(move |completion: Completion| {
            schedule.interfere();
            if panics {
                panic_quietly();
            }
            let pending = Pending::Answer(completion, response);
            schedule.lock().pending.push(pending);
            schedule.interfere();
        }))
    }

    /// Requests of the same length have the same question.
    fn again(&self, length: usize, response: Response) -> Reply {
        let mut questions = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let question = questions.entry(length).or_insert_with(|| {
            let question = Arc::new(Question::new(&self.schedule));
            let pending = Pending::Question(Arc::clone(&question));
            self.schedule.lock().pending.push(pending);
            question
        });
        if question.lock().is_answered {
            return Reply::Now(response);
        }
        Reply::Again(Arc::clone(question) as Arc<dyn Awaited>)
    }

    fn reply(&self, (kind, id, bytes): (Kind, usize, usize)) -> Reply {
        let response = |status| answer(kind, id, bytes, status);
        let sink = |reply| {
            self.schedule.alive.0.fetch_add(1, Ordering::SeqCst);
            Reply::Body(Box::new(Sink {
                schedule: Arc::clone(&self.schedule),
                expected: (kind, id, bytes),
                fed: 0,
                reply,
            }))
        };
        match kind {
            Kind::Small | Kind::Large => {
                let body = Bytes::from_static(pattern(id, 0..bytes));
                Reply::Now(Response::new(200).body("text/plain", body))
            }
            Kind::File => {
                let mut response = Response::new(200);
                response.body = Body::File {
                    file: Arc::clone(&self.file),
                    offset: (id * BODY_BYTES_MAX) as u64,
                    length: bytes as u64,
                };
                Reply::Now(response)
            }
            Kind::Empty => Reply::Now(Response::new(204)),
            Kind::Refuse => Reply::Now(response(403)),
            Kind::Break => sink(Reply::Now(response(413))),
            Kind::Put | Kind::PanicInFeed | Kind::PanicInFinish => sink(Reply::Now(response(200))),
            Kind::Later => self.later(Some(response(200)), false),
            Kind::Again => self.again(bytes, response(200)),
            Kind::PutLater => sink(self.later(Some(response(200)), false)),
            Kind::Dropped => self.later(None, false),
            Kind::PanicInLater => self.later(None, true),
            Kind::PanicInRespond => panic_quietly(),
        }
    }
}

impl Service for Application {
    fn respond(&self, request: &Request<'_>) -> Decision {
        self.schedule.interfere();
        let Some(asked) = parse_path(request.target.path) else {
            self.schedule
                .fail(format!("the path arrived as {:?}", request.target.path));
            panic_quietly();
        };
        Decision {
            route: "/",
            token: None,
            reply: self.reply(asked),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.schedule.interfere();
        ApiError::from(refusal).into_response()
    }
}

struct Sink {
    schedule: Arc<Schedule>,
    expected: (Kind, usize, usize),
    fed: usize,
    reply: Reply,
}

impl BodySink for Sink {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        self.schedule.interfere();
        let (kind, id, length) = self.expected;
        let range = self.fed..self.fed + bytes.len();
        if range.end > length || pattern(id, range.clone()) != bytes {
            let failure = format!("{:?} was fed other bytes than {range:?}", self.expected);
            self.schedule.fail(failure);
        }
        self.fed = range.end;
        match kind {
            Kind::PanicInFeed => panic_quietly(),
            Kind::Break if self.fed * 2 >= length => {
                ControlFlow::Break(answer(kind, id, length, 413))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Reply {
        self.schedule.interfere();
        let (kind, _, length) = self.expected;
        if self.fed != length {
            let failure = format!("{:?} was finished after {} bytes", self.expected, self.fed);
            self.schedule.fail(failure);
        }
        if kind == Kind::PanicInFinish {
            panic_quietly();
        }
        std::mem::replace(&mut self.reply, Reply::Now(Response::new(204)))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.schedule.alive.0.fetch_sub(1, Ordering::SeqCst);
    }
}
