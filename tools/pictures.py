"""The README's pictures: a page on a desktop and on a phone, each light and dark."""

import sys
from pathlib import Path

from tools.browser import NoBrowserError, Screen, open_browser

SCREENS = {
    "desktop-light": Screen(800, 1000),
    "desktop-dark": Screen(800, 1000, is_dark=True),
    "phone-light": Screen(360, 780, dots=2, is_phone=True),
    "phone-dark": Screen(360, 780, dots=2, is_phone=True, is_dark=True),
}


def draw(page: Path, folder: Path) -> None:
    """Write a PNG for each screen. Raises ``NoBrowserError``."""
    with open_browser() as browser:
        for name, screen in SCREENS.items():
            browser.show(page, screen)
            (folder / f"mail-{name}.png").write_bytes(browser.picture())


if __name__ == "__main__":
    try:
        draw(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
    except NoBrowserError as error:
        sys.exit(str(error))
