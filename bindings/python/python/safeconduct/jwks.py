"""Fetches the keys that an issuer publishes, on the standard library alone; for ``RemoteKeys``.

    keys = RemoteKeys(lambda: fetch("https://id.example/.well-known/jwks.json"))
    verifier = Verifier(keys, issuer="https://id.example", audience="https://api.example")

Refused: whatever is not HTTPS (but on this machine itself), redirects to another origin, answers that are too long,
too slow or not 200.
"""

from __future__ import annotations

from http.client import HTTPMessage
from typing import IO
from urllib.error import URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

__all__ = ["MAX_LENGTH", "fetch"]

MAX_LENGTH = 65_536
"""The longest set that is read, in bytes."""

PORTS = {"https": 443, "http": 80}
LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))


def fetch(url: str, *, timeout: float = 5.0) -> str:
    """The text of the JWK set at ``url``. ``timeout`` is in seconds, for each wait on the network.

    Raises ``ValueError`` for a URL that is not HTTPS, ``OSError`` where there is no good answer.
    """
    origin = _origin(urlsplit(url))
    request = Request(url, headers={"Accept": "application/jwk-set+json, application/json", "User-Agent": "safeconduct"})
    with build_opener(_SameOrigin(origin)).open(request, timeout=timeout) as reply:
        if reply.status != 200:
            raise URLError(f"{url} answered {reply.status}")
        body: bytes = reply.read(MAX_LENGTH + 1)
    if len(body) > MAX_LENGTH:
        raise URLError(f"{url} answered more than {MAX_LENGTH} bytes")
    return body.decode()


class _SameOrigin(HTTPRedirectHandler):
    """Follows redirects that stay where they are: keys of another origin are another's."""

    def __init__(self, origin: tuple[str, str, int]) -> None:
        self.origin = origin

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if _origin(urlsplit(newurl)) != self.origin:
            raise URLError(f"{req.full_url} redirects to another origin")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: SplitResult) -> tuple[str, str, int]:
    if url.scheme not in PORTS or not url.hostname or (url.scheme == "http" and url.hostname not in LOCAL):
        raise ValueError("keys are fetched over https alone, or from this machine itself")
    return url.scheme, url.hostname, url.port or PORTS[url.scheme]
