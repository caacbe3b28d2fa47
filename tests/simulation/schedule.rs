//! What happens when: one thing at a time, chosen by the seed.
//!
//! The first worker runs on the simulation's own thread. Each other one has a thread, which runs
//! only while somebody waits for its turn to end; so a run is the same whenever its seed is. A
//! handler may let other workers and clients act in the middle of its call: an event then arrives
//! while its connection is held.

use crate::application::{Alive, Question};
use crate::client::{Circumstances, Client};
use crate::random::Random;
use release_server::clock::Clock;
use release_server::http::response::Response;
use release_server::http::service::Completion;
use release_server::server::{Server, Worker};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

/// Handlers inside handlers that let others act.
const DEPTH_MAX: usize = 3;
/// Bytes that a client reads at a time.
const READ_BYTES_MAX: usize = 100_000;

/// What another thread of the application would do later.
pub enum Pending {
    /// An answer that is delivered, or dropped.
    Answer(Completion, Option<Response>),
    Question(Arc<Question>),
}

pub struct State {
    pub random: Random,
    pub clients: Vec<Client>,
    pub pending: Vec<Pending>,
    pub clock: Clock,
    pub crowded: bool,
    /// One call of a handler in so many lets others act.
    pub interference: usize,
    pub failure: Option<String>,
    /// Workers whose turns have begun, the innermost last.
    running: Vec<usize>,
    /// What clients read into.
    pub buffer: Vec<u8>,
}

pub struct Schedule {
    state: Mutex<State>,
    /// Dropped, they end the workers' threads.
    commands: Mutex<Vec<Sender<()>>>,
    results: Mutex<Vec<Receiver<bool>>>,
    pub alive: Alive,
    /// Workers with threads.
    others: usize,
}

impl State {
    pub fn around(&self) -> Circumstances {
        Circumstances {
            now: self.clock.now(),
            crowded: self.crowded,
        }
    }

    pub fn note(&mut self, checked: Result<bool, String>) -> bool {
        checked.unwrap_or_else(|failure| {
            self.failure.get_or_insert(failure);
            false
        })
    }

    /// One action of one client.
    pub fn act(&mut self) {
        if self.clients.is_empty() {
            return;
        }
        let at = self.random.below(self.clients.len());
        let around = self.around();
        let client = &mut self.clients[at];
        match self.random.below(40) {
            0 => client.half_close(),
            1 if self.random.below(4) == 0 => drop(self.clients.swap_remove(at)),
            1..20 => client.send(&mut self.random),
            _ => {
                let most = self.random.pick(&[1, 100, 5000, READ_BYTES_MAX]);
                let read = client.read(&mut self.buffer[..most], around);
                self.note(read);
            }
        }
    }

    /// Does one of the things that are done later.
    pub fn complete(&mut self) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let at = self.random.below(self.pending.len());
        match self.pending.swap_remove(at) {
            Pending::Answer(completion, Some(response)) => completion.complete(response),
            Pending::Answer(completion, None) => drop(completion),
            Pending::Question(question) => question.answer(),
        }
        true
    }
}

impl Schedule {
    pub fn new(random: Random, others: usize, crowded: bool, interference: usize) -> Self {
        Self {
            state: Mutex::new(State {
                random,
                clients: Vec::new(),
                pending: Vec::new(),
                clock: Clock::manual(),
                crowded,
                interference,
                failure: None,
                running: Vec::new(),
                buffer: vec![0; READ_BYTES_MAX],
            }),
            commands: Mutex::default(),
            results: Mutex::default(),
            alive: Alive::default(),
            others,
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fail(&self, failure: String) {
        self.lock().failure.get_or_insert(failure);
    }

    /// Starts the workers' threads.
    pub fn start<'s>(&self, scope: &'s Scope<'s, '_>, server: &'s Server) {
        for _ in 0..self.others {
            let (command, commands) = channel();
            let (result, results) = channel();
            scope.spawn(move || {
                let mut worker: Worker<'_> = server.worker();
                while commands.recv().is_ok() && result.send(worker.turn()).is_ok() {}
            });
            self.commands.lock().unwrap().push(command);
            self.results.lock().unwrap().push(results);
        }
    }

    /// Ends the workers' threads.
    pub fn stop(&self) {
        self.commands.lock().unwrap().clear();
    }

    /// Gives one of the other workers a turn, if one is not in the middle of its own; whether it
    /// had an event.
    pub fn turn(&self) -> bool {
        let mut state = self.lock();
        let is_idle = |worker: &usize| !state.running.contains(worker);
        let idle: Vec<usize> = (0..self.others).filter(is_idle).collect();
        if idle.is_empty() {
            return false;
        }
        let worker = state.random.pick(&idle);
        state.running.push(worker);
        drop(state);
        let command = self.commands.lock().unwrap()[worker].clone();
        command.send(()).expect("the worker's thread");
        let result = std::mem::replace(&mut self.results.lock().unwrap()[worker], channel().1);
        let happened = result.recv().expect("the worker's thread");
        self.results.lock().unwrap()[worker] = result;
        self.lock().running.pop();
        happened
    }

    /// Lets others act in the middle of a handler.
    pub fn interfere(&self) {
        let mut state = self.lock();
        let (chance, depth) = (state.interference, state.running.len());
        while depth <= DEPTH_MAX && state.random.below(chance) == 0 {
            match state.random.below(4) {
                0 => drop(state.complete()),
                1 | 2 => state.act(),
                _ => {
                    drop(state);
                    self.turn();
                    state = self.lock();
                }
            }
        }
    }
}
