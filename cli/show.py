"""How runs look on a terminal: a function's log and the mail it sent, each whole or in short."""

import json
from collections.abc import Iterable

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from handler.sanitize import plain
from sandbox.aws.mail import Mail

_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SHORT_LOG = 5
_SHORT_MAIL = 9
_SHOWN_ALREADY = frozenset({"timestamp", "level", "message", "logger", "requestId"})


def show_log(console: Console, lines: Iterable[str]) -> None:
    """Print log lines: message and facts of those in JSON, others as they are."""
    for line in lines:
        console.print(_line(line), soft_wrap=True)


def show_log_briefly(console: Console, lines: Iterable[str]) -> None:
    """Print the last kinds of log lines, one line for all lines of a kind."""
    kinds: dict[str, list[Text]] = {}
    for line in map(_line, lines):
        # A line begins with its level and its message, or with its type.
        kind = line.plain.partition("=")[0].rpartition(" ")[0]
        kinds.setdefault(kind, []).append(line)
    for kind, found in list(kinds.items())[-_SHORT_LOG:]:
        short = found[0] if len(found) == 1 else Text(f"{kind} ({len(found)} lines)")
        _print_cropped(console, short)


def show_mail_briefly(console: Console, mail: Mail) -> None:
    """Print the subject and the beginning of the text part, the empty lines left out."""
    _print_cropped(console, Text(plain(str(mail.message["Subject"])), "bold"))
    body = mail.message.get_body(("plain",))
    lines = [line for line in (body.get_content() if body else "").splitlines() if line.strip()]
    for line in lines[:_SHORT_MAIL]:
        _print_cropped(console, Text(plain(line)))
    if (left := len(lines) - _SHORT_MAIL) > 0:
        console.print(Text(f"  ... {left} more lines", "dim"))


def show_mail(console: Console, mail: Mail) -> None:
    """Print what a reader of the mail sees first, and its text part."""
    body = mail.message.get_body(("plain",))
    text = body.get_content() if body else ""
    headers = (f"{name}: {mail.message[name]}" for name in ("From", "To", "Subject"))
    readable = "\n".join(plain(line) for line in (*headers, "", *text.splitlines()))
    console.print(Panel(Text(readable), title="mail", border_style="cyan"))


def _print_cropped(console: Console, line: Text) -> None:
    console.print(Text("  ").append(line), no_wrap=True, overflow="ellipsis", crop=True)


def _line(line: str) -> Text:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return Text(plain(line))
    if "type" in record:
        return Text(plain(f"{record['type']} {_facts(record.get('record', {}))}"), "dim")
    facts = {key: value for key, value in record.items() if key not in _SHOWN_ALREADY}
    level = str(record.get("level", ""))
    text = Text(f"{level:8}", _LEVELS.get(level, "green"))
    return text.append(plain(f"{record.get('message', '')} {_facts(facts)}"), "default")


def _facts(facts: dict[str, object]) -> str:
    shown = (value if isinstance(value, str) else json.dumps(value) for value in facts.values())
    return " ".join(f"{key}={value}" for key, value in zip(facts, shown, strict=True))
