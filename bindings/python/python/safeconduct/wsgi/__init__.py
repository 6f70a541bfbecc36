"""Sessions over HTTP as a WSGI application, on the standard library alone; the page is ``spec/http.md``.

``application`` answers ``POST /login``, ``POST /refresh``, ``POST /revoke``, ``GET /sessions``,
``POST /sessions/revoke`` and ``GET /.well-known/jwks.json``; ``protect`` puts the check of bearer tokens in
front of any other WSGI application. Nothing is decided here: a table gives each reason its status.

    from wsgiref.simple_server import make_server

    def sign_in(environ, form):
        if form.get("password") == "correct horse":
            return {"subject": "user-1", "scope": "read write"}

    app = application(authority, sign_in, keys=keys)
    make_server("127.0.0.1", 8000, app).serve_forever()
"""

from safeconduct.wsgi.application import application
from safeconduct.wsgi.bearer import CLAIMS, protect

__all__ = ["CLAIMS", "application", "protect"]
