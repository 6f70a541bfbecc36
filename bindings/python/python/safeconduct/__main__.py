"""``python -m safeconduct``: the demo, and files for a deployment."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from safeconduct import Error, KeySet, Secrets, __version__

ALGORITHMS = ("EdDSA", "Ed25519", "HS256", "HS384", "HS512")


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    top = argparse.ArgumentParser(prog="python -m safeconduct", description="Sign-in sessions and refresh tokens.")
    top.add_argument("--version", action="version", version=f"safeconduct {__version__}")
    commands = top.add_subparsers(dest="command", metavar="command")
    commands.add_parser("demo", help="tell the life of sessions on a fresh SQLite file")
    for name, what in (("secrets", "master keys of refresh tokens and records"), ("keys", "keys that sign access tokens")):
        made = commands.add_parser(name, help=what).add_subparsers(dest="action", metavar="new", required=True)
        new = made.add_parser("new", help="make a file that only its owner may read; never overwrite one")
        new.add_argument("path")
        if name == "keys":
            new.add_argument("--alg", default="EdDSA", choices=ALGORITHMS, help="EdDSA where it is left out")
    return top


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
        text = Secrets.generate().to_text() if asked.command == "secrets" else KeySet.generate(asked.alg).private_jwks()
        write_new(asked.path, text)
    except FileExistsError:
        print(f"python -m safeconduct: {asked.path} is there already, and stays as it is", file=sys.stderr)
        return 1
    except (Error, OSError) as error:
        print(f"python -m safeconduct: {error}", file=sys.stderr)
        return 1
    return 0


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
