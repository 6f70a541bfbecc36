"""Sign-in sessions, refresh tokens and access tokens, decided by one small Rust core.

An `Authority` issues, refreshes, verifies and revokes. It is made of keys, secrets, a store and a `Policy`.
A `Verifier` accepts access tokens elsewhere, with nothing but keys.
"""

from collections.abc import Mapping

from safeconduct._native import (
    Authority,
    Claims,
    Grant,
    KeySet,
    MemoryStore,
    Policy,
    RefreshToken,
    Replay,
    Secrets,
    Session,
    SigningKey,
    SqliteStore,
    Verifier,
    VerifyingKey,
    __version__,
)
from safeconduct.errors import *  # noqa: F403
from safeconduct.errors import __all__ as _errors

Mapping.register(Claims)

__all__ = [
    "Authority",
    "Claims",
    "Grant",
    "KeySet",
    "MemoryStore",
    "Policy",
    "RefreshToken",
    "Replay",
    "Secrets",
    "Session",
    "SigningKey",
    "SqliteStore",
    "Verifier",
    "VerifyingKey",
    "__version__",
]
__all__ += _errors
