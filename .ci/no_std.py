"""`safeconduct-core` is `no_std`: it says so, and no dependency of it has a feature `std` switched on."""

import pathlib
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
says_so = "#![no_std]" in (root / "core/src/lib.rs").read_text()
tree = subprocess.run(
    ["cargo", "tree", "--locked", "-p", "safeconduct-core", "-e", "features,normal", "--prefix", "none"],
    check=True, capture_output=True, text=True, cwd=root,
).stdout
std = sorted({line for line in tree.splitlines() if 'feature "std"' in line})
print("\n".join(std) or f"{len(set(tree.splitlines()))} features, none of them std")
sys.exit(bool(std) or not says_so)
