//! Loss of power: after it, nothing that was answered is lost, no package is partial, and no
//! checksum is wrong.
//!
//! strace records the calls of a real server while [`clients`] change its packages, while retention
//! removes some of them, and while missing checksums are computed. [`model`] says which states a
//! file system may keep at every moment of the record. Each state is made in a directory, and the
//! store over it is compared with what is [`allowed`]. The same replay without one of the syncs
//! must find a fault.
//!
//! In the long form every moment has more states, and `FAULT_SEED` chooses other ones.

mod allowed;
mod clients;
mod mistakes;
mod model;
mod record;

use super::kills;
use crate::support::{TOKEN, TestServer, hex, noise, until};
use allowed::Allowed;
use clients::{Change, Clients};
use model::{FileState, FileSystem, Remains};
use record::{Event, Record, STRACE_OPTIONS, TRACED_CALLS};
use release_server::clock::Clock;
use release_server::storage::directory::GENERATION_FILE;
use release_server::storage::directory_engine::store::DirectoryStore;
use release_server::storage::{Retention, Store as _};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

const PACKAGES_MAX: &str = "7";
/// The states that are tried at each moment, where there are more.
const STATES_SHORT: usize = 12;
const STATES_LONG: usize = 400;
/// States in which the maintenance thread must mend everything.
const MENDED_STATES: usize = 12;
/// Under the test's directory; neither of them exists where the server begins with nothing.
const STORAGE: &str = "above/data";

/// A recorded run.
struct Run {
    /// Stays until the end, so that its path is no other directory's.
    root: tempfile::TempDir,
    initial: Vec<(PathBuf, FileState)>,
    changes: Vec<Change>,
    events: Vec<Event>,
}

/// Two packages that another program has copied in: one without a checksum, one with the checksum
/// of its content before.
fn copied_in() -> Vec<(PathBuf, FileState)> {
    let at = |seconds| SystemTime::now() - Duration::from_secs(seconds);
    let files = [
        ("copied.zip", b"copied".to_vec(), at(60)),
        ("edited.zip", b"now".to_vec(), at(60)),
        ("edited.zip.sha256", hex(b"before").into_bytes(), at(70)),
    ];
    let state = |(name, bytes, modified)| {
        let path = Path::new(STORAGE).join(name);
        (path, FileState { bytes, modified })
    };
    files.map(state).into()
}

/// A server under strace, in a namespace without `/proc` where `hides_proc`.
fn traced(storage: &Path, output: &Path, hides_proc: bool) -> Command {
    let mut command = Command::new("strace");
    command
        .args(STRACE_OPTIONS)
        .args(["-e", TRACED_CALLS, "-o"])
        .arg(output);
    if hides_proc {
        let line = "mount -t tmpfs none /proc && exec \"$0\"";
        command.args(["unshare", "-rm", "sh", "-c", line]);
    }
    command
        .arg(env!("CARGO_BIN_EXE_release-server"))
        .env_clear()
        .envs([("CONFIG_PATH", "/dev/null"), ("AUTH_TOKEN", TOKEN)])
        .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
        .envs([
            ("MAX_PACKAGES", PACKAGES_MAX),
            ("PINNED", "copied*,edited*"),
        ])
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("STORAGE_PATH", storage);
    command
}

/// Records a server over these files.
fn recorded(initial: Vec<(PathBuf, FileState)>, hides_proc: bool) -> Run {
    let root = tempfile::tempdir().unwrap();
    let initial: Vec<_> = initial
        .into_iter()
        .map(|(path, state)| (root.path().join(path), state))
        .collect();
    make(&Remains {
        files: initial.iter().cloned().collect(),
        directories: initial
            .iter()
            .map(|(path, _)| path.parent().unwrap().into())
            .collect(),
    });
    let storage = root.path().join(STORAGE);
    let output = root.path().with_extension("strace");
    let mut server = TestServer::spawn(traced(&storage, &output, hides_proc), &storage);
    let clients = Clients {
        server: &server,
        changes: Mutex::default(),
    };
    clients.change_everything();
    let changes = clients.changes.into_inner().unwrap();
    for (path, _) in initial
        .iter()
        .filter(|(path, _)| path.extension().unwrap() == "zip")
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        until(|| (server.get(&format!("/assets/{name}.sha256")).status == 200).then_some(()));
    }
    server.signal("TERM");
    server.wait();
    let text = until(|| {
        let text = std::fs::read_to_string(&output).ok()?;
        let last = text.lines().last()?;
        last.contains("+++ exited").then_some(text.clone())
    });
    std::fs::remove_file(output).unwrap();
    let names = initial.iter().enumerate();
    let names = names.map(|(number, (path, _))| (path.clone(), number));
    let record = Record::read(&text, root.path(), names.collect());
    let answers = record
        .events
        .iter()
        .filter(|event| matches!(event, Event::Answer(_)));
    assert_eq!(answers.count(), changes.len(), "answers in the record");
    Run {
        root,
        initial,
        changes,
        events: record.events,
    }
}

/// Creates the files, packages before their checksums: whatever the change times were, they are no
/// reason to reject a checksum.
fn make(remains: &Remains) {
    for directory in &remains.directories {
        std::fs::create_dir_all(directory).unwrap();
    }
    let (sidecars, others): (Vec<_>, Vec<_>) = remains
        .files
        .iter()
        .partition(|(path, _)| path.extension().is_some_and(|suffix| suffix == "sha256"));
    for (path, state) in others.into_iter().chain(sidecars) {
        std::fs::write(path, &state.bytes).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(state.modified).unwrap();
    }
}

/// What a replay found.
#[derive(Default)]
struct Found {
    states: usize,
    faults: Vec<String>,
    /// Some of the states, spread over the record.
    samples: Vec<(Remains, Allowed)>,
}

/// Tries the states of every moment of the record. A replay that is to find a fault ends there.
fn replay(run: &Run, events: &[Event], states_max: usize, only_first: bool) -> Found {
    let seed = std::env::var("FAULT_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut draws = 0;
    let mut random = |below: usize| {
        draws += 1;
        let bytes: [u8; 8] = noise(seed ^ (draws << 20), 8).try_into().unwrap();
        usize::try_from(u64::from_le_bytes(bytes) >> 8).unwrap() % below
    };
    let mut file_system = FileSystem::new(run.root.path(), &run.initial);
    let mut allowed = Allowed::default();
    for (path, state) in &run.initial {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".sha256") {
            allowed.begin_with(name, &state.bytes);
        }
    }
    let mut found = Found::default();
    let mut tried = HashSet::new();
    for (number, event) in events.iter().enumerate() {
        file_system.apply(event);
        allowed.follow(event, &run.changes);
        for remains in file_system.states(states_max, &mut random) {
            if !tried.insert((remains.clone(), allowed.clone())) {
                continue;
            }
            found.states += 1;
            if let Some(fault) = fault_after(run, &remains, &allowed) {
                found
                    .faults
                    .push(format!("after event {number}, {event:?}: {fault}"));
                if only_first {
                    return found;
                }
            }
            if found.states.is_multiple_of(97) {
                found.samples.push((remains, allowed.clone()));
            }
        }
    }
    found
}

/// A directory of the test's own that is fast: nothing here needs a disk.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Makes the state under another root.
fn place(run: &Run, remains: &Remains, root: &Path) {
    let moved = |path: &PathBuf| root.join(path.strip_prefix(run.root.path()).unwrap());
    make(&Remains {
        files: remains
            .files
            .iter()
            .map(|(path, state)| (moved(path), state.clone()))
            .collect(),
        directories: remains.directories.iter().map(moved).collect(),
    });
}

fn fault_after(run: &Run, remains: &Remains, allowed: &Allowed) -> Option<String> {
    let directory = directory();
    place(run, remains, directory.path());
    allowed.fault(&directory.path().join(STORAGE))
}

/// Lets maintenance run over some of the states: every package gets its checksum, and nothing but
/// packages and their checksums stays.
fn assert_mended(run: &Run, samples: &[(Remains, Allowed)]) {
    let step = (samples.len() / MENDED_STATES).max(1);
    let begin = |(remains, allowed): &(Remains, Allowed)| {
        let directory = directory();
        place(run, remains, directory.path());
        let storage = directory.path().join(STORAGE);
        let store =
            DirectoryStore::open(&storage, Retention::default(), 1, Clock::system()).unwrap();
        let maintenance = store.start_maintenance().unwrap();
        (directory, store, maintenance, allowed.clone())
    };
    let running: Vec<_> = samples.iter().step_by(step).map(begin).collect();
    for (directory, store, _maintenance, allowed) in &running {
        let storage = directory.path().join(STORAGE);
        until(|| {
            let listing = store.listing().unwrap();
            let packages = listing.packages();
            let stored = std::fs::read_dir(&storage).unwrap();
            let is_counted = |entry: &std::fs::DirEntry| entry.file_name() != GENERATION_FILE;
            let stored = stored.map(Result::unwrap).filter(is_counted).count();
            let is_mended = packages.iter().all(|package| package.sha256.is_some());
            (is_mended && stored == 2 * packages.len()).then_some(())
        });
        assert_eq!(allowed.fault(&storage), None);
    }
}

/// Replays the record, and replays it as if the server had made a mistake.
fn assert_safe(run: &Run, mistakes: &[&str]) {
    let states_max = kills().map_or(STATES_SHORT, |_| STATES_LONG);
    let found = replay(run, &run.events, states_max, false);
    println!("{} events, {} states", run.events.len(), found.states);
    let (shown, count) = (found.faults.iter().take(10), found.faults.len());
    let shown: Vec<_> = shown.collect();
    assert!(shown.is_empty(), "{count} faults: {shown:#?}");
    assert_mended(run, &found.samples);
    let storage = run.root.path().join(STORAGE);
    for mistake in mistakes {
        let events = mistakes::made(&run.events, &storage, mistake);
        // The first fault ends it, so many states take no longer than a few.
        let faults = replay(run, &events, STATES_LONG, true).faults;
        println!("{mistake}: {faults:?}");
        assert_eq!(faults.len(), 1, "{mistake}");
    }
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn power_is_lost_over_a_new_directory() {
    let mistakes = [&mistakes::ALL[..], &[mistakes::ABOVE]].concat();
    assert_safe(&recorded(Vec::new(), false), &mistakes);
}

#[test]
#[ignore = "needs strace and a mount: scripts/faults.sh"]
fn power_is_lost_over_copied_packages_with_named_files() {
    assert_safe(&recorded(copied_in(), true), &mistakes::ALL);
}
