"""The application as any WSGI server sees it, without a socket."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import safeconduct as sc
from safeconduct.wsgi import application, protect

from conftest import AUDIENCE, ISSUER
from httpserver import FORM, resource


def call(app: Any, method: str, path: str, form: dict[str, str] | None = None, **further: Any) -> tuple[Any, ...]:
    """Status, headers, body and what was written to the server's log; by the letter of PEP 3333."""
    body = urlencode(form or {}).encode()
    path, _, query = path.partition("?")
    log = io.StringIO()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": log,
        **further,
    }
    if form is not None:
        environ |= {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, dict(headers)]
        return lambda _: None

    answer = validator(app)(environ, start_response)
    content = b"".join(answer)
    answer.close()  # type: ignore[attr-defined]
    return (*started, content, log.getvalue())


def test_a_sign_in_may_answer_with_a_subject_alone(authority: sc.Authority) -> None:
    status, headers, body, log = call(application(authority, lambda environ, form: "user-1"), "POST", "/login", {})
    assert (status, headers["Cache-Control"], log) == ("200 OK", "no-store", "")
    assert authority.verify(json.loads(body)["access_token"]).sub == "user-1"


def test_a_sign_in_decides_everything_that_the_form_does_not(authority: sc.Authority) -> None:
    def sign_in(environ: dict[str, Any], form: Any) -> dict[str, Any]:
        assert environ["REMOTE_ADDR"] == "192.0.2.1"
        return {"subject": "user-1", "scope": "read", "claims": {"tenant": 7}, "ip": "192.0.2.0/24"}

    form = {"scope": "admin", "mode": "opaque", "subject": "user-2", "claims": "{}", "device": "phone"}
    _, _, body, _ = call(application(authority, sign_in), "POST", "/login", form, REMOTE_ADDR="192.0.2.1")
    claims = authority.verify(json.loads(body)["access_token"])
    assert (claims.sub, claims.scope, claims["tenant"]) == ("user-1", "read", 7)
    [session] = authority.sessions("user-1")
    assert (session.device, session.ip) == ("phone", "192.0.2.0/24")


def test_what_a_sign_in_raises_goes_to_the_server(authority: sc.Authority) -> None:
    def broken(environ: object, form: object) -> str:
        raise LookupError("the application's own")

    with pytest.raises(LookupError):
        call(application(authority, broken), "POST", "/login", {})


def test_what_the_store_says_goes_to_the_log_and_never_to_the_client(authority: sc.Authority) -> None:
    class Down:
        def authenticate(self, token: str) -> None:
            raise sc.StoreUnavailable("/srv/secret/path.db: locked", "store_unavailable")

        def refresh(self, token: str, **_: object) -> None:
            raise sc.RecordRefused("a record of /srv/secret/path.db was changed", "record_tampered")

    app = application(Down(), lambda environ, form: None)  # type: ignore[arg-type]
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    status, headers, body, log = call(app, "POST", "/refresh", form)
    assert status == "500 Internal Server Error" and "Retry-After" not in headers
    assert b"secret" not in body and "/srv/secret/path.db" in log
    guarded = protect(resource, Down())  # type: ignore[arg-type]
    status, headers, body, log = call(guarded, "GET", "/", HTTP_AUTHORIZATION="Bearer sco1_x")
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "1")
    assert b"secret" not in body and "store_unavailable" in log and "WWW-Authenticate" not in headers


def test_a_reason_that_no_table_knows_is_the_servers_fault(authority: sc.Authority) -> None:
    class Later:
        def verify(self, token: str) -> None:
            raise sc.Error("something of a later version", "never_heard_of")

    guarded = protect(resource, Later())  # type: ignore[arg-type]
    assert call(guarded, "GET", "/", HTTP_AUTHORIZATION="Bearer x")[0] == "500 Internal Server Error"


def test_a_verifier_that_is_not_covered_answers_503(authority: sc.Authority) -> None:
    class Uncovered:
        def verify(self, token: str) -> None:
            raise sc.NotCovered("no news for 11 s", "not_covered")

    guarded = protect(resource, Uncovered())  # type: ignore[arg-type]
    status, headers, body, _ = call(guarded, "GET", "/", HTTP_AUTHORIZATION="Bearer x")
    assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "1")
    assert json.loads(body)["reason"] == "not_covered"


def test_protected_applications_need_every_scope(authority: sc.Authority) -> None:
    grant = authority.issue("user-1", scope="read write")
    bearer = f"Bearer {grant.access_token}"
    for scope, status in (("read", 200), ("read write", 200), (None, 200), ("write admin", 403), ("rea", 403)):
        assert call(protect(resource, authority, scope), "GET", "/", HTTP_AUTHORIZATION=bearer)[0][:3] == str(status)


def test_a_realm_is_quoted(authority: sc.Authority) -> None:
    _, headers, *_ = call(protect(resource, authority, realm='the "back\\office"'), "GET", "/")
    assert headers["WWW-Authenticate"] == 'Bearer realm="the \\"back\\\\office\\""'


def test_an_answer_to_a_sign_in_that_is_none_is_told(authority: sc.Authority) -> None:
    def sign_in(environ: Any, form: Any) -> Any:
        return wrong

    for wrong in (17, {}, {"scope": "read"}, ["user-1"]):
        with pytest.raises(TypeError, match="sign_in gives"):
            call(application(authority, sign_in), "POST", "/login", {})


def test_the_private_half_of_a_key_is_never_published(authority: sc.Authority) -> None:
    keys = sc.KeySet.generate("EdDSA")
    app = application(authority, lambda environ, form: None, keys=keys)
    _, headers, body, _ = call(app, "GET", "/.well-known/jwks.json")
    [key] = json.loads(body)["keys"]
    assert "d" not in key and headers["Cache-Control"] == "public, max-age=300"
    verifier = sc.Verifier(sc.KeySet.from_jwks(body.decode()), issuer=ISSUER, audience=AUDIENCE)
    assert repr(verifier)
