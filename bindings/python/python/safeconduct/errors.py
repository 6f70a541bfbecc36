"""What can go wrong, sorted by what to do about it.

Every exception has ``reason``, a stable string that is the same in every language of the library, and a
text for whoever reads the log. Neither ever holds a token, a secret or anything of a person.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BadSignature",
    "CommitmentRefused",
    "ConfigError",
    "EntropyUnavailable",
    "Error",
    "ExpiredToken",
    "InvalidToken",
    "KeyRefused",
    "KeysUnavailable",
    "LifetimeTooLong",
    "MalformedToken",
    "MissingClaim",
    "NotCovered",
    "NotOurs",
    "NotRevocable",
    "PolicyRefused",
    "ProofRefused",
    "RecordRefused",
    "RefreshRefused",
    "ReuseDetected",
    "RevokedToken",
    "RotationRefused",
    "ScopeExceeded",
    "SecretsRefused",
    "SessionExpired",
    "SessionRevoked",
    "SessionUnknown",
    "SignInRefused",
    "SigningFault",
    "StaleClaims",
    "StoreBehind",
    "StoreError",
    "StoreMismatch",
    "StoreUnavailable",
    "StoreUnusable",
    "Superseded",
    "TokenNotYetValid",
    "TooManySessions",
    "UnknownKey",
    "WrongAlgorithm",
    "WrongAudience",
    "WrongHolder",
    "WrongIssuer",
    "WrongType",
]


class Error(Exception):
    """Whatever this library raises, but for the ``TypeError`` and ``ValueError`` of a wrong argument."""

    reason: str
    """The stable reason string."""

    def __init__(self, text: str = "", reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


class InvalidToken(Error):
    """An access token is refused. Answer 401; the client refreshes or signs in."""


class MalformedToken(InvalidToken):
    """Not the form of an access token: encoding, header, JSON, or a claim of a wrong type."""


class WrongAlgorithm(InvalidToken):
    """``alg`` is missing, not supported, or not the algorithm of the key."""


class WrongType(InvalidToken):
    """``typ`` names another kind of token."""


class UnknownKey(InvalidToken):
    """No key of the verifier is meant."""


class BadSignature(InvalidToken):
    """The signature is wrong."""


class MissingClaim(InvalidToken):
    """A claim that the profile requires is missing."""


class WrongIssuer(InvalidToken):
    """``iss`` is not the verifier's issuer."""


class WrongAudience(InvalidToken):
    """``aud`` does not name the verifier's audience, or names one where none is configured."""


class ExpiredToken(InvalidToken):
    """``exp`` is past. The client should refresh."""


class TokenNotYetValid(InvalidToken):
    """``nbf`` or ``iat`` is still to come."""


class LifetimeTooLong(InvalidToken):
    """``exp`` is further away than the verifier's ``max_ttl``."""


class StaleClaims(InvalidToken):
    """The session's claims were amended since. The client should refresh, not sign in."""


class RevokedToken(InvalidToken):
    """The session, its subject, the key or everything before an epoch was revoked."""


class NotRevocable(InvalidToken):
    """The token lacks the claims by which it could be revoked, and the verifier requires them."""


class NotCovered(Error):
    """The verifier does not know about revocations recent enough. Ask the store, or answer 503; never 401."""


class KeysUnavailable(Error):
    """The keys of the issuer cannot be fetched. Nothing is known of the token: answer 503; never 401."""


class RefreshRefused(Error):
    """A refresh or session token is refused, or a session cannot be changed."""


class NotOurs(RefreshRefused):
    """Not a token of this issuer: malformed, unknown key, or forged. The client signs in again."""


class WrongHolder(RefreshRefused):
    """The client is not the session's. Nothing changed, and it does not count as reuse."""


class SessionUnknown(RefreshRefused):
    """No session has this identifier. Sign in again."""


class SessionRevoked(RefreshRefused):
    """The session is revoked. Sign in again."""


class SessionExpired(RefreshRefused):
    """The session was not used in time or has reached its end. Sign in again."""


class ReuseDetected(RefreshRefused):
    """A replaced token was shown as no honest client shows it: the session is revoked. Sign in again."""


class Superseded(RefreshRefused):
    """The token is older than a repeat can be; nothing changed.

    The client reads its storage again; if it still holds this token, it revokes the session. A browser is
    sent ``challenge`` and sends it back with whatever token its jar holds now.
    """

    challenge: str | None = None
    """What to send back with the token that the browser holds now; ``None`` but under a window."""


class CommitmentRefused(RefreshRefused):
    """The commitment is missing, not taken by the session's replay rule, or was used before. Mend the client."""


class ProofRefused(RefreshRefused):
    """The session is bound to a key, and the proof is missing or lacks its nonce. Mend the client."""


class ScopeExceeded(RefreshRefused):
    """More scope was asked for than was granted."""


class TooManySessions(RefreshRefused):
    """The subject has as many sessions as the policy allows."""


class StoreError(Error):
    """The store could not do what it was asked. Answer 503; nobody is signed out."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or written just now, or too many were changing one session. Try again."""


class StoreUnusable(StoreError):
    """What is there is not a store of this kind, or of a newer version. Mend the configuration."""


class StoreBehind(StoreError):
    """The store went back behind what was issued from it, and the policy says to wait. Try again later."""


class RecordRefused(StoreError):
    """A record of the store is not believed: changed outside, or written by a newer version."""


class EntropyUnavailable(Error):
    """The operating system gave no randomness. Answer 503."""


class SigningFault(Error):
    """Signatures come out wrong: the machine is broken. Nothing was changed. Answer 503, and take it out of service."""


class ConfigError(Error):
    """The parts do not fit together. Fix the configuration or the call."""


class StoreMismatch(StoreError, ConfigError):
    """The store belongs to another deployment: other secrets, another issuer or other partitions."""


class SignInRefused(ConfigError):
    """A sign-in or an amendment cannot be carried out as asked. Fix the call."""


class PolicyRefused(ConfigError):
    """The policy would be unsafe. The text says why."""


class SecretsRefused(ConfigError):
    """The secrets cannot be had. The text says what to do."""


class KeyRefused(ConfigError):
    """A key or a set of keys is refused."""


class RotationRefused(KeyRefused):
    """Keys stay as they are: the change is not possible, or not yet. The text says why."""


FAMILIES: Mapping[str, tuple[type[Error], Mapping[str, type[Error]]]] = {
    "invalid_token": (
        InvalidToken,
        {
            "malformed": MalformedToken,
            "too_large": MalformedToken,
            "header_refused": MalformedToken,
            "wrong_algorithm": WrongAlgorithm,
            "wrong_type": WrongType,
            "unknown_key": UnknownKey,
            "bad_signature": BadSignature,
            "not_json": MalformedToken,
            "claims_malformed": MalformedToken,
            "missing_claim": MissingClaim,
            "wrong_issuer": WrongIssuer,
            "wrong_audience": WrongAudience,
            "expired": ExpiredToken,
            "not_yet_valid": TokenNotYetValid,
            "issued_in_future": TokenNotYetValid,
            "lifetime_too_long": LifetimeTooLong,
            "stale_claims": StaleClaims,
            "revoked": RevokedToken,
            "not_revocable": NotRevocable,
        },
    ),
    "refused": (
        RefreshRefused,
        {
            "reuse_detected": ReuseDetected,
            "superseded": Superseded,
            "not_ours": NotOurs,
            "wrong_holder": WrongHolder,
            "session_unknown": SessionUnknown,
            "session_revoked": SessionRevoked,
            "session_expired_idle": SessionExpired,
            "session_expired_absolute": SessionExpired,
            "generation_exhausted": SessionExpired,
            "commitment_required": CommitmentRefused,
            "commitment_unexpected": CommitmentRefused,
            "commitment_reused": CommitmentRefused,
            "proof_required": ProofRefused,
            "nonce_required": ProofRefused,
            "scope_exceeded": ScopeExceeded,
            "too_many_sessions": TooManySessions,
            # Two that concern the store and not the token: who answers 400 to these signs people out.
            "store_behind": StoreBehind,
            "session_exists": StoreUnavailable,
        },
    ),
    "store": (
        StoreError,
        {
            "store_unavailable": StoreUnavailable,
            "store_contended": StoreUnavailable,
            "store_unusable": StoreUnusable,
            "store_foreign": StoreMismatch,
            "store_partitions": StoreMismatch,
            "key_missing": StoreMismatch,
            "record_newer": RecordRefused,
            "record_tampered": RecordRefused,
            "record_unknown_key": RecordRefused,
            "record_malformed": RecordRefused,
        },
    ),
    "remote": (KeysUnavailable, {"keys_unavailable": KeysUnavailable}),
    "signing": (SigningFault, {"signing_fault": SigningFault}),
    "entropy": (EntropyUnavailable, {}),
    "config": (ConfigError, {}),
    "sign_in": (SignInRefused, {}),
    "policy": (PolicyRefused, {}),
    "secrets": (SecretsRefused, {}),
    "key": (
        KeyRefused,
        {
            "rotation_unknown_key": RotationRefused,
            "rotation_already_pending": RotationRefused,
            "rotation_not_pending": RotationRefused,
            "rotation_too_early": RotationRefused,
            "rotation_no_successor": RotationRefused,
        },
    ),
}
"""Which class a reason is raised as: by family, since one reason can stand in two of them."""


def raised(family: str, reason: str, text: str, challenge: str | None = None) -> Error:
    """The exception of a reason; the native part raises it."""
    base, classes = FAMILIES[family]
    error = classes.get(reason, base)(text, reason)
    if isinstance(error, Superseded):
        error.challenge = challenge
    return error
