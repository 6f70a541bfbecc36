"""Bearer tokens in front of a resource (RFC 6750): read once from the header, verified, never from elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from safeconduct import Authority, Claims, Error, Verifier
from safeconduct.wsgi.answers import Refused, at_resource, report
from safeconduct.wsgi.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CLAIMS = "safeconduct.claims"
"""Where ``protect`` leaves the claims in the WSGI environment."""

SESSION_TOKEN = "sco1_"

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


def protect(
    app: WSGIApplication,
    accept: Authority | Verifier,
    scope: str | None = None,
    *,
    realm: str = "safeconduct",
    clock: Callable[[], float] = time.time,
) -> WSGIApplication:
    """Lets through to ``app`` who shows a good token that lists every scope of ``scope``.

    The claims are then in ``environ["safeconduct.claims"]``. With an ``Authority``, access tokens and opaque
    session tokens are accepted, and what this process revoked is refused at once; with a ``Verifier``, access
    tokens only.
    """

    def protected(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            Request(environ).query()
            claims = bearer(environ, accept)
            if not all(claims.has_scope(token) for token in (scope or "").split()):
                raise Refused("scope_insufficient", f"this needs the scope {scope}")
        except (Error, Refused) as error:
            report(error, environ)
            return at_resource(error, int(clock()), realm, scope).send(environ, start_response)
        return app({**environ, CLAIMS: claims}, start_response)

    return protected


def bearer(environ: WSGIEnvironment, accept: Authority | Verifier) -> Claims:
    """The claims of the one bearer token of a request.

    Raises ``Refused`` where there is none or more than one, and what ``accept`` raises.
    """
    header = environ.get("HTTP_AUTHORIZATION", "").strip()
    if not header:
        raise Refused("credentials_missing", "an access token is needed")
    match = _BEARER.fullmatch(header)
    # Servers join headers of one name by commas, which stand in no token.
    if match is None:
        raise Refused("authorization_malformed", "one Authorization header with one Bearer token is needed")
    token = match[1]
    if token.startswith(SESSION_TOKEN) and not isinstance(accept, Verifier):
        return accept.authenticate(token)
    return accept.verify(token)
