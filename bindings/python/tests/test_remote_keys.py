"""Keys of another issuer, fetched over HTTP when they are wanted: scenario 34 at a resource server."""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import safeconduct as sc
from safeconduct import jwks
from safeconduct.wsgi import application

from conftest import AUDIENCE, ISSUER, Make
from httpserver import serving, sign_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Published:
    """What an issuer publishes, and how often it was asked."""

    def __init__(self, keys: sc.KeySet) -> None:
        self.keys, self.fetches, self.is_down = keys, 0, False

    def __call__(self) -> str:
        self.fetches += 1
        if self.is_down:
            raise OSError("connection refused")
        return self.keys.jwks()


def verifier(keys: sc.RemoteKeys) -> sc.Verifier:
    return sc.Verifier(keys, ISSUER, AUDIENCE)


def test_34_an_unknown_key_is_refused_and_costs_one_fetch_in_a_cooldown(make: Make) -> None:
    published = Published(sc.KeySet.generate())
    good = make(keys=published.keys, clock=time.time).issue("user-1").access_token
    stranger = make(keys=sc.KeySet.generate(), clock=time.time).issue("user-1").access_token
    remote = sc.RemoteKeys(published, cooldown=1, max_age=60)
    for _ in range(20):
        assert verifier(remote).verify(good).sub == "user-1"
        with pytest.raises(sc.UnknownKey):
            verifier(remote).verify(stranger)
    assert published.fetches <= 2 and remote.kids == published.keys.kids and remote.trouble is None
    time.sleep(1.1)
    published.is_down, before = True, published.fetches
    for _ in range(20):
        with pytest.raises(sc.UnknownKey):
            verifier(remote).verify(stranger)
    assert published.fetches == before + 1
    assert verifier(remote).verify(good).sub == "user-1"
    assert remote.trouble == "OSError"


def test_34_a_new_key_is_fetched_when_its_first_token_comes(make: Make) -> None:
    published = Published(sc.KeySet.generate())
    remote = sc.RemoteKeys(published, cooldown=1)
    authority = make(keys=published.keys, clock=time.time)
    assert verifier(remote).verify(authority.issue("user-1").access_token)
    (old,) = published.keys.kids
    published.keys.withdraw(old)
    time.sleep(1.1)
    with ThreadPoolExecutor(8) as pool:
        fresh = authority.issue("user-1").access_token
        assert [c.sub for c in pool.map(lambda _: verifier(remote).verify(fresh), range(32))] == ["user-1"] * 32
    assert published.fetches == 2 and old not in remote.kids


def test_without_keys_nobody_can_say() -> None:
    def nothing() -> str:
        raise OSError("no route")

    for fetch in (nothing, lambda: 1, lambda: sc.KeySet.generate("HS256").private_jwks(), lambda: "<html>"):
        with pytest.raises(sc.KeysUnavailable) as caught:
            verifier(sc.RemoteKeys(fetch)).verify("e30.e30.e30")  # type: ignore[arg-type]
        assert caught.value.reason == "keys_unavailable" and not isinstance(caught.value, sc.InvalidToken)


def test_the_text_of_what_a_fetch_raises_is_not_told() -> None:
    def fetch() -> str:
        raise OSError("https://user:hunter2@id.example/keys answered 500")

    remote = sc.RemoteKeys(fetch)
    with pytest.raises(sc.KeysUnavailable) as caught:
        verifier(remote).verify("e30.e30.e30")
    told = f"{caught.value} {caught.value!r} {remote.trouble} {remote!r}"
    assert "OSError" in told and "hunter2" not in told and "id.example" not in told


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, CancelledError])
def test_what_is_no_failure_of_a_fetch_is_raised_to_its_caller(raised: type[BaseException]) -> None:
    def fetch() -> str:
        raise raised("stop")

    remote = sc.RemoteKeys(fetch)
    with pytest.raises(raised, match="stop"):
        verifier(remote).verify("e30.e30.e30")
    with pytest.raises(sc.KeysUnavailable):
        verifier(remote).verify("e30.e30.e30")
    assert remote.trouble == raised.__name__


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TypeError):
        sc.RemoteKeys("https://id.example")  # type: ignore[arg-type]
    with pytest.raises(sc.ConfigError) as caught:
        sc.RemoteKeys(str, cooldown=301)
    assert caught.value.reason == "remote_policy"
    with pytest.raises(sc.ConfigError):
        sc.Verifier(sc.RemoteKeys(str))


@pytest.fixture
def site(make: Make) -> Iterator[str]:
    """An issuer that publishes, and paths beside it that behave badly."""
    keys = sc.KeySet.generate()
    endpoints = application(make(keys=keys), sign_in, keys=keys)
    elsewhere = {"/near": "/.well-known/jwks.json", "/far": "http://localhost:1/keys", "/plain": "http://example.com/"}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        path = environ["PATH_INFO"]
        if path in elsewhere:
            start_response("302 Found", [("Location", elsewhere[path])])
            return [b""]
        if path == "/long":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b" " * (jwks.MAX_LENGTH + 1)]
        if path == "/slow":
            time.sleep(2)
        return endpoints(environ, start_response)

    typed: WSGIApplication = app  # type: ignore[assignment]
    with serving(typed) as (host, port):
        yield f"http://{host}:{port}"


def test_a_set_is_fetched_over_http(site: str) -> None:
    text = jwks.fetch(f"{site}/.well-known/jwks.json")
    assert len(sc.KeySet.from_jwks(text)) == 1 and jwks.fetch(f"{site}/near") == text


def test_what_is_not_safe_to_fetch_is_refused(site: str) -> None:
    refused: dict[str, Callable[[], object]] = {
        "another origin": lambda: jwks.fetch(f"{site}/far"),
        "more than": lambda: jwks.fetch(f"{site}/long"),
        "404": lambda: jwks.fetch(f"{site}/none"),
        "timed out": lambda: jwks.fetch(f"{site}/slow", timeout=0.2),
    }
    for text, act in refused.items():
        with pytest.raises(OSError, match=text):
            act()
    for url in ("http://id.example/keys", "file:///etc/passwd", "ftp://localhost/", "keys.json", "https:///keys"):
        with pytest.raises(ValueError, match="https alone"):
            jwks.fetch(url)
    with pytest.raises(ValueError, match="https alone"):
        jwks.fetch(f"{site}/plain")
