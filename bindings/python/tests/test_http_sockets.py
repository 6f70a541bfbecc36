"""What only real connections show: replies that get lost, bodies that come in pieces, many at once."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import safeconduct as sc
from safeconduct.wsgi import protect

from conftest import AUDIENCE, ISSUER, Clock
from httpserver import FORM, Reply, login, refresh, resource, send, serving, site

Address = tuple[str, int]


@pytest.fixture
def keys() -> sc.KeySet:
    return sc.KeySet.generate("EdDSA")


@pytest.fixture
def authority(keys: sc.KeySet, clock: Clock, tmp_path: Path) -> sc.Authority:
    store = sc.SqliteStore(tmp_path / "sessions.db")
    secrets = sc.Secrets.generate()
    return sc.Authority(issuer=ISSUER, audience=AUDIENCE, keys=keys, secrets=secrets, store=store, clock=clock)


@pytest.fixture
def address(authority: sc.Authority, keys: sc.KeySet, clock: Clock) -> Iterator[Address]:
    with serving(site(authority, keys, clock)) as address:
        yield address


def raw_refresh(token: str, **further: str) -> bytes:
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token} | further)
    head = f"POST /refresh HTTP/1.0\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def committed_login(address: Address, secret: str) -> str:
    receipt = login(address, commitment=sc.RefreshToken.commitment(secret)).json["receipt"]
    return sc.RefreshToken.assemble(receipt, secret)


def wait_until_rotated(authority: sc.Authority, since: Any) -> None:
    """Until the server has done what nobody waited for."""
    for _ in range(500):
        if authority.sessions("u-1")[0].rotated_at != since:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the server never rotated")


def test_a_client_that_left_before_the_reply_repeats_a_month_later(
    address: Address, authority: sc.Authority, clock: Clock
) -> None:
    first, second, third = (sc.RefreshToken.new_secret() for _ in range(3))
    token = committed_login(address, first)
    issued_at = authority.sessions("u-1")[0].rotated_at
    clock.sleep(5)
    commitment = sc.RefreshToken.commitment(second)
    with socket.create_connection(address) as connection:
        connection.sendall(raw_refresh(token, next_commitment=commitment))
    wait_until_rotated(authority, issued_at)
    clock.sleep(29 * 86_400)
    repeated = refresh(address, token, next_commitment=commitment)
    assert (repeated.status, repeated.json["outcome"]) == (200, "repeated")
    assert "access_token" not in repeated.json
    token = sc.RefreshToken.assemble(repeated.json["receipt"], second)
    rotated = refresh(address, token, next_commitment=sc.RefreshToken.commitment(third))
    assert rotated.json["outcome"] == "rotated"


def test_a_browser_that_left_before_the_reply_goes_on_within_the_window(
    address: Address, authority: sc.Authority, clock: Clock
) -> None:
    token = login(address).json["refresh_token"]
    issued_at = authority.sessions("u-1")[0].rotated_at
    clock.sleep(5)
    with socket.create_connection(address) as connection:
        connection.sendall(raw_refresh(token))
    wait_until_rotated(authority, issued_at)
    repeated = refresh(address, token).json
    assert repeated["outcome"] == "repeated"
    clock.sleep(20)
    assert refresh(address, repeated["refresh_token"]).json["outcome"] == "rotated"


def test_sixty_four_tabs_refresh_one_token_at_once_and_none_is_signed_out(address: Address) -> None:
    token = login(address).json["refresh_token"]
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda _: refresh(address, token), range(64)))
    assert {reply.status for reply in replies} == {200}
    assert Counter(reply.json["outcome"] for reply in replies) == {"rotated": 1, "repeated": 63}
    assert len({reply.json["refresh_token"] for reply in replies}) == 1
    assert send(address, "GET", "/read", bearer=replies[0].json["access_token"]).status == 200


def test_sixty_four_thieves_with_one_token_leave_no_session(address: Address) -> None:
    secret = sc.RefreshToken.new_secret()
    token = committed_login(address, secret)
    drawn = [sc.RefreshToken.new_secret() for _ in range(64)]

    def steal(own: str) -> Reply:
        return refresh(address, token, next_commitment=sc.RefreshToken.commitment(own))

    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(steal, drawn))
    said = Counter(reply.json.get("reason") or reply.json["outcome"] for reply in replies)
    assert said == {"rotated": 1, "reuse_detected": 1, "session_revoked": 62}
    [won] = [reply for reply in replies if reply.status == 200]
    refused = send(address, "GET", "/read", bearer=won.json["access_token"])
    assert (refused.status, refused.json["reason"]) == (401, "revoked")


def test_a_body_that_comes_in_pieces_is_one_body(address: Address) -> None:
    request = raw_refresh(login(address).json["refresh_token"])
    with socket.create_connection(address) as connection:
        for start in range(0, len(request), 40):
            connection.sendall(request[start : start + 40])
            threading.Event().wait(0.01)
        assert connection.makefile("rb").readline().split()[1] == b"200"


def test_a_body_that_ends_early_is_refused_and_changes_nothing(address: Address) -> None:
    token = login(address).json["refresh_token"]
    with socket.create_connection(address) as connection:
        connection.sendall(raw_refresh(token)[:-1])
        connection.shutdown(socket.SHUT_WR)
        reply = connection.makefile("rb").read()
    assert b" 400 " in reply and b'"body_malformed"' in reply
    assert refresh(address, token).json["outcome"] == "rotated"


def raw(address: Address, head: bytes) -> bytes:
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head + b"\r\n\r\n")
        return connection.makefile("rb").read()


@pytest.mark.parametrize("length", ["", "Content-Length: -1", "Content-Length: 1e3", "Content-Length: +5"])
def test_a_length_that_is_none_is_refused_without_waiting(address: Address, length: str) -> None:
    head = f"POST /refresh HTTP/1.0\r\nContent-Type: {FORM}" + (f"\r\n{length}" if length else "")
    assert b'"length_required"' in raw(address, head.encode())


def test_a_body_that_claims_to_be_endless_is_refused_before_it_comes(address: Address) -> None:
    head = f"POST /refresh HTTP/1.0\r\nContent-Type: {FORM}\r\nContent-Length: 999999999999"
    reply = raw(address, head.encode())
    assert b" 413 " in reply and b'"body_too_large"' in reply


def test_a_large_body_is_dropped_so_that_its_sender_hears_why(address: Address) -> None:
    body = "token=" + "a" * 900_000
    reply = send(address, "POST", "/revoke", body=body, headers={"Content-Type": FORM})
    assert (reply.status, reply.json["reason"]) == (413, "body_too_large")


def test_a_form_of_five_thousand_parameters_is_refused(address: Address) -> None:
    body = "&".join(f"a{i}=1" for i in range(5_000))
    reply = send(address, "POST", "/revoke", body=body, headers={"Content-Type": FORM})
    assert (reply.status, reply.json["reason"]) == (400, "body_malformed")


@pytest.mark.parametrize(("size", "status"), [(60_000, 401), (70_000, 431)])
def test_a_huge_authorization_header_is_refused(address: Address, size: int, status: int) -> None:
    assert send(address, "GET", "/read", bearer="a" * size).status == status


def test_bytes_that_are_no_text_are_refused_everywhere(address: Address) -> None:
    for header in (b"Bearer \xff\xfe", b"\x80", b"Bearer a\tb"):
        assert b" 400 " in raw(address, b"GET /read HTTP/1.0\r\nAuthorization: " + header)[:20]
    reply = send(address, "POST", "/login", body="user=%C3%28", headers={"Content-Type": FORM})
    assert reply.json["reason"] == "body_malformed"
    assert refresh(address, "scr1_\0\u2603").json["reason"] == "not_ours"
    assert refresh(address, login(address).json["refresh_token"], scope="\u2603").json["reason"] == "scope_exceeded"


def test_head_is_answered_as_get_without_a_body(address: Address, keys: sc.KeySet) -> None:
    reply = send(address, "HEAD", "/.well-known/jwks.json")
    assert (reply.status, reply.body) == (200, b"") and int(reply.headers["Content-Length"]) == len(keys.jwks())


def test_a_verifier_in_another_process_accepts_by_the_published_keys(address: Address) -> None:
    trusted = sc.KeySet.from_jwks(send(address, "GET", "/.well-known/jwks.json").body.decode())
    verifier = sc.Verifier(trusted, issuer=ISSUER, audience=AUDIENCE)
    elsewhere = protect(resource, verifier, scope="read")
    with serving(elsewhere) as other:
        # Its clock is the system's, by which the tokens of this test expired long ago.
        reply = send(other, "GET", "/", bearer=login(address).json["access_token"])
        assert (reply.status, reply.json["reason"]) == (401, "expired")
        reply = send(other, "GET", "/", bearer=login(address, mode="opaque").json["session_token"])
        assert (reply.status, reply.json["reason"]) == (401, "malformed")


def test_pages_of_sessions_follow_one_another(address: Address) -> None:
    replies = [login(address).json for _ in range(5)]
    seen, after = [], ""
    while after is not None:
        path = "/sessions?limit=2" + (f"&after={after}" if after else "")
        page = send(address, "GET", path, bearer=replies[0]["access_token"]).json
        seen += [session["session_id"] for session in page["sessions"]]
        after = page["next"]
    assert sorted(seen) == sorted(reply["session_id"] for reply in replies)


def test_a_second_use_of_the_page_mounts_under_a_prefix(address: Address, authority: sc.Authority) -> None:
    def denied(*arguments: Any) -> None:
        raise AssertionError("nobody signs in here")

    from safeconduct.wsgi import application

    inner = application(authority, denied)

    def mounted(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix("/auth")
        return inner({**environ, "SCRIPT_NAME": "/auth", "PATH_INFO": path}, start_response)

    with serving(mounted) as prefixed:
        token = login(address).json["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token}
        assert send(prefixed, "POST", "/auth/refresh", form=form).status == 200
        assert send(prefixed, "GET", "/auth/.well-known/jwks.json").status == 404
