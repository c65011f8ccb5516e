"""Prints a function's log and mail on a terminal, in full or in short."""

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from handler.sanitize import plain
from sandbox.aws.mail import Mail

_Record = dict[str, Any]
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SHORT_LOG = 5
_SHORT_MAIL = 9
_IN_TITLE = frozenset({"timestamp", "level", "message", "logger", "requestId"})


def show_log(console: Console, lines: Iterable[str]) -> None:
    """Print log lines: the message and facts of one in JSON, any other unchanged."""
    for record in map(_record, lines):
        facts = record.get("record", {}) if "type" in record else record
        console.print(_title(record).append(_facts(facts), "default"), soft_wrap=True)


def show_log_briefly(console: Console, lines: Iterable[str]) -> None:
    """Print the last kinds of lines that the function logged, one line for all of a kind.

    Ids, and numbers that are 0, are left out.
    """
    kinds: dict[str, list[_Record]] = {}
    for record in map(_record, lines):
        if "type" not in record:
            kinds.setdefault(_title(record).plain, []).append(record)
    for records in list(kinds.values())[-_SHORT_LOG:]:
        facts = {key: value for key, value in records[0].items() if value and key != "runId"}
        text = _facts(facts) if len(records) == 1 else f" ({len(records)} lines)"
        _print_cropped(console, _title(records[0]).append(text, "default"))


def show_mail_briefly(console: Console, mail: Mail) -> None:
    """Print the subject and the beginning of the text part, the empty lines left out."""
    _print_cropped(console, Text(plain(str(mail.message["Subject"])), "bold"))
    body = mail.message.get_body(("plain",))
    lines = [line for line in (body.get_content() if body else "").splitlines() if line.strip()]
    for line in lines[:_SHORT_MAIL]:
        _print_cropped(console, Text(plain(line)))
    if (number := len(lines) - _SHORT_MAIL) > 0:
        console.print(Text(f"  ... {number} more lines", "dim"))


def show_mail(console: Console, mail: Mail) -> None:
    """Print the mail's sender, recipients, subject and text part."""
    body = mail.message.get_body(("plain",))
    text = body.get_content() if body else ""
    headers = (f"{name}: {mail.message[name]}" for name in ("From", "To", "Subject"))
    readable = "\n".join(plain(line) for line in (*headers, "", *text.splitlines()))
    console.rule("mail", style="cyan")
    console.print(Text(readable), soft_wrap=True)
    console.rule(style="cyan")


def _print_cropped(console: Console, line: Text) -> None:
    console.print(Text("  ").append(line), no_wrap=True, overflow="ellipsis", crop=True)


def _record(line: str) -> _Record:
    """The facts of a line in JSON; any other line is a message."""
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return {"message": line}
    if not record.get("message"):
        # So Lambda reports the error that ends a run.
        record["message"] = record.pop("errorMessage", "")
    return record


def _title(record: _Record) -> Text:
    """The level and the message, or the type of a line that Lambda wrote."""
    if "type" in record:
        return Text(plain(str(record["type"])), "dim")
    level = str(record.get("level", ""))
    text = Text(f"{level:8}" if level else "", _LEVELS.get(level, "green"))
    return text.append(plain(str(record["message"])), "default")


def _facts(record: _Record) -> str:
    facts = {key: value for key, value in record.items() if key not in _IN_TITLE}
    texts = (value if isinstance(value, str) else json.dumps(value) for value in facts.values())
    return plain("".join(f" {key}={value}" for key, value in zip(facts, texts, strict=True)))
