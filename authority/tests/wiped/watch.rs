//! A global allocator that looks into each block as it is given back.
//!
//! Whatever a secret leaves on the heap comes by here: a value that is dropped, a buffer that grew and was moved, a
//! copy that everybody forgot. What lies on the stack or in registers does not.
#![allow(unsafe_code, reason = "an allocator is unsafe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

/// Bytes that must not be left behind.
pub(crate) struct Needle {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Needle {
    pub(crate) fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 16, "too short to be found by anything but chance");
        Self { name: name.into(), bytes: bytes.to_vec() }
    }
}

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static NEEDLES: RefCell<Vec<Needle>> = const { RefCell::new(Vec::new()) };
    /// One for each needle. Never grows while it is watched.
    static FOUND: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

struct Watcher;

#[global_allocator]
static WATCHER: Watcher = Watcher;

// SAFETY: all memory is that of the system's allocator. A block is read before it is given back, and every block
// was filled with zeros when it was handed out. Growing is the default: another block, a copy, the old one back.
unsafe impl GlobalAlloc for Watcher {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHING.try_with(Cell::get).unwrap_or(false) {
            // SAFETY: the block is whole, filled, and nobody else's any more.
            look(unsafe { std::slice::from_raw_parts(block, layout.size()) });
        }
        // SAFETY: the caller's promise is the system's.
        unsafe { System.dealloc(block, layout) }
    }
}

fn look(block: &[u8]) {
    NEEDLES.with_borrow(|needles| {
        for (i, needle) in needles.iter().enumerate() {
            if block.windows(needle.bytes.len()).any(|window| window == needle.bytes) {
                FOUND.with_borrow_mut(|found| found[i] = true);
            }
        }
    });
}

/// The names of the needles that `work` left in memory which it gave back.
pub(crate) fn left_behind(needles: Vec<Needle>, work: impl FnOnce()) -> Vec<String> {
    FOUND.set(vec![false; needles.len()]);
    NEEDLES.set(needles);
    WATCHING.set(true);
    work();
    WATCHING.set(false);
    let needles = NEEDLES.take();
    let found = FOUND.take();
    needles.into_iter().zip(found).filter(|(_, found)| *found).map(|(needle, _)| needle.name).collect()
}

/// A value's own bytes in memory, as far as it has no padding.
pub(crate) fn image<T: Copy>(value: &T) -> Vec<u8> {
    // SAFETY: plain numbers in an array or a newtype of one have no padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }.to_vec()
}
