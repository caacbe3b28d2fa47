//! The record of a server's system calls, as events of the file system and of its clients.
//!
//! Invariant: a change is an event when its call has returned, and a sync covers only the events
//! before its call began. So no call that runs at the same time counts as durable.
//!
//! Sources: strace(1), options `-f`, `-ttt` and `-xx`; openat(2), linkat(2), renameat(2).

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The options of strace that [`Record::read`] understands.
pub const STRACE_OPTIONS: [&str; 6] = ["-D", "-f", "-ttt", "-xx", "-s", "100000"];
pub const TRACED_CALLS: &str = "trace=openat,close,mkdir,mkdirat,write,ftruncate,utimensat,fsync,\
    linkat,renameat,renameat2,unlinkat,sendto,recvfrom";

/// A file, whatever names it has.
pub type FileId = usize;

#[derive(Clone, Debug)]
pub enum Event {
    /// The request of this number has arrived.
    Request(usize),
    /// The request of this number is answered.
    Answer(usize),
    MakeDirectory(PathBuf),
    Create(FileId, SystemTime),
    Append(FileId, Vec<u8>),
    Resize(FileId, usize),
    SetTime(FileId, SystemTime),
    Link(FileId, PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    /// With the number of events before the sync began.
    SyncFile(FileId, usize),
    SyncDirectory(PathBuf, usize),
}

/// The events of one run in their order.
pub struct Record {
    pub events: Vec<Event>,
}

enum Open {
    File(FileId),
    Directory(PathBuf),
}

struct Reader<'r> {
    /// Paths outside do not matter.
    root: &'r Path,
    events: Vec<Event>,
    open: HashMap<i32, Open>,
    names: BTreeMap<PathBuf, FileId>,
    files: usize,
}

impl Record {
    /// Reads the output of strace. `names`: the files under `root` before the run, numbered from 0.
    pub fn read(text: &str, root: &Path, names: BTreeMap<PathBuf, FileId>) -> Self {
        let mut reader = Reader {
            root,
            events: Vec::new(),
            open: HashMap::new(),
            files: names.len(),
            names,
        };
        // The calls that have not returned, by thread: their beginning, and the events before it.
        let mut unfinished: HashMap<&str, (&str, usize)> = HashMap::new();
        for line in text.lines() {
            // The number of the thread is padded with spaces.
            let Some((thread, rest)) = line.split_once(' ') else {
                continue;
            };
            let Some((time, call)) = rest.trim_start().split_once(' ') else {
                continue;
            };
            let before = reader.events.len();
            if let Some(beginning) = call.strip_suffix(" <unfinished ...>") {
                reader.begin(beginning);
                unfinished.insert(thread, (beginning, before));
            } else if let Some((_, end)) = call.split_once(" resumed>") {
                if let Some((beginning, began)) = unfinished.remove(thread) {
                    reader.call(&format!("{beginning}{end}"), time, began);
                }
            } else {
                reader.begin(call);
                reader.call(call, time, before);
            }
        }
        Self {
            events: reader.events,
        }
    }
}

impl Reader<'_> {
    /// Takes the beginning of a call. An answer may reach its client at once, and the number of a
    /// closed descriptor may be used again at once.
    fn begin(&mut self, call: &str) {
        if call.starts_with("sendto(") {
            self.events
                .extend(request_number(call, "HTTP/1.1 20").map(Event::Answer));
        } else if let Some(closed) = call.strip_prefix("close(") {
            let number = closed.split(')').next().unwrap();
            self.open.remove(&number.parse().unwrap());
        }
    }

    /// Takes a call that has returned; `began`: the number of events before it began.
    fn call(&mut self, call: &str, time: &str, began: usize) {
        let Some((name, rest)) = call.split_once('(') else {
            return;
        };
        // Spaces align the results of short calls.
        let Some((arguments, result)) = rest.rsplit_once(" = ") else {
            return;
        };
        let Some(arguments) = arguments.trim_end().strip_suffix(')') else {
            return;
        };
        let result = result.split(' ').next().unwrap();
        let Ok(result) = result.parse::<i32>() else {
            return;
        };
        if result < 0 {
            return;
        }
        let arguments: Vec<&str> = arguments.split(", ").collect();
        match name {
            "openat" => self.open_at(&arguments, result, time),
            "recvfrom" => self
                .events
                .extend(request_number(call, " HTTP/1.1").map(Event::Request)),
            "mkdir" => self.make_directory(text(arguments[0])),
            "mkdirat" => self.make_directory(self.path(arguments[0], arguments[1])),
            "linkat" => self.link(&arguments),
            "renameat" | "renameat2" => self.rename(&arguments),
            "unlinkat" => {
                let path = self.path(arguments[0], arguments[1]);
                if self.names.remove(&path).is_some() {
                    self.events.push(Event::Unlink(path));
                }
            }
            _ => self.use_open(name, &arguments, began),
        }
    }

    /// The path of a name relative to an open directory.
    fn path(&self, directory: &str, name: &str) -> PathBuf {
        let directory = directory.parse().ok().and_then(|fd| self.open.get(&fd));
        match directory {
            Some(Open::Directory(path)) => path.join(text(name)),
            _ => text(name),
        }
    }

    fn new_file(&mut self, time: &str) -> FileId {
        let (seconds, microseconds) = time.split_once('.').unwrap();
        let time = Duration::from_secs(seconds.parse().unwrap())
            + Duration::from_micros(microseconds.parse().unwrap());
        self.files += 1;
        let file = self.files - 1;
        self.events
            .push(Event::Create(file, SystemTime::UNIX_EPOCH + time));
        file
    }

    fn open_at(&mut self, arguments: &[&str], fd: i32, time: &str) {
        let path = self.path(arguments[0], arguments[1]);
        // The temporary directory's own path may be absolute only.
        if !path.starts_with(self.root) {
            return;
        }
        let flags = arguments[2];
        let open = if flags.contains("O_TMPFILE") {
            Open::File(self.new_file(time))
        } else if let Some(file) = self.names.get(&path) {
            Open::File(*file)
        } else if flags.contains("O_CREAT") {
            let file = self.new_file(time);
            self.names.insert(path.clone(), file);
            self.events.push(Event::Link(file, path));
            Open::File(file)
        } else {
            Open::Directory(path)
        };
        self.open.insert(fd, open);
    }

    fn make_directory(&mut self, path: PathBuf) {
        if path.starts_with(self.root) {
            self.events.push(Event::MakeDirectory(path));
        }
    }

    fn link(&mut self, arguments: &[&str]) {
        let from = text(arguments[1]);
        let to = self.path(arguments[2], arguments[3]);
        let file = match from.strip_prefix("/proc/self/fd") {
            Ok(fd) => match self.open.get(&fd.to_str().unwrap().parse().unwrap()) {
                Some(Open::File(file)) => *file,
                _ => panic!("{} is linked without being open", from.display()),
            },
            Err(_) => self.names[&self.path(arguments[0], arguments[1])],
        };
        self.names.insert(to.clone(), file);
        self.events.push(Event::Link(file, to));
    }

    fn rename(&mut self, arguments: &[&str]) {
        let from = self.path(arguments[0], arguments[1]);
        let to = self.path(arguments[2], arguments[3]);
        let file = self.names.remove(&from).unwrap();
        self.names.insert(to.clone(), file);
        self.events.push(Event::Rename(from, to));
    }

    /// A call on an open file or directory.
    fn use_open(&mut self, name: &str, arguments: &[&str], began: usize) {
        let open = arguments[0].parse().ok().and_then(|fd| self.open.get(&fd));
        self.events.extend(match (name, open) {
            ("write", Some(Open::File(file))) => Some(Event::Append(*file, bytes(arguments[1]))),
            ("ftruncate", Some(Open::File(file))) => {
                Some(Event::Resize(*file, arguments[1].parse().unwrap()))
            }
            ("utimensat", Some(Open::File(file))) => {
                Some(Event::SetTime(*file, set_time(&arguments.join(" "))))
            }
            ("fsync", Some(Open::File(file))) => Some(Event::SyncFile(*file, began)),
            ("fsync", Some(Open::Directory(path))) => {
                Some(Event::SyncDirectory(path.clone(), began))
            }
            _ => None,
        });
    }
}

/// The number in a head's `X-Request-Id: op-NUMBER`, if the call's text contains these words too.
fn request_number(call: &str, words: &str) -> Option<usize> {
    // A body may follow.
    let received = bytes(call.split_once(", ")?.1);
    let head = String::from_utf8_lossy(&received);
    let (_, id) = head.split_once("X-Request-Id: op-")?;
    let number = id.split_once("\r\n")?.0.parse().ok()?;
    head.contains(words).then_some(number)
}

/// The first string in the text, which strace wrote in hexadecimal digits.
fn bytes(text: &str) -> Vec<u8> {
    let quoted = text.split('"').nth(1).unwrap_or_default();
    let digits = quoted.split("\\x").skip(1);
    digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

fn text(argument: &str) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes(argument)).unwrap())
}

/// The modification time in the arguments of utimensat.
fn set_time(arguments: &str) -> SystemTime {
    let number = |field: &str| {
        let (_, text) = arguments.rsplit_once(field).unwrap();
        let digits = text.split(|c: char| !c.is_ascii_digit()).next();
        digits.unwrap().parse::<u64>().unwrap()
    };
    let nanoseconds = Duration::from_nanos(number("tv_nsec="));
    SystemTime::UNIX_EPOCH + Duration::from_secs(number("tv_sec=")) + nanoseconds
}
