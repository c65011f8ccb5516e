"""Rules that are rewritten at random, run after run: what the ledger says, checked by a model."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.ledger.state import LedgerState
from handler.model.digest_kind import DigestKind
from handler.model.finding import Severity, Status
from handler.model.network import Rule
from handler.model.run import CoverageStatus
from handler.model.traffic import Traffic
from handler.policy.policy import Policy
from tests.support import ledger_model as model
from tests.support import ledger_runs
from tests.support.examples import examples
from tests.support.ledger_runs import Step
from tests.support.network import CLOUDFRONT, PUBLIC_IPV4, PUBLIC_IPV6, interface
from tests.support.security_groups import answer, permission

many = examples(100, in_ci=200)
GROUPS = ("sg-1", "sg-2", "sg-3")
START = datetime(2026, 11, 2, 6, tzinfo=UTC)
REGION: dict[str, Any] = {
    "PrefixLists": [
        *(
            {"PrefixListId": key, "OwnerId": "1", "Entries": [{"Cidr": c} for c in held.cidrs]}
            for key, held in model.LISTS.items()
        ),
        {"PrefixListId": model.AWS_LIST, "OwnerId": "AWS", "PrefixListName": CLOUDFRONT},
    ]
}
TRAFFICS = [
    *(Traffic("tcp", low, high) for low, high in [(22, 22), (20, 25), (20, 22), (23, 25)]),
    *(Traffic("tcp", low, high) for low, high in [(80, 80), (22, 80), (443, 443), (0, 65535)]),
    Traffic("udp", 53, 53),
    Traffic("udp", 0, 65535),
    Traffic("icmp"),
    Traffic("icmp", icmp_type=8),
    Traffic("icmp", icmp_type=13),
    Traffic("50"),
    Traffic("all"),
]
HALVES = {
    "0.0.0.0/0": ("0.0.0.0/1", "128.0.0.0/1"),
    "0.0.0.0/1": ("0.0.0.0/2", "64.0.0.0/2"),
    "pl-lower": ("0.0.0.0/1",),
    "8.0.0.0/8": ("8.0.0.0/9", "8.128.0.0/9"),
    "::/0": ("2000::/3",),
    "2000::/3": ("2000::/4", "3000::/4"),
}
SOURCES = [
    *HALVES,
    "128.0.0.0/1",
    "0.0.0.0/2",
    "8.0.0.0/9",
    "8.8.0.0/16",
    "8.8.8.0/24",
    "8.8.8.8/32",
    "10.0.0.0/9",
    "2600::/12",
    "3000::/4",
    "pl-quarters",
    model.AWS_LIST,
]


@dataclass(frozen=True)
class Reading:
    """What a run finds: the rules, and the groups that it could read if that is not all of them."""

    rules: dict[str, tuple[Rule, ...]]
    groups: frozenset[str]
    is_complete: bool = True
    has_interface: bool = False

    @property
    def opened(self) -> model.Cells:
        """What the rules of the groups that could be read open, each group alone."""
        read = (self.rules[group_id] for group_id in self.groups)
        return model.NONE.union(*(model.open_to_one_group(rules) for rules in read if rules))

    def step(self, policy: Policy) -> Step:
        """The same as EC2 answers it."""
        groups = tuple(
            answer(*map(_permission, self.rules[group_id]), group_id=group_id)
            for group_id in sorted(self.groups)
        )
        on_interface = interface(groups=GROUPS[:2], public=PUBLIC_IPV4, ipv6=PUBLIC_IPV6)
        attached = {"NetworkInterfaces": [on_interface]} if self.has_interface else {}
        status = CoverageStatus.OK if self.is_complete else CoverageStatus.FAILED
        return Step(groups, REGION | attached, policy, status=status)


def _permission(rule: Rule) -> dict[str, Any]:
    traffic = rule.traffic
    if traffic.protocol == "icmp":
        return permission(
            "icmp", -1 if traffic.icmp_type is None else traffic.icmp_type, -1, rule.source
        )
    protocol = "-1" if traffic.protocol == "all" else traffic.protocol
    return permission(protocol, traffic.from_port, traffic.to_port, rule.source)


def halved(rule: Rule) -> list[Rule]:
    """The rule for both halves of its source, or for the entries of its list."""
    return [rule._replace(source=source) for source in HALVES.get(rule.source, (rule.source,))]


def cut(rule: Rule) -> list[Rule]:
    """The rule for tcp/20-22 and tcp/23-25 in the place of both."""
    if rule.traffic != Traffic("tcp", 20, 25):
        return [rule]
    return [rule._replace(traffic=Traffic("tcp", *ports)) for ports in ((20, 22), (23, 25))]


def joined(rules: list[Rule]) -> list[Rule]:
    """The rules with one in the place of two that ``halved`` or ``cut`` makes of it."""
    for rule in rules:
        wider = [rule._replace(traffic=Traffic("tcp", 20, 25))]
        wider += [rule._replace(source=whole) for whole in HALVES]
        for whole in wider:
            for parts in (halved(whole), cut(whole)):
                if rule in parts != [whole] and {*parts} <= {*rules}:
                    return [*(other for other in rules if other not in parts), whole]
    return rules


# Strategies are made once, because Hypothesis validates each of them at its first draw.
# Seldom there is a list that cannot be read.
_SOURCES = st.sampled_from([*SOURCES, *SOURCES, model.UNREADABLE])
RULE_OF = {
    group_id: st.builds(Rule, st.just(group_id), st.sampled_from(TRAFFICS), _SOURCES)
    for group_id in GROUPS
}
RULES_OF = {
    group_id: st.lists(rule, min_size=1, max_size=3, unique=True)
    for group_id, rule in RULE_OF.items()
}
EDITS = st.sampled_from(["halve", "cut", "join", "traffic", "source", "add", "drop", "keep"])
MINIMUMS = st.sampled_from([Severity.LOW, Severity.LOW, Severity.INFO, Severity.HIGH])
COMPLETENESS = st.sampled_from([True, True, True, False])


def rewritten(draw: st.DrawFn, group_id: str, rules: list[Rule]) -> list[Rule]:
    """The rules of a group after an edit."""
    position = draw(st.integers(0, len(rules) - 1)) if rules else None
    others = rules if position is None else rules[:position] + rules[position + 1 :]
    chosen = None if position is None else rules[position]
    edit = draw(EDITS)
    if edit == "add" or chosen is None:
        return [*rules, draw(RULE_OF[group_id])]
    other = draw(RULE_OF[group_id])
    return {
        "halve": [*others, *halved(chosen)],
        "cut": [*others, *cut(chosen)],
        "join": joined(rules),
        "traffic": [*others, chosen._replace(traffic=other.traffic)],
        "source": [*others, chosen._replace(source=other.source)],
        "drop": others,
        "keep": list(reversed(rules)),
    }[edit]


@st.composite
def histories(draw: st.DrawFn, *, has_interface: bool) -> tuple[Policy, list[Reading]]:
    """A policy, and what the runs of a day find."""
    rules = {
        group_id: draw(RULES_OF[group_id])
        for group_id in GROUPS[: draw(st.integers(2 if has_interface else 1, 3))]
    }
    policy = Policy(minimum_severity=draw(MINIMUMS))
    readings = []
    for _ in range(draw(st.integers(2, 6))):
        is_complete = draw(COMPLETENESS)
        groups = frozenset(rules if is_complete else draw(st.sets(st.sampled_from(sorted(rules)))))
        unique = {group_id: tuple(dict.fromkeys(own)) for group_id, own in rules.items()}
        readings.append(Reading(unique, groups, is_complete, has_interface))
        for group_id in sorted(rules):
            for _ in range(draw(st.integers(0, 2))):
                rules[group_id] = rewritten(draw, group_id, rules[group_id])
    return policy, readings


@dataclass(frozen=True)
class Observed(model.Observation):
    """What one run read, and the digest that it mailed."""

    kind: DigestKind | None

    @property
    def is_mailed_or_damped(self) -> bool:
        """Whether the run mailed, or says of something that it changes too often for that."""
        listed = self.report.listed(self.report.findings)
        return self.kind is not None or any(finding.is_damped for finding in listed)


def observe(policy: Policy, readings: list[Reading]) -> Iterator[Observed]:
    """Every run after the first, an hour after the other."""
    state, known = LedgerState(), model.Known()
    for number, reading in enumerate(readings):
        scan = reading.step(policy).scan()
        outcome = ledger_runs.run(state, [scan], START + number * timedelta(hours=1), policy)
        found = scan.findings
        together = model.union(f for f in found if len(f.groups) > 1)
        observed = Observed(
            known,
            reading.opened | together,
            found,
            outcome.report,
            reading.is_complete,
            outcome.kind,
        )
        if number:
            yield observed
        state, known = outcome.state, observed.next()


def check_what_is_resolved(run: Observed) -> None:
    """A resolved opening is open through openings only that are unchanged and that it names."""
    for resolved in run.report.with_status(Status.RESOLVED):
        assert run.is_complete
        assert not resolved.kind.is_exposure or run.unnamed_openers(resolved) == []


def check_what_opened(run: Observed) -> None:
    """What is listed now and was not is in a new, a reopened or a widened opening, and mailed."""
    opened = run.listed - run.known.listed
    assert opened - run.announced() == model.NONE
    assert not opened or run.is_mailed_or_damped


def check_what_closed(run: Observed) -> None:
    """What was listed and is closed is in a resolved opening, or in what a changed one was.

    What several groups opened need not be where some of them, or these and others, still open it.
    """
    if run.is_complete:
        closed = run.known.listed - run.open - run.known.doubtful - run.unverified
        unsaid = closed - run.withdrawn()
        assert [cell for cell in unsaid if not run.is_open_with_other_groups(cell)] == []
        assert not closed - unsaid or run.is_mailed_or_damped


def check_a_rewrite(run: Observed) -> None:
    """Where the same is open in other words, nothing is mailed, and nothing is said to change."""
    if run.is_rewrite():
        assert run.kind is None
        # What keeps coming and going stands in the report until a mail has said how it ended.
        listed = [f for f in run.report.listed(run.report.findings) if not f.is_damped]
        assert {f.status for f in listed} <= {Status.OPEN, Status.UNVERIFIED}
        assert {f.change for f in listed} <= {None}


def check_what_is_unverified(run: Observed) -> None:
    """Where all was read, an unverified opening has some traffic of an unreadable rule."""
    for finding in run.report.with_status(Status.UNVERIFIED):
        assert not run.is_complete or any(
            {*finding.group_ids, finding.group_id} & {other.group_id}
            and other.traffic.intersection(finding.traffic)
            for other in run.found
            if not other.kind.is_exposure
        )


@pytest.mark.parametrize(
    "has_interface", [pytest.param(False, id="groups"), pytest.param(True, id="on-one-interface")]
)
@many
@given(data=st.data())
def test_rules_that_are_rewritten(data: st.DataObject, *, has_interface: bool) -> None:
    """What is resolved is closed, what opens or closes is reported, and a rewrite is not."""
    for run in observe(*data.draw(histories(has_interface=has_interface))):
        check_what_is_resolved(run)
        check_what_opened(run)
        check_what_closed(run)
        check_a_rewrite(run)
        check_what_is_unverified(run)


@examples(30, in_ci=100)
@given(history=histories(has_interface=False))
def test_the_model_agrees_with_the_findings(history: tuple[Policy, list[Reading]]) -> None:
    """The findings on single groups open what the model says that the rules open."""
    for run in observe(*history):
        assert model.union(run.exposures) == run.open
