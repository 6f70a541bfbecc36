"""The native part. Import its names from `safeconduct`."""

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from datetime import datetime, timedelta
from os import PathLike
from typing import Any, Generic, Literal, TypeAlias, final, overload

from typing_extensions import TypeVar

__all__ = [
    "Authority",
    "Claims",
    "Grant",
    "KeySet",
    "KeyStatus",
    "MemoryStore",
    "Policy",
    "RefreshToken",
    "RemoteKeys",
    "Replay",
    "Secrets",
    "Session",
    "SigningKey",
    "SqliteStore",
    "Verifier",
    "VerifyingKey",
    "__version__",
    "_reasons",
]

__version__: str

_Seconds: TypeAlias = timedelta | float
_Commitment: TypeAlias = str | bytes
_Algorithm: TypeAlias = Literal["EdDSA", "Ed25519", "ES256", "HS256", "HS384", "HS512"] | str
_Mac: TypeAlias = Literal["HS256", "HS384", "HS512"] | str
_Withdrawal: TypeAlias = Literal["unspecified", "compromised", "superseded"]
_Mode: TypeAlias = Literal["hybrid", "jwt", "opaque"]
_Outcome: TypeAlias = Literal["issued", "rotated", "repeated", "paused", "amended"]

_Access_co = TypeVar("_Access_co", bound=str | None, default=str | None, covariant=True)
_Refresh_co = TypeVar("_Refresh_co", bound=str | None, default=str | None, covariant=True)
_Receipt_co = TypeVar("_Receipt_co", bound=str | None, default=str | None, covariant=True)
_Opaque_co = TypeVar("_Opaque_co", bound=str | None, default=str | None, covariant=True)

def _reasons() -> list[tuple[str, list[str]]]: ...

@final
class Secrets:
    """The master keys of a deployment: what refresh tokens, records and the directory are made with.

    Never kept in the store, never the keys that sign access tokens. Without them every session is lost;
    with them and the database anybody can make sessions. Immutable; shows nothing of itself and cannot be
    pickled.
    """

    @staticmethod
    def generate() -> Secrets:
        """New secrets, which end with the process unless `to_text` is kept. For tests."""

    @staticmethod
    def from_file(path: str | PathLike[str], create: bool = False) -> Secrets:
        """The secrets in a file: keys `sck1_…`, a line each; lines that begin with `#` are passed over.

        With `create`, a file that is not there is made with new secrets and mode 0600. It is made whole or
        not at all and never overwritten, so several processes may start at once.

        Raises `SecretsRefused` where the file is missing, malformed, cannot be read or made, or may be
        read by its group or others (`chmod 600`).
        """

    @staticmethod
    def from_env(name: str) -> Secrets:
        """The secrets in an environment variable: keys separated by white space or commas.

        Raises `SecretsRefused` where it is not set or malformed.
        """

    def to_text(self) -> str:
        """What `from_file` and `from_env` read, to be written where only the application can read it."""

@final
class SigningKey:
    """A key that signs access tokens. Immutable; cannot be pickled."""

    @staticmethod
    def from_jwk(jwk: dict[str, Any] | str) -> SigningKey:
        """A key from a private or symmetric JWK, as `dict` or JSON text (RFC 7517, RFC 8037).

        Without `alg`, an `OKP` key is `EdDSA` and an `oct` key `HS256`; without `kid`, it is derived.
        Raises `KeyRefused`.
        """

    @staticmethod
    def from_pem(pem: str, *, kid: str | None = None) -> SigningKey:
        """An Ed25519 key from PEM, a PKCS#8 `PRIVATE KEY`. The `kid` is its thumbprint (RFC 7638).

        Raises `KeyRefused`.
        """

    @staticmethod
    def hmac(secret: bytes, algorithm: _Mac = "HS256", *, kid: str | None = None) -> SigningKey:
        """An HMAC key. The secret has at least as many bytes as its hash (32, 48, 64), at most 1024.

        Raises `KeyRefused`.
        """

    def verifying_key(self) -> VerifyingKey:
        """The key that verifies what this one signs; for HMAC, the same secret once more."""

    @property
    def kid(self) -> str:
        """The name that tokens call this key by."""

    @property
    def algorithm(self) -> str:
        """The `alg` that it signs with."""

@final
class VerifyingKey:
    """A key that verifies. For HMAC as secret as the one that signs. Immutable; cannot be pickled."""

    @staticmethod
    def from_jwk(jwk: dict[str, Any] | str) -> VerifyingKey:
        """A key from a public JWK, as `dict` or JSON text. Raises `KeyRefused`, also for private members."""

    @staticmethod
    def from_pem(pem: str, *, kid: str | None = None) -> VerifyingKey:
        """An Ed25519 key from PEM, an SPKI `PUBLIC KEY`. Raises `KeyRefused`."""

    @staticmethod
    def hmac(secret: bytes, algorithm: _Mac = "HS256", *, kid: str | None = None) -> VerifyingKey:
        """An HMAC key; see `SigningKey.hmac`."""

    def jwk(self) -> str:
        """The public JWK as JSON text. Raises `KeyRefused` for a symmetric key."""

    @property
    def kid(self) -> str:
        """The name that tokens call this key by."""

    @property
    def algorithm(self) -> str:
        """The `alg` that it verifies."""

@final
class KeySet:
    """Keys by `kid`: at any moment at most one that signs, and all that verify. Cannot be pickled.

    Whatever was made of a set follows it: an `Authority` signs with a new key and a `Verifier` accepts it without being
    made anew. Where `now` is left out it is the system's clock; it is Unix seconds or an aware `datetime`.
    """

    @staticmethod
    def generate(algorithm: _Algorithm = "EdDSA") -> KeySet:
        """A set of one new key, in memory. Raises `KeyRefused` for an unknown algorithm."""

    @staticmethod
    def from_jwks(jwks: str) -> KeySet:
        """A set from the JSON text of a JWK set (RFC 7517 section 5), in memory.

        A private or symmetric key signs from its `nbf` on; of those without `nbf` the first does, the others verify.
        `exp` ends a key, `revoked` withdraws it. Keys of foreign types are left out; see `skipped`. Raises `KeyRefused`.
        """

    @staticmethod
    def create(
        path: str | PathLike[str], algorithm: _Algorithm = "EdDSA", *, now: float | datetime | None = None
    ) -> bool:
        """Makes a file of one new key, with mode 0600. `False` where there is a file already, which stays as it is.

        Raises `KeyRefused`.
        """

    @staticmethod
    def open(
        path: str | PathLike[str],
        *,
        create: bool = False,
        algorithm: _Algorithm = "EdDSA",
        cache_lifetime: _Seconds | None = None,
        max_ttl: _Seconds | None = None,
        reload_interval: _Seconds | None = None,
        period: _Seconds | None = None,
        now: float | datetime | None = None,
    ) -> KeySet:
        """The keys in a file. Changes are written to it, by any number of processes.

        With `create`, a file that is not there is made with one new key of `algorithm` and mode 0600.

        - `cache_lifetime`: how long others may keep what is published; 5 minutes.
        - `max_ttl`: the longest life of a token that the keys sign; an hour, the most an access token may have.
        - `reload_interval`: how long it takes until every process has read a change; a minute.
        - `period`: how long a key signs before `watch` and `rotate_if_due` publish the next one; for ever.

        Raises `KeyRefused` where the file is missing, malformed, cannot be read or made, or may be read by its group or
        others (`chmod 600`), and where the times do not fit together.
        """

    def reload(self) -> bool:
        """Reads the file again; whether anything has changed. Without a file nothing has.

        A file that is broken or gone leaves the keys as they were and raises `KeyRefused`. A key that was withdrawn
        stays so, whatever the file says.
        """

    def watch(self, interval: _Seconds | None = None) -> None:
        """Has a thread read the file every `interval` (by default `reload_interval`), and rotate when `period` has passed.

        It goes on after a fork, in both processes, and ends with `unwatch` or when nothing uses the keys. What goes wrong
        is `trouble`. Raises `KeyRefused` where there is no file.
        """

    def unwatch(self) -> None:
        """Ends what `watch` began."""

    def rotate(self, algorithm: _Algorithm | None = None, *, now: float | datetime | None = None) -> str:
        """Publishes a new key, of the algorithm that signs now unless another is named. Gives its `kid`.

        It signs once everybody can know it; the key before it verifies until the last token that it signed has expired.
        Raises `RotationRefused` where a new key waits already.
        """

    def rotate_if_due(self, *, now: float | datetime | None = None) -> bool:
        """Rotates where the key that signs has done so for `period`. Of many processes one does; whether this one did."""

    def promote(self, kid: str, *, now: float | datetime | None = None) -> None:
        """Lets a pending key sign now, where everybody can know it: after the times were made shorter.

        Raises `RotationRefused` where it is too early.
        """

    def withdraw(self, kid: str, reason: _Withdrawal = "unspecified", *, now: float | datetime | None = None) -> None:
        """Withdraws a key: here its tokens are refused from now on, elsewhere once the file was read.

        `Authority.withdraw_key` tells the revocation log too. A key that signs is replaced at once. Raises
        `RotationRefused` for a `kid` that is not there.
        """

    def prune(self, *, now: float | datetime | None = None) -> None:
        """Takes out keys whose time is over. Names of withdrawn ones stay, so that they cannot come back."""

    def phases(self, *, now: float | datetime | None = None) -> list[KeyStatus]:
        """Every key as it is at `now`."""

    def jwks(self, *, now: float | datetime | None = None) -> str:
        """The public keys as the JSON text of a JWK set, to be published: those that wait, sign or still verify.

        Raises `KeyRefused` where a key is symmetric: it never comes out this way.
        """

    def private_jwks(self) -> str:
        """The keys with their secrets, to be persisted where only the issuer can read them."""

    @property
    def kids(self) -> list[str]:
        """The `kid` of every key that was not withdrawn."""

    @property
    def skipped(self) -> list[tuple[int, str]]:
        """What `from_jwks` left out: places in `keys`, from zero, and reasons."""

    @property
    def cache_lifetime(self) -> timedelta:
        """How long others may keep what is published."""

    @property
    def trouble(self) -> str | None:
        """Why the file could not be read or changed by the last `reload` or by `watch`; `None` where it could."""

    def __len__(self) -> int: ...

@final
class KeyStatus:
    """A key of a set as it is at a moment. Times are aware, in UTC. Immutable."""

    @property
    def kid(self) -> str:
        """The name that tokens call it by."""

    @property
    def algorithm(self) -> str | None:
        """What it signs with; `None` where a withdrawn key did not say."""

    @property
    def phase(self) -> Literal["pending", "signing", "retiring", "retired", "withdrawn"]:
        """`"pending"`, `"signing"`, `"retiring"`, `"retired"` or `"withdrawn"`."""

    @property
    def reason(self) -> _Withdrawal | None:
        """Why it was withdrawn: `"compromised"`, `"superseded"` or `"unspecified"`."""

    @property
    def published_at(self) -> datetime | None:
        """When it came into the set; `None` where it has always been there."""

    @property
    def signs_from(self) -> datetime | None:
        """When its turn to sign comes; `None` where it has always been."""

    @property
    def kept_until(self) -> datetime | None:
        """Until when it verifies; `None` while nothing succeeds it."""

    @property
    def withdrawn_at(self) -> datetime | None:
        """When it was withdrawn; `None` where it was not."""

@final
class MemoryStore:
    """A store in memory, for tests: it ends with the process. Do not fork while another thread uses it: the
    child could wait for that thread for ever.
    """

    def __new__(cls) -> MemoryStore: ...

@final
class SqliteStore:
    """A store in one SQLite file on a local disk; several processes may share it.

    Around `os.fork` its connections are closed, so parent and child both go on with it; a fork waits for
    operations under way.

    Every commit waits for the disk. An operation that is in another's way for 5 seconds raises
    `StoreUnavailable`.

    Never open the file with `sqlite3` in a process that has it open here: that is a second copy of SQLite, and
    two copies in one process do not see each other's locks. From another process it does no harm.
    """

    def __new__(cls, path: str | PathLike[str]) -> SqliteStore:
        """Opens the store, making the file (not its directory) where there is none.

        Raises `StoreUnusable` where `path` cannot be a store, `StoreUnavailable` where it may be one later.
        """

@final
class Replay:
    """When a refresh token shown again is a repeat and not a theft; fixed when a session is issued.

    Each rule has its own theft gap, which is written there. Immutable, comparable, hashable.
    """

    @staticmethod
    def committed() -> Replay:
        """The client draws each next secret itself and sends its commitment: for apps and services.

        The same commitment is a repeat at any delay. A thief with the token gets nothing that the client
        gets; one with token and next secret shares one successor until either side uses it.
        """

    @staticmethod
    def bound() -> Replay:
        """Bound to a DPoP key. Not to be had yet: `issue` and `Policy` raise `ConfigError`."""

    @staticmethod
    def window(seconds: _Seconds, late: Literal["challenge", "revoke"] = "challenge") -> Replay:
        """The immediate predecessor is answered with the same successor for so long: for browsers.

        0 to 60 whole seconds; 0 is strict. It must cover a request and its reply. What comes later meets a
        challenge, or revokes. Within the window a thief and a second tab are the same event.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Policy:
    """The rules of a deployment. Lengths are `timedelta` or whole seconds. Immutable, comparable."""

    def __new__(
        cls,
        *,
        access_ttl: _Seconds | None = None,
        idle_ttl: _Seconds | None = None,
        absolute_ttl: _Seconds | None = None,
        max_sessions: int | None = None,
        session_limit: Literal["end_oldest", "refuse"] | None = None,
        replay: Replay | None = None,
        store_behind: Literal["adopt", "unavailable"] | None = None,
        max_claims: int | None = None,
        personal_claims: Sequence[str] | None = None,
        partitions: int | None = None,
        check_signatures: bool | None = None,
    ) -> Policy:
        """What is not given is as most want it.

        - `access_ttl`: the life of an access token, 1 s to 1 h; 10 minutes.
        - `idle_ttl`: how long a session may lie unused; 30 days.
        - `absolute_ttl`: how long it may last in all, at most 400 days; 180 days.
        - `max_sessions`: live sessions of a subject, 1 to 1000; 100.
        - `session_limit`: whether one more ends the oldest or is refused; `"end_oldest"`.
        - `replay`: the rule of sessions that ask for none and bring no commitment; `Replay.window(10)`.
        - `store_behind`: whether a token ahead of the store is adopted, or answered `StoreBehind`; `"adopt"`.
        - `max_claims`: bytes of a session's own claims as JSON, at most 4096; 1024.
        - `personal_claims`: claims that look like personal data and are allowed all the same; none. `"sub"`
          stands for a subject that looks like an e-mail address or a telephone number.
        - `partitions`: over how many partitions subjects are spread, 1 to 255, for the life of a store; 16.
        - `check_signatures`: whether each signature is verified before it leaves, against attacks by faults; no.
          What is wrong three times raises `SigningFault`, and nothing is committed.

        Raises `PolicyRefused` for an unsafe combination and says why.
        """

    @property
    def access_ttl(self) -> timedelta:
        """The life of an access token."""

    @property
    def idle_ttl(self) -> timedelta:
        """How long a session may lie unused."""

    @property
    def absolute_ttl(self) -> timedelta:
        """How long a session may last in all."""

    @property
    def max_sessions(self) -> int:
        """How many live sessions a subject may have."""

    @property
    def session_limit(self) -> Literal["end_oldest", "refuse"]:
        """What a sign-in meets when there are as many."""

    @property
    def replay(self) -> Replay:
        """The replay rule of sessions that ask for none and bring no commitment."""

    @property
    def store_behind(self) -> Literal["adopt", "unavailable"]:
        """What a token meets that is ahead of the store."""

    @property
    def max_claims(self) -> int:
        """The size limit of a session's own claims as JSON, in bytes."""

    @property
    def personal_claims(self) -> list[str]:
        """Claims that look like personal data and may be in access tokens all the same."""

    @property
    def partitions(self) -> int:
        """Over how many partitions subjects are spread."""

    @property
    def check_signatures(self) -> bool:
        """Whether each signature is verified before it leaves."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Grant(Generic[_Access_co, _Refresh_co, _Receipt_co, _Opaque_co]):
    """What an operation hands out. Immutable; shows no token in `repr`, and cannot be pickled.

    | from | access_token | refresh_token | receipt | session_token |
    |---|---|---|---|---|
    | `issue`, hybrid | yes | yes | | |
    | `issue`, hybrid with a commitment | yes | | yes | |
    | `issue`, jwt | yes | | | |
    | `issue`, opaque | | | | yes |
    | `refresh` | yes | yes | | |
    | `refresh` with a commitment | unless `"repeated"` | | yes | |
    | `amend` | hybrid, jwt | | | opaque |

    Type checkers see which: `Grant[str, None, str, None]` has an access token and a receipt.
    """

    @property
    def access_token(self) -> _Access_co:
        """A JWT for resource servers; verified locally."""

    @property
    def refresh_token(self) -> _Refresh_co:
        """The refresh token that is current now: a bearer secret."""

    @property
    def receipt(self) -> _Receipt_co:
        """The server's half of the refresh token, where the client drew the other: `RefreshToken.assemble`."""

    @property
    def session_token(self) -> _Opaque_co:
        """The opaque session token that is current now: a bearer secret."""

    @property
    def session_id(self) -> str:
        """The session (`sid`), 22 characters: an address, not a secret."""

    @property
    def expires_in(self) -> int:
        """For how many seconds the access token is good; in mode opaque, the session if it is not used."""

    @property
    def outcome(self) -> _Outcome:
        """What was decided."""

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any: ...

@final
class Session:
    """A live session as its subject may see it. Times are aware, in UTC. Immutable."""

    @property
    def session_id(self) -> str:
        """Its identifier."""

    @property
    def mode(self) -> _Mode:
        """What its bearer is given."""

    @property
    def client_id(self) -> str:
        """For which client it was issued."""

    @property
    def scope(self) -> str:
        """What its bearer may do."""

    @property
    def device(self) -> str | None:
        """What the application noted of the device."""

    @property
    def ip(self) -> str | None:
        """Where the sign-in came from."""

    @property
    def issued_at(self) -> datetime:
        """When it was issued."""

    @property
    def rotated_at(self) -> datetime:
        """When its token was last replaced."""

    @property
    def idle_deadline(self) -> datetime:
        """When it ends unless it is used before."""

    @property
    def absolute_deadline(self) -> datetime:
        """When it ends whatever happens."""

@final
class Claims(Mapping[str, Any]):
    """What a verified token says: a read-only mapping, parsed when it is first looked at.

    The attributes are the registered claims (RFC 7519, RFC 9068), `None` where the token lacks one. Those
    of an access token are always there, but for `scope`, `nbf` and `auth_time`.
    """

    @property
    def iss(self) -> str | None:
        """Who issued it."""

    @property
    def sub(self) -> str | None:
        """Whom it is about."""

    @property
    def aud(self) -> str | list[str] | None:
        """Whom it is for."""

    @property
    def client_id(self) -> str | None:
        """The client it was issued to."""

    @property
    def exp(self) -> int | None:
        """When it expires, in Unix seconds."""

    @property
    def iat(self) -> int | None:
        """When it was issued, in Unix seconds."""

    @property
    def nbf(self) -> int | None:
        """From when on it is valid, in Unix seconds."""

    @property
    def jti(self) -> str | None:
        """What tells it from other tokens."""

    @property
    def sid(self) -> str | None:
        """Its session."""

    @property
    def scope(self) -> str | None:
        """Space-separated scopes."""

    @property
    def auth_time(self) -> int | None:
        """When the person signed in, in Unix seconds."""

    def has_scope(self, scope: str) -> bool:
        """Whether `scope` lists this scope."""

    def to_dict(self) -> dict[str, Any]:
        """All claims as a new `dict`."""

    def keys(self) -> KeysView[str]: ...
    def values(self) -> ValuesView[Any]: ...
    def items(self) -> ItemsView[str, Any]: ...
    def get(self, key: object, default: Any = None, /) -> Any: ...
    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class RefreshToken:
    """What a client written in Python does under `Replay.committed()`."""

    @staticmethod
    def new_secret() -> str:
        """A new secret: 43 characters of base64url. Keep it durably before the token is first used."""

    @staticmethod
    def commitment(secret: str) -> str:
        """What is sent of a secret: its SHA-256, 43 characters of base64url. Raises `ValueError`."""

    @staticmethod
    def assemble(receipt: str, secret: str) -> str:
        """The refresh token that a receipt and the secret it was made for are together.

        Raises `NotOurs` for a malformed receipt, `ValueError` for a malformed secret.
        """

@final
class RemoteKeys:
    """The keys that another issuer publishes, fetched when they are wanted and no more often. For a `Verifier`."""

    def __new__(
        cls,
        fetch: Callable[[], str],
        *,
        cooldown: _Seconds | None = None,
        max_age: _Seconds | None = None,
        max_stale: _Seconds | None = None,
    ) -> RemoteKeys:
        """`fetch` gives the text of a JWK set, as `safeconduct.jwks.fetch` does; an `Exception` that it raises is a fetch that
        failed, of which the name of the class alone is told. What else it raises, as `KeyboardInterrupt`, comes out of
        `Verifier.verify`. It must not verify by these keys itself.

        - `cooldown`: how long after the end of a fetch no other one begins, whether it went well or not; 30 s.
        - `max_age`: how old keys may be before they are fetched again; 5 minutes.
        - `max_stale`: how old they may be where that fails; 1 h. For so long a withdrawn key may still be believed.

        A token of an unknown key is a reason to fetch. A set with a private or symmetric key is refused whole. Where there
        are no keys to use, verifying raises `KeysUnavailable`. Raises `ConfigError` where the times do not fit together.
        """

    @property
    def kids(self) -> list[str]:
        """The `kid` of every key that was fetched last."""

    @property
    def trouble(self) -> str | None:
        """Why the last fetch failed; `None` where it did not."""

@final
class Verifier:
    """Accepts the tokens of one issuer for one audience, locally. For many threads at once."""

    def __new__(
        cls,
        keys: KeySet | RemoteKeys | Sequence[VerifyingKey],
        issuer: str | None = None,
        audience: str | None = None,
        profile: Literal["access_token", "jwt"] = "access_token",
        leeway: _Seconds | None = None,
        max_ttl: _Seconds | None = None,
        cache: int = 0,
    ) -> Verifier:
        """Trusts `keys`, and follows a `KeySet` that changes and `RemoteKeys`.

        - `profile`: `"access_token"` (RFC 9068, needs issuer and audience) or `"jwt"` (RFC 7519; with no
          audience, a token that has one is refused).
        - `leeway`: how far clocks may be apart, 0 to 60 s; 5 s.
        - `max_ttl`: how far away `exp` may be; 1 h for access tokens, any distance for `"jwt"`.
        - `cache`: how many verified tokens to remember, so that their signatures are not checked again; all else is.
          About twice a token's length and 200 bytes of memory each; at most 1,048,576. None for HMAC keys, which gain nothing.

        Raises `ConfigError`.
        """

    def verify(self, token: str, now: float | datetime | None = None) -> Claims:
        """What a token says, where it is to be believed.

        `now` is Unix seconds or an aware `datetime`; the system's clock where it is not given. Revocation
        is not asked: a token is good until it expires. Raises `InvalidToken`; `KeysUnavailable` where `RemoteKeys` has
        none to use: then nothing is known of the token.
        """

@final
class Authority:
    """Issues, refreshes, verifies and revokes. Share one between threads.

    Every method raises `TypeError` for arguments of wrong types, and whatever `clock` raises.
    """

    def __new__(
        cls,
        *,
        issuer: str,
        audience: str,
        keys: KeySet | SigningKey,
        secrets: Secrets,
        store: MemoryStore | SqliteStore,
        policy: Policy | None = None,
        clock: Callable[[], float] | None = None,
        audit: Callable[[dict[str, Any]], object] | None = None,
        cache: int = 0,
    ) -> Authority:
        """Binds keys, secrets and policy to a store, marking an empty one as this deployment's.

        - `clock` gives Unix seconds, to the millisecond; it is asked once for each operation.
        - `audit` is called with each event after it was committed, before the operation returns: `at` (Unix
          milliseconds), `kind`, and `sid` and `generation` where known. No token, secret or person is in
          it. What it raises goes to `sys.unraisablehook`; the operation is done already.
        - `cache`: how many verified tokens to remember, so that their signatures are not checked again; all else is,
          revocation included. About twice a token's length and 200 bytes of memory each; at most 1,048,576. None for HMAC keys, which gain nothing.

        Raises `ConfigError`; `StoreMismatch` where the store was made with other secrets or another issuer;
        `StoreError` where it cannot be used.
        """

    @overload
    def issue(
        self,
        subject: str,
        *,
        scope: str = "",
        client_id: str = "default",
        claims: dict[str, Any] | None = None,
        device: str | None = None,
        ip: str | None = None,
        replay: Replay | None = None,
        mode: Literal["hybrid"] = "hybrid",
        commitment: None = None,
    ) -> Grant[str, str, None, None]: ...
    @overload
    def issue(
        self,
        subject: str,
        *,
        scope: str = "",
        client_id: str = "default",
        claims: dict[str, Any] | None = None,
        device: str | None = None,
        ip: str | None = None,
        replay: Replay | None = None,
        mode: Literal["hybrid"] = "hybrid",
        commitment: _Commitment,
    ) -> Grant[str, None, str, None]: ...
    @overload
    def issue(
        self,
        subject: str,
        *,
        scope: str = "",
        client_id: str = "default",
        claims: dict[str, Any] | None = None,
        device: str | None = None,
        ip: str | None = None,
        replay: Replay | None = None,
        mode: Literal["jwt"],
        commitment: None = None,
    ) -> Grant[str, None, None, None]: ...
    @overload
    def issue(
        self,
        subject: str,
        *,
        scope: str = "",
        client_id: str = "default",
        claims: dict[str, Any] | None = None,
        device: str | None = None,
        ip: str | None = None,
        replay: Replay | None = None,
        mode: Literal["opaque"],
        commitment: None = None,
    ) -> Grant[None, None, None, str]: ...
    @overload
    def issue(
        self,
        subject: str,
        *,
        scope: str = "",
        client_id: str = "default",
        claims: dict[str, Any] | None = None,
        device: str | None = None,
        ip: str | None = None,
        replay: Replay | None = None,
        mode: str = "hybrid",
        commitment: _Commitment | None = None,
    ) -> Grant:
        """Signs a subject in. The application has authenticated it.

        - `subject` (`sub`), `client_id`, `device`, `ip`: at most 512 bytes each. The subject is an opaque
          identifier; `device` and `ip` are notes for the list of sessions and in no token.
        - `scope`: tokens separated by single spaces.
        - `claims`: further claims of the access tokens, as `json.dumps` writes them.
        - `mode`: `"hybrid"` (access and refresh token), `"jwt"` (one access token; the session ends with
          it), `"opaque"` (a session token, looked up on each request).
        - `commitment`: of the first secret, which the client drew: 32 bytes, or base64url.
        - `replay`: `Replay.committed()` where a commitment is given, else the policy's.

        Raises `SignInRefused` (fix the call), `TooManySessions`, `StoreError`; `TypeError` or `ValueError`
        for claims that JSON cannot say.
        """

    @overload
    def refresh(
        self,
        refresh_token: str,
        *,
        client_id: str | None = None,
        next_commitment: None = None,
        scope: str | None = None,
        challenge: str | None = None,
    ) -> Grant[str, str, None, None]: ...
    @overload
    def refresh(
        self,
        refresh_token: str,
        *,
        client_id: str | None = None,
        next_commitment: _Commitment,
        scope: str | None = None,
        challenge: str | None = None,
    ) -> Grant[str | None, None, str, None]: ...
    @overload
    def refresh(
        self,
        refresh_token: str,
        *,
        client_id: str | None = None,
        next_commitment: _Commitment | None = None,
        scope: str | None = None,
        challenge: str | None = None,
    ) -> Grant:
        """Replaces a refresh token.

        - `client_id`: the client that presents it, where it was authenticated or named.
        - `next_commitment`: of the next secret, under `Replay.committed()`.
        - `scope`: less than was granted; the next refresh may ask for all of it again.
        - `challenge`: what `Superseded` carried.

        Raises `RefreshRefused`: sign in again, but for `Superseded` (read the storage again) and those that
        say to mend the client. `StoreError`: try again. `ValueError` for a malformed commitment.
        """

    def verify(self, access_token: str) -> Claims:
        """Verifies an access token locally, revocations known to this process included. Asks no store.

        Raises `InvalidToken`.
        """

    def authenticate(self, session_token: str) -> Claims:
        """The claims of the session of an opaque token, looked up in the store.

        Raises `RefreshRefused` (sign in again), `StoreError`.
        """

    def amend(self, session_id: str, *, scope: str | None = None, claims: dict[str, Any] | None = None) -> Grant:
        """Replaces scope, claims or both; what is not given stays. Older access tokens become stale.

        Raises `SignInRefused` (fix the call), `RefreshRefused` where the session is not live, `StoreError`.
        """

    def revoke(self, token: str) -> str:
        """Ends the session of a refresh token, a session token or an access token (RFC 7009).

        Gives `"revoked"`, or why there was nothing to revoke: `"not_ours"`, `"session_unknown"`. Raises
        `StoreError`: the session may still be good; try again.
        """

    def revoke_session(self, session_id: str) -> str:
        """Ends a session. Gives and raises as `revoke`."""

    def revoke_subject(self, subject: str, *, keep: str | None = None) -> None:
        """Ends every session of a subject, but for the session id `keep`, in one write.

        Access tokens of the session that is kept become invalid too; its next refresh gives a good one.
        Raises `RefreshRefused` where `keep` is not a live session of the subject: then nothing is revoked.
        """

    def erase_subject(self, subject: str) -> None:
        """Deletes everything of a subject; its tokens stay refused. Raises `StoreError`: call again."""

    def sessions(self, subject: str, *, after: str | None = None, limit: int = 100) -> list[Session]:
        """The live sessions of a subject in order of their ids as bytes (not as text): at most `limit` after the
        session id `after`.

        Raises `SessionUnknown` where `after` is no session id, `StoreError`.
        """

    def withdraw_key(self, kid: str, reason: _Withdrawal = "unspecified") -> None:
        """Withdraws a signing key, as `KeySet.withdraw` does, and writes it to the revocation log.

        Every process that reads the log refuses the key's tokens, whatever its file says. Raises `RotationRefused` for a
        `kid` that is not there; `StoreError`: the file has it, the log perhaps not; call again.
        """

    def catch_up(self) -> None:
        """Reads what other processes have added to the revocation log, and refuses it from now on.

        Raises `StoreError`: what was known is still known; call again.
        """

    @property
    def issuer(self) -> str:
        """The claim `iss`."""

    @property
    def audience(self) -> str:
        """The claim `aud`."""
