//! `safeconduct._native`: what the Python package is made of. Conversions only; every decision is made
//! in the crates `safeconduct` and `safeconduct-core`.
//!
//! | file | Python |
//! |---|---|
//! | `authority` | `Authority` |
//! | `grant` | `Grant`, `Session` |
//! | `verifier`, `claims` | `Verifier`, `Claims` |
//! | `policy` | `Policy`, `Replay` |
//! | `keys`, `key_set` | `SigningKey`, `VerifyingKey`, `KeySet`, `KeyStatus` |
//! | `remote` | `RemoteKeys` |
//! | `secrets` | `Secrets` |
//! | `store` | `MemoryStore`, `SqliteStore` |
//! | `refresh_token` | `RefreshToken` |
//! | `error` | raises what `safeconduct.errors` defines |
//! | `clock`, `time`, `text` | arguments |
//! | `fork` | what happens around `os.fork` |

mod authority;
mod claims;
mod clock;
mod error;
mod fork;
mod grant;
mod key_set;
mod keys;
mod policy;
mod refresh_token;
mod remote;
mod secrets;
mod store;
mod text;
mod time;
mod verifier;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::authority::Authority;
    #[pymodule_export]
    use super::claims::Claims;
    #[pymodule_export]
    use super::error::_reasons;
    #[pymodule_export]
    use super::grant::{Grant, Session};
    #[pymodule_export]
    use super::key_set::{KeySet, KeyStatus};
    #[pymodule_export]
    use super::keys::{SigningKey, VerifyingKey};
    #[pymodule_export]
    use super::policy::{Policy, Replay};
    #[pymodule_export]
    use super::refresh_token::RefreshToken;
    #[pymodule_export]
    use super::remote::RemoteKeys;
    #[pymodule_export]
    use super::secrets::Secrets;
    #[pymodule_export]
    use super::store::{MemoryStore, SqliteStore};
    #[pymodule_export]
    use super::verifier::Verifier;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init(module: &super::Bound<'_, super::PyModule>) -> super::PyResult<()> {
        super::fork::register(module.py())
    }
}
