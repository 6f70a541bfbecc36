"""Requests, read within bounds: bodies, forms and queries. What is refused here never reaches an authority."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from safeconduct.wsgi.answers import Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY = 65_536
"""The longest body that is read, in bytes."""

MAX_PARAMETERS = 64
"""The most parameters of one request."""

MAX_DISCARDED = 1_048_576
"""How much of a refused body is read and dropped, so that the client is still there for the answer."""

FORM = "application/x-www-form-urlencoded"

TOKENS = frozenset(("access_token", "refresh_token", "session_token", "token"))


class Request:
    """What came, read no further than it says it goes: a server's input may not end by itself."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        length = environ.get("CONTENT_LENGTH") or ""
        self._has_length = length.isascii() and length.isdigit() and len(length) < 16
        self._left = int(length) if self._has_length else 0

    def form(self) -> dict[str, str]:
        """The parameters of the body.

        Raises ``Refused``.
        """
        if not self._has_length:
            raise Refused("length_required", "the request needs a Content-Length")
        if self._left > MAX_BODY:
            raise Refused("body_too_large", f"a body has at most {MAX_BODY} bytes")
        kind, _, further = self.environ.get("CONTENT_TYPE", "").partition(";")
        charset = further.strip().lower().replace('"', "")
        if kind.strip().lower() != FORM or charset not in ("", "charset=utf-8"):
            raise Refused("content_type_unsupported", f"the body must be {FORM} in UTF-8", ("Accept", FORM))
        body = self._read(self._left)
        if self._left:
            raise Refused("body_malformed", "the body ended before its Content-Length")
        return parameters(body)

    def query(self) -> dict[str, str]:
        """The parameters of the URL.

        Raises ``Refused``, also for one that looks like a token: URLs end up in logs.
        """
        query = parameters(self.environ.get("QUERY_STRING", "").encode("latin-1"))
        if not TOKENS.isdisjoint(query):
            raise Refused("token_in_url", "a token never stands in a URL")
        return query

    def has(self, mark: str) -> bool:
        """Whether the client has already what bears this entity tag (RFC 9110 section 13.1.2)."""
        known = [tag.strip().removeprefix("W/") for tag in self.environ.get("HTTP_IF_NONE_MATCH", "").split(",")]
        return mark in known or known == ["*"]

    def discard(self) -> None:
        """Drops what was sent and not read, within bounds."""
        if self._left <= MAX_DISCARDED:
            self._read(self._left)

    def _read(self, length: int) -> bytes:
        parts = []
        while length and (part := self.environ["wsgi.input"].read(length)):
            parts.append(part)
            length -= len(part)
            self._left -= len(part)
        return b"".join(parts)


def parameters(encoded: bytes) -> dict[str, str]:
    """The parameters of a form or a query; those without a value are left out (RFC 6749 section 3.2).

    Raises ``Refused``.
    """
    try:
        pairs = parse_qsl(encoded.decode(), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Refused("body_malformed", "the parameters are not UTF-8, or too many") from None
    if len(dict(pairs)) < len(pairs):
        raise Refused("parameter_repeated", "a parameter occurs twice")
    return dict(pairs)


def required(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there.

    Raises ``Refused``.
    """
    if name not in form:
        raise Refused("parameter_missing", f"the parameter {name} is missing")
    return form[name]


def commitment(form: Mapping[str, str], name: str) -> bytes | None:
    """A SHA-256 in canonical base64url, where it is there.

    Raises ``Refused``.
    """
    if name not in form:
        return None
    try:
        raw = base64.urlsafe_b64decode(form[name] + "=")
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 32 or base64.urlsafe_b64encode(raw).decode() != form[name] + "=":
        raise Refused("parameter_malformed", f"{name} must be 43 characters of base64url")
    return raw


def number(query: Mapping[str, str], name: str, largest: int) -> int:
    """A whole number from 1 to ``largest``, which it is where it is left out.

    Raises ``Refused``.
    """
    text = query.get(name, str(largest))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise Refused("parameter_malformed", f"{name} must be a number from 1 to {largest}")
    return int(text)
