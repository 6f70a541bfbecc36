"""What every test is given: a clock that can be moved, and authorities on each store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import safeconduct as sc

ISSUER = "https://id.example"
AUDIENCE = "https://api.example"


class Clock:
    """Unix seconds that move when they are told to."""

    def __init__(self, now: float = 1_700_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> sc.MemoryStore | sc.SqliteStore:
    if request.param == "memory":
        return sc.MemoryStore()
    return sc.SqliteStore(tmp_path / "sessions.db")


Make = Callable[..., sc.Authority]


@pytest.fixture
def make(store: sc.MemoryStore | sc.SqliteStore, clock: Clock) -> Make:
    """Makes authorities of one deployment: the same keys, secrets and store unless others are given."""
    keys = sc.KeySet.generate("EdDSA")
    secrets = sc.Secrets.generate()

    def authority(**changes: object) -> sc.Authority:
        parts: dict[str, object] = {
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "keys": keys,
            "secrets": secrets,
            "store": store,
            "clock": clock,
        }
        return sc.Authority(**(parts | changes))  # type: ignore[arg-type]

    return authority


@pytest.fixture
def authority(make: Make) -> sc.Authority:
    return make()
