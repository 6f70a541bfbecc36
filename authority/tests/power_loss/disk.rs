//! A disk that remembers every operation, so that its power can be cut after any of them.
//!
//! What reaches the platters is what an `xSync` of the same file, or of the directory, followed. Of the
//! rest each sector (512 bytes) of each write, each truncation and each creation or deletion of a file
//! survives or not, one by one and in no order; one sector per cut may be written in part. What a file
//! gains in length without its content is zeros.

use std::collections::{BTreeMap, BTreeSet};

use crate::dice::Dice;

pub(crate) const SECTOR: usize = 512;

/// A file, whatever its name.
pub(crate) type Inode = usize;

pub(crate) enum Op {
    Create(String, Inode),
    Delete(String),
    Write(Inode, usize, Vec<u8>),
    Truncate(Inode, usize),
    Sync(Inode),
    SyncDirectory,
    /// Commit so-and-so was acknowledged.
    Acknowledged(u64),
}

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What programs see, and how it came about.
pub(crate) struct Disk {
    before: Files,
    pub(crate) names: BTreeMap<String, Inode>,
    pub(crate) contents: Vec<Vec<u8>>,
    pub(crate) ops: Vec<Op>,
    /// A disk that only pretends to sync directories.
    pub(crate) forgets_names: bool,
}

impl Disk {
    /// A disk on which `files` have been for long.
    pub(crate) fn new(files: Files) -> Self {
        let names = files.keys().cloned().zip(0..).collect();
        Self {
            contents: files.values().cloned().collect(),
            before: files,
            names,
            ops: Vec::new(),
            forgets_names: false,
        }
    }

    pub(crate) fn create(&mut self, name: Option<String>) -> Inode {
        let inode = self.contents.len();
        self.contents.push(Vec::new());
        if let Some(name) = name {
            self.names.insert(name.clone(), inode);
            self.ops.push(Op::Create(name, inode));
        }
        inode
    }

    pub(crate) fn delete(&mut self, name: &str) -> bool {
        self.ops.push(Op::Delete(name.into()));
        self.names.remove(name).is_some()
    }

    pub(crate) fn write(&mut self, inode: Inode, at: usize, bytes: &[u8]) {
        write(&mut self.contents[inode], at, bytes);
        self.ops.push(Op::Write(inode, at, bytes.to_vec()));
    }

    pub(crate) fn truncate(&mut self, inode: Inode, size: usize) {
        self.contents[inode].resize(size, 0);
        self.ops.push(Op::Truncate(inode, size));
    }

    /// What is left where the power is cut just before operation `cut`, and the last commit that was
    /// acknowledged by then.
    pub(crate) fn cut(&self, cut: usize, dice: &mut Dice) -> (Files, u64) {
        let past = &self.ops[..cut];
        let mut survival = Survival::new(past, dice);
        if self.forgets_names {
            survival.directory_synced = 0;
        }
        let mut names: BTreeMap<String, Inode> = self.before.keys().cloned().zip(0..).collect();
        let mut contents: Vec<Vec<u8>> = self.before.values().cloned().collect();
        contents.resize(self.contents.len(), Vec::new());
        let mut acknowledged = 0;
        for (at, op) in past.iter().enumerate() {
            match op {
                Op::Create(name, inode) if survival.entry(at, dice) => {
                    names.insert(name.clone(), *inode);
                }
                Op::Delete(name) if survival.entry(at, dice) => {
                    names.remove(name);
                }
                Op::Truncate(inode, size) if survival.content(at, *inode, dice) => contents[*inode].resize(*size, 0),
                Op::Write(inode, start, bytes) => {
                    survival.write(at, *inode, *start, bytes, &mut contents[*inode], dice);
                }
                Op::Acknowledged(n) => acknowledged = *n,
                Op::Create(..) | Op::Delete(_) | Op::Truncate(..) | Op::Sync(_) | Op::SyncDirectory => {}
            }
        }
        let files = names.into_iter().map(|(name, inode)| (name, std::mem::take(&mut contents[inode]))).collect();
        (files, acknowledged)
    }
}

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

/// What survives a cut: all that was synced, and of the rest a share.
struct Survival {
    synced: BTreeMap<Inode, usize>,
    directory_synced: usize,
    /// Of ten, how many sectors and entries that were not synced survive.
    share: u64,
    may_tear: bool,
}

impl Survival {
    fn new(past: &[Op], dice: &mut Dice) -> Self {
        let mut synced = BTreeMap::new();
        let mut directory_synced = 0;
        for (at, op) in past.iter().enumerate() {
            match op {
                Op::Sync(inode) => drop(synced.insert(*inode, at)),
                Op::SyncDirectory => directory_synced = at,
                _ => {}
            }
        }
        Self { synced, directory_synced, share: [0, 1, 5, 9, 10][dice.below(5) as usize], may_tear: true }
    }

    fn falls_well(&self, dice: &mut Dice) -> bool {
        dice.below(10) < self.share
    }

    fn entry(&self, at: usize, dice: &mut Dice) -> bool {
        at < self.directory_synced || self.falls_well(dice)
    }

    fn content(&self, at: usize, inode: Inode, dice: &mut Dice) -> bool {
        self.synced.get(&inode).is_some_and(|synced| at < *synced) || self.falls_well(dice)
    }

    fn write(&mut self, at: usize, inode: Inode, start: usize, bytes: &[u8], content: &mut Vec<u8>, dice: &mut Dice) {
        let mut done = 0;
        while done < bytes.len() {
            let here = start + done;
            let length = (SECTOR - here % SECTOR).min(bytes.len() - done);
            let sector = &bytes[done..done + length];
            if self.content(at, inode, dice) {
                write(content, here, sector);
            } else if self.may_tear && dice.below(4) == 0 {
                self.may_tear = false;
                write(content, here, &sector[..dice.below(length as u64) as usize]);
            }
            done += length;
        }
    }
}

/// Names that the operations gave out, for the report of a failure.
pub(crate) fn summary(files: &Files) -> BTreeSet<String> {
    files.iter().map(|(name, content)| format!("{name}: {} bytes", content.len())).collect()
}
