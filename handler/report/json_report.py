"""Reports to JSON for other systems, and back."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from handler.model.address import Family, is_prefix_list, parse_cidr
from handler.model.address_set import UNKNOWN_ADDRESSES, AddressSet
from handler.model.attachment import Attachment
from handler.model.audit_report import Report
from handler.model.finding import MAX_NAMED, Change, Finding, Kind, Previous, Severity, Status
from handler.model.network import Target
from handler.model.opened_by import Actor, ActorKind, Means, NotAttributed, OpenedBy
from handler.model.policy_exception import PolicyException
from handler.model.reach import Reach
from handler.model.run import Coverage, CoverageStatus, Run, Trigger
from handler.model.totals import AccountResult
from handler.model.traffic import Traffic
from handler.report import phrases
from handler.report.fields import Fields

VERSION = 2
encode = json.JSONEncoder(separators=(",", ":")).encode
"""Data as compact JSON; json.dumps would create an encoder each time."""


def report_to_json(report: Report) -> dict[str, Any]:
    """The report as JSON-serialisable data."""
    lists = {key: list(findings) for key, findings in _lists(report)}
    return {**outline_of(report), **lists}


def json_pieces(report: Report) -> Iterator[str]:
    """The report as JSON text, in pieces: in one, 20,000 findings would need over 100 MB."""
    yield encode(outline_of(report))[:-1]
    for key, findings in _lists(report):
        yield f',"{key}":['
        for number, finding in enumerate(findings):
            yield f"{',' if number else ''}{encode(finding)}"
        yield "]"
    yield "}"


def _lists(report: Report) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    yield "findings", map(finding_to_json, report.findings)
    yield "authorized", map(finding_to_json, report.authorized)


def outline_of(report: Report) -> dict[str, Any]:
    """The report without its findings."""
    run, totals = report.run, report.totals
    counted = (Status.EXCEPTED, Status.UNVERIFIED, Status.RESOLVED)
    return {
        "version": VERSION,
        "run": {
            "id": run.id,
            "trigger": run.trigger,
            "startedAt": run.started_at,
            "finishedAt": run.finished_at,
        },
        "minimumSeverity": report.minimum_severity,
        **({"accounts": list(map(_account_to_json, report.accounts))} if report.accounts else {}),
        "coverage": list(map(coverage_to_json, report.coverage)),
        "summary": {
            **{severity: totals.severities.get(severity, 0) for severity in Severity},
            **{status: totals.statuses.get(status, 0) for status in counted},
            "complete": report.is_complete,
        },
        "notices": report.notices,
        "exceptions": {
            name: list(map(_exception_to_json, exceptions))
            for name, exceptions in report.exceptions._asdict().items()
        },
    }


def report_from_json(document: object) -> Report:
    """A stored report without exceptions, authorized ports and changes, which are not shown.

    Raises one of ``DECODE_ERRORS``.
    """
    fields = Fields(document)
    run = fields.object("run")
    return Report(
        run=Run(
            run.text("id"),
            run.member("trigger", Trigger),
            run.time("startedAt"),
            run.time("finishedAt"),
        ),
        coverage=tuple(
            Coverage(
                Target(coverage.text("account"), coverage.text("region")),
                coverage.member("status", CoverageStatus),
                coverage.integer("groups"),
                coverage.integer("rules"),
                coverage.optional_text("error"),
                coverage.optional_text("notice"),
            )
            for coverage in fields.objects("coverage")
        ),
        findings=tuple(map(finding_from_fields, fields.objects("findings"))),
        notices=fields.texts("notices"),
        minimum_severity=fields.optional_member("minimumSeverity", Severity) or Severity.LOW,
        accounts=tuple(map(_account_from_fields, fields.optional_objects("accounts"))),
    )


def coverage_to_json(coverage: Coverage) -> dict[str, Any]:
    """The coverage of a target as JSON-serialisable data."""
    return {
        "account": coverage.target.account,
        "region": coverage.target.region,
        "status": coverage.status,
        "groups": coverage.groups,
        "rules": coverage.rules,
        "error": coverage.error,
        "notice": coverage.notice,
        "readAt": coverage.read_at,
    }


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON-serialisable data."""
    target = finding.target
    return {
        **outline_to_json(finding, {"account": target.account, "region": target.region}),
        "sources": finding.sources,
        "prefixLists": finding.prefix_lists,
        "sourceCount": finding.source_count,
        "ruleIds": finding.rule_ids[:MAX_NAMED],
        "ruleCount": finding.rule_count,
        "interfaces": finding.interfaces,
        "attached": finding.attached,
        "interfaceCount": finding.interface_count,
        "owner": finding.owner,
        "managedBy": finding.managed_by,
        "partOf": finding.part_of,
        "why": finding.why,
        "exception": finding.exception,
        "change": finding.change,
        "previously": tuple(map(_previous_to_json, finding.previously)),
        "previouslyCount": finding.previously_count,
        "flips": finding.flips,
        "flippingSince": finding.flipping_since,
        "fix": finding.fix,
        "narrower": finding.narrower,
        "console": phrases.console_url(finding),
        "detail": finding.detail,
    }


def outline_to_json(finding: Finding, place: Mapping[str, str]) -> dict[str, Any]:
    """The outline of a finding as JSON-serialisable data; ``place`` says where it is.

    It has the fields that the ledger keeps, except the addresses.
    """
    groups = {"groupIds": finding.group_ids, "groupNames": finding.group_names}
    return {
        "id": finding.id,
        "kind": finding.kind,
        "severity": finding.severity,
        "status": finding.status,
        **place,
        "groupId": finding.group_id,
        **(groups if finding.group_ids else {}),
        "groupName": finding.group_name,
        "vpcId": finding.vpc_id,
        "family": finding.family,
        **traffic_to_json(finding.traffic),
        "service": finding.service,
        "reach": finding.reach,
        "addresses": finding.addresses,
        "share": finding.share,
        "attachment": finding.attachment,
        "firstSeen": finding.first_seen,
        "lastSeen": finding.last_seen,
        "resolvedAt": finding.resolved_at,
        "changedAt": finding.changed_at,
        "openedBy": opened_by_to_json(finding.opened_by),
    }


def finding_from_fields(
    fields: Fields,
    address_set: AddressSet = UNKNOWN_ADDRESSES,
    account: str | None = None,
) -> Finding:
    """A stored finding, of any version; ``account`` is given if the object does not have it.

    Raises one of ``DECODE_ERRORS``.
    """
    target = Target(account or fields.text("account"), fields.text("region"))
    return outline_from_fields(fields, target, address_set)._replace(
        sources=fields.texts("sources"),
        prefix_lists=fields.texts("prefixLists"),
        source_count=fields.count("sourceCount"),
        rule_ids=fields.texts("ruleIds"),
        rule_count=fields.count("ruleCount"),
        interfaces=fields.texts("interfaces"),
        attached=fields.texts("attached"),
        interface_count=fields.count("interfaceCount"),
        owner=fields.optional_text("owner"),
        managed_by=fields.optional_text("managedBy"),
        part_of=fields.optional_text("partOf"),
        why=fields.text("why"),
        exception=fields.optional_text("exception"),
        change=fields.optional_member("change", Change),
        previously=tuple(map(_previous_from_fields, fields.optional_objects("previously"))),
        previously_count=fields.count("previouslyCount"),
        flips=fields.count("flips"),
        flipping_since=fields.optional_time("flippingSince"),
        fix=fields.optional_text("fix"),
        narrower=fields.optional_text("narrower"),
        detail=fields.optional_text("detail"),
    )


def outline_from_fields(fields: Fields, target: Target, address_set: AddressSet) -> Finding:
    """A stored finding with the fields of its outline only. Raises one of ``DECODE_ERRORS``."""
    group_ids, group_names = fields.texts("groupIds"), fields.texts("groupNames")
    if len(group_ids) != len(group_names):
        raise ValueError("groupIds and groupNames must have one length")
    return Finding(
        id=fields.text("id"),
        kind=fields.member("kind", Kind),
        severity=fields.member("severity", Severity),
        status=fields.member("status", Status),
        target=target,
        group_id=fields.text("groupId"),
        group_ids=group_ids,
        group_names=group_names,
        group_name=fields.text("groupName"),
        vpc_id=fields.optional_text("vpcId"),
        family=fields.optional_member("family", Family),
        traffic=traffic_from_fields(fields),
        service=fields.optional_text("service"),
        reach=fields.member("reach", Reach),
        addresses=fields.optional_integer("addresses"),
        share=fields.optional_number("share"),
        address_set=address_set,
        attachment=fields.member("attachment", Attachment),
        first_seen=fields.optional_time("firstSeen"),
        last_seen=fields.optional_time("lastSeen"),
        resolved_at=fields.optional_time("resolvedAt"),
        changed_at=fields.optional_time("changedAt"),
        opened_by=opened_by_from_fields(fields),
    )


def traffic_to_json(traffic: Traffic) -> dict[str, Any]:
    """Traffic as JSON-serialisable data."""
    return {
        "protocol": traffic.protocol,
        "fromPort": traffic.from_port,
        "toPort": traffic.to_port,
        "icmpType": traffic.icmp_type,
        "icmpCode": traffic.icmp_code,
    }


def traffic_from_fields(fields: Fields) -> Traffic:
    """The traffic in a stored object. Raises one of ``DECODE_ERRORS``."""
    return _shared_traffic(
        fields.text("protocol"),
        fields.optional_integer("fromPort"),
        fields.optional_integer("toPort"),
        fields.optional_integer("icmpType"),
        fields.optional_integer("icmpCode"),
    )


_shared_traffic = lru_cache(4096)(Traffic)


def addresses_to_json(addresses: AddressSet) -> dict[str, Any]:
    """A set of addresses as JSON-serialisable data."""
    fields = {"cidrs": addresses.cidrs, "digest": addresses.digest, "count": addresses.size}
    return {key: value for key, value in fields.items() if value}


def address_set_from_fields(fields: Fields) -> AddressSet:
    """The set of addresses in a stored object. Raises one of ``DECODE_ERRORS``."""
    digest = fields.optional_text("digest")
    return _shared_set(fields.texts("cidrs"), digest, fields.count("count"))


@lru_cache(4096)
def _shared_set(cidrs: tuple[str, ...], digest: str | None, size: int) -> AddressSet:
    """An address set, shared by the findings that let in the same addresses."""
    for cidr in cidrs:
        if not is_prefix_list(cidr):
            parse_cidr(cidr)
    return AddressSet(cidrs, digest, size)


def opened_by_to_json(opened_by: OpenedBy | NotAttributed | None) -> dict[str, Any] | None:
    """Who opened a finding as JSON-serialisable data; ``principal`` is null if unknown."""
    if opened_by is None:
        return None
    if isinstance(opened_by, NotAttributed):
        return {
            "principal": None,
            "since": opened_by.since,
            "tries": opened_by.tries,
            "historyRead": opened_by.is_read,
        }
    return {
        "principal": opened_by.actor.principal,
        "kind": opened_by.actor.kind,
        "name": opened_by.actor.name,
        "at": opened_by.at,
        "sourceAddress": opened_by.source_address,
        "eventId": opened_by.event_id,
        "means": opened_by.means,
        "others": opened_by.others,
    }


def opened_by_from_fields(fields: Fields) -> OpenedBy | NotAttributed | None:
    """Who opened a stored finding. Raises one of ``DECODE_ERRORS``."""
    stored = fields.optional_object("openedBy")
    if stored is None:
        return None
    principal = stored.optional_text("principal")
    if principal is None:
        return NotAttributed(
            stored.time("since"), stored.integer("tries"), stored.boolean("historyRead")
        )
    return OpenedBy(
        Actor(stored.member("kind", ActorKind), principal, stored.optional_text("name")),
        stored.time("at"),
        stored.text("eventId"),
        stored.optional_text("sourceAddress"),
        stored.member("means", Means),
        stored.integer("others"),
    )


def _account_to_json(account: AccountResult) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        **{severity: account.openings.get(severity, 0) for severity in Severity},
        "complete": account.is_complete,
    }


def _account_from_fields(account: Fields) -> AccountResult:
    return AccountResult(
        account.text("id"),
        account.optional_text("name"),
        {severity: account.integer(severity) for severity in Severity},
        account.boolean("complete"),
    )


def _previous_to_json(previous: Previous) -> dict[str, Any]:
    return {
        "id": previous.id,
        **traffic_to_json(previous.traffic),
        "reach": previous.reach,
        "severity": previous.severity,
        "addresses": previous.addresses,
        "cidrs": previous.cidrs,
    }


def _previous_from_fields(fields: Fields) -> Previous:
    return Previous(
        id=fields.text("id"),
        traffic=traffic_from_fields(fields),
        reach=fields.member("reach", Reach),
        severity=fields.member("severity", Severity),
        addresses=fields.optional_integer("addresses"),
        cidrs=fields.texts("cidrs"),
    )


def _exception_to_json(exception: PolicyException) -> dict[str, Any]:
    return {
        "group": exception.group,
        "ports": exception.ports,
        "source": exception.source,
        "reason": exception.reason,
        "owner": exception.owner,
        "until": exception.until.isoformat(),
        "account": exception.account,
        "region": exception.region,
    }
