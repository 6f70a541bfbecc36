"""`safeconduct-core` is `no_std`: it says so, no dependency of it has a feature `std` switched on, and it is linked
into a program that has neither the standard library nor the C library, which signs in, refreshes, verifies and
revokes. A program that does bring the standard library must not build: otherwise this check could not fail.
"""

import os
import pathlib
import shutil
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
probe = root / "core/probe"
target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "build")) / "probe"


def main() -> int:
    return states_it() or links() or standard_library_is_found()


def states_it() -> int:
    says_so = "#![no_std]" in (root / "core/src/lib.rs").read_text()
    tree = subprocess.run(
        ["cargo", "tree", "--locked", "-p", "safeconduct-core", "-e", "features,normal", "--prefix", "none"],
        check=True, capture_output=True, text=True, cwd=root,
    ).stdout
    std = sorted({line for line in tree.splitlines() if 'feature "std"' in line})
    print("\n".join(std) or f"{len(set(tree.splitlines()))} features, none of them std")
    return bool(std) or not says_so


def build(*options: str) -> subprocess.CompletedProcess[str]:
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--target-dir", str(target), *options]
    return subprocess.run(command, cwd=probe, capture_output=True, text=True)


def links() -> int:
    built = build()
    if built.returncode:
        print(built.stderr)
        return 1
    if sys.platform != "linux" or os.uname().machine not in ("x86_64", "aarch64"):
        print("skipped: the program without a library is for Linux on x86_64 and aarch64")
        return 0
    program = target / "program"
    linked = subprocess.run(
        [shutil.which("cc") or "gcc", "-O1", "-ffreestanding", "-fno-tree-loop-distribute-patterns",
         "-fno-stack-protector", "-nostdlib", "-static", "-Wl,--gc-sections", "-o", str(program), "start.c",
         str(target / "release/libsafeconduct_probe.a")],
        cwd=probe, capture_output=True, text=True,
    )
    if linked.returncode:
        print("beside what start.c brings, the core needs:", linked.stderr, sep="\n")
        return 1
    ended = subprocess.run([program], timeout=60).returncode
    print(f"a program of {program.stat().st_size} bytes without any library ended with {ended}")
    return ended


def standard_library_is_found() -> int:
    built = build("--features", "std")
    found = built.returncode != 0 and "error[E0152]: found duplicate lang item `panic_impl`" in built.stderr
    print("a probe with the standard library does not build: E0152" if found else "std was not found:\n" + built.stderr)
    return not found


if __name__ == "__main__":
    sys.exit(main())
