"""The endpoints: each reads its parameters, calls the authority once and writes down what it said."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from safeconduct import Authority, Claims, Error, Grant, KeyRefused, KeySet, Session, SessionUnknown
from safeconduct.wsgi.answers import (
    NO_STORE,
    STRAY_SESSION,
    Answer,
    Refused,
    at_endpoint,
    at_resource,
    json_answer,
    report,
)
from safeconduct.wsgi.bearer import bearer
from safeconduct.wsgi.request import Request, commitment, number, required

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SignIn = Callable[[dict[str, Any], Mapping[str, str]], "str | Mapping[str, Any] | None"]
"""Authenticates a person: the WSGI environment and the form go in. ``None`` refuses; a subject, or a mapping
with ``subject`` and any other argument of ``Authority.issue``, signs in."""

PAGE = 100
"""The most sessions of one answer."""


class Route(NamedTuple):
    """What answers a path."""

    method: str
    answer: Callable[[Request], Answer]
    is_resource: bool = False


def application(
    authority: Authority,
    sign_in: SignIn,
    *,
    keys: KeySet | None = None,
    realm: str = "safeconduct",
    clock: Callable[[], float] = time.time,
) -> WSGIApplication:
    """The endpoints of ``spec/http.md`` as one WSGI application.

    ``keys`` is the set whose public keys are published, as they are each time; a symmetric one publishes nothing. ``clock`` gives
    ``server_time``; it should be the authority's. What ``sign_in`` raises goes to the server, as it does in any
    WSGI application.
    """
    endpoints = Endpoints(authority, sign_in, clock)
    routes = {
        "/login": Route("POST", endpoints.login),
        "/refresh": Route("POST", endpoints.refresh),
        "/revoke": Route("POST", endpoints.revoke),
        "/sessions": Route("GET", endpoints.sessions, is_resource=True),
        "/sessions/revoke": Route("POST", endpoints.revoke_sessions, is_resource=True),
    }
    if keys is not None and _is_public(keys):
        routes["/.well-known/jwks.json"] = Route("GET", lambda request: _jwks(keys, request, clock()))

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request, path = Request(environ), environ.get("PATH_INFO", "")
        route = routes.get(path, Route("GET", _not_found))
        try:
            request.query()
            if environ["REQUEST_METHOD"] not in _methods(route) and path in routes:
                raise Refused("method_not_allowed", "", ("Allow", ", ".join(_methods(route))))
            answer = route.answer(request)
        except (Error, Refused) as error:
            report(error, environ)
            now = int(clock())
            answer = at_resource(error, now, realm) if route.is_resource else at_endpoint(error, now)
        request.discard()
        return answer.send(environ, start_response)

    return app


class Endpoints:
    """What the routes do. Each may raise ``Refused`` and what the authority raises."""

    def __init__(self, authority: Authority, sign_in: SignIn, clock: Callable[[], float]) -> None:
        self.authority, self.sign_in, self.clock = authority, sign_in, clock

    def login(self, request: Request) -> Answer:
        """``POST /login``."""
        form = request.form()
        offered = commitment(form, "commitment")
        signed_in = self.sign_in(request.environ, form)
        if signed_in is None:
            raise Refused("sign_in_refused", "the credentials are wrong")
        asked: dict[str, Any] = {"commitment": offered, "device": form.get("device")}
        if "client_id" in form:
            asked["client_id"] = form["client_id"]
        granted = {"subject": signed_in} if isinstance(signed_in, str) else signed_in
        if not isinstance(granted, Mapping) or "subject" not in granted:
            raise TypeError("sign_in gives a subject, a mapping with 'subject', or None")
        grant = self.authority.issue(**(asked | dict(granted)))
        return self._token_answer(grant, granted.get("scope"))

    def refresh(self, request: Request) -> Answer:
        """``POST /refresh``: the token endpoint of RFC 6749."""
        form = request.form()
        if required(form, "grant_type") != "refresh_token":
            raise Refused("grant_type_unsupported", "grant_type must be refresh_token")
        grant = self.authority.refresh(
            required(form, "refresh_token"),
            client_id=form.get("client_id"),
            next_commitment=commitment(form, "next_commitment"),
            scope=form.get("scope"),
            challenge=form.get("challenge"),
        )
        return self._token_answer(grant, form.get("scope"))

    def revoke(self, request: Request) -> Answer:
        """``POST /revoke``, RFC 7009: whatever the token was, it is good for nothing now."""
        self.authority.revoke(required(request.form(), "token"))
        return Answer(200, list(NO_STORE), b"")

    def sessions(self, request: Request) -> Answer:
        """``GET /sessions``: a page of the bearer's sessions."""
        claims = bearer(request.environ, self.authority)
        query = request.query()
        limit = number(query, "limit", PAGE)
        try:
            listed = self.authority.sessions(_subject(claims), after=query.get("after"), limit=limit)
        except SessionUnknown:
            raise Refused("parameter_malformed", "after must be a session id") from None
        following = listed[-1].session_id if len(listed) == limit else None
        shown = [_shown(session, claims) for session in listed]
        return json_answer(200, {"sessions": shown, "next": following, "server_time": self._now()})

    def revoke_sessions(self, request: Request) -> Answer:
        """``POST /sessions/revoke``: one of the bearer's sessions, all others, or all."""
        claims = bearer(request.environ, self.authority)
        form, subject = request.form(), _subject(claims)
        match [(name, form[name]) for name in ("session_id", "others", "all") if name in form]:
            case [("session_id", session_id)]:
                if not any(session.session_id == session_id for session in self._all_sessions(subject)):
                    raise Refused("session_unknown", "no live session of yours has this id", code=STRAY_SESSION)
                self.authority.revoke_session(session_id)
            case [("others", "true")]:
                self.authority.revoke_subject(subject, keep=claims.sid)
            case [("all", "true")]:
                self.authority.revoke_subject(subject)
            case []:
                raise Refused("parameter_missing", "session_id, others=true or all=true is needed")
            case _:
                raise Refused("parameter_malformed", "one of session_id, others=true and all=true is needed")
        return json_answer(200, {"outcome": "revoked", "server_time": self._now()})

    def _all_sessions(self, subject: str) -> Iterator[Session]:
        page = self.authority.sessions(subject, limit=PAGE)
        while page:
            yield from page
            page = self.authority.sessions(subject, after=page[-1].session_id, limit=PAGE)

    def _token_answer(self, grant: Grant, scope: str | None) -> Answer:
        """RFC 6749 section 5.1, and what this library adds to it."""
        members: dict[str, object] = {
            "outcome": grant.outcome,
            "session_id": grant.session_id,
            "access_token": grant.access_token,
            "session_token": grant.session_token,
            "refresh_token": grant.refresh_token,
            "receipt": grant.receipt,
            "scope": scope or None,
        }
        if grant.access_token or grant.session_token:
            members |= {"token_type": "Bearer", "expires_in": grant.expires_in}
        present = {name: value for name, value in members.items() if value is not None}
        return json_answer(200, {**present, "server_time": self._now()})

    def _now(self) -> int:
        return int(self.clock())


def _subject(claims: Claims) -> str:
    return str(claims["sub"])


def _shown(session: Session, claims: Claims) -> dict[str, object]:
    times = {name: int(getattr(session, name).timestamp()) for name in ("issued_at", "rotated_at")}
    times |= {name: int(getattr(session, name).timestamp()) for name in ("idle_deadline", "absolute_deadline")}
    return {
        "session_id": session.session_id,
        "current": session.session_id == claims.sid,
        "mode": session.mode,
        "client_id": session.client_id,
        "scope": session.scope,
        "device": session.device,
        "ip": session.ip,
        **times,
    }


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _not_found(_: Request) -> Answer:
    raise Refused("not_found", "nothing is here")


def _is_public(keys: KeySet) -> bool:
    try:
        keys.jwks()
    except KeyRefused:
        return False
    return True


def _jwks(keys: KeySet, request: Request, now: float) -> Answer:
    """The keys as they are published now; nothing but their mark for those who have them already."""
    body = keys.jwks(now=now).encode()
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = [("ETag", mark), ("Cache-Control", f"public, max-age={int(keys.cache_lifetime.total_seconds())}")]
    if request.has(mark):
        return Answer(304, headers, b"")
    return Answer(200, [("Content-Type", "application/jwk-set+json"), *headers], body)
