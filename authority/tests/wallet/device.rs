//! A device: storage that several processes share, and the processes.

use std::collections::VecDeque;

use safeconduct::core::client::State;
use safeconduct::core::client::action::{Action, Notice};
use safeconduct::core::client::event::{Event, Fault};
use safeconduct::core::client::record::Version;
use zeroize::Zeroizing;

/// What one write meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Luck {
    #[default]
    Good,
    /// It takes effect, and the process does not hear of it.
    Unheard,
    /// It does not take effect.
    Failed,
}

/// Storage with a compare-and-swap.
#[derive(Default)]
pub struct Storage {
    pub bytes: Option<Vec<u8>>,
    pub is_locked: bool,
    pub luck: Luck,
    /// A host that does not compare.
    pub is_blind: bool,
}

impl Storage {
    pub fn read(&self) -> Event {
        if self.is_locked {
            return Event::Unreadable(Fault::Locked);
        }
        Event::Loaded(self.bytes.clone().map(Zeroizing::new))
    }

    /// Whether it was written, and what the process hears.
    pub fn persist(&mut self, expected: Version, record: Option<Zeroizing<Vec<u8>>>) -> (bool, Event) {
        let version = Version::of(record.as_ref().map(|bytes| bytes.as_slice()));
        if self.is_locked {
            return (false, Event::Unwritten(version, Fault::Locked));
        }
        let luck = std::mem::take(&mut self.luck);
        if luck == Luck::Failed {
            return (false, Event::Unwritten(version, Fault::Failed));
        }
        if !self.is_blind && Version::of(self.bytes.as_deref()) != expected {
            return (false, Event::Conflict(version));
        }
        self.bytes = record.map(|bytes| bytes.to_vec());
        let heard =
            if luck == Luck::Unheard { Event::Unwritten(version, Fault::Failed) } else { Event::Written(version) };
        (true, heard)
    }
}

/// One process that uses the storage.
#[derive(Default)]
pub struct Worker {
    pub state: State,
    pub todo: VecDeque<Action>,
    pub inbox: VecDeque<Event>,
    pub delivered: Vec<String>,
    pub notices: Vec<Notice>,
    /// Whether it asked to be woken.
    pub waits: bool,
}

impl Worker {
    /// Everything but storage is gone.
    pub fn crash(&mut self) {
        let (delivered, notices) = (std::mem::take(&mut self.delivered), std::mem::take(&mut self.notices));
        *self = Self { delivered, notices, ..Self::default() };
    }

    pub fn has_heard(&self, notice: Notice) -> bool {
        self.notices.contains(&notice)
    }
}
