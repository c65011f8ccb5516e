"""Mails in a browser with the screen of a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from handler.model.run import Report
from tests.browsing import check_on_a_phone, overflow
from tests.support import mails
from tools import pictures
from tools.browser import Browser, NoBrowserError, Screen

Make = Callable[[], Report]
HOSTILE = (
    "<img src=https://evil.example/><style>*{background:url(//evil.example)}</style>" + 99 * "W"
)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(mails.small, id="small"),
        pytest.param(mails.failures, id="failures"),
        pytest.param(lambda: mails.hostile(HOSTILE), id="hostile"),
        pytest.param(lambda: mails.hostile("\u0e49" * 100), id="marks"),
        pytest.param(lambda: mails.hostile("\u094d\u0915" * 60), id="one-letter-to-a-browser"),
        pytest.param(lambda: mails.many(200, "a-very-long-name" * 15), id="long-names"),
    ],
)
def test_mails_fit_a_phone(browser: Browser, tmp_path: Path, make: Make, *, is_dark: bool) -> None:
    """No element is wider than the screen, whatever is found and however long its names are."""
    page = tmp_path / "mail.html"
    page.write_text(mails.receive(make()).html, "utf-8")
    check_on_a_phone(browser, page, is_dark=is_dark)


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
    page = tmp_path / "mail.html"
    page.write_text(mails.receive(mails.small()).html, "utf-8")
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
