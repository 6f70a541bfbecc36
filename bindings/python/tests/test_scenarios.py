"""Lifecycle scenarios, by their numbers, on memory and on SQLite."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import safeconduct as sc

from conftest import Clock, Make
from device import Device

HOUR = 3600
DAY = 24 * HOUR


def test_01_a_normal_chain_rotates_and_stays_one_session(authority: sc.Authority) -> None:
    device = Device.sign_in(authority)
    for _ in range(3):
        grant = device.refresh()
        assert grant.outcome == "rotated" and grant.access_token is not None
        assert authority.verify(grant.access_token).sub == "user-1"
    assert len(authority.sessions("user-1")) == 1


def test_02_a_lost_response_is_repeated_eight_hours_later(authority: sc.Authority, clock: Clock) -> None:
    device = Device.sign_in(authority)
    lost = device.send()
    clock.sleep(8 * HOUR)
    repeated = device.refresh()
    assert (repeated.outcome, repeated.receipt) == ("repeated", lost.receipt)
    assert repeated.access_token is None
    assert device.refresh().outcome == "rotated"


def test_03_a_lost_request_is_as_if_it_was_never_sent(authority: sc.Authority) -> None:
    device = Device.sign_in(authority)
    assert device.refresh().outcome == "rotated"


def test_04_a_duplicated_request_rotates_once(make: Make) -> None:
    noted: list[dict[str, Any]] = []
    device = Device.sign_in(make(audit=noted.append))
    first, second = device.send(), device.send()
    assert first.receipt == second.receipt
    assert [event["kind"] for event in noted] == ["issued", "rotated", "repeated"]


def test_06_a_fork_is_reuse_and_revokes(authority: sc.Authority) -> None:
    device = Device.sign_in(authority)
    thief = device.copy()
    device.refresh()
    with pytest.raises(sc.ReuseDetected):
        thief.refresh()
    with pytest.raises(sc.SessionRevoked):
        device.refresh()


def test_07_interleaved_clones_do_not_survive(authority: sc.Authority, clock: Clock) -> None:
    device = Device.sign_in(authority)
    thief = device.copy()
    with pytest.raises(sc.RefreshRefused):
        for _ in range(500):
            thief.refresh()
            clock.sleep(1800)
            device.refresh()
            clock.sleep(1800)
    with pytest.raises(sc.SessionRevoked):
        thief.refresh()


def test_09_a_stale_lineage_never_gives_a_live_token(authority: sc.Authority, clock: Clock) -> None:
    device = Device.sign_in(authority)
    stale = device.copy()
    device.refresh()
    device.refresh()
    clock.sleep(3)
    with pytest.raises(sc.Superseded) as superseded:
        stale.refresh()
    assert superseded.value.challenge is None
    assert device.refresh().outcome == "rotated"
    assert authority.revoke(stale.token) == "revoked"
    with pytest.raises(sc.SessionRevoked):
        device.refresh()


def test_09_a_stale_lineage_under_a_window_is_challenged_and_then_revoked(
    authority: sc.Authority, clock: Clock
) -> None:
    t0 = authority.issue("user-1").refresh_token
    t1 = authority.refresh(t0).refresh_token
    clock.sleep(30)
    t2 = authority.refresh(t1).refresh_token
    with pytest.raises(sc.Superseded) as superseded:
        authority.refresh(t0)
    clock.sleep(30)
    assert authority.refresh(t2).outcome == "rotated"
    with pytest.raises(sc.ReuseDetected):
        authority.refresh(t0, challenge=superseded.value.challenge)


def test_11_a_window_is_not_armed_again(authority: sc.Authority, clock: Clock) -> None:
    t0 = authority.issue("user-1").refresh_token
    t1 = authority.refresh(t0).refresh_token
    clock.sleep(5)
    assert authority.refresh(t0).refresh_token == t1
    for _ in range(20):
        clock.sleep(5)
        with pytest.raises(sc.Superseded):
            authority.refresh(t0)


def test_12_a_window_ends_at_its_width(authority: sc.Authority, clock: Clock) -> None:
    t0 = authority.issue("user-1").refresh_token
    authority.refresh(t0)
    clock.sleep(9.999)
    assert authority.refresh(t0).outcome == "repeated"
    clock.sleep(0.001)
    with pytest.raises(sc.Superseded):
        authority.refresh(t0)


def test_12_a_window_of_zero_is_strict(authority: sc.Authority) -> None:
    t0 = authority.issue("user-1", replay=sc.Replay.window(0)).refresh_token
    t1 = authority.refresh(t0).refresh_token
    with pytest.raises(sc.ReuseDetected):
        authority.refresh(t0)
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(t1)


def test_12_a_plain_window_revokes_what_comes_late(authority: sc.Authority, clock: Clock) -> None:
    t0 = authority.issue("user-1", replay=sc.Replay.window(10, late="revoke")).refresh_token
    authority.refresh(t0)
    clock.sleep(10)
    with pytest.raises(sc.ReuseDetected):
        authority.refresh(t0)


def test_13_a_window_closes_on_use_of_the_successor(authority: sc.Authority, clock: Clock) -> None:
    t0 = authority.issue("user-1", replay=sc.Replay.window(60)).refresh_token
    t1 = authority.refresh(t0).refresh_token
    clock.sleep(10)
    paused = authority.refresh(t1)
    assert paused.outcome == "paused"
    clock.sleep(50)
    t2 = authority.refresh(t1).refresh_token
    assert t2 != t1
    with pytest.raises(sc.Superseded):
        authority.refresh(t0)


def test_20_a_stale_refresh_never_gets_the_tokens_of_a_new_sign_in(authority: sc.Authority) -> None:
    old = Device.sign_in(authority)
    authority.revoke(old.token)
    new = Device.sign_in(authority)
    with pytest.raises(sc.SessionRevoked):
        old.refresh()
    assert new.refresh().outcome == "rotated"


def test_21_revoked_is_absorbing(authority: sc.Authority, clock: Clock) -> None:
    t0 = authority.issue("user-1").refresh_token
    t1 = authority.refresh(t0).refresh_token
    authority.revoke(t1)
    clock.sleep(0.2)
    for token in (t0, t1, t0, t1):
        with pytest.raises(sc.SessionRevoked):
            authority.refresh(token)


def test_22_order_is_by_counter_when_the_clock_steps_back(authority: sc.Authority, clock: Clock) -> None:
    device = Device.sign_in(authority)
    stale = device.copy()
    device.refresh()
    clock.sleep(-HOUR)
    device.refresh()
    with pytest.raises(sc.Superseded):
        stale.refresh()
    assert device.refresh().outcome == "rotated"


def test_25_a_forged_token_changes_nothing(authority: sc.Authority) -> None:
    device = Device.sign_in(authority)
    raw = bytearray(base64.urlsafe_b64decode(device.token[5:] + "=" * (-len(device.token[5:]) % 4)))
    for place in range(len(raw) - 16):
        forged = bytearray(raw)
        forged[place] ^= 1
        token = "scr1_" + base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
        with pytest.raises(sc.NotOurs):
            authority.refresh(token, next_commitment=bytes(31) + b"\1")
        assert authority.revoke(token) == "not_ours"
    assert device.refresh().outcome == "rotated"


def test_26_the_wrong_client_is_refused_and_it_is_no_reuse(authority: sc.Authority) -> None:
    device = Device.sign_in(authority, client_id="app")
    with pytest.raises(sc.WrongHolder):
        authority.refresh(
            device.token, client_id="other", next_commitment=sc.RefreshToken.commitment(device.next)
        )
    assert device.refresh().outcome == "rotated"


def test_28_an_expired_token_is_refused_inside_a_window(make: Make, clock: Clock) -> None:
    authority = make(policy=sc.Policy(access_ttl=60, idle_ttl=60, absolute_ttl=62))
    t0 = authority.issue("user-1").refresh_token
    clock.sleep(59)
    authority.refresh(t0)
    clock.sleep(3)
    with pytest.raises(sc.SessionExpired) as expired:
        authority.refresh(t0)
    assert expired.value.reason == "session_expired_absolute"


def test_29_idle_and_absolute_deadlines(make: Make, clock: Clock) -> None:
    authority = make(policy=sc.Policy(access_ttl=60, idle_ttl=HOUR, absolute_ttl=3 * HOUR))
    idle = Device.sign_in(authority)
    clock.sleep(HOUR - 1)
    idle.refresh()
    clock.sleep(HOUR + 1)
    with pytest.raises(sc.SessionExpired) as expired:
        idle.refresh()
    assert expired.value.reason == "session_expired_idle"

    active = Device.sign_in(authority)
    for _ in range(5):
        clock.sleep(HOUR / 2)
        active.refresh()
    clock.sleep(HOUR / 2 - 10)
    assert active.refresh().expires_in == 10
    clock.sleep(10)
    with pytest.raises(sc.SessionExpired) as expired:
        active.refresh()
    assert expired.value.reason == "session_expired_absolute"


def test_29_a_repeat_moves_no_deadline(make: Make, clock: Clock) -> None:
    device = Device.sign_in(make(policy=sc.Policy(access_ttl=60, idle_ttl=HOUR, absolute_ttl=DAY)))
    device.send()
    for _ in range(5):
        clock.sleep(HOUR / 5)
        if _ < 4:
            assert device.send().outcome == "repeated"
    with pytest.raises(sc.SessionExpired):
        device.send()


def test_32_a_revoke_has_the_scope_that_was_asked_for(authority: sc.Authority) -> None:
    a, b = authority.issue("user-1"), authority.issue("user-1")
    other = authority.issue("user-2")
    assert authority.revoke_session(a.session_id) == "revoked"
    assert authority.revoke_session(a.session_id) == "revoked"
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(a.refresh_token)
    assert authority.refresh(b.refresh_token).outcome == "rotated"
    authority.revoke_subject("user-1")
    authority.revoke_subject("user-1")
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(b.refresh_token)
    with pytest.raises(sc.RevokedToken):
        authority.verify(b.access_token)
    assert authority.refresh(other.refresh_token).outcome == "rotated"
    assert authority.revoke("not a token") == "not_ours"
    assert authority.revoke_session("A" * 22) == "session_unknown"
    assert authority.revoke_session("not a session") == "session_unknown"


def test_35_an_erased_subject_stays_refused_and_may_come_back_as_new(authority: sc.Authority) -> None:
    grant = authority.issue("user-1", device="phone")
    authority.erase_subject("user-1")
    authority.erase_subject("nobody")
    with pytest.raises(sc.RefreshRefused):
        authority.refresh(grant.refresh_token)
    with pytest.raises(sc.RevokedToken):
        authority.verify(grant.access_token)
    assert authority.sessions("user-1") == []
    again = authority.issue("user-1")
    assert again.session_id != grant.session_id
    with pytest.raises(sc.RefreshRefused):
        authority.refresh(grant.refresh_token)


def test_36_scope_may_shrink_and_never_grows(authority: sc.Authority) -> None:
    first = authority.issue("user-1", scope="read write", replay=sc.Replay.window(0))
    less = authority.refresh(first.refresh_token, scope="read")
    assert authority.verify(less.access_token).scope == "read"
    with pytest.raises(sc.ScopeExceeded):
        authority.refresh(less.refresh_token, scope="read admin")
    whole = authority.refresh(less.refresh_token)
    assert authority.verify(whole.access_token).scope == "read write"


def test_44_every_truncation_and_flip_of_a_token_is_a_typed_refusal(authority: sc.Authority) -> None:
    grant = authority.issue("user-1")
    opaque = authority.issue("user-1", mode="opaque")
    for token, use in (
        (grant.refresh_token, authority.refresh),
        (opaque.session_token, authority.authenticate),
        (grant.access_token, authority.verify),
    ):
        broken = [token[:length] for length in range(0, len(token), 3)]
        broken += [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(len(token))]
        broken += [token + "A", token + "=", " " + token, token + "\n", token * 2, token.upper()]
        for text in broken:
            with pytest.raises((sc.NotOurs, sc.InvalidToken)):
                use(text)
    assert authority.refresh(grant.refresh_token).outcome == "rotated"


def test_amended_claims_make_older_access_tokens_stale(authority: sc.Authority) -> None:
    grant = authority.issue("user-1", scope="read", claims={"role": "guest"})
    assert authority.verify(grant.access_token)["role"] == "guest"
    amended = authority.amend(grant.session_id, scope="read write", claims={"role": "owner"})
    assert amended.outcome == "amended" and amended.refresh_token is None and amended.access_token is not None
    with pytest.raises(sc.StaleClaims):
        authority.verify(grant.access_token)
    fresh = authority.verify(authority.refresh(grant.refresh_token).access_token)
    assert (fresh["role"], fresh.scope) == ("owner", "read write")
    with pytest.raises(sc.SessionUnknown):
        authority.amend("A" * 22, scope="read")
    with pytest.raises(sc.SessionUnknown):
        authority.amend("nonsense", scope="read")
