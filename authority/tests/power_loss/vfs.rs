//! A SQLite VFS whose files are on simulated [`Disk`]s.
//!
//! A file `/tmp/<number>.anything` is on the disk of that number. Locks and shared memory are those of
//! one process. Directory syncs follow `os_unix.c`: the first sync of a new journal or write-ahead log
//! syncs its directory, and so does a deletion that asks for it.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::disk::{Disk, Inode};
use crate::locks::{self, Locks, SharedMemory};

pub(crate) const NAME: &str = "power-loss";

/// A disk with what the operating system knows about its open files.
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    pub(crate) locks: BTreeMap<Inode, Locks>,
    pub(crate) shared: BTreeMap<String, SharedMemory>,
}

pub(crate) type Shared = Arc<Mutex<Machine>>;

static MACHINES: LazyLock<Mutex<BTreeMap<u64, Shared>>> = LazyLock::new(Mutex::default);

static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts `disk` into a new machine and gives its number.
pub(crate) fn boot(disk: Disk) -> (u64, Shared) {
    register();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let machine = Machine { disk, locks: BTreeMap::new(), shared: BTreeMap::new() };
    let machine = Arc::new(Mutex::new(machine));
    locked(&MACHINES).insert(number, machine.clone());
    (number, machine)
}

/// Forgets a machine. Its disk goes when the last file on it is closed.
pub(crate) fn scrap(number: u64) {
    locked(&MACHINES).remove(&number);
}

fn split(name: &str) -> Option<(Shared, String)> {
    let (number, rest) = name.strip_prefix("/tmp/")?.split_once('.')?;
    let machine = locked(&MACHINES).get(&number.parse().ok()?)?.clone();
    Some((machine, rest.to_owned()))
}

/// An open file, as SQLite allocates it.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

pub(crate) struct Open {
    pub(crate) machine: Shared,
    pub(crate) inode: Inode,
    pub(crate) name: String,
    pub(crate) level: c_int,
    /// Whether the next sync also syncs the directory.
    new_journal: bool,
    pub(crate) maps_shared: bool,
    /// The shared-memory locks that this file holds: 1 shared, -1 exclusive.
    pub(crate) holds: [i32; 8],
}

/// # Safety
/// `file` is one that `open` filled and `close` has not seen; SQLite uses it from one thread at a time.
pub(crate) unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    unsafe { &mut *(*file.cast::<File>()).open }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn text(name: *const c_char) -> String {
    if name.is_null() { String::new() } else { unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned() }
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    unsafe { (*file).pMethods = std::ptr::null() };
    let Some((machine, name)) = split(&unsafe { text(name) }) else { return ffi::SQLITE_CANTOPEN };
    let mut host = locked(&machine);
    let found = host.disk.names.get(&name).copied();
    let inode = match found {
        Some(inode) => inode,
        None if flags & ffi::SQLITE_OPEN_CREATE != 0 => host.disk.create(Some(name.clone())),
        None => return ffi::SQLITE_CANTOPEN,
    };
    drop(host);
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let new_journal = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journals != 0;
    let open = Open { machine, inode, name, level: 0, new_journal, maps_shared: false, holds: [0; 8] };
    unsafe {
        (*file.cast::<File>()).open = Box::into_raw(Box::new(open));
        (*file).pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    let Some((machine, name)) = split(&unsafe { text(name) }) else { return ffi::SQLITE_IOERR_DELETE };
    let mut host = locked(&machine);
    if !host.disk.names.contains_key(&name) {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    host.disk.delete(&name);
    if sync_directory != 0 {
        host.disk.ops.push(crate::disk::Op::SyncDirectory);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn access(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    result: *mut c_int,
) -> c_int {
    // As `os_unix.c`: a file of size zero does not exist.
    let exists = split(&unsafe { text(name) }).is_some_and(|(machine, name)| {
        let host = locked(&machine);
        host.disk.names.get(&name).is_some_and(|inode| !host.disk.contents[*inode].is_empty())
    });
    unsafe { *result = c_int::from(exists) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > size as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe {
        locks::unlock(file, ffi::SQLITE_LOCK_NONE);
        drop(Box::from_raw((*file.cast::<File>()).open));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, length: c_int, at: i64) -> c_int {
    let open = unsafe { opened(file) };
    let host = locked(&open.machine);
    let content = &host.disk.contents[open.inode];
    let into = unsafe { std::slice::from_raw_parts_mut(into.cast::<u8>(), length as usize) };
    let rest = content.get(at as usize..).unwrap_or_default();
    let there = rest.len().min(into.len());
    into[..there].copy_from_slice(&rest[..there]);
    into[there..].fill(0);
    if there < into.len() { ffi::SQLITE_IOERR_SHORT_READ } else { ffi::SQLITE_OK }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, length: c_int, at: i64) -> c_int {
    let open = unsafe { opened(file) };
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length as usize) };
    locked(&open.machine).disk.write(open.inode, at as usize, bytes);
    ffi::SQLITE_OK
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let open = unsafe { opened(file) };
    locked(&open.machine).disk.truncate(open.inode, size as usize);
    ffi::SQLITE_OK
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    let open = unsafe { opened(file) };
    let mut host = locked(&open.machine);
    host.disk.ops.push(crate::disk::Op::Sync(open.inode));
    if std::mem::take(&mut open.new_journal) {
        host.disk.ops.push(crate::disk::Op::SyncDirectory);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    let open = unsafe { opened(file) };
    unsafe { *size = locked(&open.machine).disk.contents[open.inode].len() as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _op: c_int, _arg: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As `os_unix.c` says of every disk by default: a write damages nothing beside it.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(locks::lock),
    xUnlock: Some(locks::unlock),
    xCheckReservedLock: Some(locks::check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(locks::shm_map),
    xShmLock: Some(locks::shm_lock),
    xShmBarrier: Some(locks::shm_barrier),
    xShmUnmap: Some(locks::shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Registers the VFS, once: the default one with other files.
fn register() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| unsafe {
        // SAFETY: the default VFS lives as long as the process, and so does the copy, which is leaked.
        // Time, sleep and randomness stay those of the default VFS.
        ffi::sqlite3_initialize();
        let mut vfs = *ffi::sqlite3_vfs_find(std::ptr::null());
        vfs.szOsFile = size_of::<File>() as c_int;
        vfs.pNext = std::ptr::null_mut();
        vfs.zName = c"power-loss".as_ptr();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        vfs.xFullPathname = Some(full_pathname);
        assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0), ffi::SQLITE_OK);
    });
}
