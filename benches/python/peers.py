"""The libraries, each made to do the same work: signature, issuer, audience and expiry, then the claim `exp`.

Keys and options are prepared beforehand, in whatever form the library takes that is fastest. What a library refuses is
seen by running it (`forged`), never claimed.
"""
import base64
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import joserfc.jwk
import joserfc.jwt
import jose.jwk
import jose.jwt
import jwt
import safeconduct
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives import hashes, serialization

with warnings.catch_warnings(record=True):
    # Authlib points to joserfc, by the same author, which is here too.
    import authlib.jose

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
ALGORITHMS = ("HS256", "EdDSA", "ES256")
LEEWAY = 5
Verify = Callable[[str], int]


@dataclass(frozen=True)
class Keys:
    """One key of an algorithm, in the forms that libraries read."""

    algorithm: str
    private: Any
    public: Any

    @staticmethod
    def of(algorithm: str) -> "Keys":
        """Always the same one."""
        if algorithm == "HS256":
            return Keys(algorithm, bytes([7] * 32), bytes([7] * 32))
        if algorithm == "EdDSA":
            edwards = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
            return Keys(algorithm, edwards, edwards.public_key())
        p256 = ec.derive_private_key(int.from_bytes(bytes([7] * 32)), ec.SECP256R1())
        return Keys(algorithm, p256, p256.public_key())

    def jwk(self) -> dict[str, str]:
        """The public key, or the shared one (RFC 7517)."""
        if self.algorithm == "HS256":
            return {"kty": "oct", "k": encoded(self.public), "alg": "HS256"}
        if self.algorithm == "EdDSA":
            raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw), "alg": "EdDSA"}
        x, y = (encoded(number.to_bytes(32)) for number in (self.public.public_numbers().x, self.public.public_numbers().y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256"}

    def signature(self, message: bytes) -> bytes:
        """As it stands in a token (RFC 7518, 3)."""
        if self.algorithm == "HS256":
            return hmac.digest(self.private, message, "sha256")
        if self.algorithm == "EdDSA":
            return self.private.sign(message)
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def eight_claims(now: int) -> dict[str, Any]:
    """The claims of `eight_claims` in `benches/src/lib.rs`."""
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "01234567", "client_id": "app", "exp": now + 600, "iat": now,
            "jti": "AAAAAAAAAAAA", "sid": "AwEBAQEBAQECAgICAgICAg"}


def token(keys: Keys, claims: dict[str, Any]) -> str:
    """Signed, with `typ` and `kid`."""
    header = {"alg": keys.algorithm, "typ": "at+jwt", "kid": trusted(keys).kid}
    parts = (encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    message = ".".join(parts)
    return f"{message}.{encoded(keys.signature(message.encode()))}"


def forged(keys: Keys, now: int) -> dict[str, str]:
    """What every library has to refuse, by what is wrong with it."""
    good = eight_claims(now)
    message, signature = token(keys, good).rsplit(".", 1)
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[0] ^= 128
    return {
        "it expired an hour ago": token(keys, good | {"exp": now - 3600}),
        "it is for another audience": token(keys, good | {"aud": "https://other.example"}),
        "it is from another issuer": token(keys, good | {"iss": "https://other.example"}),
        "a bit of its signature is flipped": f"{message}.{encoded(bytes(raw))}",
    }


def trusted(keys: Keys) -> safeconduct.VerifyingKey:
    if keys.algorithm == "HS256":
        return safeconduct.VerifyingKey.hmac(keys.public)
    return safeconduct.VerifyingKey.from_jwk(keys.jwk())


def of_safeconduct(keys: Keys) -> Verify:
    verify = safeconduct.Verifier([trusted(keys)], issuer=ISSUER, audience=AUDIENCE, leeway=LEEWAY).verify
    return lambda token: verify(token).exp


def of_safeconduct_dict(keys: Keys) -> Verify:
    verify = safeconduct.Verifier([trusted(keys)], issuer=ISSUER, audience=AUDIENCE, leeway=LEEWAY).verify
    return lambda token: verify(token).to_dict()["exp"]


def of_pyjwt(keys: Keys) -> Verify:
    decode, algorithms = jwt.decode, [keys.algorithm]
    options = {"require": ["exp", "iss", "aud"]}
    return lambda token: decode(
        token, keys.public, algorithms=algorithms, audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY, options=options
    )["exp"]


def of_joserfc(keys: Keys) -> Verify:
    key, algorithms, decode = joserfc.jwk.import_key(keys.jwk()), [keys.algorithm], joserfc.jwt.decode
    is_, needed = (lambda value: {"essential": True, "value": value}), {"essential": True}
    # Without a time given it asks the clock at every validation.
    registry = joserfc.jwt.JWTClaimsRegistry(iss=is_(ISSUER), aud=is_(AUDIENCE), exp=needed, leeway=LEEWAY)

    def verify(token: str) -> int:
        claims = decode(token, key, algorithms=algorithms).claims
        registry.validate(claims)
        return claims["exp"]

    return verify


def of_authlib(keys: Keys) -> Verify:
    decoder, key = authlib.jose.JsonWebToken([keys.algorithm]), authlib.jose.JsonWebKey.import_key(keys.jwk())
    is_ = lambda value: {"essential": True, "value": value}
    options = {"iss": is_(ISSUER), "aud": is_(AUDIENCE), "exp": {"essential": True}}

    def verify(token: str) -> int:
        claims = decoder.decode(token, key, claims_options=options)
        claims.validate(leeway=LEEWAY)
        return claims["exp"]

    return verify


def of_python_jose(keys: Keys) -> Verify:
    key, algorithms, decode = jose.jwk.construct(keys.jwk(), keys.algorithm), [keys.algorithm], jose.jwt.decode
    options = {"require_exp": True, "require_iss": True, "require_aud": True, "leeway": LEEWAY}
    return lambda token: decode(token, key, algorithms=algorithms, options=options, audience=AUDIENCE, issuer=ISSUER)["exp"]


def peers(keys: Keys) -> dict[str, Verify]:
    """Every library that has the algorithm, this one first."""
    makers = {
        "safeconduct": of_safeconduct,
        "safeconduct, all claims as a dict": of_safeconduct_dict,
        "PyJWT": of_pyjwt,
        "joserfc": of_joserfc,
        "Authlib": of_authlib,
        "python-jose": of_python_jose,
    }
    if keys.algorithm == "EdDSA":
        del makers["python-jose"]
    return {name: make(keys) for name, make in makers.items()}


def floor(keys: Keys, message: bytes) -> Callable[[], Any]:
    """The bare primitive over the same bytes, as Python's own library or `cryptography` has it."""
    signature = keys.signature(message)
    if keys.algorithm == "HS256":
        key, digest, compare = keys.private, hmac.digest, hmac.compare_digest
        return lambda: compare(digest(key, message, "sha256"), signature)
    verify = keys.public.verify
    if keys.algorithm == "EdDSA":
        return lambda: verify(signature, message)
    half = len(signature) // 2
    pair = (int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    der, how = utils.encode_dss_signature(*pair), ec.ECDSA(hashes.SHA256())
    return lambda: verify(der, message, how)
