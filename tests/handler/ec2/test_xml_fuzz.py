"""Generated XML answers: the audit reads what boto3 reads, or leaves the answer to boto3."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

import boto3
from botocore.parsers import ResponseParserError, create_parser
from hypothesis import given
from hypothesis import strategies as st

from handler.ec2 import parse
from handler.ec2.xml import read_security_groups
from handler.model.network import SecurityGroup
from tests.support.examples import examples

many = examples(50, in_ci=150)
ROOT = "DescribeSecurityGroupsResponse"
EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
SHAPE = (
    boto3.client("ec2", region_name="eu-west-1")
    .meta.service_model.operation_model("DescribeSecurityGroups")
    .output_shape
)
LEFT_NOTHING = b"<empty/>"

# What is read, as the elements in an element: a text's usual values, or a list's item.
SOURCES = {
    "ipRanges": {"cidrIp": ("0.0.0.0/0", "10.0.0.0/8"), "description": ("all",)},
    "ipv6Ranges": {"cidrIpv6": ("::/0", "2600::/16"), "description": ("all",)},
    "prefixListIds": {"prefixListId": ("pl-1", "pl-2"), "description": ("all",)},
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
SKIPPED = {"ownerId", "groupDescription", "ipPermissionsEgress", "groups", "description"}
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


def boto3s(body: bytes) -> dict[str, Any]:
    """What boto3 makes of an answer."""
    response = {"body": body, "status_code": 200, "headers": {}}
    return dict(create_parser("ec2").parse(response, SHAPE))


def ours(body: bytes) -> dict[str, Any]:
    """What boto3 makes of what the audit leaves of it, and what the audit has read."""
    response: dict[str, Any] = {"status_code": 200, "body": body}
    read: dict[str, Any] = {}
    read_security_groups(response_dict=response, customized_response_dict=read)
    return boto3s(response["body"]) | read


def what_matters(read: Callable[[bytes], dict[str, Any]], body: bytes) -> object:
    """What the audit takes out of an answer, or how it is refused."""
    try:
        answer = read(body)
    except (ResponseParserError, ValueError, TypeError, AttributeError) as error:
        return type(error)
    groups, token = answer.get("SecurityGroups"), answer.get("NextToken")
    # Of two tokens boto3 makes a list of elements, which no call takes.
    return groups and [*map(without_quotes, groups)], token if isinstance(token, str) else None


def without_quotes(answer: object) -> SecurityGroup:
    """A group as the audit knows it; a complaint quotes fields that only boto3 reads."""
    group = parse.parse_security_group(answer)
    return replace(group, malformed=tuple(replace(rule, reason="") for rule in group.malformed))


@many
@given(bodies(odd=True))
def test_any_answer_is_read_as_boto3_reads_it(body: bytes) -> None:
    """Groups and token are equal to boto3's, and what boto3 refuses is refused."""
    assert what_matters(ours, body) == what_matters(boto3s, body)


@many
@given(bodies(odd=False))
def test_usual_answers_are_not_left_to_boto3(body: bytes) -> None:
    """Order, missing and unknown elements, comments and CDATA are read without boto3."""
    response: dict[str, Any] = {"status_code": 200, "body": body}
    read: dict[str, Any] = {}
    read_security_groups(response_dict=response, customized_response_dict=read)
    assert response["body"] == LEFT_NOTHING
    assert what_matters(lambda _: read, body) == what_matters(boto3s, body)
