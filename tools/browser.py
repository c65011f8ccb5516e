"""A Chromium on this machine that shows one page and reaches nothing else."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # which root and most containers lack; the pages are this project's own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PATIENCE = 60


class NoBrowserError(Exception):
    """There is no Chromium, or it does not answer; the message says which."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen of a page: its size in CSS pixels, and the dots per pixel."""

    width: int
    height: int
    dots: int = 1
    is_phone: bool = False
    is_dark: bool = False


class Browser:
    """A running Chromium, controlled over two pipes.

    https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, commands: int, answers: int) -> None:
        self.requests: list[str] = []
        self._session: str | None = None
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._count = 0
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")

    def show(self, page: Path, screen: Screen) -> None:
        """Load the file; ``requests`` are then all addresses requested, with its own."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=screen.width,
            height=screen.height,
            deviceScaleFactor=screen.dots,
            mobile=screen.is_phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if screen.is_dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self.requests.clear()
        self._ask("Page.navigate", url=page.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def value(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, as in JSON."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"]["value"]

    def picture(self) -> bytes:
        """A screenshot, as PNG."""
        screenshot = self._ask("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        return base64.b64decode(screenshot["data"])

    def _ask(self, method: str, **parameters: object) -> Mapping[str, Any]:
        self._count += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._count, "method": method, "params": parameters, **session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                if "error" in answer:
                    problem = f"Chromium does not do {method}: {answer['error']['message']}"
                    raise NoBrowserError(problem)
                result: Mapping[str, Any] = answer["result"]
                return result

    def _next(self) -> Mapping[str, Any]:
        """The next message, an answer or an event."""
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            part = os.read(self._answers, 1 << 16) if ready else b""
            if not part:
                problem = "Chromium ended or does not answer."
                raise NoBrowserError(problem)
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        message: Mapping[str, Any] = json.loads(line)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        return message


def find() -> str | None:
    """The path of a Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _launcher(commands: int, answers: int) -> list[str]:
    """Start Chromium with the pipes on file descriptors 3 and 4, which it uses."""
    # Either pipe may be 3 or 4 already: they are moved out of the way first.
    program = (
        "import fcntl, os, sys\n"
        f"moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in ({commands}, {answers})]\n"
        "os.dup2(moved[0], 3), os.dup2(moved[1], 4)\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", program]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser with its own profile, while the context lasts. Raises ``NoBrowserError``."""
    path = find()
    if path is None:
        raise NoBrowserError(f"There is no browser: none of {', '.join(_NAMES)} is on PATH.")
    (browser_in, commands), (answers, browser_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(  # noqa: S603 -- the browser that was asked for
            [*_launcher(browser_in, browser_out), path, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(browser_in, browser_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(browser_in)
        os.close(browser_out)
        try:
            yield Browser(commands, answers)
        finally:
            os.close(commands)  # Chromium ends when this pipe is closed
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
            os.close(answers)
