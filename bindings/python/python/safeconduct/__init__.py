"""Sign-in sessions, refresh tokens and access tokens, decided by one small Rust core.

An `Authority` issues, refreshes, verifies and revokes. It is made of keys, secrets, a store and a `Policy`.
A `Verifier` accepts access tokens elsewhere, with nothing but keys.
"""

from collections.abc import Mapping

from safeconduct import errors
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
    "errors",
]
__all__ += errors.__all__
