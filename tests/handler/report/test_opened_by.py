"""What is said of who opened a finding, and how it is stored."""

import json

import pytest

from handler.model.finding import Opening
from handler.model.opened_by import Means, NotAttributed, OpenedBy
from handler.report import phrases
from handler.report.entries import open_entry
from handler.report.fields import DECODE_ERRORS, Fields
from handler.report.json_report import finding_from_fields, finding_to_json, opened_by_from_fields
from tests.support import reports
from tests.support.documents import ODD_VALUES, changed, places
from tests.support.openers import ALICE, BY_ATTACHING, NOT_FOUND, NOT_READ, NOT_YET
from tests.support.security_groups import answer, permission

(FINDING,) = reports.read(answer(permission("tcp", 22, 22, "0.0.0.0/0"))).findings
OPENERS = (ALICE, BY_ATTACHING, NOT_FOUND, NOT_READ, NOT_YET, None)


@pytest.mark.parametrize(
    ("opened_by", "phrase"),
    [
        (ALICE, "IAM user alice, 23 Nov 2026 05:58 UTC from 203.0.113.9"),
        (
            ALICE._replace(others=1),
            "IAM user alice and 1 other, 23 Nov 2026 05:58 UTC from 203.0.113.9",
        ),
        (
            ALICE._replace(others=2, means=Means.PREFIX_LIST, source_address=None),
            "IAM user alice and 2 others through a prefix list, 23 Nov 2026 05:58 UTC",
        ),
        (BY_ATTACHING, "the root user by attaching a network interface, 23 Nov 2026 05:58 UTC"),
        (NOT_FOUND, "unknown (not in CloudTrail's event history since 22 Nov 2026)"),
        (NOT_READ, "unknown (CloudTrail's event history could not be read)"),
        (NOT_YET, ""),
        (None, ""),
    ],
)
def test_who_opened_it_in_a_phrase(opened_by: OpenedBy | NotAttributed | None, phrase: str) -> None:
    """Principal, time and address; how it was opened unless by a rule; nothing while in doubt."""
    assert phrases.opened_by(FINDING._replace(opened_by=opened_by)) == phrase


def test_an_entry_of_the_mail_says_who_opened_each_family() -> None:
    """The same opening for IPv6 by somebody else is a second fact, by the same call none."""
    ipv4 = FINDING._replace(opened_by=ALICE)

    def facts(other: OpenedBy) -> tuple[str, ...]:
        opening = Opening(ipv4, ipv4._replace(opened_by=other))
        entry = open_entry(opening, "", "eu-west-1", with_commands=False)
        return tuple(fact for fact in entry.facts if fact.startswith("opened by"))

    alice = "opened by: IAM user alice, 23 Nov 2026 05:58 UTC from 203.0.113.9"
    root = "opened by: the root user by attaching a network interface, 23 Nov 2026 05:58 UTC"
    assert facts(ALICE) == (alice,)
    assert facts(BY_ATTACHING) == (alice, root)


@pytest.mark.parametrize("opened_by", OPENERS)
def test_who_opened_it_comes_back_from_json(opened_by: OpenedBy | NotAttributed | None) -> None:
    """A stored report has all of it."""
    stored = finding_to_json(FINDING._replace(opened_by=opened_by))
    fields = Fields(json.loads(json.dumps(stored)))
    assert finding_from_fields(fields).opened_by == opened_by


def test_a_report_without_the_field_says_nothing_of_it() -> None:
    """Reports of older versions are read."""
    stored = json.loads(json.dumps(finding_to_json(FINDING)))
    del stored["openedBy"]
    assert finding_from_fields(Fields(stored)).opened_by is None


@pytest.mark.parametrize("opened_by", [ALICE, NOT_FOUND])
def test_each_value_is_refused_or_stored_again(opened_by: OpenedBy | NotAttributed) -> None:
    """With any value in any field it is a decode error, or it is written as it was read."""
    stored = finding_to_json(FINDING._replace(opened_by=opened_by))["openedBy"]
    for place in places(stored):
        for odd in ODD_VALUES:
            document = changed(stored, place, odd)
            try:
                read = opened_by_from_fields(Fields({"openedBy": document}))
            except DECODE_ERRORS:
                continue
            again = finding_to_json(FINDING._replace(opened_by=read))["openedBy"]
            assert again.items() <= document.items()
