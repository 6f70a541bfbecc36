"""The page, the list of reasons and the table in the code say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

from safeconduct.errors import FAMILIES
from safeconduct.wsgi.answers import AT_ENDPOINT, AT_RESOURCE, WITH_CHALLENGE, Code

SPEC = Path(__file__).parents[3] / "spec"
REASONS: dict[str, list[str]] = json.loads((SPEC / "vectors" / "reasons.json").read_text())

# Outcomes that are no errors; what is met when an application starts; what only an audit line names.
NEVER_AN_ERROR = {*"issued rotated repeated paused authenticated amended erased".split()}
NEVER_ON_THE_WIRE = frozenset("config key keys_source remote_policy rotation secrets secrets_source json revocation audit".split())


def rows() -> list[tuple[list[str], list[Code], str]]:
    """Reasons, codes at endpoint and resource, and what the client does, of each row of the page's table."""
    page = (SPEC / "http.md").read_text()
    table = page.split("| reason | status | error |")[1].split("\n\n")[0].splitlines()[2:]
    found = []
    for line in table:
        reasons, status, error, _, client = (cell.strip() for cell in line.strip("|").split("|"))
        statuses, errors = status.split(" / "), error.split(" / ")
        length = max(len(statuses), len(errors))
        pairs = zip(statuses * (length // len(statuses)), errors * (length // len(errors)), strict=True)
        codes = [Code(int(status), error or None) for status, error in pairs]
        names = re.findall(r"`(\w+)`( with a challenge)?", reasons)
        found.append(([name + suffix for name, suffix in names], codes, client))
    return found


def test_the_page_and_the_code_give_each_reason_the_same_status() -> None:
    at_endpoint = {reason: codes[0] for reasons, codes, _ in rows() for reason in reasons}
    at_resource = {reason: codes[-1] for reasons, codes, _ in rows() for reason in reasons}
    assert at_endpoint.pop("superseded with a challenge") == at_resource.pop("superseded with a challenge")
    assert at_endpoint == AT_ENDPOINT
    assert at_resource == AT_RESOURCE
    assert WITH_CHALLENGE == Code(409, "superseded")


def test_the_page_names_each_reason_once_and_says_what_the_client_does() -> None:
    reasons = [reason for reasons, _, _ in rows() for reason in reasons]
    assert len(reasons) == len(set(reasons))
    assert all(client for _, _, client in rows())


def test_every_listed_reason_that_a_client_can_meet_is_on_the_page() -> None:
    wire = {reason for kind, reasons in REASONS.items() if kind not in NEVER_ON_THE_WIRE for reason in reasons}
    assert wire - NEVER_AN_ERROR == AT_ENDPOINT.keys()


def test_every_reason_that_has_an_exception_is_listed() -> None:
    listed = {reason for reasons in REASONS.values() for reason in reasons}
    assert {reason for _, classes in FAMILIES.values() for reason in classes} <= listed


def test_no_store_trouble_and_no_uncertainty_signs_anybody_out() -> None:
    for kind in ("store", "exchange", "record", "entropy", "not_covered"):
        for reason in REASONS[kind]:
            assert AT_ENDPOINT[reason].status >= 500 and AT_RESOURCE[reason].status >= 500
    for code in AT_ENDPOINT.values():
        assert code.error != "invalid_grant" or code.status == 400
