"""Keys and sets of keys."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import safeconduct as sc

from conftest import Make

PRIVATE_PEM = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
PUBLIC_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519", "ES256", "HS256", "HS384", "HS512"])
def test_every_algorithm_signs_verifies_and_is_persisted(make: Make, algorithm: str) -> None:
    keys = sc.KeySet.generate(algorithm)
    assert len(keys) == 1 and len(keys.kids) == 1 and keys.skipped == []
    token = make(keys=keys).issue("user-1").access_token
    again = sc.KeySet.from_jwks(keys.private_jwks())
    assert again.kids == keys.kids
    assert make(keys=again).verify(token).sub == "user-1"


def test_what_is_published_holds_nothing_private() -> None:
    keys = sc.KeySet.generate("EdDSA")
    (public,) = json.loads(keys.jwks())["keys"]
    assert set(public) == {"kty", "crv", "x", "kid", "use", "alg"}
    (private,) = json.loads(keys.private_jwks())["keys"]
    assert private["x"] == public["x"] and private["d"] not in keys.jwks()


def test_a_symmetric_key_is_never_published() -> None:
    with pytest.raises(sc.ConfigError) as caught:
        sc.KeySet.generate("HS256").jwks()
    assert caught.value.reason == "key_symmetric"
    with pytest.raises(sc.KeyRefused):
        sc.SigningKey.hmac(bytes(range(32))).verifying_key().jwk()


def test_one_key_is_enough_for_an_authority(make: Make) -> None:
    key = sc.SigningKey.from_pem(PRIVATE_PEM)
    authority = make(keys=key)
    token = authority.issue("user-1").access_token
    for trusted in (key.verifying_key(), sc.VerifyingKey.from_jwk(key.verifying_key().jwk())):
        verifier = sc.Verifier([trusted], authority.issuer, authority.audience)
        assert verifier.verify(token, now=1_700_000_001).sub == "user-1"


def test_halves_of_one_pem_have_one_kid() -> None:
    key, public = sc.SigningKey.from_pem(PRIVATE_PEM), sc.VerifyingKey.from_pem(PUBLIC_PEM)
    assert key.kid == public.kid and (key.algorithm, public.algorithm) == ("EdDSA", "EdDSA")
    assert sc.SigningKey.from_pem(PRIVATE_PEM, kid="2026").kid == "2026"
    assert json.loads(sc.VerifyingKey.from_pem(PUBLIC_PEM, kid="2026").jwk())["kid"] == "2026"


def test_a_jwk_is_a_dict_or_text() -> None:
    (jwk,) = json.loads(sc.KeySet.generate().private_jwks())["keys"]
    key = sc.SigningKey.from_jwk(jwk)
    assert key.kid == sc.SigningKey.from_jwk(json.dumps(jwk)).kid == jwk["kid"]
    public = {name: value for name, value in jwk.items() if name != "d"}
    assert sc.VerifyingKey.from_jwk(public).kid == jwk["kid"]
    with pytest.raises(TypeError):
        sc.SigningKey.from_jwk([jwk])  # type: ignore[arg-type]


def test_refused_keys_say_why() -> None:
    (jwk,) = json.loads(sc.KeySet.generate().private_jwks())["keys"]
    reasons: dict[str, Callable[[], object]] = {
        "key_secret_too_short": lambda: sc.SigningKey.hmac(bytes(31)),
        "key_wrong_algorithm": lambda: sc.SigningKey.hmac(bytes(range(32)), "EdDSA"),
        "key_private_members": lambda: sc.VerifyingKey.from_jwk(jwk),
        "key_no_private_key": lambda: sc.SigningKey.from_pem(PUBLIC_PEM),
        "key_malformed": lambda: sc.KeySet.from_jwks("{}"),
        "key_mismatched_halves": lambda: sc.SigningKey.from_jwk(jwk | {"x": "A" * 43}),
        "key_bad_kid": lambda: sc.SigningKey.hmac(bytes(range(32)), kid=""),
    }
    for reason, act in reasons.items():
        with pytest.raises(sc.KeyRefused) as caught:
            act()
        assert caught.value.reason == reason
    for unknown in ["none", "RS256", "hs256", ""]:
        with pytest.raises(sc.KeyRefused):
            sc.KeySet.generate(unknown)
    for wrong in ["secret" * 10, bytearray(32), None]:
        with pytest.raises(TypeError):
            sc.SigningKey.hmac(wrong)  # type: ignore[arg-type]


def test_keys_of_a_foreign_type_are_left_out_of_a_set() -> None:
    (mine,) = json.loads(sc.KeySet.generate().jwks())["keys"]
    keys = sc.KeySet.from_jwks(json.dumps({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, mine]}))
    assert (keys.kids, [place for place, _ in keys.skipped]) == ([mine["kid"]], [0])


def test_two_keys_of_one_kid_are_refused_by_a_verifier() -> None:
    key = sc.SigningKey.from_pem(PRIVATE_PEM).verifying_key()
    with pytest.raises(sc.KeyRefused) as caught:
        sc.Verifier([key, key], profile="jwt")
    assert caught.value.reason == "key_duplicate_kid"
    with pytest.raises(sc.ConfigError):
        sc.Verifier([], profile="jwt")


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "HS256"])
def test_checked_signatures_are_signatures(make: Make, algorithm: str) -> None:
    authority = make(keys=sc.KeySet.generate(algorithm), policy=sc.Policy(check_signatures=True))
    assert authority.verify(authority.issue("user-1").access_token).sub == "user-1"
