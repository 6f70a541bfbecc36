"""Looks for secrets in the files of a store: in every form in which one could have been left there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

SECRET = slice(21, 53)
"""Where the secret stands in the 85 bytes of a refresh or session token."""


def needles(token: str) -> Iterable[bytes]:
    """What must not be found of a token: its text, its bytes, the secret in it or the signature on it."""
    yield token.encode()
    if token.startswith(("scr1_", "sco1_")):
        raw = decoded(token[5:])
        yield raw
        yield from forms(raw[SECRET])
    elif token.count(".") == 2:
        yield from forms(decoded(token.rpartition(".")[2]))


def forms(secret: bytes) -> Iterable[bytes]:
    """Raw, base64url, base64 and hexadecimal."""
    yield secret
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield base64.b64encode(secret).rstrip(b"=")
    yield secret.hex().encode()


def private_parts(jwks: str) -> Iterable[bytes]:
    """The private half of each key of a set."""
    for key in json.loads(jwks)["keys"]:
        yield from forms(decoded(key["d"]))


def master_keys(text: str) -> Iterable[bytes]:
    """Each master key of the text form of ``Secrets``: ``sck1_`` and base64url( key id 1 ‖ key 32 )."""
    for line in text.split():
        yield line.encode()
        yield from forms(decoded(line.removeprefix("sck1_"))[1:])


def files(database: Path) -> dict[str, bytes]:
    """The database, its write-ahead log and whatever else lies beside it."""
    beside = sorted(database.parent.glob(database.name + "*"))
    return {path.name: path.read_bytes() for path in beside}


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
