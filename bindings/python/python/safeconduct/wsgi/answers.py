"""What each reason is on the wire: the table of ``spec/http.md`` as data, and answers made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from safeconduct.errors import Error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RETRY_AFTER = "1"
"""Seconds, on every 503."""

NO_STORE = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


class Code(NamedTuple):
    """A status and the OAuth error that goes with it."""

    status: int
    error: str | None


def _codes() -> Iterable[tuple[str, Code, Code]]:
    """Reason, code at the endpoints, code at a resource."""
    grant, token = Code(400, "invalid_grant"), Code(401, "invalid_token")
    later, broken = Code(503, "temporarily_unavailable"), Code(500, "server_error")
    request = Code(400, "invalid_request")

    def each(reasons: str, endpoint: Code, resource: Code | None = None) -> Iterable[tuple[str, Code, Code]]:
        return [(reason, endpoint, resource or endpoint) for reason in reasons.split()]

    # Refresh and session tokens.
    yield from each("reuse_detected superseded not_ours wrong_holder generation_exhausted", grant, token)
    yield from each("session_unknown session_revoked session_expired_idle session_expired_absolute", grant, token)
    yield from each("commitment_required commitment_unexpected commitment_reused", request)
    yield from each("proof_required", Code(400, "invalid_dpop_proof"), Code(401, "invalid_dpop_proof"))
    yield from each("nonce_required", Code(400, "use_dpop_nonce"), Code(401, "use_dpop_nonce"))
    yield from each("scope_exceeded sign_in_scope", Code(400, "invalid_scope"))
    yield from each("too_many_sessions", Code(403, "access_denied"))
    # Access tokens.
    yield from each("stale_claims expired revoked malformed too_large header_refused wrong_algorithm wrong_type", token)
    yield from each("unknown_key bad_signature not_json claims_malformed missing_claim wrong_issuer", token)
    yield from each("wrong_audience not_yet_valid issued_in_future lifetime_too_long not_revocable", token)
    # Nobody can say just now, or the deployment is to be mended.
    yield from each("not_covered keys_unavailable signing_fault store_unavailable store_contended store_behind entropy_unavailable", later)
    yield from each("session_exists record_newer", later)
    yield from each("store_unusable store_foreign store_partitions key_missing exchange_protocol", broken)
    yield from each("record_unknown_key record_tampered record_malformed", broken)
    yield from each("sign_in_empty sign_in_personal_subject sign_in_opaque_replay sign_in_opaque_proof", broken)
    yield from each("policy_refused", broken)
    yield from each("custom_claims_malformed custom_claims_too_large custom_claims_reserved", broken)
    yield from each("custom_claims_personal_data", broken)
    # The request itself.
    yield from each("sign_in_too_long sign_in_control_character body_malformed parameter_missing parameter_repeated", request)
    yield from each("parameter_malformed authorization_malformed token_in_url", request)
    yield from each("not_found", Code(404, "invalid_request"))
    yield from each("method_not_allowed", Code(405, "invalid_request"))
    yield from each("length_required", Code(411, "invalid_request"))
    yield from each("body_too_large", Code(413, "invalid_request"))
    yield from each("content_type_unsupported", Code(415, "invalid_request"))
    yield from each("grant_type_unsupported", Code(400, "unsupported_grant_type"))
    yield from each("sign_in_refused", grant)
    yield from each("credentials_missing", Code(401, None))
    yield from each("scope_insufficient", Code(403, "insufficient_scope"))


AT_ENDPOINT: Mapping[str, Code] = {reason: endpoint for reason, endpoint, _ in _codes()}
"""At ``/login``, ``/refresh`` and ``/revoke``."""

AT_RESOURCE: Mapping[str, Code] = {reason: resource for reason, _, resource in _codes()}
"""Wherever a bearer token is shown."""

WITH_CHALLENGE = Code(409, "superseded")
"""``superseded``, where the browser is to send again what it holds now."""

SERVER_ERROR = Code(500, "server_error")
"""A reason that no request can bring about."""

STRAY_SESSION = Code(404, "invalid_request")
"""``session_unknown``, where a session and not a token is named."""


class Refused(Exception):
    """A request that is answered with an error of its own."""

    def __init__(self, reason: str, text: str = "", *headers: tuple[str, str], code: Code | None = None) -> None:
        super().__init__(text)
        self.reason, self.headers, self.code = reason, headers, code


class Answer(NamedTuple):
    """Status, headers and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def send(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Gives it to the server."""
        status = f"{self.status} {HTTPStatus(self.status).phrase}"
        # Of 304 it would be that of an answer which is not sent.
        length = [] if self.status == 304 else [("Content-Length", str(len(self.body)))]
        start_response(status, [*self.headers, *length])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def json_answer(status: int, body: Mapping[str, object], *headers: tuple[str, str], kind: str = "json") -> Answer:
    """An answer that nobody may keep. ``kind`` is the subtype of ``application``."""
    content = [("Content-Type", f"application/{kind}"), *NO_STORE, *headers]
    return Answer(status, content, json.dumps(body, separators=(",", ":")).encode())


def at_endpoint(error: Error | Refused, now: int) -> Answer:
    """An error as RFC 6749 section 5.2 has it."""
    code = error.code if isinstance(error, Refused) and error.code else AT_ENDPOINT.get(error.reason, SERVER_ERROR)
    challenge = getattr(error, "challenge", None)
    if challenge is not None:
        code = WITH_CHALLENGE
    body = {"error": code.error, "reason": error.reason, **_text(error, code), "server_time": now}
    if challenge is not None:
        body["challenge"] = challenge
    return json_answer(code.status, body, *_further(error, code))


def at_resource(error: Error | Refused, now: int, realm: str, scope: str | None = None) -> Answer:
    """An error as RFC 6750 section 3 and RFC 9457 have it."""
    code = error.code if isinstance(error, Refused) and error.code else AT_RESOURCE.get(error.reason, SERVER_ERROR)
    headers = list(_further(error, code))
    if code.status in (401, 403) or error.reason in ("authorization_malformed", "token_in_url"):
        headers.append(("WWW-Authenticate", _challenge(error.reason, code, realm, scope)))
    body: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(code.status).phrase, "status": code.status}
    if code.error:
        body["error"] = code.error
    body |= {"reason": error.reason, **_text(error, code), "server_time": now}
    return json_answer(code.status, body, *headers, kind="problem+json")


def report(error: Error | Refused, environ: WSGIEnvironment) -> None:
    """Tells the operator what the client is not told."""
    if AT_ENDPOINT.get(error.reason, SERVER_ERROR).status >= 500:
        environ["wsgi.errors"].write(f"safeconduct: {error.reason}: {error}\n")


def _text(error: Error | Refused, code: Code) -> dict[str, object]:
    """What a person may read; a server's own trouble names paths and settings, which are not for clients."""
    text = str(error)
    return {"error_description": text} if text and code.status < 500 else {}


def _further(error: Error | Refused, code: Code) -> Iterable[tuple[str, str]]:
    if isinstance(error, Refused):
        yield from error.headers
    if code.status == 503:
        yield ("Retry-After", RETRY_AFTER)


def _challenge(reason: str, code: Code, realm: str, scope: str | None) -> str:
    parts = {"realm": realm}
    if code.error:
        parts |= {"error": code.error, "reason": reason}
        if scope and code.error == "insufficient_scope":
            parts["scope"] = scope
    return "Bearer " + ", ".join(f"{name}={_quoted(value)}" for name, value in parts.items())


def _quoted(text: str) -> str:
    """A quoted-string of RFC 9110 section 5.6.4."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
