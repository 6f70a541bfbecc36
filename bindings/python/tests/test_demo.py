"""The demo tells the truth, and fails where it would not; the command line makes what it says."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import safeconduct as sc
from safeconduct import demo


def command(*arguments: str, options: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "safeconduct", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-O",)])
def test_the_demo_succeeds_and_fits_a_terminal(options: tuple[str, ...]) -> None:
    told = command("demo", options=options)
    assert (told.returncode, told.stderr) == (0, "")
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert "\x1b" not in told.stdout
    for outcome in ("rotated", "repeated", "superseded", "reuse_detected", "revoked", "stale_claims", "amended"):
        assert f"→ {outcome} " in told.stdout
    assert told.stdout.splitlines()[-1].startswith("12 steps, 45 checks, all as said")


def test_the_demo_speaks_plain_ascii_where_it_must() -> None:
    told = command("demo", PYTHONIOENCODING="ascii")
    assert told.returncode == 0 and told.stdout.isascii()


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_and_honour_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured, plain = Terminal(), Terminal()
    assert demo.run(coloured) == 0 and "\x1b[" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    assert demo.run(plain) == 0 and "\x1b[" not in plain.getvalue()


class Liar:
    """An authority of which one method does nothing, or refuses for another reason."""

    method: str
    lie: Any

    def __init__(self, **parts: Any) -> None:
        self.authority = sc.Authority(**parts)

    def __getattr__(self, name: str) -> Any:
        return self.lie if name == self.method else getattr(self.authority, name)


def refuses(*_: object, **__: object) -> None:
    raise sc.NotOurs("not a token of this issuer", "not_ours")


def gives_nothing(*_: object, **__: object) -> None:
    return None


def lists_nothing(*_: object, **__: object) -> list[sc.Session]:
    return []


METHODS = "issue verify refresh authenticate amend revoke revoke_subject erase_subject".split()
LIES = [(method, lie) for method in METHODS for lie in (refuses, gives_nothing)]
LIES += [("sessions", refuses), ("sessions", lists_nothing)]


@pytest.mark.parametrize(("method", "lie"), LIES)
def test_the_demo_fails_where_a_step_does_not_do_what_it_says(
    method: str, lie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "Authority", type("Lying", (Liar,), {"method": method, "lie": staticmethod(lie)}))
    told = io.StringIO()
    assert demo.run(told) == 1
    assert "step " in told.getvalue().splitlines()[-1]


@pytest.mark.parametrize("secret", ["access", "refresh", "opaque", "drawn", "signing", "master"])
def test_the_demo_fails_where_the_database_holds_a_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stories: list[demo.Story] = []

    class Watched(demo.Story):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            stories.append(self)

    def leaking(path: Path) -> dict[str, bytes]:
        story = stories[-1]
        [access, *_] = (token for token in story.tokens if token.startswith("eyJ"))
        [refresh, *_] = (token for token in story.tokens if token.startswith("scr1_"))
        [opaque] = (token for token in story.tokens if token.startswith("sco1_"))
        left = {
            "access": access.rpartition(".")[2].encode(),
            "refresh": demo.decoded(refresh[5:])[21:53],
            "opaque": opaque.encode(),
            "drawn": demo.decoded(story.drawn[3]).hex().encode(),
            "signing": next(iter(demo.private_parts(story.keys.private_jwks()))),
            "master": demo.decoded(story.secrets.to_text().strip()[5:])[1:],
        }
        return real(path) | {"sessions.db-wal": real(path)["sessions.db-wal"] + left[secret]}

    real = demo.files
    monkeypatch.setattr(demo, "Story", Watched)
    monkeypatch.setattr(demo, "files", leaking)
    assert demo.run(io.StringIO()) == 1


def test_a_wrong_call_is_told_so() -> None:
    usage = command()
    assert usage.returncode == 0 and usage.stdout.startswith("usage: python -m safeconduct")
    assert command("--help").stdout == usage.stdout
    assert command("--version").stdout == f"safeconduct {sc.__version__}\n"
    for wrong in (("nonsense",), ("demo", "more"), ("keys",), ("keys", "new"), ("keys", "new", "x", "--alg", "none")):
        told = command(*wrong)
        assert told.returncode == 2 and "error: " in told.stderr and "Traceback" not in told.stderr


def test_secrets_and_keys_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    secrets, keys = tmp_path / "secrets", tmp_path / "keys.jwks"
    assert command("secrets", "new", str(secrets)).returncode == 0
    assert command("keys", "new", str(keys), "--alg", "HS512").returncode == 0
    for path in (secrets, keys):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sc.Secrets.from_file(secrets)
    assert len(sc.KeySet.from_jwks(keys.read_text())) == 1
    before = keys.read_bytes()
    again = command("keys", "new", str(keys))
    assert again.returncode == 1 and "stays as it is" in again.stderr and keys.read_bytes() == before
    nowhere = command("secrets", "new", str(tmp_path / "no" / "where"))
    assert nowhere.returncode == 1 and "Traceback" not in nowhere.stderr
