//! The client requests of valgrind's memcheck that this program makes, without a dependency.
//!
//! A request is a sequence of instructions that changes nothing on a real processor and that valgrind knows.
//! Outside valgrind every request answers zero.
#![allow(unsafe_code, reason = "a request is inline assembly")]

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;
use std::mem::size_of_val;

const RUNNING_ON_VALGRIND: usize = 0x1001;
const MAKE_MEM_UNDEFINED: usize = 0x4d43_0001;
const MAKE_MEM_DEFINED: usize = 0x4d43_0002;

/// Makes a request with two arguments.
#[cfg(target_arch = "x86_64")]
fn request(code: usize, first: usize, second: usize) -> usize {
    let arguments = [code, first, second, 0, 0, 0];
    let mut answer = 0;
    // SAFETY: rotated by 128 bits in all, rdi is what it was; memcheck writes to no memory of the program.
    unsafe {
        asm!("rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(), inout("rdx") answer, options(nostack));
    }
    answer
}

/// Makes a request with two arguments.
#[cfg(target_arch = "aarch64")]
fn request(code: usize, first: usize, second: usize) -> usize {
    let arguments = [code, first, second, 0, 0, 0];
    let mut answer = 0;
    // SAFETY: rotated by 128 bits in all, x12 is what it was; memcheck writes to no memory of the program.
    unsafe {
        asm!("ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61", "orr x10, x10, x10",
            in("x4") arguments.as_ptr(), inout("x3") answer, options(nostack));
    }
    answer
}

/// There are no requests for other processors; [`is_watching`] says so.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn request(_: usize, _: usize, _: usize) -> usize {
    0
}

/// Whether valgrind is running this program.
pub(crate) fn is_watching() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) != 0
}

/// Makes bytes secret: from here on memcheck reports each branch and each address that depends on them.
pub(crate) fn secret<T: ?Sized>(value: &mut T) {
    let length = size_of_val(value);
    request(MAKE_MEM_UNDEFINED, std::ptr::from_mut(value).cast::<u8>().expose_provenance(), length);
}

/// Makes bytes public again. Only the functions of [`declassify`](crate::declassify) call this.
pub(crate) fn public<T: ?Sized>(value: &mut T) {
    let length = size_of_val(value);
    request(MAKE_MEM_DEFINED, std::ptr::from_mut(value).cast::<u8>().expose_provenance(), length);
}
