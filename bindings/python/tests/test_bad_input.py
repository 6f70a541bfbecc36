"""Wrong types, wrong values and wrong files: a clear error each, never a panic, nothing lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import safeconduct as sc

from another_process import holding
from conftest import AUDIENCE, ISSUER, Make

NOT_STR: list[Any] = [None, 1, 1.5, b"bytes", bytearray(b"x"), ["list"], {"a": 1}, object(), str]


@pytest.mark.parametrize("wrong", NOT_STR, ids=lambda wrong: type(wrong).__name__)
def test_a_token_that_is_no_str_is_a_type_error(authority: sc.Authority, wrong: Any) -> None:
    uses: list[Callable[[Any], object]] = [
        authority.verify,
        authority.refresh,
        authority.authenticate,
        authority.revoke,
        authority.revoke_session,
        authority.revoke_subject,
        authority.erase_subject,
        authority.sessions,
        authority.issue,
        lambda x: authority.amend(x, scope="read"),
        sc.RefreshToken.commitment,
        lambda x: sc.RefreshToken.assemble(x, x),
        sc.KeySet.from_jwks,
        sc.KeySet.generate,
        sc.SigningKey.from_pem,
        sc.VerifyingKey.from_pem,
        sc.Secrets.from_env,
    ]
    for use in uses:
        with pytest.raises(TypeError):
            use(wrong)


def test_every_named_argument_of_a_wrong_type_is_a_type_error(make: Make) -> None:
    authority = make()
    grant = authority.issue("user-1")
    names = ["scope", "client_id", "claims", "device", "ip", "replay", "mode", "commitment"]
    seven: Any = 7
    for name in names:
        with pytest.raises(TypeError):
            authority.issue("user-1", **{name: seven})
    for name in ["client_id", "next_commitment", "scope", "challenge"]:
        with pytest.raises(TypeError):
            authority.refresh(grant.refresh_token, **{name: seven})
    for name in ["issuer", "audience", "keys", "secrets", "store", "policy", "clock"]:
        with pytest.raises(TypeError):
            make(**{name: 7})
    wrong: list[Any] = [[("a", 1)], "{}", {"a": object()}, {"a": {1, 2}}, {b"a": 1}]
    for claims in wrong:
        with pytest.raises(TypeError):
            authority.issue("user-1", claims=claims)
    with pytest.raises(TypeError):
        authority.sessions("user-1", limit="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        authority.issue()  # type: ignore[call-overload]
    assert authority.refresh(grant.refresh_token).outcome == "rotated"


def test_wrong_values_are_value_errors(authority: sc.Authority) -> None:
    unsayable: list[dict[str, Any]] = [{"a": float("nan")}, {"a": float("inf")}, {"a": "\udc80"}]
    for claims in unsayable:
        with pytest.raises(ValueError):
            authority.issue("user-1", claims=claims)
    circular: dict[str, Any] = {}
    circular["me"] = circular
    with pytest.raises(ValueError):
        authority.issue("user-1", claims=circular)
    commitments: list[str | bytes] = ["", "x", "A" * 42, "A" * 44, b"", bytes(31), bytes(33)]
    for commitment in commitments:
        with pytest.raises(ValueError):
            authority.issue("user-1", commitment=commitment)
    for wrong in ["", "Hybrid", "session"]:
        with pytest.raises(ValueError):
            authority.issue("user-1", mode=wrong)
    for limit in [-1, 1 << 32, 1 << 80]:
        with pytest.raises((ValueError, OverflowError)):
            authority.sessions("user-1", limit=limit)
    with pytest.raises(ValueError):
        authority.issue("\udc80")


def test_huge_and_odd_texts_are_refused_in_order(authority: sc.Authority) -> None:
    huge = "x" * 10_000_000
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(sc.MalformedToken):
        authority.verify(huge)
    with pytest.raises(sc.NotOurs):
        authority.refresh(huge)
    with pytest.raises(sc.NotOurs):
        authority.authenticate(huge)
    assert authority.revoke(huge) == "not_ours"
    for token in ["", "\0", "\udc80\ud800", "scr1_", "sco1_\0", "é" * 150, "scr1_" + "é" * 57, "a.b.c"]:
        with pytest.raises(sc.MalformedToken):
            authority.verify(token)
        with pytest.raises(sc.NotOurs):
            authority.refresh(token)
    refused: list[dict[str, Any]] = [
        {"subject": huge},
        {"subject": ""},
        {"subject": "u", "client_id": ""},
        {"subject": "u", "device": huge},
        {"subject": "u", "scope": "two  spaces"},
        {"subject": "u", "scope": "quote\""},
        {"subject": "u", "claims": {"a": huge}},
        {"subject": "u", "claims": deep},
        {"subject": "u", "claims": {"sub": "x"}},
        {"subject": "u", "claims": {"a": "\0"}},
        {"subject": "u", "mode": "opaque", "replay": sc.Replay.committed()},
        {"subject": "u", "mode": "jwt", "commitment": bytes(32)},
        {"subject": "u", "replay": sc.Replay.window(61)},
    ]
    for arguments in refused:
        with pytest.raises(sc.SignInRefused) as caught:
            authority.issue(**arguments)
        assert caught.value.reason and len(str(caught.value)) < 300
    assert authority.sessions("u") == []


def test_personal_data_is_refused_unless_it_is_named(make: Make) -> None:
    authority = make()
    for subject in ["ada@example.org", "+44 20 7946 0000"]:
        with pytest.raises(sc.SignInRefused, match="opaque identifier"):
            authority.issue(subject)
    personal: list[dict[str, Any]] = [{"email": "x"}, {"deep": [{"Phone_Number": 1}]}, {"note": "ada@example.org"}]
    for claims in personal:
        with pytest.raises(sc.SignInRefused) as caught:
            authority.issue("user-1", claims=claims)
        assert caught.value.reason == "custom_claims_personal_data"
    allowed = make(policy=sc.Policy(personal_claims=["sub", "email"]))
    token = allowed.issue("ada@example.org", claims={"email": "ada@example.org"}).access_token
    assert allowed.verify(token)["email"] == "ada@example.org"


def sqlite_authority(path: Path) -> sc.Authority:
    return sc.Authority(
        issuer=ISSUER,
        audience=AUDIENCE,
        keys=sc.KeySet.generate(),
        secrets=sc.Secrets.generate(),
        store=sc.SqliteStore(path),
    )


def test_a_path_that_cannot_be_a_store_says_so(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is not a database, but it is long enough to look at" * 40)
    for path in [tmp_path / "no" / "directory.db", tmp_path, text, Path(""), Path(":memory:")]:
        with pytest.raises(sc.StoreUnusable) as caught:
            sc.SqliteStore(str(path))
        assert caught.value.reason == "store_unusable"
    assert text.read_text().startswith("this is not")
    with pytest.raises((ValueError, sc.StoreUnusable)):
        sc.SqliteStore("nul\0byte.db")
    for wrong in [None, 1, object()]:
        with pytest.raises(TypeError):
            sc.SqliteStore(wrong)  # type: ignore[arg-type]


def test_an_unwritable_directory_says_so(tmp_path: Path) -> None:
    place = tmp_path
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:
        place = Path("/proc")  # where root cannot make a file either
    with pytest.raises(sc.StoreUnusable, match="opened or made|writable"):
        sc.SqliteStore(place / "sessions.db")


def test_a_control_character_is_refused_before_a_token_carries_it(make: Make) -> None:
    authority = make()
    texts = [("u\0x", "web", "", ""), ("user-1", "a\n", "", ""), ("user-1", "web", "\x1b[31m", ""), ("user-1", "web", "", "\r")]
    for subject, client_id, device, ip in texts:
        with pytest.raises(sc.SignInRefused) as caught:
            authority.issue(subject, client_id=client_id, device=device, ip=ip)
        assert caught.value.reason == "sign_in_control_character"


def test_a_locked_database_is_unavailable_and_nothing_is_lost(tmp_path: Path) -> None:
    authority = sqlite_authority(tmp_path / "sessions.db")
    token = authority.issue("user-1").refresh_token
    with holding(tmp_path / "sessions.db", "BEGIN EXCLUSIVE"):
        with pytest.raises(sc.StoreUnavailable, match="locked"):
            authority.refresh(token)
    assert authority.refresh(token).outcome == "rotated"


def test_secrets_or_issuer_of_another_deployment_do_not_fit_the_store(make: Make) -> None:
    token = make().issue("user-1").refresh_token
    changes: list[dict[str, Any]] = [
        {"secrets": sc.Secrets.generate()},
        {"issuer": "https://other.example"},
        {"policy": sc.Policy(partitions=8)},
    ]
    for change in changes:
        with pytest.raises(sc.StoreMismatch) as caught:
            make(**change)
        assert isinstance(caught.value, sc.ConfigError) and isinstance(caught.value, sc.StoreError)
    assert make().refresh(token).outcome == "rotated"


def test_parts_that_cannot_sign_or_name_nobody_are_config_errors(make: Make) -> None:
    public = sc.KeySet.from_jwks(sc.KeySet.generate().jwks())
    changes: list[dict[str, Any]] = [{"keys": public}, {"issuer": ""}, {"audience": ""}]
    for change in changes:
        with pytest.raises(sc.ConfigError):
            make(**change)


def test_a_wrong_type_is_told_what_would_do(make: Make) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"keys": "keys.json"}, "'str' object is not a KeySet or a SigningKey"),
        ({"store": "sessions.db"}, "'str' object is not a MemoryStore or a SqliteStore"),
    ]
    for arguments, text in wrong:
        with pytest.raises(TypeError, match=text):
            make(**arguments)
    with pytest.raises(TypeError, match="not a KeySet, RemoteKeys or a sequence of VerifyingKey"):
        sc.Verifier(sc.SigningKey.hmac(bytes(range(32))), profile="jwt")  # type: ignore[arg-type]
    shown = repr(sc.Verifier([sc.VerifyingKey.hmac(bytes(range(32)))], issuer="https://id.example", profile="jwt"))
    assert shown == '<Verifier jwt issuer="https://id.example" audience=None>'
