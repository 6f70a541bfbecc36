//! Files that only their owner may read: secrets and signing keys.
//!
//! A file is made whole under another name first, so nobody ever reads half of it, also after a crash or a power loss:
//! its bytes reach the disk before its name does, and the name before anybody is told. Refused: a file that its group
//! or others may use.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use safeconduct_core::encoding::base64url;
use zeroize::Zeroizing;

/// Larger than any file of keys or secrets that is accepted.
const MAX_LEN: u64 = 65_536;

const CAPACITY: usize = 65_600;

/// What is the matter with a file.
#[derive(Debug)]
pub(crate) enum Trouble {
    Missing,
    Exposed,
    Io(io::Error),
    Entropy,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound { Self::Missing } else { Self::Io(error) }
    }
}

/// What is about to be done on the way to a new file. A test may make any of it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Make,
    Write,
    SyncFile,
    Name,
    SyncFolder,
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, Trouble> {
    let file = File::open(path)?;
    if is_exposed(&file.metadata()?) {
        return Err(Trouble::Exposed);
    }
    // Room for all of it and for the look past its end: a text that grows would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(CAPACITY));
    file.take(MAX_LEN.saturating_add(1)).read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a file, unless there is one: then it stays as it is, and the answer is `false`.
pub(crate) fn create(path: &Path, text: &str) -> Result<bool, Trouble> {
    let draft = Draft::write(path, text, None, &mut |_| Ok(()))?;
    match fs::hard_link(&draft.path, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        linked => linked?,
    }
    sync_folder(path)?;
    Ok(true)
}

/// Puts `text` in the place of a file that is there, for the same owner.
pub(crate) fn replace(path: &Path, text: &str, step: &mut dyn FnMut(Step) -> io::Result<()>) -> Result<(), Trouble> {
    // A link stays a link.
    let path = fs::canonicalize(path)?;
    let draft = Draft::write(&path, text, Some(&fs::metadata(&path)?), step)?;
    step(Step::Name)?;
    fs::rename(&draft.path, &path)?;
    step(Step::SyncFolder)?;
    sync_folder(&path)?;
    Ok(())
}

/// Waits until no other process changes the file, and keeps it so until the lock is dropped. A process that dies
/// lets go. The lock is on a file of its own, since the file itself is replaced.
pub(crate) fn lock(path: &Path) -> Result<File, Trouble> {
    let path = fs::canonicalize(path)?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path.with_file_name(name))?;
    // Where root changes the file of another user, that user must be able to lock it next. Others cannot give.
    let _ = give(&file, &fs::metadata(&path)?);
    file.lock()?;
    Ok(file)
}

/// A file that has no name yet but a passing one, which goes with it.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn write(
        path: &Path,
        text: &str,
        owner: Option<&Metadata>,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<Self, Trouble> {
        let mut name = [0; 12];
        getrandom::fill(&mut name).map_err(|_| Trouble::Entropy)?;
        let draft = Self { path: folder(path).join(format!(".{}.new", base64url::encode(&name))) };
        step(Step::Make)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft.path).map_err(Trouble::Io)?;
        if let Some(owner) = owner {
            give(&file, owner)?;
        }
        step(Step::Write)?;
        file.write_all(text.as_bytes())?;
        step(Step::SyncFile)?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already where it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// So that the name is there after a power loss too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path)).and_then(|folder| folder.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whoever changes a file for its owner, as root may, leaves it the owner's.
#[cfg(unix)]
fn give(file: &File, owner: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(not(unix))]
fn give(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_exposed(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
#[path = "private_file_tests.rs"]
mod tests;
