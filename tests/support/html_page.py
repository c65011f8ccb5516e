"""An HTML document as its reader has it: text, links and what it would load."""

from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "hr"})
LOADING = frozenset(
    {"action", "background", "cite", "data", "formaction", "longdesc", "manifest", "ping"}
    | {"poster", "profile", "src", "srcdoc", "srcset", "usemap", "xlink:href"}
)
"""Attributes that fetch something, or send the reader elsewhere."""


class Page(HTMLParser):
    """Reads a document and fails where an element is not closed in order.

    ``text`` is what people read, its pieces a space apart, and ``visible`` what of it the page
    shows; ``comments`` are what only Outlook may. ``sheet`` is the style sheet.
    """

    def __init__(self, document: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.shown: list[str] = []
        self.sheet = ""
        self.comments: list[str] = []
        self._open: list[str] = []
        self._hidden = 0
        self.feed(document)
        self.close()
        assert self._open == []
        self.text = " ".join(self.pieces)
        self.visible = " ".join(self.shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the element."""
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            is_hidden = tag in {"title", "style"} or "display:none" in (
                dict(attrs).get("style") or ""
            )
            if is_hidden or self._hidden:
                self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        """An element ends where the last one began."""
        assert self._open.pop() == tag
        self._hidden = max(self._hidden - 1, 0)

    def handle_data(self, data: str) -> None:
        """Collect what people read."""
        if self._open[-1:] == ["style"]:
            self.sheet += data
            return
        self.pieces.append(data)
        if not self._hidden:
            self.shown.append(data)

    def handle_comment(self, data: str) -> None:
        """Collect what they do not."""
        self.comments.append(data)

    @property
    def tags(self) -> set[str]:
        """The names of all elements."""
        return {tag for tag, _ in self.seen}

    @property
    def links(self) -> list[str]:
        """Where it leads."""
        return [attributes["href"] or "" for _, attributes in self.seen if "href" in attributes]

    @property
    def attributes(self) -> set[str]:
        """The names of all attributes."""
        return {name for _, attributes in self.seen for name in attributes}

    @property
    def styles(self) -> str:
        """All inline style."""
        styles = (attributes.get("style") for _, attributes in self.seen)
        return ";".join(filter(None, styles))
