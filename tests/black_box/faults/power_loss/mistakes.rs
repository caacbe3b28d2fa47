//! Records of servers that make a mistake: a replay that finds no fault in them proves nothing.

use super::record::{Event, FileId};
use std::collections::HashSet;
use std::path::Path;

/// Mistakes that a replay of every record must find.
pub const ALL: [&str; 3] = [
    "packages are not synced",
    "the directory is not synced",
    "checksums have their names before the directory is synced",
];

/// To be found where the server creates its directory.
pub const ABOVE: &str = "the directory above is not synced";

/// The record of a server that makes this mistake over this directory.
pub fn made(events: &[Event], storage: &Path, mistake: &str) -> Vec<Event> {
    let mut events = events.to_vec();
    let above = storage.parent();
    let checksums = checksums(&events);
    match mistake {
        "checksums have their names before the directory is synced" => name_early(&mut events),
        _ => {
            for event in &mut events {
                match event {
                    Event::SyncFile(file, covered) if !checksums.contains(file) => {
                        *covered *= usize::from(mistake != ALL[0]);
                    }
                    Event::SyncDirectory(path, covered) if path == storage => {
                        *covered *= usize::from(mistake != ALL[1]);
                    }
                    Event::SyncDirectory(path, covered) if Some(&**path) == above => {
                        *covered *= usize::from(mistake != ABOVE);
                    }
                    _ => {}
                }
            }
        }
    }
    events
}

/// Whether this event gives a file the name of a checksum.
fn checksum(event: &Event) -> bool {
    let (Event::Link(_, path) | Event::Rename(_, path)) = event else {
        return false;
    };
    path.extension().is_some_and(|suffix| suffix == "sha256")
}

/// The files that are checksums once they have their names.
fn checksums(events: &[Event]) -> HashSet<FileId> {
    let mut files = HashSet::new();
    for (at, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| checksum(event))
    {
        match event {
            Event::Link(file, _) => files.insert(*file),
            Event::Rename(from, _) => events[..at].iter().rev().any(|before| {
                matches!(before, Event::Link(file, path) if path == from && files.insert(*file))
            }),
            _ => false,
        };
    }
    files
}

/// Moves each checksum's name before the sync of the directory that precedes it, where the file
/// exists by then.
fn name_early(events: &mut [Event]) {
    for at in 0..events.len() {
        let is_sync = |event: &Event| matches!(event, Event::SyncDirectory(..));
        let sync = events[..at].iter().rposition(is_sync);
        let is_early = |sync: &usize| {
            events[*sync..at]
                .iter()
                .any(|event| match (event, &events[at]) {
                    (Event::Create(created, _), Event::Link(file, _)) => created == file,
                    (Event::Link(_, linked), Event::Rename(from, _)) => linked == from,
                    _ => false,
                })
        };
        let sync = sync.filter(|sync| checksum(&events[at]) && !is_early(sync));
        if let Some(sync) = sync {
            events[sync..=at].rotate_right(1);
            if let Event::SyncDirectory(_, covered) = &mut events[sync + 1] {
                *covered += 1;
            }
        }
    }
}
