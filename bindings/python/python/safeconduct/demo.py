"""``python -m safeconduct demo``: the life of sessions on a fresh SQLite file, told step by step.

Each step says what was done, what the core decided and by which rule. It is checked as it is told: what is
not as it says ends the demo with an exit status that is not zero.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

from safeconduct import (
    Authority,
    Error,
    Grant,
    KeySet,
    RefreshToken,
    Secrets,
    SqliteStore,
    Superseded,
    Verifier,
    __version__,
)
from safeconduct._residue import decoded, files, forms, master_keys, needles, private_parts
from safeconduct._stage import WIDTH, Stage, Unexpected, lasted

ISSUER, AUDIENCE = "https://id.example", "https://api.example"
DAY = 86_400


def run(out: TextIO | None = None) -> int:
    """Tells the story. Gives the exit status: 0 where everything was as it says."""
    stage = Stage(out or sys.stdout)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="safeconduct-") as folder:
        try:
            story = Story(stage, Path(folder) / "sessions.db")
            story.tell()
        except (Unexpected, Error, OSError) as error:
            stage.say()
            stage.say(stage.paint("red", f"✗ step {stage.steps}: {error}"))
            return 1
    took = time.perf_counter() - started
    stage.say("─" * WIDTH)
    stage.say(f"{stage.steps} steps, {stage.checks} checks, all as said; {story.held}; {lasted(took)}.")
    return 0


class Story:
    """One deployment, and everything that was ever handed out by it."""

    def __init__(self, stage: Stage, path: Path) -> None:
        self.stage, self.path, self.held = stage, path, ""
        self.keys, self.secrets = KeySet.generate("EdDSA"), Secrets.generate()
        self.authority = Authority(
            issuer=ISSUER,
            audience=AUDIENCE,
            keys=self.keys,
            secrets=self.secrets,
            store=SqliteStore(path),
            clock=stage.clock,
        )
        self.tokens: set[str] = set()
        self.drawn: list[str] = []

    def tell(self) -> None:
        """All of it."""
        self.stage.say(f"safeconduct {__version__}: one story on a fresh SQLite file, with real tokens")
        self.stage.say("─" * WIDTH)
        browser = self.sign_in()
        self.verify(browser)
        browser = self.rotate(browser)
        self.lost_reply()
        browser = self.second_tab(browser)
        self.stolen_token()
        self.opaque()
        browser = self.amend(browser)
        browser = self.all_but_this(browser)
        self.idle(browser)
        self.erase()
        self.residue()

    def sign_in(self) -> Grant:
        self.stage.step(
            "Sign in",
            "The application has authenticated a person. One record is made; tokens are computed from it and from "
            "keys that are not in the database.",
        )
        grant = self.issue('issue("user-1", scope="read write")', subject="user-1", scope="read write")
        self.stage.show("access token", grant.access_token, f"Ed25519, {grant.expires_in} s")
        self.stage.show("refresh token", grant.refresh_token, "for one use")
        return grant

    def verify(self, browser: Grant) -> None:
        self.stage.step(
            "Verify the access token locally",
            "Signature, issuer, audience, times and what this process knows to be revoked. No store is asked.",
        )
        token = given(browser.access_token)
        claims = self.stage.call("verify(access_token)", "accepted", lambda: self.authority.verify(token))
        self.stage.check(
            claims.sub == "user-1" and claims.has_scope("write") and claims.sid == browser.session_id,
            f"it says sub={claims.sub}, scope={claims.scope!r}, sid={browser.session_id}",
        )
        elsewhere = Verifier(KeySet.from_jwks(self.keys.jwks()), issuer=ISSUER, audience=AUDIENCE)
        now = self.stage.clock()
        self.stage.call("another process, with the public keys only", "accepted", lambda: elsewhere.verify(token, now))
        forged = token[:-12] + ("A" if token[-12] != "A" else "B") + token[-11:]
        self.stage.refused("one character changed", "bad_signature", lambda: self.authority.verify(forged))

    def rotate(self, browser: Grant) -> Grant:
        self.stage.step(
            "Refresh",
            "The current token is replaced: the generation rises by one, under one compare-and-swap. The record keeps "
            "two commitments and never grows.",
        )
        self.stage.wait(600, "10 minutes")
        rotated = self.refresh("refresh(token)", "rotated", given(browser.refresh_token))
        self.stage.show("refresh token", rotated.refresh_token, "the next one")
        self.stage.check(rotated.session_id == browser.session_id, "it is still the same session")
        return rotated

    def lost_reply(self) -> None:
        self.stage.step(
            "A reply that got lost, repeated a day later",
            "Committed rule (apps): the client draws the next secret itself and sends only its hash. Whoever repeats "
            "the same hash is the same client, however late; it gets its receipt again, and no access token.",
        )
        first, second = self.draw(), self.draw()
        grant = self.issue(
            'issue("user-1", commitment=SHA-256(s0))', subject="user-1", commitment=RefreshToken.commitment(first)
        )
        token = self.keep(RefreshToken.assemble(given(grant.receipt), first))
        next_commitment = RefreshToken.commitment(second)
        lost = self.refresh("refresh(t0, SHA-256(s1)); reply lost", "rotated", token, next_commitment=next_commitment)
        self.stage.wait(DAY, "24 hours")
        again = self.refresh("refresh(t0, SHA-256(s1)) again", "repeated", token, next_commitment=next_commitment)
        self.stage.show("receipt", again.receipt, "receipt + s1 = t1")
        self.stage.check(again.receipt == lost.receipt and again.access_token is None, "the same receipt, and no more")
        token = self.keep(RefreshToken.assemble(given(again.receipt), second))
        self.refresh("refresh(t1, SHA-256(s2))", "rotated", token, next_commitment=self.offer())

    def second_tab(self, browser: Grant) -> Grant:
        self.stage.step(
            "Two tabs of one browser",
            "Window rule (cookies): for 10 s the token before is answered with the same successor. Later it is "
            "challenged: the browser sends again what its jar holds by now, and nobody is signed out.",
        )
        old = given(browser.refresh_token)
        first = self.refresh("tab 1: refresh(t)", "rotated", old)
        second = self.refresh("tab 2: refresh(t)", "repeated", old)
        self.stage.check(first.refresh_token == second.refresh_token, "both tabs hold the same new token")
        self.stage.wait(120, "2 minutes")
        late = self.stage.refused("tab 3 wakes up: refresh(t)", "superseded", lambda: self.authority.refresh(old))
        challenge = late.challenge if isinstance(late, Superseded) else None
        self.stage.show("challenge", challenge, "good for 60 s")
        current = given(first.refresh_token)
        return self.refresh("tab 3: refresh(newer token, challenge)", "rotated", current, challenge=challenge)

    def stolen_token(self) -> None:
        self.stage.step(
            "A stolen token",
            "Two holders of one token send two different hashes. The first is served; at the second the core knows "
            "that there are two, cannot know which is the thief, and revokes the session.",
        )
        grant = self.issue("the victim signs in", subject="user-1", commitment=self.offer())
        token = self.keep(RefreshToken.assemble(given(grant.receipt), self.drawn[-1]))
        stolen = self.refresh("the thief: refresh(t, SHA-256(x))", "rotated", token, next_commitment=self.offer())
        thiefs = self.keep(RefreshToken.assemble(given(stolen.receipt), self.drawn[-1]))
        self.stage.wait(300, "5 minutes")
        victims = self.offer()
        self.stage.refused(
            "the victim: refresh(t, SHA-256(y))",
            "reuse_detected",
            lambda: self.authority.refresh(token, next_commitment=victims),
        )
        for who, dead in (("the thief's refresh token", thiefs), ("the victim's refresh token", token)):
            self.stage.refused(
                who, "session_revoked", lambda dead=dead: self.authority.refresh(dead, next_commitment=self.offer())
            )
        access = given(stolen.access_token)
        self.stage.refused("the thief's access token, at once", "revoked", lambda: self.authority.verify(access))

    def opaque(self) -> None:
        self.stage.step(
            "An opaque session, and its end",
            "The same lifecycle without a JWT: the token is looked up on each request, so a revocation needs nobody to "
            "hear of it.",
        )
        grant = self.issue('issue("user-2", mode="opaque")', subject="user-2", mode="opaque", device="laptop")
        token = given(grant.session_token)
        self.stage.show("session token", token)
        self.stage.call("authenticate(session_token)", "accepted", lambda: self.authority.authenticate(token))
        self.stage.call("revoke(session_token)", "revoked", lambda: self.authority.revoke(token))
        self.stage.refused("authenticate(session_token)", "session_revoked", lambda: self.authority.authenticate(token))

    def amend(self, browser: Grant) -> Grant:
        self.stage.step(
            "Take a permission away",
            "The claims version of the session rises, and older access tokens are stale. That tells a client to "
            "refresh, not to sign in.",
        )
        token = given(browser.access_token)
        self.take(
            self.stage.call(
                'amend(session, scope="read")', "amended", lambda: self.authority.amend(browser.session_id, scope="read")
            )
        )
        self.stage.refused("verify(the access token)", "stale_claims", lambda: self.authority.verify(token))
        self.stage.wait(20, "20 seconds")
        fresh = self.refresh("refresh(token)", "rotated", given(browser.refresh_token))
        claims = self.authority.verify(given(fresh.access_token))
        self.stage.check(claims.scope == "read", f"the new access token says scope={claims.scope!r}")
        return fresh

    def all_but_this(self, browser: Grant) -> Grant:
        self.stage.step(
            "End every other session of a person",
            "One write, however many there are: the subject's epoch rises, and a session below it is refused. A "
            "sign-in that races it is on one side of it or the other.",
        )
        others = [self.take(self.authority.issue("user-1", device=f"device {n}")) for n in range(50)]
        live = len(self.authority.sessions("user-1"))
        keep = browser.session_id
        self.stage.call(
            f"revoke_subject(keep=this), {live} sessions",
            "done",
            lambda: self.authority.revoke_subject("user-1", keep=keep),
        )
        left = [session.session_id for session in self.authority.sessions("user-1")]
        self.stage.check(live == 52 and left == [keep], f"of {live} sessions one is left, and it is this one")
        other = given(others[0].refresh_token)
        self.stage.refused("refresh(another's token)", "session_revoked", lambda: self.authority.refresh(other))
        self.stage.wait(20, "20 seconds")
        return self.refresh("refresh(this one's token)", "rotated", given(browser.refresh_token))

    def idle(self, browser: Grant) -> None:
        self.stage.step(
            "A session that nobody uses",
            "Expiry is computed from the record and the time, never written: a clock that was wrong hurts only while "
            "it is wrong.",
        )
        self.stage.wait(31 * DAY, "31 days")
        token = given(browser.refresh_token)
        self.stage.refused("refresh(token)", "session_expired_idle", lambda: self.authority.refresh(token))
        access = given(browser.access_token)
        self.stage.refused("verify(access_token)", "expired", lambda: self.authority.verify(access))
        self.stage.check(self.authority.sessions("user-1") == [], "no session of user-1 is live any more")

    def erase(self) -> None:
        self.stage.step(
            "Erase a person",
            "The records are deleted, and the name that led to them; tokens that are still out there are refused.",
        )
        grant = self.issue('issue("user-3")', subject="user-3")
        self.stage.call('erase_subject("user-3")', "done", lambda: self.authority.erase_subject("user-3"))
        token, access = given(grant.refresh_token), given(grant.access_token)
        self.stage.refused("refresh(token)", "session_revoked", lambda: self.authority.refresh(token))
        self.stage.refused("verify(access_token)", "revoked", lambda: self.authority.verify(access))

    def residue(self) -> None:
        self.stage.step(
            "What the database holds",
            "Whoever copies the file holds nothing that can be presented: commitments are hashes, and tokens need keys "
            "that are kept elsewhere.",
        )
        alive = self.issue('issue("user-4")', subject="user-4")
        held = files(self.path)
        wanted = {needle for token in self.tokens for needle in needles(token)}
        for secret in self.drawn:
            wanted |= {secret.encode(), *forms(decoded(secret))}
        wanted |= set(private_parts(self.keys.private_jwks()))
        wanted |= set(master_keys(self.secrets.to_text()))
        found = [needle for needle in wanted for content in held.values() if needle in content]
        for name, content in held.items():
            self.stage.say(f"      {name:<18} {len(content):>9,} bytes")
        sid = decoded(alive.session_id)
        self.stage.check(any(sid in content for content in held.values()), "the session id is found: the search works")
        self.stage.check(
            len(self.tokens) > 60 and not found,
            f"{len(self.tokens)} tokens, {len(self.drawn)} drawn secrets, the signing key and the master key, as text, "
            f"bytes, base64 and hexadecimal ({len(wanted)} patterns): none is there",
        )
        self.held = f"{len(self.tokens)} tokens, none of them stored"

    def issue(self, shown: str, *, subject: str, **asked: str) -> Grant:
        return self.take(self.stage.call(shown, "issued", lambda: self.authority.issue(subject, **asked)))

    def refresh(self, shown: str, expected: str, token: str, **asked: str | None) -> Grant:
        return self.take(self.stage.call(shown, expected, lambda: self.authority.refresh(token, **asked)))

    def take(self, grant: Grant) -> Grant:
        self.tokens |= {token for token in (grant.access_token, grant.refresh_token, grant.session_token) if token}
        return grant

    def keep(self, token: str) -> str:
        self.tokens.add(token)
        return token

    def draw(self) -> str:
        self.drawn.append(RefreshToken.new_secret())
        return self.drawn[-1]

    def offer(self) -> str:
        return RefreshToken.commitment(self.draw())


def given(value: str | None) -> str:
    """What a grant must have held."""
    if value is None:
        raise Unexpected("a token is missing from what was handed out")
    return value
