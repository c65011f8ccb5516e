"""Pages as a phone shows them."""

from pathlib import Path

from tools.browser import Browser, Screen


def overflow(browser: Browser) -> list[str]:
    """The page's elements that reach over its right edge, by their text."""
    script = """[...document.querySelectorAll("body *")]
        .filter(e => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > innerWidth)
        .map(e => e.textContent.slice(0, 80))"""
    found: list[str] = browser.value(script)
    return found


def check_on_a_phone(browser: Browser, page: Path, *, is_dark: bool) -> None:
    """Nothing is wider than a phone, nothing is fetched, and text stands out from its page."""
    browser.show(page, Screen(360, 780, is_phone=True, is_dark=is_dark))
    assert browser.value("innerWidth") == 360
    assert browser.value("document.documentElement.scrollWidth") <= 360
    assert overflow(browser) == []
    assert browser.requests == [page.as_uri()]
    colour = browser.value("getComputedStyle(document.querySelector('h1')).color")
    assert colour == ("rgb(255, 255, 255)" if is_dark else "rgb(0, 0, 0)")
