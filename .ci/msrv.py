"""The oldest Rust that is promised: no dependency asks for a newer one than the workspace declares.

That the code itself uses nothing newer is clippy's `incompatible_msrv`, which is denied.
"""

import json
import subprocess
import sys


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in (text + ".0").split(".")[:3])


metadata = json.loads(
    subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True).stdout
)
members = set(metadata["workspace_members"])
shipped = {"safeconduct-core", "safeconduct", "safeconduct-python"}
promised = {p["name"]: version(p["rust_version"]) for p in metadata["packages"] if p["name"] in shipped}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
names = {package["id"]: package for package in metadata["packages"]}

reached: set[str] = set()
todo = [identifier for identifier in members if names[identifier]["name"] in shipped]
while todo:
    identifier = todo.pop()
    if identifier in reached:
        continue
    reached.add(identifier)
    for dependency in nodes[identifier]["deps"]:
        if any(kind["kind"] in (None, "build") for kind in dependency["dep_kinds"]):
            todo.append(dependency["pkg"])

oldest = min(promised.values())
newer = [
    f"{names[i]['name']} {names[i]['version']} needs Rust {names[i]['rust_version']}"
    for i in sorted(reached)
    if names[i]["rust_version"] and version(names[i]["rust_version"]) > oldest
]
print("\n".join(newer) or f"{len(reached)} packages build with Rust {'.'.join(map(str, oldest[:2]))}")
sys.exit(bool(newer))
