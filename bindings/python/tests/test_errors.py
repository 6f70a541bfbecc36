"""Every reason has a class, and no exception, repr or log line holds a secret."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import safeconduct as sc
from safeconduct import _native, errors

from conftest import Clock, Make
from device import Device

REASONS = Path(__file__).resolve().parents[3] / "spec" / "vectors" / "reasons.json"


def test_every_reason_of_core_is_raised_as_a_class_of_its_own_family() -> None:
    for family, reasons in _native._reasons():
        base, classes = errors.FAMILIES[family]
        assert set(reasons) == set(classes), family
        for reason in reasons:
            error = errors.raised(family, reason, "text")
            assert error.reason == reason and str(error) == "text"
            assert type(error) is not base and isinstance(error, (base, sc.StoreError))


def test_the_list_of_reasons_that_all_languages_share_has_no_other() -> None:
    reasons = json.loads(REASONS.read_text())
    shared = {reason for group in reasons.values() for reason in group}
    for family, (_, classes) in errors.FAMILIES.items():
        assert set(classes) <= shared, family
    for group, family in [("invalid_token", "invalid_token"), ("refusal", "refused"), ("record", "store")]:
        assert set(reasons[group]) <= set(errors.FAMILIES[family][1]), group


def test_every_exception_is_an_error_and_is_exported() -> None:
    for name in errors.__all__:
        exception = getattr(sc, name)
        assert issubclass(exception, sc.Error) and name in sc.__all__ and exception.__doc__
    for base, classes in errors.FAMILIES.values():
        assert all(exception.__name__ in errors.__all__ for exception in [base, *classes.values()])


def test_who_answers_503_to_store_errors_signs_nobody_out() -> None:
    for reason in ("store_behind", "session_exists"):
        assert not isinstance(errors.raised("refused", reason, ""), sc.RefreshRefused)


def test_an_unknown_reason_is_raised_as_the_family() -> None:
    for family, (base, _) in errors.FAMILIES.items():
        assert type(errors.raised(family, "from the future", "")) is base


def test_an_exception_can_be_pickled_with_its_reason() -> None:
    error = errors.raised("refused", "superseded", "text", "scc1_x")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, sc.Superseded)
    assert (again.reason, again.challenge, str(again)) == ("superseded", "scc1_x", "text")


def test_nothing_that_is_shown_holds_a_secret(make: Make, clock: Clock) -> None:
    secrets, keys = sc.Secrets.generate(), sc.KeySet.generate("HS256")
    authority = make(secrets=secrets, keys=keys)
    browser = authority.issue("user-1", scope="read")
    app = Device.sign_in(authority)
    opaque = authority.issue("user-1", mode="opaque")
    hidden = [browser.access_token, browser.refresh_token, app.token, app.next, opaque.session_token]
    hidden += secrets.to_text().split() + [keys.private_jwks()]

    thief = app.copy()
    app.refresh()
    clock.sleep(60)
    wrong: list[Callable[[], object]] = [
        lambda: authority.verify(browser.access_token[:-2]),
        lambda: authority.verify(browser.refresh_token),
        lambda: authority.refresh(browser.access_token),
        lambda: authority.refresh(browser.refresh_token + "\udc80"),
        lambda: authority.refresh(opaque.session_token),
        lambda: authority.refresh(browser.refresh_token, scope="admin"),
        lambda: authority.authenticate(browser.refresh_token),
        lambda: thief.refresh(),
        lambda: app.refresh(),
        lambda: sc.RefreshToken.assemble(app.token, app.next),
        lambda: sc.RefreshToken.commitment(app.token),
        lambda: sc.KeySet.from_jwks(keys.private_jwks()[:-1]),
        lambda: sc.SigningKey.from_jwk(keys.private_jwks()),
        lambda: keys.jwks(),
        lambda: authority.refresh(browser.refresh_token, next_commitment=app.token),
        lambda: authority.issue("user-1", commitment=app.token),
        lambda: authority.verify(browser.access_token.encode()),  # type: ignore[arg-type]
    ]
    shown = [repr(thing) + str(thing) for thing in (secrets, keys, authority, browser, opaque, app.authority)]
    shown += [repr(claims := authority.verify(browser.access_token)), str(claims)]
    shown += [repr(session) for session in authority.sessions("user-1")]
    for act in wrong:
        with pytest.raises((sc.Error, ValueError, TypeError)) as caught:
            act()
        error = caught.value
        assert not isinstance(error, UnicodeError)
        shown.append("".join(traceback.format_exception_only(error)) + repr(error.args) + repr(vars(error)))
    for text in shown:
        for secret in hidden:
            # Also no long piece of one.
            assert not any(secret[i : i + 20] in text for i in range(0, len(secret) - 20, 5)), text


def test_what_holds_secrets_cannot_be_pickled(authority: sc.Authority) -> None:
    key = sc.SigningKey.hmac(bytes(range(32)))
    things = [authority, authority.issue("user-1"), sc.Secrets.generate(), sc.KeySet.generate(), key]
    for thing in [*things, key.verifying_key()]:
        with pytest.raises(TypeError):
            pickle.dumps(thing)


