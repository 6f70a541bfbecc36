"""The tables of benches/README.md, each a function from what was measured to Markdown and to what was missed.

Of each series of times the first decile is taken: what it costs when nobody else is using the machine. A ratio carries
over to another machine, a time does not.
"""
import json
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BUILD = ROOT / "build"

# What is measured, what it is divided by, and the most that the quotient may be.
ROWS = [
    ("hs256/sign", "hs256/floor", 2.5, "sign, HS256 ÷ bare HMAC-SHA256 of the same bytes"),
    ("hs256/verify", "hs256/floor", 1.8, "verify, HS256 ÷ bare HMAC-SHA256 of the same bytes"),
    ("hs256_own/sign", "hs256_own/floor", None, "sign, HS256, a token of our own issuer with 13 claims ÷ the same"),
    ("hs256_own/verify", "hs256_own/floor", None, "verify, HS256, a token of our own issuer with 13 claims ÷ the same"),
    ("hs256/cache_hit", "hs256/floor", 0.5, "verify, HS256, remembered ÷ bare HMAC-SHA256 of the same bytes"),
    ("eddsa/cache_hit", "hs256/floor", 0.5, "verify, EdDSA, remembered ÷ bare HMAC-SHA256 of the HS256 token"),
    ("eddsa/sign", "eddsa/floor_sign", 1.1, "sign, EdDSA ÷ bare Ed25519 sign"),
    ("eddsa/verify", "eddsa/floor_verify", 1.03, "verify, EdDSA ÷ bare Ed25519 verify_strict"),
    ("es256/sign", "es256/floor_sign", None, "sign, ES256 ÷ bare P-256 sign"),
    ("es256/verify", "es256/floor_verify", 1.03, "verify, ES256 ÷ bare P-256 verify"),
    ("transition/committed", "transition/floor", 0.5, "transition, Committed ÷ one HMAC-SHA256 of 64 bytes"),
    ("transition/window", "transition/floor", 0.5, "transition, Window ÷ one HMAC-SHA256 of 64 bytes"),
    ("refresh_token/parse", "transition/floor", None, "refresh token, parse ÷ one HMAC-SHA256 of 64 bytes"),
    ("refresh_token/parse_and_authenticate", "transition/floor", None, "refresh token, parse and authenticate ÷ the same"),
    ("record/read_and_write", "transition/floor", None, "record, read, decide, write ÷ the same"),
    ("rotate/memory_hs256", "hs256/sign", None, "refresh on memory, HS256 ÷ sign, HS256"),
    ("rotate/memory_eddsa", "eddsa/sign", None, "refresh on memory, EdDSA ÷ sign, EdDSA"),
    ("rotate/sqlite_off", "engine/sqlite_off", None, "refresh on SQLite, OFF ÷ its two transactions alone"),
    ("rotate/sqlite_full", "engine/sqlite_full", None, "refresh on SQLite, FULL ÷ its two transactions alone"),
]
# What the disk takes for an fsync says nothing where others use the disk: printed, not written.
PRINTED_ONLY = {"rotate/sqlite_full"}

ALGORITHMS = ("HS256", "EdDSA", "ES256")
# The directory of criterion, the crate, and what is said beside its name.
LIBRARIES = [
    ("safeconduct", "safeconduct", ""),
    ("safeconduct_copied", "safeconduct", ", claims copied"),
    ("oxitoken_aws_lc_rs", "oxitoken", ", aws-lc-rs"),
    ("jsonwebtoken_aws_lc_rs", "jsonwebtoken", ", aws_lc_rs"),
    ("jsonwebtoken_rust_crypto", "jsonwebtoken", ", rust_crypto"),
    ("jwt_compact", "jwt-compact", ""),
    ("jwt_simple", "jwt-simple", ""),
]
# How many times as long as this library the other one has to take in Python, at least.
PYTHON_TARGETS = {("PyJWT", "HS256"): 20.0, ("PyJWT", "EdDSA"): 3.5}


def nanoseconds(*names: str) -> float:
    """The first decile over the samples of each of `names`, as one series."""
    each = []
    for name in names:
        sample = json.loads((TARGET / "criterion" / name / "new" / "sample.json").read_text())
        each += [time / count for time, count in zip(sample["times"], sample["iters"])]
    return sorted(each)[len(each) // 10]


def in_turns(group: str, library: str) -> float:
    """As `nanoseconds`, of a library that had several turns."""
    turns = sorted((TARGET / "criterion" / group).glob(f"{library}_turn_*"))
    return nanoseconds(*(f"{group}/{turn.name}" for turn in turns))


def markdown(head: list[str], rows: list[list[str]]) -> str:
    line = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", line, *(f"| {' | '.join(row)} |" for row in rows)])


def product(times: bool) -> tuple[str, list[str]]:
    """This library against the bare primitives, with the times or without."""
    rows, missed = [], []
    for name, floor, limit, text in ROWS:
        if not times and name in PRINTED_ONLY:
            continue
        time = nanoseconds(name)
        ratio = time / nanoseconds(floor)
        over = limit is not None and ratio > limit
        if over:
            missed.append(f"{text}: {ratio:.2f}, not {limit}")
        reach = "" if limit is None else f"≤ {limit}{', not reached' if over else ''}"
        rows.append([text, f"{ratio:.2f}", reach] + ([f"{time / 1000:.2f} µs"] if times else []))
    return markdown(["what ÷ floor", "ratio", "to reach"] + (["time here"] if times else []), rows), missed


def ratios(operation: str) -> dict[str, dict[str, float]]:
    """By the name of the library and the algorithm: its time, divided by that of the bare primitive."""
    versions = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', (ROOT / "benches/peers/Cargo.lock").read_text()))
    found: dict[str, dict[str, float]] = {}
    for directory, crate, beside in LIBRARIES:
        if operation == "sign" and directory == "safeconduct_copied":
            continue
        shown = crate + beside if crate == "safeconduct" else f"{crate} {versions[crate]}{beside}"
        groups = {algorithm: f"peers_{algorithm.lower()}_{operation}" for algorithm in ALGORITHMS}
        found[shown] = {
            algorithm: in_turns(group, directory) / in_turns(group, "floor") for algorithm, group in groups.items()
        }
    return found


def rust() -> str:
    """This library and others in Rust."""
    verify, sign = ratios("verify"), ratios("sign")
    head = ["library"] + [f"{operation}, {algorithm}" for operation in ("verify", "sign") for algorithm in ALGORITHMS]
    rows = []
    for name, each in verify.items():
        signed = [f"{sign[name][algorithm]:.2f}" for algorithm in ALGORITHMS] if name in sign else ["the same"] * 3
        rows.append([name] + [f"{each[algorithm]:.2f}" for algorithm in ALGORITHMS] + signed)
    return markdown(head, rows)


def python(times: bool) -> tuple[str, list[str]]:
    """Others in Python: how many times as long as this library they take."""
    measured = json.loads((BUILD / "python-peers.json").read_text())
    versions = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", (ROOT / "benches/python/requirements.txt").read_text()))
    rows, missed = [], []
    for name in measured["HS256"]:
        shown = "the bare primitive" if name == "floor" else f"{name} {versions[name]}" if name in versions else name
        row = [shown]
        for algorithm in ALGORITHMS:
            if name not in measured[algorithm]:
                row.append("has none")
                continue
            time = measured[algorithm][name]
            ratio, target = time / measured[algorithm]["safeconduct"], PYTHON_TARGETS.get((name, algorithm))
            if target is not None and ratio < target:
                missed.append(f"Python, {name}, {algorithm}: {ratio:.2f}, not {target}")
            reach = "" if target is None else f" (to reach: ≥ {target:g}{', not reached' if ratio < target else ''})"
            row.append(f"{ratio:.2f}{reach}" + (f", {time / 1000:.2f} µs" if times else ""))
        rows.append(row)
    return markdown(["verify"] + list(ALGORITHMS), rows), missed
