"""Keys that rotate and are withdrawn under running authorities and verifiers: scenario 34."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import safeconduct as sc

from conftest import AUDIENCE, ISSUER, Clock, Make
from test_http_vectors import kid_of

LEAD = 60 + 300 + 60
"""Read by every process, fetched again by everybody who keeps the published keys, and the clocks."""

KEPT = 3600 + 60 + 60
"""The longest life of a token, read late, and the clocks."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def opened(path: Path, clock: Clock, **policy: int) -> sc.KeySet:
    return sc.KeySet.open(path, create=True, now=clock(), **policy)  # type: ignore[arg-type]


def token(authority: sc.Authority) -> str:
    return authority.issue("user-1").access_token


def test_34_a_running_authority_rotates_and_refuses_nobody(make: Make, clock: Clock, path: Path) -> None:
    keys = opened(path, clock)
    authority, verifier = make(keys=keys), sc.Verifier(keys, ISSUER, AUDIENCE)
    before = token(authority)
    new = keys.rotate(now=clock())
    assert [key.phase for key in keys.phases(now=clock())] == ["signing", "pending"]
    clock.sleep(LEAD - 1)
    last_of_old = token(authority)
    assert kid_of(last_of_old) == kid_of(before) != new
    clock.sleep(1)
    first_of_new = token(authority)
    assert kid_of(first_of_new) == new
    for good in (last_of_old, first_of_new):
        assert authority.verify(good).sub == verifier.verify(good, now=clock()).sub == "user-1"
    clock.sleep(KEPT - 1)
    assert [key.phase for key in keys.phases(now=clock())] == ["retiring", "signing"]
    clock.sleep(1)
    assert [key.phase for key in keys.phases(now=clock())] == ["retired", "signing"]
    with pytest.raises(sc.UnknownKey):
        verifier.verify(before, now=clock())
    keys.prune(now=clock())
    assert keys.kids == [new] and authority.verify(token(authority)).sub == "user-1"


def test_34_another_process_follows_the_file(make: Make, clock: Clock, path: Path) -> None:
    mine, theirs = opened(path, clock), opened(path, clock)
    authority, other = make(keys=mine), make(keys=theirs)
    new = mine.rotate(now=clock())
    assert theirs.reload() and not theirs.reload()
    clock.sleep(LEAD)
    assert kid_of(token(other)) == new and authority.verify(token(other)).sub == "user-1"
    # One that never read the file again signs with the old key, which is kept for that.
    late = make(keys=sc.KeySet.from_jwks(json.dumps({"keys": json.loads(path.read_text())["keys"][:1]})))
    assert kid_of(token(late)) != new and authority.verify(token(late)).sub == "user-1"


def test_34_a_withdrawn_key_is_refused_at_once_and_elsewhere_by_the_log(make: Make, clock: Clock, path: Path) -> None:
    mine, theirs = opened(path, clock), opened(path, clock)
    authority, other = make(keys=mine), make(keys=theirs)
    backup, leaked = path.read_bytes(), token(authority)
    authority.withdraw_key(kid_of(leaked), "compromised")
    with pytest.raises(sc.RevokedToken):
        authority.verify(leaked)
    assert other.verify(leaked).sub == "user-1", "it has read neither the log nor the file"
    other.catch_up()
    with pytest.raises(sc.RevokedToken):
        other.verify(leaked)
    # It signs on: with what took the place of the withdrawn key.
    assert kid_of(token(other)) == kid_of(token(authority)) != kid_of(leaked)
    (tombstone,) = [key for key in mine.phases(now=clock()) if key.phase == "withdrawn"]
    assert (tombstone.kid, tombstone.reason, tombstone.algorithm) == (kid_of(leaked), "compromised", "EdDSA")
    assert tombstone.withdrawn_at == datetime.fromtimestamp(clock(), timezone.utc)
    # An older file brings nothing back, not even to a process that starts with it.
    path.write_bytes(backup)
    assert mine.reload() and theirs.reload()
    for process in (authority, other, make(keys=sc.KeySet.open(path))):
        with pytest.raises(sc.RevokedToken):
            process.verify(leaked)
    mine.rotate(now=clock())
    assert kid_of(leaked) not in sc.KeySet.open(path).kids and authority.verify(token(authority))


def test_changes_that_are_refused_say_why(clock: Clock, path: Path) -> None:
    keys = opened(path, clock)
    new = keys.rotate(now=clock())
    (old, _) = keys.kids
    refused: dict[str, Callable[[], object]] = {
        "rotation_already_pending": lambda: keys.rotate(now=clock()),
        "rotation_too_early": lambda: keys.promote(new, now=clock() + LEAD - 1),
        "rotation_not_pending": lambda: keys.promote(old, now=clock()),
        "rotation_unknown_key": lambda: keys.withdraw("nobody", now=clock()),
    }
    for reason, act in refused.items():
        with pytest.raises(sc.RotationRefused) as caught:
            act()
        assert caught.value.reason == reason and isinstance(caught.value, sc.KeyRefused)
    with pytest.raises(ValueError):
        keys.withdraw(old, "because")  # type: ignore[arg-type]
    with pytest.raises(sc.KeyRefused) as caught_policy:
        opened(path, clock, period=LEAD)
    assert caught_policy.value.reason == "rotation_policy"


def test_an_authority_whose_tokens_outlive_its_keys_cannot_be_made(make: Make, clock: Clock, path: Path) -> None:
    keys = opened(path, clock, max_ttl=599)
    with pytest.raises(sc.KeyRefused) as caught:
        make(keys=keys)
    assert caught.value.reason == "rotation_policy"
    assert token(make(keys=keys, policy=sc.Policy(access_ttl=599)))


def test_files_are_their_owners_and_a_broken_one_changes_nothing(make: Make, clock: Clock, path: Path) -> None:
    keys = opened(path, clock)
    authority, good = make(keys=keys), path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and not sc.KeySet.create(path)
    path.write_text(good[: len(good) // 2])
    with pytest.raises(sc.KeyRefused):
        keys.reload()
    assert keys.trouble and authority.verify(token(authority))
    path.write_text(good)
    assert not keys.reload() and keys.trouble is None
    path.chmod(0o640)
    with pytest.raises(sc.KeyRefused, match="chmod 600") as caught:
        sc.KeySet.open(path)
    assert caught.value.reason == "keys_exposed"
    with pytest.raises(sc.KeyRefused) as caught:
        sc.KeySet.open(path.with_name("none"))
    assert caught.value.reason == "keys_missing"


def until(seen: Callable[[], bool]) -> None:
    """Waits until ``seen()``, for 20 seconds at most."""
    end = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_watched_file_is_followed_for_as_long_as_an_authority_uses_it(make: Make, path: Path) -> None:
    keys = sc.KeySet.open(path, create=True)
    verifier = sc.Verifier(watched(path), ISSUER, AUDIENCE)
    authority = make(keys=keys, clock=time.time)
    assert verifier.verify(token(authority)).sub == "user-1"
    keys.withdraw(keys.kids[0])

    def accepted() -> bool:
        try:
            return verifier.verify(token(authority)).sub == "user-1"
        except sc.UnknownKey:
            return False

    until(accepted)
    alone = sc.KeySet.generate()
    with pytest.raises(sc.KeyRefused):
        alone.watch()


def watched(path: Path) -> sc.KeySet:
    """A set that only its thread and whoever is given it know."""
    keys = sc.KeySet.open(path)
    keys.watch(0)
    return keys


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_watched_file_is_followed_in_a_forked_child(path: Path) -> None:
    mine = sc.KeySet.open(path, create=True)
    theirs = watched(path)
    stop = threading.Event()
    busy = threading.Thread(target=lambda: [mine.reload() for _ in iter(stop.is_set, True)])
    busy.start()
    child = os.fork()
    if child == 0:
        end = time.monotonic() + 20
        while len(theirs) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        mine.reload()
        os._exit(0 if len(theirs) == len(mine) == 2 else 1)
    mine.rotate()
    until(lambda: len(theirs) == 2)
    stop.set()
    busy.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "safeconduct", "keys", *arguments], capture_output=True, text=True)


def test_keys_are_rotated_and_withdrawn_from_the_command_line(path: Path) -> None:
    assert command("new", str(path), "--alg", "ES256").returncode == 0
    (old,) = sc.KeySet.open(path).kids
    rotated = command("rotate", str(path), "--cache-lifetime", "60")
    first, second = rotated.stdout.splitlines()
    assert first.startswith(f"{old} ES256 signing (") and " ES256 pending (signs from " in second
    signs_from = sc.KeySet.open(path).phases()[1].signs_from
    assert signs_from and timedelta(0) < signs_from - datetime.now(timezone.utc) <= timedelta(seconds=181)
    again = command("rotate", str(path))
    assert again.returncode == 1 and "pending already" in again.stderr and "Traceback" not in again.stderr
    withdrawn = command("withdraw", str(path), old, "--reason", "compromised")
    assert [line.split()[2] for line in withdrawn.stdout.splitlines()] == ["signing", "withdrawn"]
    assert command("prune", str(path)).stdout == command("list", str(path)).stdout == withdrawn.stdout
    for wrong in (("withdraw", str(path)), ("withdraw", str(path), old, "--reason", "x"), ("list",)):
        assert command(*wrong).returncode == 2
    assert command("list", str(path.with_name("none"))).returncode == 1
