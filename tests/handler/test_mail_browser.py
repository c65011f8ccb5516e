"""Mails in a browser with the screen of a phone, and in a window of 700 pixels."""

from collections.abc import Callable
from pathlib import Path

import pytest

from handler.model.audit_report import Report
from handler.model.digest_kind import DigestKind
from tests.browsing import check_screen, overflow
from tests.support import mails, sample_account
from tools import pictures
from tools.browser import Browser, NoBrowserError, Screen

Make = Callable[[], Report]
HOSTILE = (
    "<img src=https://evil.example/><style>*{background:url(//evil.example)}</style>" + 99 * "W"
)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 700])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(sample_account.full, id="full"),
        pytest.param(sample_account.changes, id="changes"),
        pytest.param(mails.small, id="small"),
        pytest.param(mails.failures, id="failures"),
        pytest.param(lambda: mails.hostile(HOSTILE), id="hostile"),
        pytest.param(lambda: mails.hostile("\u0e49" * 100), id="marks"),
        pytest.param(lambda: mails.hostile("\u094d\u0915" * 60), id="one-letter-to-a-browser"),
        pytest.param(lambda: mails.many(200, "a-very-long-name" * 15), id="long-names"),
    ],
)
def test_mails_fit_the_screen(
    browser: Browser, tmp_path: Path, make: Make, width: int, *, is_dark: bool
) -> None:
    """No element is wider than the screen, whatever is found and however long its names are."""
    check_screen(browser, write(tmp_path, make()), width=width, is_dark=is_dark)


@pytest.mark.parametrize("make", [sample_account.full, sample_account.changes])
def test_no_command_is_broken(browser: Browser, tmp_path: Path, make: Make) -> None:
    """A phone shows each line of a command as one line, and all of it without scrolling."""
    browser.show(write(tmp_path, make()), Screen(360, 780, is_phone=True))
    blocks = browser.value("""[...document.querySelectorAll("pre")].map(e => ({
        rows: (e.clientHeight - 8) / parseFloat(getComputedStyle(e).lineHeight),
        lines: e.textContent.split("\\n").length,
        hidden: e.scrollWidth - e.clientWidth}))""")
    assert blocks
    assert [block for block in blocks if block["rows"] != block["lines"] or block["hidden"]] == []


def test_a_change_mail_is_one_phone_screen(browser: Browser, tmp_path: Path) -> None:
    """One new and one resolved finding take less than the 780 pixels of a small phone."""
    page = write(tmp_path, sample_account.changes(), DigestKind.CHANGES)
    browser.show(page, Screen(360, 200, is_phone=True))
    assert browser.value("document.documentElement.scrollHeight") <= 780


CONTRAST = """(() => {
    const channel = x => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4
    const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => sum + w * channel(c[i]), 0)
    const rgb = text => text.match(/[\\d.]+/g).map(Number)
    const behind = e => {
        if (!e) return [255, 255, 255]
        const colour = rgb(getComputedStyle(e).backgroundColor)
        return colour.length == 4 && colour[3] == 0 ? behind(e.parentElement) : colour
    }
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return [...document.querySelectorAll("body *")]
        .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeValue?.trim()))
        .map(e => [e.textContent.slice(0, 40),
            ratio(light(rgb(getComputedStyle(e).color)), light(behind(e)))])
        .filter(([, contrast]) => contrast < 4.5)
})()"""


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("make", [sample_account.full, mails.changed, mails.small])
def test_all_text_is_readable(
    browser: Browser, tmp_path: Path, make: Make, *, is_dark: bool
) -> None:
    """Text has a contrast of 4.5 on what is behind it, on a light page and on a dark one."""
    browser.show(write(tmp_path, make()), Screen(700, 780, is_dark=is_dark))
    assert browser.value(CONTRAST) == []


def write(folder: Path, report: Report, kind: DigestKind = DigestKind.FULL) -> Path:
    """The mail on a report as a page."""
    page = folder / "mail.html"
    page.write_text(mails.receive(report, kind=kind).html, "utf-8")
    return page


def test_overflow_and_requests_are_noticed(browser: Browser, tmp_path: Path) -> None:
    """The check above sees an element that is too wide, and a request."""
    page = tmp_path / "wide.html"
    page.write_text('<div style="width:500px">wide</div><img src="https://evil.example/x.png">')
    browser.show(page, Screen(360, 780))
    assert overflow(browser) == ["wide"]
    assert browser.requests == [page.as_uri(), "https://evil.example/x.png"]
    assert browser.value("document.querySelector('img').naturalWidth") == 0


def test_pictures_have_the_size_of_their_screens(browser: Browser, tmp_path: Path) -> None:
    """A picture has the screen's width and height times its dots per pixel."""
    page = write(tmp_path, mails.small())
    for screen in (Screen(800, 1000), Screen(360, 780, dots=2, is_phone=True, is_dark=True)):
        browser.show(page, screen)
        header = browser.picture()[:24]
        assert header.startswith(b"\x89PNG")
        width, height = (int.from_bytes(header[at : at + 4]) for at in (16, 20))
        assert (width, height) == (screen.width * screen.dots, screen.height * screen.dots)


def test_pictures_without_a_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error is one sentence with the names that were looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowserError, match=r"none of chromium, .* is on PATH\.$"):
        pictures.draw_mail(tmp_path / "mail.html", tmp_path)
