//! A thread that reads the file of [`Keys`] again and again, and rotates where that is due.
//!
//! It ends with its [`Watcher`] or with the keys. A forked child has none of its parent's threads: whoever forks
//! drops the watcher before, and starts one in each process after.

use core::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Keys, KeysError, Shared};
use crate::authority::system_time;

/// Keeps the thread going. When it is dropped the thread has ended.
#[must_use = "the keys are watched until this is dropped"]
pub struct Watcher {
    ended: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Keys {
    /// Reads the file every `interval`, and rotates where the policy's period has passed, by the system's clock. What
    /// goes wrong is [`Keys::trouble`]; it is tried again after the next interval.
    ///
    /// # Errors
    /// [`KeysError::Unreadable`] where the system starts no thread, or the keys have no file.
    pub fn watch(&self, interval: Duration) -> Result<Watcher, KeysError> {
        let path = self.file().unwrap_or(std::path::Path::new("")).to_owned();
        if path.as_os_str().is_empty() {
            return Err(KeysError::Unreadable(path, "these keys lie in no file, so there is nothing to watch".into()));
        }
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let (heard, keys) = (Arc::clone(&ended), Arc::downgrade(&self.shared));
        let named = std::thread::Builder::new().name("safeconduct-keys".into());
        let thread = named.spawn(move || run(&heard, &keys, interval.max(Duration::from_millis(10))));
        let thread = thread.map_err(|error| KeysError::Unreadable(path, error.to_string()))?;
        Ok(Watcher { ended, thread: Some(thread), process: std::process::id() })
    }
}

fn run(ended: &(Mutex<bool>, Condvar), keys: &Weak<Shared>, interval: Duration) {
    let (ended, changed) = ended;
    let mut is_over = ended.lock().unwrap_or_else(PoisonError::into_inner);
    while !*is_over {
        (is_over, _) = changed.wait_timeout(is_over, interval).unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return;
        }
        let Some(shared) = keys.upgrade() else { return };
        let keys = Keys { shared };
        if keys.reload().is_ok()
            && let Err(error) = keys.rotate_if_due(system_time())
        {
            keys.state().trouble = Some(error);
        }
    }
}

impl Watcher {
    /// Whether the thread runs in this process: it does not in a child that was forked.
    pub fn is_running(&self) -> bool {
        self.process == std::process::id() && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let thread = self.thread.take();
        // In a forked child there is nothing to wait for, and the lock may have been held at the fork.
        if self.process != std::process::id() {
            return;
        }
        let (ended, changed) = &*self.ended;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("is_running", &self.is_running()).finish()
    }
}
