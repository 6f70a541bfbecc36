"""The main job, end to end, as the README tells it."""

from __future__ import annotations

import pytest

import safeconduct as sc

from conftest import Clock


def test_a_browser_session_lives_and_a_late_thief_ends_it(authority: sc.Authority, clock: Clock) -> None:
    first = authority.issue("user-1", scope="read write")
    assert (first.outcome, first.expires_in, first.receipt, first.session_token) == ("issued", 600, None, None)
    claims = authority.verify(first.access_token)
    assert claims.sub == "user-1" and claims["sid"] == first.session_id

    second = authority.refresh(first.refresh_token)
    assert second.outcome == "rotated" and second.refresh_token != first.refresh_token
    repeated = authority.refresh(first.refresh_token)
    assert repeated.outcome == "repeated" and repeated.refresh_token == second.refresh_token

    clock.sleep(60)
    with pytest.raises(sc.Superseded) as superseded:
        authority.refresh(first.refresh_token)
    challenge = superseded.value.challenge
    assert challenge is not None
    with pytest.raises(sc.ReuseDetected):
        authority.refresh(first.refresh_token, challenge=challenge)
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(second.refresh_token)
    with pytest.raises(sc.RevokedToken):
        authority.verify(second.access_token)


def test_an_app_draws_its_own_secrets_and_repeats_a_lost_reply_a_day_later(
    authority: sc.Authority, clock: Clock
) -> None:
    s0, s1, s2 = (sc.RefreshToken.new_secret() for _ in range(3))
    first = authority.issue("user-1", commitment=sc.RefreshToken.commitment(s0))
    assert first.refresh_token is None
    t0 = sc.RefreshToken.assemble(first.receipt, s0)

    rotated = authority.refresh(t0, next_commitment=sc.RefreshToken.commitment(s1))
    clock.sleep(86_400)
    repeated = authority.refresh(t0, next_commitment=sc.RefreshToken.commitment(s1))
    assert (repeated.outcome, repeated.access_token) == ("repeated", None)
    assert repeated.receipt == rotated.receipt
    t1 = sc.RefreshToken.assemble(repeated.receipt, s1)
    assert authority.refresh(t1, next_commitment=sc.RefreshToken.commitment(s2)).outcome == "rotated"

    with pytest.raises(sc.Superseded) as superseded:
        authority.refresh(t0, next_commitment=sc.RefreshToken.commitment(s2))
    assert superseded.value.challenge is None


def test_every_session_of_a_subject_ends_at_once_and_one_may_be_kept(authority: sc.Authority) -> None:
    grants = [authority.issue("user-1") for _ in range(3)]
    assert len(authority.sessions("user-1")) == 3
    authority.revoke_subject("user-1", keep=grants[1].session_id)
    assert [session.session_id for session in authority.sessions("user-1")] == [grants[1].session_id]
    with pytest.raises(sc.SessionRevoked):
        authority.refresh(grants[0].refresh_token)
    assert authority.refresh(grants[1].refresh_token).outcome == "rotated"
    authority.erase_subject("user-1")
    assert authority.sessions("user-1") == []
    with pytest.raises(sc.RefreshRefused):
        authority.refresh(grants[1].refresh_token)
    assert authority.issue("user-1").outcome == "issued"


def test_an_opaque_token_is_looked_up_and_moves_on_when_privileges_change(
    authority: sc.Authority, clock: Clock
) -> None:
    grant = authority.issue("user-1", mode="opaque", scope="read")
    assert grant.access_token is None and grant.refresh_token is None
    old = grant.session_token
    assert authority.authenticate(old).scope == "read"
    new = authority.amend(grant.session_id, scope="read write").session_token
    assert new is not None
    assert authority.authenticate(new).has_scope("write")
    assert authority.authenticate(old).has_scope("read")
    clock.sleep(11)
    with pytest.raises(sc.RefreshRefused):
        authority.authenticate(old)
    assert authority.revoke(old) == "revoked"
    with pytest.raises(sc.SessionRevoked):
        authority.authenticate(new)


def test_a_jwt_session_has_no_refresh_token_and_is_listed_and_revoked(authority: sc.Authority) -> None:
    grant = authority.issue("user-1", mode="jwt")
    assert grant.refresh_token is None
    assert [session.mode for session in authority.sessions("user-1")] == ["jwt"]
    assert authority.revoke(grant.access_token) == "revoked"
    with pytest.raises(sc.RevokedToken):
        authority.verify(grant.access_token)
    assert authority.sessions("user-1") == []
