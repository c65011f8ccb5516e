"""How runs look on a terminal: a function's log and the mail it sent."""

import json
from collections.abc import Iterable

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from handler.sanitize import plain
from sandbox.aws.mail import Mail

_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SHOWN_ALREADY = frozenset({"timestamp", "level", "message", "logger", "requestId"})


def show_log(console: Console, lines: Iterable[str]) -> None:
    """Print log lines: message and facts of those in JSON, others as they are."""
    for line in lines:
        console.print(_line(line), soft_wrap=True)


def show_mail(console: Console, mail: Mail) -> None:
    """Print what a reader of the mail sees first, and its text part."""
    body = mail.message.get_body(("plain",))
    text = body.get_content() if body else ""
    headers = (f"{name}: {mail.message[name]}" for name in ("From", "To", "Subject"))
    readable = "\n".join(plain(line) for line in (*headers, "", *text.splitlines()))
    console.print(Panel(Text(readable), title="mail", border_style="cyan"))


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
