"""Many threads and forked processes on one authority and one SQLite file."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import safeconduct as sc

from conftest import AUDIENCE, ISSUER
from device import Device

THREADS = 64


@pytest.fixture
def on_file(tmp_path: Path) -> sc.Authority:
    return sc.Authority(
        issuer=ISSUER,
        audience=AUDIENCE,
        keys=sc.KeySet.generate(),
        secrets=sc.Secrets.generate(),
        store=sc.SqliteStore(tmp_path / "sessions.db"),
    )


def race(work: Callable[[int], str]) -> Counter[str]:
    """Runs `work` on all threads at once and counts what it said, or the reason it was refused for."""
    start = threading.Barrier(THREADS)

    def run(number: int) -> str:
        start.wait()
        try:
            return work(number)
        except sc.Error as error:
            return error.reason

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(run, range(THREADS)))


def test_15_all_who_send_the_same_commitment_get_the_same_receipt(on_file: sc.Authority) -> None:
    device = Device.sign_in(on_file)
    receipts: set[str] = set()

    def work(_: int) -> str:
        grant = device.send()
        receipts.add(grant.receipt)
        return grant.outcome

    assert race(work) == {"rotated": 1, "repeated": THREADS - 1}
    assert len(receipts) == 1
    assert device.refresh().outcome == "repeated"
    assert device.refresh().outcome == "rotated"


def test_15_all_tabs_of_a_browser_get_the_same_successor(on_file: sc.Authority) -> None:
    token = on_file.issue("user-1").refresh_token
    successors: set[str] = set()

    def work(_: int) -> str:
        grant = on_file.refresh(token)
        successors.add(grant.refresh_token)
        return grant.outcome

    assert race(work) == {"rotated": 1, "repeated": THREADS - 1}
    assert len(successors) == 1


def test_16_of_many_commitments_one_wins_and_then_nobody(on_file: sc.Authority) -> None:
    device = Device.sign_in(on_file)
    seen = race(lambda _: device.copy().refresh().outcome)
    assert seen.pop("rotated") == 1
    assert seen.pop("reuse_detected") == 1
    assert seen == {"session_revoked": THREADS - 2}


def test_18_after_a_revoke_was_acknowledged_nothing_is_issued(on_file: sc.Authority) -> None:
    device = Device.sign_in(on_file)
    minted: list[str] = []

    def work(number: int) -> str:
        if number == THREADS // 2:
            return on_file.revoke(device.token)
        grant = device.send()
        if grant.access_token is not None:
            minted.append(grant.access_token)
        return grant.outcome

    assert race(work)["revoked"] == 1
    with pytest.raises(sc.SessionRevoked):
        device.refresh()
    for token in minted:
        with pytest.raises(sc.RevokedToken):
            on_file.verify(token)


def test_many_threads_sign_in_verify_and_list(on_file: sc.Authority) -> None:
    def work(number: int) -> str:
        grant = on_file.issue(f"user-{number % 4}")
        assert on_file.verify(grant.access_token).sid == grant.session_id
        return on_file.refresh(grant.refresh_token).outcome

    assert race(work) == {"rotated": THREADS}
    assert sum(len(on_file.sessions(f"user-{i}")) for i in range(4)) == THREADS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_are_forked_while_other_threads_refresh(on_file: sc.Authority) -> None:
    done = threading.Event()

    def work(number: int) -> int:
        device, rotated = Device.sign_in(on_file, f"user-{number}"), 0
        while not done.is_set():
            device.refresh()
            rotated += 1
        return rotated

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work, number) for number in range(4)]
        try:
            for _ in range(5):
                child = os.fork()
                if child == 0:
                    os._exit(0 if on_file.issue("child").outcome == "issued" else 1)
                assert os.waitpid(child, 0)[1] == 0
        finally:
            done.set()
        assert all(worker.result() > 0 for worker in workers)
    assert len(on_file.sessions("child")) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_uses_the_same_authority(on_file: sc.Authority) -> None:
    device = Device.sign_in(on_file)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            grant = device.send()
            os.write(writer, f"{grant.outcome} {grant.receipt} {len(on_file.sessions('user-1'))}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        outcome, receipt, live = pipe.read().split()
    assert os.waitpid(child, 0)[1] == 0
    assert (outcome, live) == ("rotated", "1")
    repeated = device.refresh()
    assert (repeated.outcome, repeated.receipt) == ("repeated", receipt)
    assert device.refresh().outcome == "rotated"
