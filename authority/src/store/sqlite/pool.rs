//! A few connections, lent to one thread each.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::connection::{Handle, Missing};
use super::options::Place;
use crate::store::StoreError;

/// At most `limit` connections, opened when first needed.
pub(super) struct Pool {
    limit: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

#[derive(Default)]
struct Shelf {
    idle: Vec<Handle>,
    lent: usize,
    paused: bool,
}

impl Pool {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, shelf: Mutex::default(), returned: Condvar::new() }
    }

    /// Puts a connection in stock.
    pub(super) fn stock(&self, handle: Handle) {
        self.shelf().idle.push(handle);
    }

    /// Runs `work` on a connection. One on which `work` failed, or which it left inside a transaction,
    /// is not lent again, nor is one whose file is no longer at its path: closing it undoes whatever was half done.
    pub(super) fn lend<T>(
        &self,
        place: &Place,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (_turn, idle) = self.turn(place)?;
        let handle = match idle {
            Some(handle) if handle.is_at(place) => handle,
            _ => place.connect(Missing::Refuse)?,
        };
        let Some(connection) = handle.get() else {
            return Err(StoreError::Unavailable("a connection was closed while in use".into()));
        };
        let result = work(connection);
        if result.is_ok() && connection.is_autocommit() {
            self.stock(handle);
        }
        result
    }

    /// Waits until fewer than `limit` connections are lent.
    fn turn(&self, place: &Place) -> Result<(Turn<'_>, Option<Handle>), StoreError> {
        let mut shelf = self.wait(place, |shelf| !shelf.paused && shelf.lent < self.limit)?;
        shelf.lent = shelf.lent.saturating_add(1);
        let idle = shelf.idle.pop();
        Ok((Turn(self), idle))
    }

    /// Waits until all connections are back, closes them and lends none until [`Self::resume`].
    pub(super) fn pause(&self, place: &Place) -> Result<(), StoreError> {
        self.wait(place, |shelf| !shelf.paused)?.paused = true;
        match self.wait(place, |shelf| shelf.lent == 0) {
            Ok(mut shelf) => {
                let idle = std::mem::take(&mut shelf.idle);
                drop(shelf);
                drop(idle);
                Ok(())
            }
            Err(error) => {
                self.resume();
                Err(error)
            }
        }
    }

    /// Lends connections again.
    pub(super) fn resume(&self) {
        self.shelf().paused = false;
        self.returned.notify_all();
    }

    fn wait(&self, place: &Place, until: impl Fn(&Shelf) -> bool) -> Result<MutexGuard<'_, Shelf>, StoreError> {
        let patience = place.options.busy_timeout;
        let started = Instant::now();
        let mut shelf = self.shelf();
        while !until(&shelf) {
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(StoreError::Unavailable(format!(
                    "{}: all connections have been in use for longer than {} ms",
                    place.path.display(),
                    patience.as_millis()
                )));
            }
            shelf = self.returned.wait_timeout(shelf, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(shelf)
    }

    /// Nothing that can panic runs under this lock.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use one connection, given back however the use ends.
struct Turn<'a>(&'a Pool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut shelf = self.0.shelf();
        shelf.lent = shelf.lent.saturating_sub(1);
        drop(shelf);
        self.0.returned.notify_all();
    }
}
