"""Every numbered exchange of ``spec/vectors/http`` against the WSGI application, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import safeconduct as sc

from conftest import AUDIENCE, ISSUER, Clock
from httpserver import Reply, send, serving, site

VECTORS = Path(__file__).parents[3] / "spec" / "vectors" / "http"
STORIES = sorted(VECTORS.glob("*.json"))

KINDS = {
    "access": r"eyJ[\w-]+\.[\w-]+\.[\w-]+",
    "refresh": r"scr1_[\w-]{114}",
    "session": r"sco1_[\w-]{114}",
    "receipt": r"scs1_[\w-]{71}",
    "etag": r'"[\w-]+"',
    "challenge": r"scc1_[\w-]{34}",
    "sid": r"[\w-]{22}",
}
NAME = re.compile(r"<(\w+) (\w+)>")


class Unplugged:
    """An authority whose store can be taken away; what needs no store goes on."""

    def __init__(self, authority: sc.Authority) -> None:
        self.authority, self.is_down = authority, False

    def __getattr__(self, name: str) -> Any:
        if self.is_down and name != "verify":
            raise sc.StoreUnavailable("/var/lib/sessions.db: disk I/O error", "store_unavailable")
        return getattr(self.authority, name)


class Names:
    """What the texts in angle brackets stand for."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def fill(self, template: Any) -> Any:
        """A request with values in place of names."""
        if isinstance(template, dict):
            return {name: self.fill(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.fill(value) for value in template]
        return NAME.sub(lambda match: self.value(match[1], match[2]), template)

    def value(self, kind: str, number: str) -> str:
        """The value of one name."""
        if kind.isdigit():
            return number * int(kind)
        if kind in ("secret", "commitment"):
            secret = bytes([int(number)]) * 32
            return _base64url(secret if kind == "secret" else hashlib.sha256(secret).digest())
        return self.values[f"<{kind} {number}>"]

    def matches(self, template: Any, value: Any) -> bool:
        """Whether an answer is as it should be; takes the values of new names from it."""
        if isinstance(template, dict):
            return template.keys() == value.keys() and all(self.matches(template[k], value[k]) for k in template)
        if isinstance(template, list):
            return len(template) == len(value) and all(map(self.matches, template, value))
        name = NAME.fullmatch(template) if isinstance(template, str) else None
        if name is None or template in self.values:
            return bool(self.values.get(template, template) == value)
        is_new = value not in self.values.values() and re.fullmatch(KINDS[name[1]], value) is not None
        self.values[template] = value
        return is_new


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def kid_of(token: str) -> str:
    """The key that a token says it was signed with."""
    header = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def assert_answer(answer: dict[str, Any], reply: Reply, names: Names, clock: Clock) -> None:
    shown = f"{reply.status} {reply.body.decode()}"
    assert reply.status == answer["status"], shown
    for name, value in answer.get("headers", {}).items():
        (got,) = reply.headers.get_all(name, [])
        assert names.matches(value, got), (name, reply.headers.items())
    is_jwks = "ETag" in reply.headers
    assert is_jwks or reply.headers["Cache-Control"] == "no-store"
    if "empty" in answer:
        assert reply.body == b""
    if "json" in answer:
        body = reply.json
        body.pop("error_description", None)
        if "sub" not in body:
            assert body.pop("server_time") == int(clock())
        assert names.matches(answer["json"], body), shown


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_every_exchange_of_the_vectors(path: Path, store: Any, clock: Clock) -> None:
    story = json.loads(path.read_text())
    keys = sc.KeySet.generate(story.get("key", "EdDSA"))
    authority = sc.Authority(
        issuer=ISSUER, audience=AUDIENCE, keys=keys, secrets=sc.Secrets.generate(), store=store, clock=clock
    )
    unplugged: Any = Unplugged(authority)
    names = Names()
    with serving(site(unplugged, keys, clock)) as address:
        for number, step in enumerate(story["steps"], 1):
            match step:
                case {"request": request, "answer": answer}:
                    request = names.fill(request)
                    reply = send(address, request.pop("method"), request.pop("path"), **request)
                    try:
                        assert_answer(answer, reply, names, clock)
                    except AssertionError as error:
                        raise AssertionError(f"step {number}: {error}") from None
                case {"advance": seconds}:
                    clock.sleep(seconds)
                case {"amend": amend}:
                    authority.amend(**names.fill(amend))
                case {"revoke_subject": subject}:
                    authority.revoke_subject(subject)
                case {"erase_subject": subject}:
                    authority.erase_subject(subject)
                case {"rotate": True}:
                    keys.rotate(now=clock())
                case {"withdraw_key_of": token}:
                    authority.withdraw_key(kid_of(names.fill(token)), "compromised")
                case {"store": state}:
                    unplugged.is_down = state == "down"
                case {"join": join}:
                    receipt, secret = names.fill(join["receipt"]), names.fill(join["secret"])
                    names.values[join["as"]] = sc.RefreshToken.assemble(receipt, secret)
                case _:
                    raise AssertionError(f"step {number} is none that is known: {step}")


def test_the_vectors_are_numbered_without_a_gap() -> None:
    assert [int(path.stem[:2]) for path in STORIES] == list(range(1, len(STORIES) + 1))
    assert len(STORIES) >= 27
