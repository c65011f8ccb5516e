"""Makes the documents' pictures of the demo's mails and of a terminal."""

import io
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tools.browser import NoBrowserError, Screen, open_browser

# A mail of average size fits; of a longer one the beginning is shown.
_WIDTH, _MAX_HEIGHT = 700, 1600
_COLUMNS, _MAX_LINES = 100, 36
_COMMAND = ("audit", "--from-file")
_FONT = re.compile(r"@font-face {.*?}\s*", re.DOTALL)


def draw_mail(page: Path, folder: Path) -> None:
    """Write a light and a dark PNG of a mail. Raises ``NoBrowserError``."""
    with open_browser() as browser:
        for scheme in ("light", "dark"):
            is_dark = scheme == "dark"
            browser.show(page, Screen(_WIDTH, _MAX_HEIGHT, is_dark=is_dark))
            height = min(browser.value("document.body.scrollHeight"), _MAX_HEIGHT)
            browser.show(page, Screen(_WIDTH, height, is_dark=is_dark))
            (folder / f"{page.stem}-{scheme}.png").write_bytes(browser.picture())


def draw_terminal(snapshot: Path, file: Path) -> None:
    """Write an SVG of the audit of a snapshot, as a terminal shows it."""
    text = Text.from_ansi(_on_terminal(sys.executable, "-m", "cli", *_COMMAND, str(snapshot)))
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text("$ sg-audit audit --region eu-west-1", "bold"))
    lines = text.split("\n")
    for line in lines[:_MAX_LINES]:
        console.print(line, no_wrap=True, overflow="crop")
    if len(lines) > _MAX_LINES:
        console.print(Text("...", "dim"))
    # Nothing of the picture is fetched: the reader's own monospaced font is used.
    file.write_text(_FONT.sub("", console.export_svg(title="sg-audit")), "utf-8")


def _on_terminal(*command: str) -> str:
    """The output of a command on a terminal, with its colours."""
    ours, its = os.openpty()
    environment = {**os.environ, "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(command, env=environment, stdout=its, stderr=its) as process:  # noqa: S603 - this project's own command
        os.close(its)
        output = bytearray()
        # A closed terminal is an error on Linux, and an empty read elsewhere.
        with suppress(OSError):
            while part := os.read(ours, 1 << 16):
                output += part
    os.close(ours)
    if process.returncode:
        raise RuntimeError(output.decode())
    return output.decode().replace("\r\n", "\n").rstrip()


def main(demo: Path, folder: Path) -> None:
    """Write all pictures into the folder. Raises ``NoBrowserError``."""
    folder.mkdir(exist_ok=True)
    for name in ("mail.html", "changes.html"):
        draw_mail((demo / name).resolve(), folder)
    draw_terminal(demo / "eu-west-1.json", folder / "terminal.svg")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except NoBrowserError as error:
        sys.exit(str(error))
