//! The locks and the shared memory of the simulated machine, among the connections of one process.

use std::ffi::{c_int, c_void};

use rusqlite::ffi;

use crate::vfs::{locked, opened};

#[derive(Default)]
pub(crate) struct Locks {
    shared: usize,
    reserved: bool,
    exclusive: bool,
}

/// The wal-index of a database: its regions and the eight locks on it (-1 is exclusive).
#[derive(Default)]
pub(crate) struct SharedMemory {
    regions: Vec<Box<[u64]>>,
    locks: [i32; 8],
    users: usize,
}

pub(crate) unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    let open = unsafe { opened(file) };
    if open.level >= level {
        return ffi::SQLITE_OK;
    }
    let mut host = locked(&open.machine);
    let locks = host.locks.entry(open.inode).or_default();
    let own = usize::from(open.level >= ffi::SQLITE_LOCK_SHARED);
    let others_reserve = locks.reserved && open.level < ffi::SQLITE_LOCK_RESERVED;
    let free = match level {
        ffi::SQLITE_LOCK_SHARED => !locks.exclusive,
        ffi::SQLITE_LOCK_RESERVED => !others_reserve,
        _ => !others_reserve && locks.shared == own,
    };
    if !free {
        return ffi::SQLITE_BUSY;
    }
    locks.shared += 1 - own;
    locks.reserved |= level >= ffi::SQLITE_LOCK_RESERVED;
    locks.exclusive |= level == ffi::SQLITE_LOCK_EXCLUSIVE;
    open.level = level;
    ffi::SQLITE_OK
}

pub(crate) unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    let open = unsafe { opened(file) };
    if open.level <= level {
        return ffi::SQLITE_OK;
    }
    let mut host = locked(&open.machine);
    let locks = host.locks.entry(open.inode).or_default();
    if open.level >= ffi::SQLITE_LOCK_RESERVED {
        (locks.reserved, locks.exclusive) = (false, false);
    }
    if level == ffi::SQLITE_LOCK_NONE {
        locks.shared -= 1;
    }
    open.level = level;
    ffi::SQLITE_OK
}

pub(crate) unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    let open = unsafe { opened(file) };
    let reserved = locked(&open.machine).locks.get(&open.inode).is_some_and(|locks| locks.reserved);
    unsafe { *result = c_int::from(reserved) };
    ffi::SQLITE_OK
}

pub(crate) unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let open = unsafe { opened(file) };
    let mut host = locked(&open.machine);
    let shared = host.shared.entry(open.name.clone()).or_default();
    if !std::mem::replace(&mut open.maps_shared, true) {
        shared.users += 1;
    }
    while extend != 0 && shared.regions.len() <= region as usize {
        shared.regions.push(vec![0_u64; size as usize / 8].into());
    }
    let place = shared.regions.get_mut(region as usize).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr());
    unsafe { *out = place.cast() };
    ffi::SQLITE_OK
}

pub(crate) unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let open = unsafe { opened(file) };
    let mut host = locked(&open.machine);
    let shared = host.shared.entry(open.name.clone()).or_default();
    let range = first as usize..(first + count) as usize;
    for slot in range.clone() {
        let (all, own) = (shared.locks[slot], open.holds[slot]);
        let free = if flags & ffi::SQLITE_SHM_UNLOCK != 0 || own != 0 {
            true
        } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
            all >= 0
        } else {
            all == 0
        };
        if !free {
            return ffi::SQLITE_BUSY;
        }
    }
    for slot in range {
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            shared.locks[slot] -= open.holds[slot];
            open.holds[slot] = 0;
        } else if open.holds[slot] == 0 {
            open.holds[slot] = if flags & ffi::SQLITE_SHM_SHARED != 0 { 1 } else { -1 };
            shared.locks[slot] += open.holds[slot];
        }
    }
    ffi::SQLITE_OK
}

pub(crate) unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

pub(crate) unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    let open = unsafe { opened(file) };
    let mut host = locked(&open.machine);
    if std::mem::take(&mut open.maps_shared)
        && let Some(shared) = host.shared.get_mut(&open.name)
    {
        shared.users -= 1;
        if shared.users == 0 {
            host.shared.remove(&open.name);
        }
    }
    ffi::SQLITE_OK
}
