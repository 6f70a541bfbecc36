"""``python -m safeconduct``: the demo, and files for a deployment."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime

from safeconduct import Error, KeySet, Secrets, __version__

ALGORITHMS = ("EdDSA", "Ed25519", "ES256", "HS256", "HS384", "HS512")
REASONS = ("compromised", "superseded", "unspecified")


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    top = argparse.ArgumentParser(prog="python -m safeconduct", description="Sign-in sessions and refresh tokens.")
    top.add_argument("--version", action="version", version=f"safeconduct {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command")
    commands.add_parser("demo", help="tell the life of sessions on a fresh SQLite file")
    secrets = commands.add_parser("secrets", help="master keys of refresh tokens and records")
    keys = commands.add_parser("keys", help="keys that sign access tokens")
    _add_new(secrets.add_subparsers(dest="action", metavar="new", required=True))
    actions = keys.add_subparsers(dest="action", metavar="new|list|rotate|withdraw|prune", required=True)
    _add_new(actions).add_argument("--alg", default="EdDSA", choices=ALGORITHMS, help="EdDSA where it is left out")
    actions.add_parser("list", help="each key and when it signs and verifies").add_argument("path")
    rotate = actions.add_parser("rotate", help="publish a new key, which signs once everybody can know it")
    rotate.add_argument("path")
    rotate.add_argument("--alg", choices=ALGORITHMS, help="that of the key which signs now, where it is left out")
    for name, what in (
        ("cache-lifetime", "for how long others keep the published keys"),
        ("max-ttl", "the longest life of an access token"),
        ("reload-interval", "how long until every process has read the file again"),
    ):
        rotate.add_argument(f"--{name}", type=int, metavar="SECONDS", help=what)
    withdraw = actions.add_parser("withdraw", help="let a key neither sign nor verify from now on")
    withdraw.add_argument("path")
    withdraw.add_argument("kid")
    withdraw.add_argument("--reason", default="unspecified", choices=REASONS)
    actions.add_parser("prune", help="take out keys whose time is over").add_argument("path")
    return top


def _add_new(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    new = actions.add_parser("new", help="make a file that only its owner may read; never overwrite one")
    new.add_argument("path")
    return new


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what was asked for. Gives the exit status: 2 for a wrong call, 1 for what went wrong."""
    asked = parser().parse_args(arguments)
    if asked.command is None:
        parser().print_help()
        return 0
    if asked.command == "demo":
        from safeconduct import demo

        return demo.run()
    try:
        if asked.command == "secrets":
            write_new(asked.path, Secrets.generate().to_text())
        elif asked.action == "new":
            if not KeySet.create(asked.path, asked.alg):
                raise FileExistsError
        else:
            change(asked)
    except FileExistsError:
        print(f"python -m safeconduct: {asked.path} is there already, and stays as it is", file=sys.stderr)
        return 1
    except (Error, OSError) as error:
        print(f"python -m safeconduct: {error}", file=sys.stderr)
        return 1
    return 0


def change(asked: argparse.Namespace) -> None:
    """Does to a file of keys what was asked for, and says what is in it then."""
    lengths = [getattr(asked, name, None) for name in ("cache_lifetime", "max_ttl", "reload_interval")]
    keys = KeySet.open(asked.path, cache_lifetime=lengths[0], max_ttl=lengths[1], reload_interval=lengths[2])
    if asked.action == "rotate":
        keys.rotate(asked.alg)
    elif asked.action == "withdraw":
        keys.withdraw(asked.kid, asked.reason)
    elif asked.action == "prune":
        keys.prune()
    for key in keys.phases():
        times = [(name, getattr(key, name)) for name in ("signs_from", "kept_until", "withdrawn_at")]
        shown = [f"{name.replace('_', ' ')} {_shown(time)}" for name, time in times if time is not None]
        print(key.kid, key.algorithm or "-", key.phase, *([f"({', '.join(shown)})"] if shown else []))


def _shown(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_new(path: str, text: str) -> None:
    """Makes a file that only its owner may read; where there is one, it stays as it is."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text if text.endswith("\n") else text + "\n")
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Whoever read the output left: nothing more is flushed into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
