"""Verifier and Claims, and the vectors that all languages share."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

import safeconduct as sc

from conftest import AUDIENCE, ISSUER, Clock, Make

SECRET = bytes(range(32))
KEY = sc.VerifyingKey.hmac(SECRET, kid="k")


def signed(claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    parts = [{"alg": "HS256", "typ": "JWT", "kid": "k"} if header is None else header, claims]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    tag = hmac.digest(SECRET, text.encode(), hashlib.sha256)
    return text + "." + base64.urlsafe_b64encode(tag).rstrip(b"=").decode()


def test_a_resource_server_needs_only_public_keys(make: Make, clock: Clock) -> None:
    keys = sc.KeySet.generate()
    grant = make(keys=keys).issue("user-1", scope="read write", claims={"roles": ["a", "b"]})
    verifier = sc.Verifier(sc.KeySet.from_jwks(keys.jwks()), issuer=ISSUER, audience=AUDIENCE)
    claims = verifier.verify(grant.access_token, now=clock())
    assert (claims.iss, claims.sub, claims.aud, claims.client_id) == (ISSUER, "user-1", AUDIENCE, "default")
    assert (claims.exp, claims.iat, claims.auth_time) == (1_700_000_600, 1_700_000_000, 1_700_000_000)
    assert (claims.sid, claims.nbf, claims["roles"]) == (grant.session_id, None, ["a", "b"])
    assert claims.has_scope("read") and not claims.has_scope("rea") and not claims.has_scope("")
    assert not claims.has_scope("read write")
    with pytest.raises(sc.ExpiredToken):
        verifier.verify(grant.access_token)
    for wrong, error in [
        (sc.Verifier(keys, "https://other.example", AUDIENCE), sc.WrongIssuer),
        (sc.Verifier(keys, ISSUER, "other"), sc.WrongAudience),
        (sc.Verifier(sc.KeySet.generate(), ISSUER, AUDIENCE), sc.UnknownKey),
        (sc.Verifier(keys, ISSUER, AUDIENCE, max_ttl=599), sc.LifetimeTooLong),
        (sc.Verifier(keys, ISSUER, AUDIENCE, "jwt"), sc.WrongType),
    ]:
        with pytest.raises(error):
            wrong.verify(grant.access_token, now=clock())


def test_a_remembered_token_is_refused_as_soon_as_it_is_revoked_or_its_key_is_withdrawn(make: Make) -> None:
    authority = make(keys=sc.KeySet.generate(), cache=16)
    token = authority.issue("user-1").access_token
    assert authority.verify(token) == authority.verify(token)
    authority.revoke_subject("user-1")
    with pytest.raises(sc.InvalidToken) as refused:
        authority.verify(token)
    assert refused.value.reason == "revoked"
    keys = sc.KeySet.generate()
    authority = make(keys=keys, cache=16)
    verifier = sc.Verifier(keys, ISSUER, AUDIENCE, cache=16)
    token = authority.issue("user-1").access_token
    claims = authority.verify(token)
    assert verifier.verify(token, now=claims.iat) == verifier.verify(token, now=claims.iat) == claims
    keys.rotate()
    keys.withdraw(keys.kids[0], "compromised")
    for verify in (authority.verify, lambda token: verifier.verify(token, now=claims.iat)):
        with pytest.raises(sc.InvalidToken):
            verify(token)


def test_a_cache_is_a_number_of_tokens() -> None:
    keys = sc.KeySet.generate()
    with pytest.raises(TypeError):
        sc.Verifier(keys, ISSUER, AUDIENCE, cache="many")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        sc.Verifier(keys, ISSUER, AUDIENCE, cache=-1)
    with pytest.raises(ValueError, match="1048576"):
        sc.Verifier(keys, ISSUER, AUDIENCE, cache=2**62)
    assert sc.Verifier(keys, ISSUER, AUDIENCE, cache=2**20)


def test_a_date_is_the_one_that_was_judged() -> None:
    claims = sc.Verifier([KEY], profile="jwt").verify(encoded('{"exp":4000000000.99999999999}'))
    assert (claims.exp, claims["exp"]) == (4000000000, 4000000001.0)


def encoded(payload: str) -> str:
    text = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"k"}').rstrip(b"=").decode()
    text += "." + base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
    return text + "." + base64.urlsafe_b64encode(hmac.digest(SECRET, text.encode(), "sha256")).rstrip(b"=").decode()


def shown(value: object) -> str:
    """With types, for True == 1 == 1.0."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{shown(item)}" for name, item in value.items()) + "}"
    return "[" + ",".join(map(shown, value)) + "]" if isinstance(value, list) else repr(value)


def any_json(random: Random, depth: int) -> str:
    kinds = ["null", "true", "false", "0", "-0", "1.0", "1e3", "-2.5E-7", "18446744073709551615", "-9223372036854775808"]
    kinds += ['""', '"\\u0041\\n\\"\\/"', '"\\ud83d\\ude00"', '"é"', " [ ] ", "{}", str(random.randrange(1 << 60))]
    if depth == 0 or random.random() < 0.7:
        return random.choice(kinds)
    items = [any_json(random, depth - 1) for _ in range(random.randrange(4))]
    if random.random() < 0.5:
        return "[" + ", ".join(items) + "]"
    return "{" + ",".join(f'"m{i}" : {item}' for i, item in enumerate(items)) + "}"


def test_claims_have_the_values_that_the_json_module_would_give_them() -> None:
    random, verifier = Random(1), sc.Verifier([KEY], profile="jwt")
    for _ in range(300):
        names = [f"c{i}" for i in range(random.randrange(5))] + ["sub\\u0065"]
        members = "".join(f'"{name}":{any_json(random, 3)},' for name in names)
        payload = "{" + members + '"exp":4000000000}'
        claims = verifier.verify(encoded(payload))
        expected = json.loads(payload)
        for name, value in expected.items():
            assert shown(claims[name]) == shown(value)
        assert shown(claims.to_dict()) == shown(expected)


def test_a_claim_is_the_same_whether_others_were_looked_at_or_not() -> None:
    token = encoded('{"exp":4000000000.5,"scope":"a b\\u0063","sub":"\\u00e9","iss":"i","aud_":1,"nbf":0}')
    verifier = sc.Verifier([KEY], profile="jwt")

    def seen(claims: sc.Claims) -> list[object]:
        return [claims.sub, claims.iss, claims.scope, claims.exp, claims.nbf, claims.aud, claims.sid, claims.has_scope("bc")]

    alone, together = verifier.verify(token), verifier.verify(token)
    assert len(together.to_dict()) == len(together) == 6
    assert seen(alone) == seen(together) == ["é", "i", "a bc", 4000000000, 0, None, None, True]


def test_claims_are_a_read_only_mapping(authority: sc.Authority) -> None:
    token = authority.issue("user-1", claims={"nested": {"a": [1, 2.5, None, True]}, "é": "ü"}).access_token
    claims = authority.verify(token)
    assert isinstance(claims, Mapping)
    assert dict(claims) == claims.to_dict() == dict(claims.items()) and claims == claims.to_dict()
    assert claims == authority.verify(token) and claims != {} and claims != 7
    assert len(claims) == len(list(claims)) == len(claims.keys()) == len(list(claims.values()))
    assert "sub" in claims and "nope" not in claims and any(name == "exp" for name in claims)
    assert claims.get("nope") is None and claims.get("nope", 7) == 7 and claims.get("é") == "ü"
    match claims:
        case {"nested": {"a": [1, *_]}, "sub": subject}:
            assert subject == "user-1"
        case _:
            pytest.fail("a mapping pattern does not match")
    with pytest.raises(KeyError, match="nope"):
        claims["nope"]
    copy = claims.to_dict()
    copy["nested"]["a"].clear()
    assert claims["nested"] == {"a": [1, 2.5, None, True]}
    for change in ("sub", "nope"):
        with pytest.raises(AttributeError):
            setattr(claims, change, "x")
    with pytest.raises(TypeError):
        claims["sub"] = "x"  # type: ignore[index]
    with pytest.raises(TypeError):
        hash(claims)
    assert "user-1" not in repr(claims) and claims.sid is not None and claims.sid in repr(claims)


def test_now_is_seconds_or_an_aware_datetime() -> None:
    verifier = sc.Verifier([KEY], profile="jwt", leeway=0)
    token = signed({"exp": 1000})
    moments: list[float | datetime] = [
        999,
        999.999,
        0,
        datetime.fromtimestamp(999, timezone.utc),
        datetime.fromtimestamp(999, timezone(timedelta(hours=5))),
    ]
    for now in moments:
        assert verifier.verify(token, now).exp == 1000
    late: list[float | datetime] = [1000, 1000.0, datetime.fromtimestamp(1000, timezone.utc), 1e11]
    for now in late:
        with pytest.raises(sc.ExpiredToken):
            verifier.verify(token, now=now)
    with pytest.raises(sc.ExpiredToken):
        verifier.verify(token)
    impossible: list[float | datetime] = [-1, -1.0, 1 << 64, float("nan"), float("inf"), 1e300]
    for wrong in [*impossible, datetime(1960, 1, 1, tzinfo=timezone.utc)]:
        with pytest.raises(ValueError):
            verifier.verify(token, now=wrong)
    for mistaken in ["999", True, timedelta(999), datetime.fromtimestamp(999)]:
        with pytest.raises(TypeError):
            verifier.verify(token, now=mistaken)  # type: ignore[arg-type]


def test_the_jwt_profile_is_for_everything_else_that_is_signed() -> None:
    plain = sc.Verifier([KEY], profile="jwt")
    assert plain.verify(signed({"exp": 1000.9, "iat": 900.5}), now=990).exp == 1000
    assert plain.verify(signed({"exp": 10**12}, {"alg": "HS256"}), now=1).sub is None
    with pytest.raises(sc.WrongAudience):
        plain.verify(signed({"exp": 1000, "aud": "a"}), now=1)
    for_a = sc.Verifier([KEY], issuer="i", audience="a", profile="jwt")
    assert for_a.verify(signed({"exp": 1000, "aud": ["b", "a"], "iss": "i"}), now=1).aud == ["b", "a"]
    refused: list[tuple[dict[str, Any], type[sc.InvalidToken]]] = [
        ({"exp": 1000, "aud": "a"}, sc.MissingClaim),
        ({"exp": 1000, "aud": "b", "iss": "i"}, sc.WrongAudience),
        ({"exp": 1000, "aud": "a", "iss": "j"}, sc.WrongIssuer),
        ({"aud": "a", "iss": "i"}, sc.MissingClaim),
        ({"exp": "1000", "aud": "a", "iss": "i"}, sc.MalformedToken),
        ({"exp": 1000, "nbf": 900, "aud": "a", "iss": "i"}, sc.TokenNotYetValid),
    ]
    for claims, error in refused:
        with pytest.raises(error):
            for_a.verify(signed(claims), now=1)
    with pytest.raises(sc.WrongAlgorithm):
        plain.verify(signed({"exp": 1000}, {"alg": "none"}), now=1)
    with pytest.raises(sc.BadSignature):
        plain.verify(signed({"exp": 1000})[:-2] + "AA", now=1)


def test_a_verifier_that_would_check_nothing_is_a_config_error() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "config_issuer_missing"),
        ({"issuer": "i"}, "config_audience_missing"),
        ({"issuer": "", "audience": "a"}, "config_issuer_missing"),
        ({"issuer": "i", "audience": "a", "leeway": 61}, "config_leeway_too_long"),
        ({"issuer": "i", "audience": "a", "max_ttl": 0}, "config_max_ttl_missing"),
    ]
    for arguments, reason in wrong:
        with pytest.raises(sc.ConfigError) as caught:
            sc.Verifier([KEY], **arguments)
        assert caught.value.reason == reason
    with pytest.raises(ValueError):
        sc.Verifier([KEY], profile="saml")  # type: ignore[arg-type]
    for keys in [KEY, None, "keys", [1], [sc.SigningKey.hmac(SECRET)]]:
        with pytest.raises(TypeError):
            sc.Verifier(keys, profile="jwt")  # type: ignore[arg-type]
