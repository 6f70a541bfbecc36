//! Why signing keys cannot be had or changed.

use core::fmt;
use std::path::PathBuf;

use safeconduct_core::jws::KeyError;
use safeconduct_core::jws::rotation::RotationError;

use crate::private_file::Trouble;

/// Signing keys cannot be had, or stay as they are. Nothing of a key is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// The file is not there.
    Missing(PathBuf),
    /// The group of the file or others may use it.
    Exposed(PathBuf),
    /// The file cannot be read, made or changed, because.
    Unreadable(PathBuf, String),
    /// The operating system gave no randomness.
    Entropy,
    /// What is there is no set of keys.
    Key(KeyError),
    /// The keys stay as they are.
    Rotation(RotationError),
}

impl KeysError {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "keys_missing",
            Self::Exposed(_) => "keys_exposed",
            Self::Unreadable(..) => "keys_unreadable",
            Self::Entropy => "entropy_unavailable",
            Self::Key(error) => error.reason(),
            Self::Rotation(error) => error.reason(),
        }
    }

    pub(super) fn at(path: &std::path::Path) -> impl Fn(Trouble) -> Self {
        move |trouble| match trouble {
            Trouble::Missing => Self::Missing(path.into()),
            Trouble::Exposed => Self::Exposed(path.into()),
            Trouble::Io(error) => Self::Unreadable(path.into(), error.to_string()),
            Trouble::Entropy => Self::Entropy,
        }
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(f, "{} does not exist; put the signing keys there, or have it made", path.display())
            }
            Self::Exposed(path) => {
                let path = path.display();
                write!(f, "{path} may be read by its group or by others; forbid it: chmod 600 {path}")
            }
            Self::Unreadable(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Entropy => f.write_str("the operating system gave no randomness"),
            Self::Key(error) => error.fmt(f),
            Self::Rotation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<KeyError> for KeysError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<RotationError> for KeysError {
    fn from(error: RotationError) -> Self {
        Self::Rotation(error)
    }
}
