//! What a store holds, to the last byte, and whether certain bytes are in it in any form.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use safeconduct::core::encoding::base64url;
use safeconduct::core::store::{Commit, Key};

/// Something that must not be found, in every form in which it could be written down.
pub struct Needle {
    pub name: String,
    pub forms: Vec<Vec<u8>>,
}

impl Needle {
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 8, "too short to be found by anything but chance");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let url = base64url::encode(bytes);
        let padding = "=".repeat((4 - url.len() % 4) % 4);
        let base64 = url.replace('-', "+").replace('_', "/");
        let debug = format!("{bytes:?}");
        let texts = [hex.to_uppercase(), hex, format!("{base64}{padding}"), base64, url, debug];
        let forms = texts.into_iter().map(String::into_bytes).chain([bytes.to_vec()]).collect();
        Self { name: name.into(), forms }
    }
}

/// The names of the needles that are in any of the haystacks. Each place is looked up by its first eight
/// bytes, so many needles cost no more than one.
pub fn found_in_all(needles: &[Needle], haystacks: &[Vec<u8>]) -> Vec<String> {
    let mut by_start: BTreeMap<[u8; 8], Vec<(&str, &[u8])>> = BTreeMap::new();
    for needle in needles {
        for form in &needle.forms {
            by_start.entry(form[..8].try_into().unwrap()).or_default().push((&needle.name, form));
        }
    }
    let mut names = Vec::new();
    for haystack in haystacks {
        for at in 0..haystack.len().saturating_sub(7) {
            let Some(candidates) = by_start.get(&haystack[at..at + 8]) else { continue };
            let here = candidates.iter().filter(|(_, form)| haystack[at..].starts_with(form));
            names.extend(here.map(|(name, _)| (*name).to_string()));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The bytes of the records that are left after all of `commits`, with their keys, and of the log.
pub fn live(commits: &[Commit]) -> Vec<Vec<u8>> {
    let (mut records, mut log) = (BTreeMap::<Key, Vec<u8>>::new(), Vec::new());
    for commit in commits {
        for put in &commit.put {
            match &put.record {
                Some(record) => records.insert(put.key, record.bytes.clone()),
                None => records.remove(&put.key),
            };
        }
        log.extend(commit.log.iter().map(|entry| entry.bytes.clone()));
    }
    records.into_iter().map(|(key, bytes)| [key.to_bytes(), bytes].concat()).chain(log).collect()
}

/// The same, as a SQLite file has it.
pub fn live_in_file(path: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(path).unwrap();
    let rows = |sql: &str| -> Vec<Vec<u8>> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut all = rows("SELECT CAST(key || bytes AS BLOB) FROM record");
    all.extend(rows("SELECT bytes FROM log"));
    all
}

/// The raw bytes of the file and what lies beside it (`-wal`, `-shm`), by the end of the name.
pub fn raw_files(path: &Path) -> Vec<(String, Vec<u8>)> {
    ["", "-wal", "-shm"]
        .into_iter()
        .filter_map(|end| {
            let file = format!("{}{end}", path.display());
            std::fs::read(file).ok().map(|bytes| (format!("sessions.db{end}"), bytes))
        })
        .collect()
}
