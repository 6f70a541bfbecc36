"""Secrets from a file and from the environment."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import safeconduct as sc


def test_a_file_is_made_once_with_mode_600_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    made = sc.Secrets.from_file(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert text.startswith("sck1_") and text == made.to_text()
    assert sc.Secrets.from_file(str(path), create=True).to_text() == text
    assert sc.Secrets.from_file(path).to_text() == text
    assert [child.name for child in tmp_path.iterdir()] == ["secrets"]


def test_of_many_who_start_at_once_one_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    with ThreadPoolExecutor(16) as pool:
        texts = set(pool.map(lambda _: sc.Secrets.from_file(path, create=True).to_text(), range(64)))
    assert texts == {path.read_text()}
    assert [child.name for child in tmp_path.iterdir()] == ["secrets"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secrets"
    sc.Secrets.from_file(path, create=True)
    path.chmod(mode)
    for create in (False, True):
        with pytest.raises(sc.SecretsRefused, match="chmod 600") as caught:
            sc.Secrets.from_file(path, create=create)
        assert caught.value.reason == "secrets_exposed" and isinstance(caught.value, sc.ConfigError)


def test_a_file_that_is_not_there_or_not_secrets_says_so(tmp_path: Path) -> None:
    with pytest.raises(sc.SecretsRefused) as caught:
        sc.Secrets.from_file(tmp_path / "none")
    assert caught.value.reason == "secrets_missing"
    with pytest.raises(sc.SecretsRefused) as caught:
        sc.Secrets.from_file(tmp_path / "no" / "directory", create=True)
    assert caught.value.reason == "secrets_unreadable"
    with pytest.raises(sc.SecretsRefused):
        sc.Secrets.from_file(tmp_path)
    path = tmp_path / "secrets"
    path.touch(0o600)
    good = sc.Secrets.generate().to_text()
    contents = {
        b"": "secrets_empty",
        b"# only a comment\n": "secrets_empty",
        b"hunter2 is not a key": "secrets_malformed",
        good.encode()[:-3]: "secrets_malformed",
        good.encode() * 2: "secrets_repeated_key",
        b"\xff\xfe": "secrets_unreadable",
    }
    for content, reason in contents.items():
        path.write_bytes(content)
        with pytest.raises(sc.SecretsRefused) as caught:
            sc.Secrets.from_file(path, create=True)
        assert caught.value.reason == reason and "hunter2" not in str(caught.value)
        assert path.read_bytes() == content


def test_the_environment_holds_secrets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = sc.Secrets.generate().to_text()
    monkeypatch.setenv("SAFECONDUCT_SECRETS", text.strip())
    assert sc.Secrets.from_env("SAFECONDUCT_SECRETS").to_text() == text
    for name in ["SAFECONDUCT_NOT_SET", "", "A=B", "A\0B"]:
        with pytest.raises(sc.SecretsRefused) as caught:
            sc.Secrets.from_env(name)
        assert caught.value.reason == "secrets_not_set"
    monkeypatch.setenv("SAFECONDUCT_SECRETS", "x")
    with pytest.raises(sc.SecretsRefused):
        sc.Secrets.from_env("SAFECONDUCT_SECRETS")


def test_the_same_secrets_and_keys_open_the_same_sessions(tmp_path: Path) -> None:
    keys = sc.KeySet.generate()

    def start(keys: sc.KeySet) -> sc.Authority:
        return sc.Authority(
            issuer="https://id.example",
            audience="api",
            keys=keys,
            secrets=sc.Secrets.from_file(tmp_path / "secrets", create=True),
            store=sc.SqliteStore(tmp_path / "sessions.db"),
        )

    grant = start(keys).issue("user-1")
    restarted = start(sc.KeySet.from_jwks(keys.private_jwks()))
    assert restarted.verify(grant.access_token).sub == "user-1"
    assert restarted.refresh(grant.refresh_token).outcome == "rotated"
