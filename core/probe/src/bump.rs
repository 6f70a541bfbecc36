//! Memory that is handed out once and never taken back: enough for one scene.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 1 << 20;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; SIZE]>);

// SAFETY: every byte is handed out to one owner at most.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);

struct Bump;

// SAFETY: what is handed out is inside the arena, aligned up to 16 bytes, and handed out once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let room = layout.size().next_multiple_of(16);
        let begin = USED.fetch_add(room, Ordering::Relaxed);
        if layout.align() > 16 || begin.saturating_add(room) > SIZE {
            return null_mut();
        }
        // SAFETY: begin + room is at most the length of the arena.
        unsafe { ARENA.0.get().cast::<u8>().add(begin) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;
