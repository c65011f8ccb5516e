"""Hostile texts from the account and the config stay text in every part of a mail."""

import re

import pytest

from handler.sanitize import plain
from tests.support import mails

LINK = re.compile(
    r"https://eu-west-1\.console\.aws\.amazon\.com/ec2/home\?region=eu-west-1"
    r"#SecurityGroup:groupId=[\w%.~-]+"
)
PLAIN = mails.receive(mails.hostile("harmless"))
HOSTILE = [
    pytest.param("<script>alert(1)</script><img src=x onerror=alert(1)>", id="markup"),
    pytest.param("\" onmouseover=\"alert(1)\" ' style='color:red' `", id="quotes"),
    pytest.param("--><![endif]--><img src=https://evil.example/><!--[if mso]>", id="comment"),
    pytest.param("</title></td></tr></table></body></html><h1>Clean</h1>", id="closing-tags"),
    pytest.param("&lt;b&gt;&#60;b&#62;&amp;", id="entities"),
    pytest.param("x\r\nBcc: evil@example.com\r\n\r\n<b>body</b>", id="header"),
    pytest.param("=?utf-8?q?x=0D=0ABcc=3A_evil=40example=2Ecom?=", id="encoded-word"),
    pytest.param("\r\n.\r\nQUIT\r\n", id="end-of-message"),
    pytest.param("a\0b", id="nul"),
    pytest.param("a\ud800b", id="lone-surrogate"),
    pytest.param("\x1b[2J\x1b]0;title\x07\x9b31m\x7f", id="ansi"),
    pytest.param("\u202egpj.exe\u2066\u200f", id="direction"),
    pytest.param("a\u200bb\u200dc\ufeffd\u00ade\u2060f\U000e0041", id="invisible"),
    pytest.param("a\u034fb\ufe0fc\u180bd\U000e0141\U000e0100", id="selectors"),
    pytest.param("o" + "\u0302\u0310\u0352\u0357" * 40, id="piled-marks"),
    pytest.param("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", id="line-ends"),
    pytest.param("=cmd|' /C calc'!A0", id="equals"),
    pytest.param("+1+cmd()", id="plus"),
    pytest.param("-1-cmd()", id="minus"),
    pytest.param("@SUM(1,1)", id="at"),
    pytest.param("\t=1+1", id="tab"),
    pytest.param("\r=1+1", id="carriage-return"),
    pytest.param('",=1+1,"\n=2+2', id="cells"),
    pytest.param("javascript:alert(1)//https://evil.example/?a=b#c", id="link"),
    pytest.param("../../evil.example/", id="path"),
    pytest.param("'; reboot; $(reboot) `reboot`", id="shell"),
    pytest.param("\N{PILE OF POO}\u0301\u4e2d", id="beyond-ascii"),
    pytest.param("<&\"'" * 25_000, id="100-KB"),
]


@pytest.fixture(scope="module", params=HOSTILE)
def hostile_mail(request: pytest.FixtureRequest) -> tuple[str, mails.ReceivedMail]:
    """A hostile text, and the mail on a report in which every text is that."""
    return request.param, mails.receive(mails.hostile(request.param))


def test_no_element_nor_attribute_is_added(hostile_mail: tuple[str, mails.ReceivedMail]) -> None:
    """The page has the same elements, attributes and comments as one with harmless texts."""
    page = hostile_mail[1].page
    assert page.tags == PLAIN.page.tags
    assert page.attributes == PLAIN.page.attributes
    assert page.comments == PLAIN.page.comments
    assert set(page.styles.split(";")) == set(PLAIN.page.styles.split(";"))
    assert page.links
    assert not [link for link in page.links if not LINK.fullmatch(link)]


def test_no_control_character_is_left(hostile_mail: tuple[str, mails.ReceivedMail]) -> None:
    """Every line of headers, text and HTML is printable, and the subject is short."""
    _, mail = hostile_mail
    for name, value in mail.message.items():
        assert value.isprintable(), name
    for form in (mail.text, mail.html):
        assert all(line.isprintable() for line in form.split("\n"))
    assert len(mail.subject) <= 78


def test_no_header_is_added(hostile_mail: tuple[str, mails.ReceivedMail]) -> None:
    """Headers and parts are those of a mail with harmless texts; lines have 998 bytes at most."""
    _, mail = hostile_mail
    assert mail.message.keys() == PLAIN.message.keys()
    assert mail.message["To"] == PLAIN.message["To"]
    assert [part.get_content_type() for part in mail.message.walk()] == [
        part.get_content_type() for part in PLAIN.message.walk()
    ]
    lines = mail.raw.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert max(map(len, lines)) <= 998


def test_no_cell_is_a_formula(hostile_mail: tuple[str, mails.ReceivedMail]) -> None:
    """Each finding is one row of as many cells, none of which a spreadsheet calculates."""
    text, mail = hostile_mail
    assert len(mail.rows) == len(mails.hostile(text).findings)
    for row in mail.rows:
        cells = list(row.values())
        assert all(isinstance(cell, str) and cell.isprintable() for cell in cells)
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]


def test_the_text_is_still_there(hostile_mail: tuple[str, mails.ReceivedMail]) -> None:
    """Text and page have the hostile text, with replacements for what cannot be shown."""
    text, mail = hostile_mail
    start = "".join(plain(text)[:60].split())
    assert start in "".join(mail.text.split())
    assert start in "".join(mail.page.visible.split())


def test_the_subject_begins_with_the_stack_name(
    hostile_mail: tuple[str, mails.ReceivedMail],
) -> None:
    """The subject begins with the stack's name, whatever the name is."""
    text, mail = hostile_mail
    assert mail.subject.startswith(f"[{plain(text)[:13].rstrip()}")
