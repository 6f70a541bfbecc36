"""The numbered vectors of `spec/vectors/jws`, which every language runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import safeconduct as sc

FOLDER = Path(__file__).resolve().parents[3] / "spec" / "vectors" / "jws"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="spec/vectors/jws is not there")


def load(*names: str) -> list[Any]:
    return [json.loads((FOLDER / name).read_text()) for name in names if FOLDER.is_dir()]


def verifier(settings: dict[str, Any], cache: int = 0) -> sc.Verifier:
    return sc.Verifier(
        sc.KeySet.from_jwks(json.dumps(settings["jwks"])),
        settings["issuer"],
        settings["audience"],
        settings["profile"],
        settings["leeway"],
        settings["max_ttl"],
        cache,
    )


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except (sc.InvalidToken, sc.KeyRefused) as error:
        return error.reason
    return "valid"


@pytest.mark.parametrize("name", ["headers.json", "claims.json", "signatures.json", "es256.json"])
def test_every_token_has_the_outcome_that_its_file_says(name: str) -> None:
    (file,) = load(name)
    assert len(file["tokens"]) > 30
    for cache in (0, 8):
        verifiers = {name: verifier(settings, cache) for name, settings in file["verifiers"].items()}
        for vector in file["tokens"]:
            now = file["verifiers"][vector["verifier"]]["now"]
            for _ in range(2 if cache else 1):
                seen = outcome(lambda: verifiers[vector["verifier"]].verify(vector["token"], now=now))
                assert seen == vector["expected"], f"{vector['number']} {vector['name']}"


def test_every_conversation_with_a_cache_goes_as_its_file_says() -> None:
    (file,) = load("cache.json")
    assert len(file["conversations"]) > 10
    for conversation in file["conversations"]:
        verifiers = {name: verifier(settings, cache=8) for name, settings in file["verifiers"].items()}
        for step in conversation["steps"]:
            seen = outcome(lambda: verifiers[step["verifier"]].verify(step["token"], now=step["now"]))
            assert seen == step["expected"], f"{conversation['number']} {conversation['name']}"


def test_every_key_has_the_outcome_that_its_file_says() -> None:
    imports: dict[str, Callable[[str], object]] = {
        "jwks": sc.KeySet.from_jwks,
        "private_jwk": sc.SigningKey.from_jwk,
        "public_jwk": sc.VerifyingKey.from_jwk,
        "private_pem": sc.SigningKey.from_pem,
        "public_pem": sc.VerifyingKey.from_pem,
    }
    (file,) = load("keys.json")
    assert len(file["keys"]) > 50
    for vector in file["keys"]:
        form, text = vector["import"], vector["input"]
        if form in imports:
            seen = outcome(lambda: imports[form](text))
        else:
            secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            seen = outcome(lambda: sc.SigningKey.hmac(secret, form))
        assert seen == vector["expected"], f"{vector['number']} {vector['name']}"
