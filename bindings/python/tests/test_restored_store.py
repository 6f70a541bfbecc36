"""A SQLite file that was restored from a backup (scenarios 23 and 24)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import safeconduct as sc

from another_process import run_sql
from conftest import AUDIENCE, ISSUER
from device import Device


def open_on(path: Path, secrets: sc.Secrets, keys: sc.KeySet, **more: Any) -> sc.Authority:
    return sc.Authority(
        issuer=ISSUER, audience=AUDIENCE, keys=keys, secrets=secrets, store=sc.SqliteStore(path), **more
    )


def test_24_a_client_ahead_of_a_restored_store_goes_on_and_the_operator_is_told(tmp_path: Path) -> None:
    secrets, keys = sc.Secrets.generate(), sc.KeySet.generate()
    device = Device.sign_in(open_on(tmp_path / "a.db", secrets, keys))
    device.refresh()
    run_sql(tmp_path / "a.db", f"VACUUM INTO '{tmp_path / 'b.db'}'")
    device.refresh()
    device.refresh()

    noted: list[dict[str, Any]] = []
    device.authority = open_on(tmp_path / "b.db", secrets, keys, audit=noted.append)
    assert device.refresh().outcome == "rotated"
    assert [event["kind"] for event in noted].count("store_rolled_back") == 1
    assert device.refresh().outcome == "rotated"
    assert [event["kind"] for event in noted].count("store_rolled_back") == 1


def test_23_a_policy_may_wait_instead_and_nobody_is_signed_out(tmp_path: Path) -> None:
    secrets, keys = sc.Secrets.generate(), sc.KeySet.generate()
    device = Device.sign_in(open_on(tmp_path / "a.db", secrets, keys))
    run_sql(tmp_path / "a.db", f"VACUUM INTO '{tmp_path / 'b.db'}'")
    device.refresh()
    healthy = device.authority
    device.authority = open_on(tmp_path / "b.db", secrets, keys, policy=sc.Policy(store_behind="unavailable"))
    with pytest.raises(sc.StoreBehind) as behind:
        device.refresh()
    assert not isinstance(behind.value, sc.RefreshRefused)
    device.authority = healthy
    assert device.refresh().outcome == "rotated"


def test_a_record_that_was_changed_outside_is_refused(tmp_path: Path) -> None:
    secrets, keys = sc.Secrets.generate(), sc.KeySet.generate()
    device = Device.sign_in(open_on(tmp_path / "a.db", secrets, keys))
    run_sql(tmp_path / "a.db", "UPDATE record SET bytes = CAST(bytes || x'00' AS BLOB)")
    with pytest.raises(sc.RecordRefused) as refused:
        device.refresh()
    assert refused.value.reason == "record_tampered"
