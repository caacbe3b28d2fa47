//! A file system that keeps as little as POSIX allows: what it holds durably, and every state that
//! a loss of power may leave.
//!
//! - The content of a file is durable after its sync. Before, it may be the one of the last sync,
//!   any later one, its beginning, or zeros of its length; its time likewise.
//! - A name is durable after a sync of its directory. Before, each name may have any of the values
//!   that it has had since, whatever became of the others: a rename is two names.
//!
//! Sources: fsync(2); rename(2); POSIX, "Synchronized I/O File Integrity Completion".

use super::record::{Event, FileId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileState {
    pub bytes: Vec<u8>,
    pub modified: SystemTime,
}

/// What is left after a loss of power: the files by their paths, and the directories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Remains {
    pub files: BTreeMap<PathBuf, FileState>,
    pub directories: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(FileId),
    Directory,
}

/// The value that is durable, and those since with the number of their event.
struct History<T> {
    durable: T,
    later: Vec<(usize, T)>,
}

impl<T: Clone + PartialEq> History<T> {
    fn new(durable: T) -> Self {
        Self {
            durable,
            later: Vec::new(),
        }
    }

    fn now(&self) -> &T {
        self.later.last().map_or(&self.durable, |(_, value)| value)
    }

    /// Makes every value durable that was set before this number of events.
    fn sync(&mut self, covered: usize) {
        let synced = self.later.partition_point(|(number, _)| *number < covered);
        if let Some((_, last)) = self.later.drain(..synced).next_back() {
            self.durable = last;
        }
    }

    /// The durable value first, the present one last.
    fn values(&self) -> Vec<T> {
        let mut values = vec![self.durable.clone()];
        for (_, value) in &self.later {
            values.retain(|other| other != value);
            values.push(value.clone());
        }
        values
    }
}

pub struct FileSystem {
    root: PathBuf,
    names: BTreeMap<PathBuf, History<Option<Node>>>,
    files: Vec<History<FileState>>,
    events: usize,
}

impl FileSystem {
    /// A file system that durably has these files under `root`, and their directories.
    pub fn new(root: &Path, files: &[(PathBuf, FileState)]) -> Self {
        let mut names = BTreeMap::new();
        for (number, (path, _)) in files.iter().enumerate() {
            names.insert(path.clone(), History::new(Some(Node::File(number))));
            let above = path.ancestors().skip(1).take_while(|above| *above != root);
            for directory in above {
                names.insert(directory.into(), History::new(Some(Node::Directory)));
            }
        }
        let files = files.iter().map(|(_, state)| History::new(state.clone()));
        Self {
            root: root.to_owned(),
            names,
            files: files.collect(),
            events: 0,
        }
    }

    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Request(_) | Event::Answer(_) => {}
            Event::MakeDirectory(path) => self.name(path, Some(Node::Directory)),
            Event::Create(file, modified) => {
                assert_eq!(*file, self.files.len(), "files are numbered in their order");
                self.files.push(History::new(FileState {
                    bytes: Vec::new(),
                    modified: *modified,
                }));
            }
            Event::Append(file, bytes) => self.change(*file, |state| state.bytes.extend(bytes)),
            Event::Resize(file, length) => {
                self.change(*file, |state| state.bytes.resize(*length, 0));
            }
            Event::SetTime(file, time) => self.change(*file, |state| state.modified = *time),
            Event::Link(file, path) => self.name(path, Some(Node::File(*file))),
            Event::Rename(from, to) => {
                let node = *self.names[from].now();
                self.name(from, None);
                self.name(to, node);
            }
            Event::Unlink(path) => self.name(path, None),
            Event::SyncFile(file, covered) => self.files[*file].sync(*covered),
            Event::SyncDirectory(directory, covered) => {
                for (path, history) in &mut self.names {
                    if path.parent() == Some(directory) {
                        history.sync(*covered);
                    }
                }
            }
        }
        self.events += 1;
    }

    fn name(&mut self, path: &Path, node: Option<Node>) {
        let history = self.names.entry(path.to_owned());
        let history = history.or_insert_with(|| History::new(None));
        history.later.push((self.events, node));
    }

    fn change(&mut self, file: FileId, change: impl FnOnce(&mut FileState)) {
        let mut state = self.files[file].now().clone();
        change(&mut state);
        self.files[file].later.push((self.events, state));
    }

    /// The states that a loss of power may leave now: all of them, or `count_max` where there are
    /// more. Those with nothing and with everything that is not durable are always among them.
    /// `random` gives numbers below its argument.
    pub fn states(&self, count_max: usize, random: &mut dyn FnMut(usize) -> usize) -> Vec<Remains> {
        let names: Vec<(&PathBuf, Vec<Option<Node>>)> = self
            .names
            .iter()
            .map(|(path, history)| (path, history.values()))
            .collect();
        let mut files: BTreeMap<FileId, Vec<FileState>> = BTreeMap::new();
        for node in names.iter().flat_map(|(_, values)| values) {
            if let Some(Node::File(file)) = node {
                files.entry(*file).or_insert_with(|| self.contents(*file));
            }
        }
        let choices: Vec<usize> = names
            .iter()
            .map(|(_, values)| values.len())
            .chain(files.values().map(Vec::len))
            .collect();
        let all = choices
            .iter()
            .try_fold(1, |all: usize, count| all.checked_mul(*count));
        let picks: Vec<Vec<usize>> = match all {
            Some(all) if all <= count_max => {
                (0..all).map(|number| digits(number, &choices)).collect()
            }
            _ => {
                let last = choices.iter().map(|count| count - 1).collect();
                let mut picks = vec![vec![0; choices.len()], last];
                picks.resize_with(count_max.max(2), || {
                    choices.iter().map(|count| random(*count)).collect()
                });
                picks
            }
        };
        let remains = |pick: Vec<usize>| self.remains(&names, &files, &pick);
        picks.into_iter().map(remains).collect()
    }

    /// The states that a file's content may have.
    fn contents(&self, file: FileId) -> Vec<FileState> {
        let history = &self.files[file];
        let (durable, now) = (&history.durable, history.now());
        let mut between = BTreeSet::new();
        for (_, state) in &history.later {
            let half = state.bytes[..state.bytes.len() / 2].to_vec();
            let zeros = vec![0; state.bytes.len()];
            for bytes in [half, zeros, state.bytes.clone(), durable.bytes.clone()] {
                for modified in [durable.modified, state.modified] {
                    let bytes = bytes.clone();
                    between.insert(FileState { bytes, modified });
                }
            }
        }
        between.remove(durable);
        between.remove(now);
        let mut contents = vec![durable.clone()];
        contents.extend(between);
        contents.extend((now != durable).then(|| now.clone()));
        contents
    }

    fn remains(
        &self,
        names: &[(&PathBuf, Vec<Option<Node>>)],
        files: &BTreeMap<FileId, Vec<FileState>>,
        pick: &[usize],
    ) -> Remains {
        let (of_names, of_files) = pick.split_at(names.len());
        let content: BTreeMap<FileId, &FileState> = files
            .iter()
            .zip(of_files)
            .map(|((file, contents), chosen)| (*file, &contents[*chosen]))
            .collect();
        let mut remains = Remains::default();
        // A directory comes before what is in it.
        for ((path, values), chosen) in names.iter().zip(of_names) {
            let above = path.parent().unwrap();
            if above != self.root && !remains.directories.iter().any(|other| other == above) {
                continue;
            }
            match &values[*chosen] {
                None => {}
                Some(Node::Directory) => remains.directories.push((*path).clone()),
                Some(Node::File(file)) => {
                    let state = content[file].clone();
                    remains.files.insert((*path).clone(), state);
                }
            }
        }
        remains
    }
}

/// The digits of a number in a system with these bases.
fn digits(mut number: usize, bases: &[usize]) -> Vec<usize> {
    let digit = |base: &usize| {
        let digit = number % base;
        number /= base;
        digit
    };
    bases.iter().map(digit).collect()
}
