"""Pages as a phone or a mail program's window shows them."""

from pathlib import Path

from tools.browser import Browser, Screen


def overflow(browser: Browser) -> list[str]:
    """The page's elements that reach over its right edge, by their text; some may be scrolled."""
    script = """[...document.querySelectorAll("body *")]
        .filter(e => e.getBoundingClientRect().right > innerWidth
            || e.scrollWidth > innerWidth && getComputedStyle(e).overflowX != "auto")
        .map(e => e.textContent.slice(0, 80))"""
    found: list[str] = browser.value(script)
    return found


def check_screen(browser: Browser, page: Path, *, width: int = 360, is_dark: bool) -> None:
    """Nothing is wider than the screen, nothing is fetched, and text stands out from its page."""
    browser.show(page, Screen(width, 780, is_phone=width < 500, is_dark=is_dark))
    assert browser.value("innerWidth") == width
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert overflow(browser) == []
    assert browser.requests == [page.as_uri()]
    colour = browser.value("getComputedStyle(document.querySelector('h1')).color")
    assert colour == ("rgb(255, 255, 255)" if is_dark else "rgb(0, 0, 0)")
