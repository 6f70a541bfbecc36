"""Policy, replay rules, clock and audit."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import weakref
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import safeconduct as sc

from conftest import Clock, Make


def test_a_policy_says_what_it_is() -> None:
    usual = sc.Policy()
    assert (usual.access_ttl, usual.idle_ttl, usual.absolute_ttl) == (
        timedelta(minutes=10),
        timedelta(days=30),
        timedelta(days=180),
    )
    assert (usual.max_sessions, usual.session_limit, usual.store_behind) == (100, "end_oldest", "adopt")
    assert (usual.max_claims, usual.personal_claims, usual.partitions) == (1024, [], 16)
    assert not usual.check_signatures and sc.Policy(check_signatures=True).check_signatures
    assert usual.replay == sc.Replay.window(10) and usual == sc.Policy(access_ttl=600)
    assert sc.Policy(access_ttl=60.0) == sc.Policy(access_ttl=timedelta(minutes=1)) != usual


def test_unsafe_policies_are_refused_and_say_why() -> None:
    unsafe: list[tuple[dict[str, Any], str]] = [
        ({"access_ttl": 0}, "access_ttl"),
        ({"access_ttl": 3601}, "access_ttl"),
        ({"idle_ttl": 599}, "idle_ttl"),
        ({"absolute_ttl": timedelta(days=29)}, "absolute_ttl"),
        ({"absolute_ttl": timedelta(days=401)}, "400 days"),
        ({"max_sessions": 0}, "max_sessions"),
        ({"max_sessions": 1001}, "max_sessions"),
        ({"max_claims": 4097}, "max_claims"),
        ({"partitions": 0}, "partitions"),
        ({"replay": sc.Replay.window(61)}, "60 seconds"),
        ({"access_ttl": 10, "replay": sc.Replay.window(10)}, "shorter than access_ttl"),
    ]
    for arguments, text in unsafe:
        with pytest.raises(sc.PolicyRefused, match=text) as caught:
            sc.Policy(**arguments)
        assert caught.value.reason == "policy_refused" and isinstance(caught.value, sc.ConfigError)


def test_lengths_are_whole_seconds_and_never_negative() -> None:
    not_whole: list[float | timedelta] = [-1.0, 1.5, float("nan"), float("inf")]
    not_whole += [timedelta(seconds=-1), timedelta(milliseconds=1500)]
    for wrong in not_whole:
        with pytest.raises(ValueError):
            sc.Policy(access_ttl=wrong)
    for length in [-1, 1 << 64]:
        with pytest.raises(ValueError, match="whole number of seconds"):
            sc.Policy(access_ttl=length)
    for mistaken in ["600", True, [600], b"600"]:
        with pytest.raises(TypeError):
            sc.Policy(access_ttl=mistaken)  # type: ignore[arg-type]
    out_of_range: list[dict[str, Any]] = [{"max_sessions": -1}, {"partitions": 256}, {"max_claims": -1}]
    for arguments in out_of_range:
        with pytest.raises(OverflowError):
            sc.Policy(**arguments)
    unknown: list[dict[str, Any]] = [{"session_limit": "x"}, {"store_behind": "x"}]
    for arguments in unknown:
        with pytest.raises(ValueError):
            sc.Policy(**arguments)
    with pytest.raises(TypeError):
        sc.Policy(personal_claims="email")


def test_replay_rules_are_values() -> None:
    assert sc.Replay.window(10) == sc.Replay.window(timedelta(seconds=10)) != sc.Replay.committed()
    assert len({sc.Replay.window(10), sc.Replay.window(10), sc.Replay.window(10, late="revoke")}) == 2
    assert repr(sc.Replay.window(10)) == "Replay.window(10, late='challenge')"
    with pytest.raises(ValueError):
        sc.Replay.window(10, late="never")  # type: ignore[arg-type]


def test_the_bound_rule_is_refused_until_proofs_can_be_given(authority: sc.Authority) -> None:
    for act in (lambda: sc.Policy(replay=sc.Replay.bound()), lambda: authority.issue("u", replay=sc.Replay.bound())):
        with pytest.raises(sc.ConfigError, match="DPoP"):
            act()


def test_the_committed_rule_without_a_commitment_begins_with_a_derived_secret(make: Make) -> None:
    authority = make(policy=sc.Policy(replay=sc.Replay.committed()))
    first = authority.issue("user-1")
    with pytest.raises(sc.CommitmentRefused) as caught:
        authority.refresh(first.refresh_token)
    assert caught.value.reason == "commitment_required"
    secret = sc.RefreshToken.new_secret()
    grant = authority.refresh(first.refresh_token, next_commitment=sc.RefreshToken.commitment(secret))
    assert grant.outcome == "rotated" and sc.RefreshToken.assemble(grant.receipt, secret).startswith("scr1_")


def test_too_many_sessions_end_the_oldest_or_are_refused(make: Make, clock: Clock) -> None:
    ending = make(policy=sc.Policy(max_sessions=2))
    grants = []
    for _ in range(3):
        grants.append(ending.issue("user-1"))
        clock.sleep(1)
    assert len(ending.sessions("user-1")) == 2
    with pytest.raises(sc.SessionRevoked):
        ending.refresh(grants[0].refresh_token)
    refusing = make(policy=sc.Policy(max_sessions=2, session_limit="refuse"))
    with pytest.raises(sc.TooManySessions):
        refusing.issue("user-1")


def test_sessions_are_listed_in_pages_with_aware_times(authority: sc.Authority, clock: Clock) -> None:
    clock.now += 0.25
    for number in range(5):
        authority.issue("user-1", client_id="app", scope="read", device=f"phone {number}", ip="192.0.2.1")
    first = authority.sessions("user-1", limit=2)
    rest = authority.sessions("user-1", after=first[-1].session_id)
    ids = [session.session_id for session in first + rest]
    assert len(first) == 2 and len(rest) == 3 and len(set(ids)) == 5
    session = first[0]
    assert (session.client_id, session.scope, session.ip, session.mode) == ("app", "read", "192.0.2.1", "hybrid")
    assert session.device is not None and session.device.startswith("phone ")
    issued = datetime(2023, 11, 14, 22, 13, 20, 250_000, timezone.utc)
    assert session.issued_at == session.rotated_at == issued and session.issued_at.tzinfo is not None
    assert session.idle_deadline == issued + timedelta(days=30)
    assert session.absolute_deadline == issued + timedelta(days=180)
    assert authority.sessions("user-1", limit=0) == []
    with pytest.raises(sc.SessionUnknown):
        authority.sessions("user-1", after="nonsense")


def test_the_system_clock_is_the_default(make: Make) -> None:
    authority = make(clock=None)
    claims = authority.verify(authority.issue("user-1").access_token)
    assert claims.iat is not None and abs(claims.iat - time.time()) < 5


def test_what_a_clock_raises_comes_out_and_nothing_happens(make: Make, clock: Clock) -> None:
    class Broken(Exception):
        pass

    now: list[Any] = [1_700_000_000]

    def read() -> float:
        if now[0] is None:
            raise Broken
        return now[0]  # type: ignore[no-any-return]

    authority = make(clock=read)
    grant = authority.issue("user-1")
    for wrong, error in [
        (None, Broken),
        ("1700000000", TypeError),
        (datetime.now(timezone.utc), TypeError),
        (float("nan"), ValueError),
        (-1.0, ValueError),
    ]:
        now[0] = wrong
        for act in (
            lambda: authority.refresh(grant.refresh_token),
            lambda: authority.verify(grant.access_token),
            lambda: authority.sessions("user-1"),
            lambda: make(clock=read),
        ):
            with pytest.raises(error):
                act()
    now[0] = 1_700_000_000.5
    assert authority.refresh(grant.refresh_token).outcome == "rotated"


def test_audit_events_are_told_in_order_and_hold_no_person(make: Make) -> None:
    noted: list[dict[str, Any]] = []
    authority = make(audit=noted.append)
    grant = authority.issue("user-1", device="phone", ip="192.0.2.1")
    authority.refresh(grant.refresh_token)
    authority.revoke(grant.refresh_token)
    authority.revoke_subject("user-1")
    authority.erase_subject("user-1")
    kinds = [event["kind"] for event in noted]
    assert kinds == ["issued", "rotated", "revoked", "signed_out", "subject_revoked", "subject_erased"]
    assert noted[0] == {
        "at": 1_700_000_000_000,
        "kind": "issued",
        "sid": grant.session_id,
        "generation": 0,
    }
    text = json.dumps(noted)
    assert not any(word in text for word in ("user-1", "phone", "192.0.2.1", grant.refresh_token))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_an_audit_callable_raises_is_reported_and_stops_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_type))
    authority = make(audit=lambda event: 1 / 0)
    assert authority.issue("user-1").outcome == "issued"
    assert reported == [ZeroDivisionError]


def test_an_audit_callable_may_use_the_authority(make: Make, clock: Clock) -> None:
    kinds: list[str] = []

    def note(event: dict[str, Any]) -> None:
        kinds.append(event["kind"])
        if event["kind"] == "reuse_detected":
            authority.revoke_subject("user-1")

    authority = make(audit=note)
    token = authority.issue("user-1", replay=sc.Replay.window(0)).refresh_token
    other = authority.issue("user-1")
    authority.refresh(token)
    with pytest.raises(sc.ReuseDetected):
        authority.refresh(token)
    assert "subject_revoked" in kinds
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(other.refresh_token)


def test_an_audit_callable_is_one(make: Make) -> None:
    with pytest.raises(TypeError, match="audit"):
        make(audit="audit.log")


def test_an_authority_that_its_own_callables_lead_to_is_collected(make: Make) -> None:
    class Application:
        def __init__(self) -> None:
            self.authority = make(clock=self.clock, audit=self.note)

        def clock(self) -> float:
            return 1_700_000_000

        def note(self, event: dict[str, Any]) -> None:
            pass

    application = Application()
    application.authority.issue("user-1")
    gone = weakref.ref(application)
    del application
    gc.collect()
    assert gone() is None


def test_a_clock_that_counts_milliseconds_is_refused(make: Make) -> None:
    for wrong in (1_700_000_000_000, 1.7e12, -1, 1 << 64):
        with pytest.raises(ValueError, match="not milliseconds"):
            make(clock=lambda wrong=wrong: wrong)


def test_other_threads_run_while_a_store_is_asked(make: Make) -> None:
    authority = make(audit=lambda event: time.sleep(0.05))
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    authority.issue("user-1")
    done.set()
    thread.join()
    assert counted > 5
