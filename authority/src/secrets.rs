//! [`Secrets`] from a file that only the application can read, or from the environment.
//!
//! The file holds the text form of [`Secrets::parse`]. It is never overwritten: it is made whole under
//! another name and then linked to its own, so of two processes that start at once one makes it and the
//! other reads it. Refused: a file that its group or others may read.

use core::fmt;
use std::path::{Path, PathBuf};

use safeconduct_core::secret::{Secrets, SecretsError};
use zeroize::Zeroizing;

use crate::private_file::{self, Trouble};

/// Secrets could not be had. Fix the deployment; nothing of the secrets is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// The file is not there.
    Missing(PathBuf),
    /// The group of the file or others may use it.
    Exposed(PathBuf),
    /// The file cannot be read or made, because.
    Unreadable(PathBuf, String),
    /// The environment variable is not set, or is not text.
    NotSet(String),
    /// The operating system gave no randomness.
    Entropy,
    /// What is there are not secrets.
    Secrets(SecretsError),
}

impl SourceError {
    /// The stable reason string, listed in `spec/vectors/reasons.json`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing(_) => "secrets_missing",
            Self::Exposed(_) => "secrets_exposed",
            Self::Unreadable(..) => "secrets_unreadable",
            Self::NotSet(_) => "secrets_not_set",
            Self::Entropy => "entropy_unavailable",
            Self::Secrets(error) => error.reason(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(f, "{} does not exist; put the deployment's secrets there, or have it made", path.display())
            }
            Self::Exposed(path) => {
                let path = path.display();
                write!(f, "{path} may be read by its group or by others; forbid it: chmod 600 {path}")
            }
            Self::Unreadable(path, why) => write!(f, "{}: {why}", path.display()),
            Self::NotSet(name) => write!(f, "the environment variable {name} is not set or not text"),
            Self::Entropy => f.write_str("the operating system gave no randomness"),
            Self::Secrets(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SourceError {}

impl From<SecretsError> for SourceError {
    fn from(error: SecretsError) -> Self {
        Self::Secrets(error)
    }
}

/// New secrets: one key from the operating system's generator. They are worth what is done to keep them:
/// without them every session is lost.
///
/// # Errors
/// [`SourceError::Entropy`].
pub fn generate() -> Result<Secrets, SourceError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| SourceError::Entropy)?;
    Ok(Secrets::new(*key))
}

/// The secrets in a file.
///
/// # Errors
/// [`SourceError`] but [`SourceError::NotSet`].
pub fn from_file(path: &Path) -> Result<Secrets, SourceError> {
    let text = private_file::read(path).map_err(|trouble| troubled(path, trouble))?;
    Ok(Secrets::parse(&text)?)
}

/// The secrets in a file, which is made with [`generate`]d ones where it is not there.
///
/// # Errors
/// As [`from_file`].
pub fn from_file_or_create(path: &Path) -> Result<Secrets, SourceError> {
    match from_file(path) {
        Err(SourceError::Missing(_)) => {}
        found => return found,
    }
    private_file::create(path, &generate()?.to_text()).map_err(|trouble| troubled(path, trouble))?;
    from_file(path)
}

/// The secrets in an environment variable.
///
/// # Errors
/// [`SourceError::NotSet`], [`SourceError::Secrets`].
pub fn from_env(name: &str) -> Result<Secrets, SourceError> {
    // What the operating system cannot have as a name would be a panic.
    let is_name = !name.is_empty() && !name.contains(['=', '\0']);
    let text = if is_name { std::env::var(name).ok() } else { None };
    let text = Zeroizing::new(text.ok_or_else(|| SourceError::NotSet(name.into()))?);
    Ok(Secrets::parse(&text)?)
}

fn troubled(path: &Path, trouble: Trouble) -> SourceError {
    match trouble {
        Trouble::Missing => SourceError::Missing(path.into()),
        Trouble::Exposed => SourceError::Exposed(path.into()),
        Trouble::Io(error) => SourceError::Unreadable(path.into(), error.to_string()),
        Trouble::Entropy => SourceError::Entropy,
    }
}
