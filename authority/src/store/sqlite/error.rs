//! From what SQLite reports to what the caller should do.

use rusqlite::{Error, ErrorCode, ffi};

use super::options::Place;
use crate::store::StoreError;

impl Place {
    /// What `error` means for the caller. It names the file and what to do, and holds no record.
    pub(super) fn explain(&self, error: &Error) -> StoreError {
        let path = self.path.display();
        let Error::SqliteFailure(failure, text) = error else {
            return StoreError::Unusable(format!("{path}: {error}"));
        };
        let text = text.as_deref().unwrap_or("no further explanation");
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unavailable(format!(
                "{path} has been locked by another connection for longer than {} ms",
                self.options.busy_timeout.as_millis()
            )),
            ErrorCode::DiskFull => StoreError::Unavailable(format!("{path}: the disk is full")),
            ErrorCode::SystemIoFailure => {
                StoreError::Unavailable(format!("{path}: {text} (SQLite code {})", failure.extended_code))
            }
            ErrorCode::NotADatabase => {
                StoreError::Unusable(format!("{path} is not a SQLite database; choose another path"))
            }
            ErrorCode::DatabaseCorrupt => {
                StoreError::Unusable(format!("{path} is damaged ({text}); restore it from a backup or remove it"))
            }
            ErrorCode::ReadOnly if failure.extended_code == ffi::SQLITE_READONLY_DBMOVED => {
                StoreError::Unavailable(format!("{path} was moved or replaced while it was open"))
            }
            ErrorCode::ReadOnly => self.read_only(),
            ErrorCode::CannotOpen => StoreError::Unusable(format!(
                "{path} cannot be opened or made ({text}); the file and its directory must be writable"
            )),
            ErrorCode::PermissionDenied => StoreError::Unusable(format!("{path}: no permission ({text})")),
            _ => StoreError::Unavailable(format!("{path}: {text} (SQLite code {})", failure.extended_code)),
        }
    }

    pub(super) fn read_only(&self) -> StoreError {
        let path = self.path.display();
        StoreError::Unusable(format!("{path} is read-only; the file and its directory must be writable"))
    }
}
