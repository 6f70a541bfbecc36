"""A server with real sockets, and a client that sends exactly what it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import safeconduct as sc
from safeconduct.wsgi import CLAIMS, application, protect

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORM = "application/x-www-form-urlencoded"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is no error of the server."""


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def sign_in(environ: dict[str, Any], form: Mapping[str, str]) -> dict[str, Any] | None:
    """The application of the vectors: one password for all."""
    if form.get("password") != "right":
        return None
    return {"subject": form["user"], "scope": "read write", "mode": form.get("mode", "hybrid")}


def resource(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """What is protected: says whom it was asked by."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps({"sub": environ[CLAIMS].sub}).encode()]


def site(authority: sc.Authority, keys: sc.KeySet, clock: Callable[[], float]) -> WSGIApplication:
    """The endpoints, and two protected resources beside them."""
    endpoints = application(authority, sign_in, keys=keys, clock=clock)
    resources = {
        path: protect(resource, authority, scope=scope, clock=clock)
        for path, scope in [("/read", "read"), ("/admin", "admin")]
    }

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        return resources.get(environ["PATH_INFO"], endpoints)(environ, start_response)

    return app


@contextlib.contextmanager
def serving(app: WSGIApplication) -> Iterator[tuple[str, int]]:
    """Serves on a free port, each request in a thread of its own."""
    with make_server("127.0.0.1", 0, app, server_class=Server, handler_class=Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield ("127.0.0.1", server.server_port)
        finally:
            server.shutdown()
            thread.join()


def send(
    address: tuple[str, int],
    method: str,
    path: str,
    *,
    form: Mapping[str, str] | None = None,
    body: str | None = None,
    headers: Mapping[str, str | list[str]] | None = None,
    bearer: str | None = None,
) -> Reply:
    """One request, one reply."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        if form is not None:
            body = urlencode(form)
            connection.putheader("Content-Type", FORM)
        if bearer is not None:
            connection.putheader("Authorization", f"Bearer {bearer}")
        for name, values in (headers or {}).items():
            for value in [values] if isinstance(values, str) else values:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(body.encode() if body is not None else None)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


def refresh(address: tuple[str, int], token: str, **further: str) -> Reply:
    """A refresh."""
    return send(address, "POST", "/refresh", form={"grant_type": "refresh_token", "refresh_token": token} | further)


def login(address: tuple[str, int], **further: str) -> Reply:
    """A login with the right password."""
    return send(address, "POST", "/login", form={"user": "u-1", "password": "right"} | further)
