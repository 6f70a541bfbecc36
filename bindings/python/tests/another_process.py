"""Work on a SQLite file from another process.

Never from this one: Python's `sqlite3` is a second copy of SQLite, and two copies in one process do not see
each other's locks on a file (https://sqlite.org/howtocorrupt.html, section 2.2.1).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEAD = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"


def run_sql(path: Path, *statements: str) -> None:
    """Runs the statements, one after the other."""
    script = HEAD + "\n".join(f"db.execute({statement!r})" for statement in statements)
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


@contextmanager
def holding(path: Path, statement: str) -> Iterator[None]:
    """Holds whatever the statement takes until the block ends."""
    script = HEAD + f"db.execute({statement!r}); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
