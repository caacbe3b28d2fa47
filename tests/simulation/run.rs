//! One run: a server, its clients, and a few thousand steps.

use crate::application::{Application, file};
use crate::client::Client;
use crate::plan::Plan;
use crate::random::Random;
use crate::schedule::{Schedule, State};
use release_server::disk_gate::DiskGate;
use release_server::http::service::Channel;
use release_server::limits::DISK_RETRY_INTERVAL;
use release_server::metrics::Metrics;
use release_server::server::listener::Entrance;
use release_server::server::memory_limit::MemoryLimit;
use release_server::server::sock_diag::SockDiag;
use release_server::server::{Options, Server, Worker};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than any deadline.
const ANY_DEADLINE: Duration = Duration::from_mins(3);
/// Longer than a pause of accepting.
const ACCEPT_TIME: Duration = Duration::from_secs(1);
/// Turns in which a client may send the rest of its requests. One that is not accepted in a
/// crowded run cannot.
const FINISH_TURNS_MAX: usize = 2000;
/// Turns after which a server that is still busy is taken to spin.
const SETTLE_TURNS_MAX: usize = 100_000;

struct Run<'r> {
    plan: &'r Plan,
    schedule: &'r Schedule,
    server: &'r Server,
    metrics: &'r Metrics,
    worker: Worker<'r>,
    address: SocketAddr,
    opened: u64,
}

/// An abstract address that no other run has.
fn listen() -> (UnixListener, SocketAddr) {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    let name = format!("simulation-{}-{number}", std::process::id());
    let address = SocketAddr::from_abstract_name(name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("a free name");
    listener.set_nonblocking(true).expect("a socket");
    (listener, address)
}

/// Runs a seed; the number of connections, or what was wrong.
pub fn run(seed: u64) -> Result<u64, String> {
    let mut random = Random::new(seed);
    let plan = Plan::new(&mut random);
    with_server(&plan, random, |run| {
        run.steps()?;
        run.end()?;
        Ok(run.opened)
    })
}

/// Runs clients that do not read answers of all these lengths, and then wait for an interim answer.
pub fn interim_answers(lengths: impl Iterator<Item = usize>) -> Result<(), String> {
    let plan = Plan::still();
    with_server(&plan, Random::new(0), |run| {
        for length in lengths {
            let stream = UnixStream::connect_addr(&run.address).expect("a listener");
            let now = run.schedule.lock().clock.now();
            let client = Client::interim(stream, now, length);
            run.schedule.lock().clients.push(client);
            while run.turn() {}
            run.settle()
                .map_err(|failure| format!("after {length} bytes: {failure}"))?;
            run.schedule.lock().clients.clear();
        }
        run.end()
    })
}

fn with_server<T>(
    plan: &Plan,
    random: Random,
    work: impl FnOnce(&mut Run<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let crowded = plan.max_connections < plan.clients;
    let schedule = Arc::new(Schedule::new(
        random,
        plan.others,
        crowded,
        plan.interference,
    ));
    let (listener, address) = listen();
    let metrics = Arc::new(Metrics::new([]));
    let entrance = Entrance {
        socket: listener.into(),
        channel: Channel::Clear,
    };
    let application = Application {
        schedule: Arc::clone(&schedule),
        file: file(),
        questions: Mutex::default(),
    };
    let clock = schedule.lock().clock.clone();
    let options = Options {
        workers: 0,
        max_connections: plan.max_connections,
        trust_forwarded: false,
        idle_time_max: Duration::from_mins(1),
        sock_diag: SockDiag::system(),
        memory_limit: MemoryLimit::of(None),
        disk: Arc::new(DiskGate::new(plan.others + 1, clock.clone())),
        clock,
        tls: None,
    };
    let server = Server::start(
        vec![entrance],
        Arc::new(application),
        Arc::clone(&metrics),
        options,
    )
    .expect("descriptors");
    std::thread::scope(|scope| {
        schedule.start(scope, &server);
        let mut run = Run {
            plan,
            schedule: &schedule,
            server: &server,
            metrics: &metrics,
            worker: server.worker(),
            address,
            opened: 0,
        };
        let result = work(&mut run);
        schedule.stop();
        result
    })
}

impl Run<'_> {
    fn failure(&self) -> Result<(), String> {
        self.schedule.lock().failure.take().map_or(Ok(()), Err)
    }

    fn connect(&mut self) {
        let stream = UnixStream::connect_addr(&self.address).expect("a listener");
        let mut state = self.schedule.lock();
        let now = state.clock.now();
        let client = Client::new(
            &mut state.random,
            (self.opened, stream),
            now,
            &self.plan.kinds,
        );
        state.clients.push(client);
        self.opened += 1;
    }

    fn advance(&self, by: Duration) {
        self.schedule.lock().clock.advance(by);
    }

    fn steps(&mut self) -> Result<(), String> {
        let drain_at = self.plan.drains.then_some(self.plan.steps / 2);
        let (_events, report) = UnixStream::pair().expect("descriptors");
        let mut report = Some(report);
        for step in 0..self.plan.steps {
            if drain_at.is_some_and(|at| step >= at)
                && let Some(report) = report.take()
            {
                let accepted = self.metrics.connections_accepted.load(Ordering::SeqCst);
                for client in &mut self.schedule.lock().clients {
                    client.note_drain(accepted);
                }
                self.server.drain(report);
            }
            self.step(report.is_none())?;
            self.failure()?;
        }
        Ok(())
    }

    /// Gives a worker a turn; whether it had an event.
    fn turn(&mut self) -> bool {
        let of_others = self.schedule.lock().random.below(4) == 0;
        if of_others && self.plan.others > 0 {
            return self.schedule.turn();
        }
        self.worker.turn()
    }

    fn step(&mut self, is_draining: bool) -> Result<(), String> {
        let mut state = self.schedule.lock();
        let stalls = self.plan.stalls;
        if stalls.is_some_and(|once| state.random.below(once) == 0) {
            let seconds = state.random.below(12) as u64;
            state.clock.advance(Duration::from_secs(seconds));
        }
        match state.random.below(100) {
            0..5 if !is_draining && self.opened < self.plan.clients as u64 => {
                drop(state);
                self.connect();
            }
            0..45 => state.act(),
            45..50 => drop(state.complete()),
            50..52 => state.clock.advance(Duration::from_millis(5)),
            52..98 => {
                drop(state);
                self.turn();
            }
            _ => {
                drop(state);
                self.settle()?;
            }
        }
        Ok(())
    }

    /// Lets everybody read and the server work until nothing happens any more, then checks what
    /// must hold.
    fn settle(&mut self) -> Result<(), String> {
        let has_room = {
            let state = self.schedule.lock();
            state.clients.len() <= self.plan.max_connections
        };
        if !has_room {
            return Ok(());
        }
        if self.plan.max_connections < self.plan.clients {
            self.advance(ACCEPT_TIME);
        }
        let mut quiet = 0;
        for _ in 0..SETTLE_TURNS_MAX {
            let happened = self.turn() | self.read_all();
            self.failure()?;
            quiet = if happened { 0 } else { quiet + 1 };
            // What was refused the disk is tried again.
            self.advance(if happened {
                Duration::ZERO
            } else {
                DISK_RETRY_INTERVAL
            });
            if quiet > 6 * self.plan.others + 2 {
                return self.check_settled();
            }
        }
        Err("the server does not come to rest".to_owned())
    }

    /// Completes what is pending, and reads what has arrived; whether there was anything.
    fn read_all(&self) -> bool {
        let mut state = self.schedule.lock();
        let mut happened = state.complete();
        let around = state.around();
        let State {
            clients, buffer, ..
        } = &mut *state;
        let mut failed = Ok(false);
        for client in clients {
            match client.read(buffer, around) {
                Ok(read) => happened |= read,
                Err(failure) => failed = Err(failure),
            }
        }
        state.note(failed);
        happened
    }

    fn check_settled(&self) -> Result<(), String> {
        let state = self.schedule.lock();
        state.clients.iter().try_for_each(Client::check_settled)
    }

    /// Finishes what the clients began, then lets them leave.
    fn end(&mut self) -> Result<(), String> {
        while self.finish_some()? {}
        self.schedule.lock().clients.clear();
        self.settle()?;
        // What is left waits for a deadline.
        for _ in 0..3 {
            self.advance(ANY_DEADLINE);
            self.settle()?;
        }
        let left = (
            self.server.connections(),
            self.schedule.alive.count(),
            self.metrics.connections_open.load(Ordering::SeqCst),
        );
        if left == (0, 0, 0) {
            return Ok(());
        }
        Err(format!(
            "connections, sinks, counted connections left: {left:?}"
        ))
    }

    /// Lets one client send the rest of its requests, and leave; whether there was one.
    fn finish_some(&mut self) -> Result<bool, String> {
        let mut state = self.schedule.lock();
        let count = state.clients.len();
        if count == 0 {
            return Ok(false);
        }
        let at = state.random.below(count);
        for _ in 0..FINISH_TURNS_MAX {
            let State {
                clients, random, ..
            } = &mut *state;
            // A handler may have let a client leave.
            let Some(client) = clients.get_mut(at) else {
                break;
            };
            if client.has_ended() || client.has_sent_all() {
                break;
            }
            client.send(random);
            drop(state);
            self.turn();
            self.read_all();
            self.failure()?;
            state = self.schedule.lock();
        }
        drop(state);
        self.settle()?;
        let mut state = self.schedule.lock();
        if at < state.clients.len() {
            state.clients.swap_remove(at);
        }
        Ok(true)
    }
}
