"""Generated and damaged XML answers: the audit reads what boto3 reads."""

import os
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.groups import group_xml
from tests.support.examples import examples
from tests.support.xml_groups import boto3s, ours

many = examples(50, in_ci=150)
ROOT = "DescribeSecurityGroupsResponse"
EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"

# What is read, as the elements in an element: a text's usual values, or a list's item.
SOURCES = {
    "ipRanges": {"cidrIp": ("0.0.0.0/0", "10.0.0.0/8"), "description": ("all",)},
    "ipv6Ranges": {"cidrIpv6": ("::/0", "2600::/16"), "description": ("all",)},
    "prefixListIds": {"prefixListId": ("pl-1", "10.0.0.0/8"), "description": ("all",)},
}
PERMISSION = {
    "ipProtocol": ("tcp", "-1", "icmp"),
    "fromPort": ("22", "-1", " 8 "),
    "toPort": ("22", "65535", "0"),
    "groups": {"userId": ("1",), "groupId": ("sg-2",), "vpcId": ("vpc-2",)},
    **SOURCES,
}
GROUP = {
    "ownerId": ("123456789012",),
    "groupId": ("sg-1", "sg-2"),
    "groupName": ("web", " R&D <west> ", ""),
    "groupDescription": ("from time to time", ""),
    "vpcId": ("vpc-1",),
    "ipPermissions": PERMISSION,
    "ipPermissionsEgress": PERMISSION,
    "tagSet": {"key": ("Owner", "owner", "groupId"), "value": ("web team", "")},
}
ANSWER = {"securityGroupInfo": GROUP, "nextToken": ("more", "")}
# Boto3 may refuse an answer for what is odd there, and the audit never looks there.
SKIPPED = {"ownerId", "groupDescription", "groups", "description"}
READ = sorted({*ANSWER, *GROUP, *PERMISSION, "cidrIp", "key", "value"} - SKIPPED)
NAMES = (ROOT, "item", "unknown", *READ)

# Everything an XML text may hold, the markup of other languages, and what no number is.
odd_texts = st.one_of(
    st.sampled_from(["", " ", "\n\t ", "0x16", "1_0", "ssh", "]]>", "<!--", "&amp;", "\u202e"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=9).filter(
        lambda text: "\ufffe" not in text and "\uffff" not in text
    ),
)
attributes = st.sampled_from(["", "", "", ' nil="true"', " a='&gt;'", ' xmlns="urn:x"'])


def written(text: str, how: str) -> str:
    """A text in one of the ways that XML has for it."""
    if how == "cdata":
        return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
    if how == "numbers":
        return "".join(f"&#{ord(character)};" for character in text)
    if how == "comments":
        return "<!-- <item> -->".join(map(escape, text)) + "<?groupId x?>"
    return escape(text)


def texts(usual: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts in any of the ways, mostly the plain one."""
    ways = st.sampled_from(["plain", "plain", "plain", "cdata", "numbers", "comments"])
    return st.builds(written, usual, ways)


@st.composite
def elements(draw: st.DrawFn, name: str, content: Any, *, odd: bool) -> str:
    """An element with what usually is in it, or now and then with something else."""
    attribute = draw(attributes)
    odd = odd and name not in SKIPPED
    if odd and draw(st.integers(0, 30)) == 0:
        inner = draw(strays)
    elif isinstance(content, tuple):
        usual = st.sampled_from(content)
        inner = draw(texts(st.one_of(usual, usual, usual, odd_texts) if odd else usual))
    else:
        items = st.lists(structures(content, odd=odd), max_size=2)
        label = draw(st.sampled_from(["item"] * 30 + ["member", "x:item"])) if odd else "item"
        inner = "\n ".join(f"<{label}>{item}</{label}>" for item in draw(items))
    prefix = "x:" if odd and draw(st.integers(0, 60)) == 0 else ""
    return f"<{prefix}{name}{attribute}>{inner}</{prefix}{name}>"


@st.composite
def structures(draw: st.DrawFn, members: dict[str, Any], *, odd: bool) -> str:
    """The elements of an object in any order, some missing, few twice, with others between."""
    names = [name for name in members if draw(st.integers(0, 9))]
    if odd:
        read = sorted({*members} - SKIPPED) or sorted(members)
        names += draw(st.sampled_from([[]] * 9 + [[name] for name in read]))
    found = [draw(elements(name, members[name], odd=odd)) for name in draw(st.permutations(names))]
    if odd and draw(st.integers(0, 9)) == 0:
        found.insert(draw(st.integers(0, len(found))), draw(strays))
    elif draw(st.integers(0, 9)) == 0:
        found.append("<unknown><item><groupId>sg-9</groupId></item></unknown>")
    return draw(st.sampled_from(["", "\n", "<!-- -->"])).join(found)


# Known and unknown elements anywhere, with text and elements in each other.
strays = st.recursive(
    st.one_of(texts(odd_texts), st.sampled_from(NAMES).map("<{0}/>".format)),
    lambda inner: st.builds("<{0}>{1}{2}</{0}>".format, st.sampled_from(NAMES), inner, inner),
    max_leaves=4,
)


@st.composite
def bodies(draw: st.DrawFn, *, odd: bool) -> bytes:
    """A whole answer."""
    declared = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n']))
    root, kind = ROOT, ""
    if odd:
        latin = '<?xml version="1.0" encoding="ISO-8859-1"?>'
        declared = draw(st.sampled_from([declared] * 9 + [latin, "\ufeff"]))
        root = draw(st.sampled_from([ROOT] * 20 + ["Response", "item", f"x:{ROOT}"]))
        entity = '<!DOCTYPE r SYSTEM "r.dtd" [<!ENTITY e "0.0.0.0/0">]>'
        kind = draw(st.sampled_from([""] * 20 + [entity, "<!DOCTYPE r>"]))
    inner = draw(structures(ANSWER, odd=odd))
    if kind:
        inner = inner.replace("10.0.0.0/8", draw(st.sampled_from(["&e;", "&unknown;"])))
    names = f'xmlns="{EC2}" xmlns:x="{EC2}"'
    body = f"{declared}{kind}<{root} {names}><requestId>1</requestId>{inner}</{root}>".encode()
    if odd and draw(st.integers(0, 20)) == 0:
        cut = draw(st.integers(0, len(body)))
        return body[:cut] + draw(st.binary(max_size=2)) + body[cut + 1 :]
    return body


@many
@given(bodies(odd=True))
def test_any_answer_is_read_as_boto3_reads_it(body: bytes) -> None:
    """Groups and the next page are equal to boto3's, and what boto3 refuses is refused."""
    assert ours(body) == boto3s(body)


def damaged(body: bytes, chance: Random) -> bytes:
    """The answer with a few bytes cut out, doubled, moved or replaced."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        start = chance.randrange(len(body))
        end = start + chance.choice((1, 1, 2, 5, 20, 200))
        place = chance.randrange(len(body))
        piece = chance.choice((b"", body[start:end], body[place : place + end - start], STRAY))
        body = body[:start] + piece + body[chance.choice((start, end)) :]
        if chance.random() < EXCHANGED:
            old, new = chance.choice(EXCHANGES)
            body = body.replace(old, new, chance.choice((1, 1, 3)))
    return body


STRAY = b"<item><cidrIp>0.0.0.0/0</cidrIp></item>"
EXCHANGED = 0.3
EXCHANGES = (
    (b"10.", b"11."), (b"/16", b"/6"), (b"<fromPort>443", b"<fromPort>70000"), (b"tcp", b"999"),
    (b"<groups>", STRAY), (b"cidrIp>", b"cidrIpv6>"), (b"tagSet", b"ipPermissions"),
    (b"</item>", b""), (b"Egress", b""), (b"platform", b"R&amp;D"), (b"platform", b"\xc3\xa9"),
    (b"platform", b"<![CDATA[x]]>"), (b"platform", b"&#1;"), (b"team", b"\xed\xa0\x80"),
    (b"<vpcId>", b"<vpcId a='1'>"), (b"192.168", b"52.1"), (b"groupId", b"groupName"),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_damaged_answers_are_read_as_boto3_reads_them(seed: int) -> None:
    """Thousands of answers of EC2's usual form, each with a few bytes that are damaged."""
    chance = Random(seed)  # noqa: S311 -- no secret
    for _ in range(1250 if os.environ.get("CI") else 50):
        numbers = chance.sample(range(200), 3)
        single = chance.random() < EXCHANGED
        groups = "".join(group_xml(number, single_addresses=single) for number in numbers)
        body = f"<{ROOT} xmlns='{EC2}'><securityGroupInfo>{groups}</securityGroupInfo></{ROOT}>"
        body = body.replace("'", '"') if chance.random() < EXCHANGED * 2 else body
        damaged_body = damaged(body.encode(), chance)
        assert ours(damaged_body) == boto3s(damaged_body), damaged_body
