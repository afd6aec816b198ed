"""A flow document as text that is being written: where each value stands, and where the cursor is.

JSON that is not whole yet is read as far as it goes, because that is what a document is most of the time while a person
types. What runs is never read from here: `document` is there only when the text is JSON.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Path = tuple[str | int, ...]
"""Where a value is: the keys and indexes that lead to it."""

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\Z|\\\Z)|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_CLOSES = {"}": "{", "]": "["}
_FIELD_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True)
class Span:
    """A piece of the text, `end` not included."""

    start: int
    end: int


@dataclass(frozen=True)
class NotJsonError:
    """Why a text is not JSON, and where the error is."""

    message: str
    at: int


@dataclass(frozen=True)
class Cursor:
    """Where the cursor is: at a key or a value of the container at `path`.

    `key` is the key whose value it is, or the index in a list; None for a key. `span` is what of it stands there already,
    without quotes; `quoted` tells whether it is in quotes, `closed` whether they end. `before` is what of it is left of the
    cursor. `followed` tells whether a colon follows.
    """

    kind: Literal["key", "value"]
    path: Path
    key: str | int | None
    span: Span
    before: str = ""
    quoted: bool = False
    closed: bool = False
    followed: bool = False


@dataclass
class _Frame:
    """A container that is open. In an object `expects` goes key, colon, value, comma; in a list value, comma."""

    opener: str
    path: Path
    made: Any
    expects: Literal["key", "colon", "value", "comma"]
    key: str | int | None = None


@dataclass
class _Reader:
    """Reads pieces one after another. One that makes no sense where it stands is passed over."""

    text: str
    tree: Any = None
    spans: dict[Path, Span] = field(default_factory=dict)
    frames: list[_Frame] = field(default_factory=list)
    _starts: dict[Path, int] = field(default_factory=dict)

    def take(self, piece: str, start: int) -> None:
        top = self.frames[-1] if self.frames else None
        if piece in _CLOSES:
            self._close(_CLOSES[piece], start + 1)
        elif piece == ",":
            if top is not None:
                self._next(top)
        elif piece == ":":
            if top is not None and top.expects == "colon":
                top.expects = "value"
        elif top is not None and top.opener == "{" and top.expects in ("key", "comma") and piece not in ("{", "["):
            top.key, top.expects = _string(piece), "colon"  # after a missing comma, too
        else:
            self._value(piece, start)

    def finish(self) -> None:
        while self.frames:
            self._end(self.frames.pop(), len(self.text))

    def _next(self, frame: _Frame) -> None:
        if frame.opener == "[":
            frame.key = len(frame.made)
            frame.expects = "value"
        else:
            frame.key, frame.expects = None, "key"

    def _value(self, piece: str, start: int) -> None:
        top = self.frames[-1] if self.frames else None
        if top is not None and top.opener == "[" and top.expects == "comma":
            self._next(top)
        if top is not None and top.key is None:
            return
        path = (*top.path, top.key) if top is not None and top.key is not None else ()
        made: Any = {} if piece == "{" else [] if piece == "[" else _scalar(piece)
        self._put(top, made)
        if piece in ("{", "["):
            self._starts[path] = start
            self.frames.append(
                _Frame(piece, path, made, "key" if piece == "{" else "value", 0 if piece == "[" else None)
            )
        else:
            self.spans[path] = Span(start, start + len(piece))

    def _put(self, top: _Frame | None, made: Any) -> None:
        if top is None:
            self.tree = made
        elif top.opener == "[":
            top.made.append(made)
        else:
            top.made[top.key] = made
        if top is not None:
            top.expects = "comma"

    def _close(self, opener: str, end: int) -> None:
        if not any(frame.opener == opener for frame in self.frames):
            return
        while self.frames:
            frame = self.frames.pop()
            self._end(frame, end)
            if frame.opener == opener:
                return

    def _end(self, frame: _Frame, end: int) -> None:
        self.spans[frame.path] = Span(self._starts.get(frame.path, 0), end)


class FlowText:
    """A text, read once."""

    def __init__(self, text: str) -> None:
        self.text = text
        reader = _Reader(text)
        for found in _TOKEN.finditer(text):
            reader.take(found[0], found.start())
        reader.finish()
        self.tree: dict[str, Any] = reader.tree if isinstance(reader.tree, dict) else {}
        """What can be read of it, whole or not."""
        self._spans = reader.spans

    @cached_property
    def _decoded(self) -> tuple[Any, NotJsonError | None]:
        try:
            return json.loads(self.text, parse_constant=_no_constant), None
        except json.JSONDecodeError as error:
            return None, NotJsonError(error.msg, error.pos)
        except (ValueError, RecursionError) as error:
            return None, NotJsonError(str(error), 0)

    @property
    def document(self) -> dict[str, Any] | None:
        """The document, when the text is JSON and an object."""
        decoded = self._decoded[0]
        return decoded if isinstance(decoded, dict) else None

    @property
    def not_json(self) -> NotJsonError | None:
        """Why the text is not a JSON object."""
        decoded, problem = self._decoded
        if problem is None and not isinstance(decoded, dict):
            return NotJsonError("A flow document is an object: it begins with {", 0)
        return problem

    def span(self, path: Path) -> Span | None:
        """Where a value stands; where it does not exist, the nearest that holds it."""
        for length in range(len(path), -1, -1):
            if (found := self._spans.get(path[:length])) is not None:
                return found
        return None

    def nodes(self) -> Iterator[tuple[int, str]]:
        """The nodes that have an id: index and id."""
        listed = self.tree.get("nodes")
        for index, node in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(node, dict) and isinstance(node.get("id"), str):
                yield index, node["id"]

    def node_span(self, node_id: str) -> Span | None:
        """Where a node stands."""
        index = next((index for index, name in self.nodes() if name == node_id), None)
        return self._spans.get(("nodes", index)) if index is not None else None

    def node_at(self, offset: int) -> str | None:
        """The id of the node that the cursor is in."""
        for index, name in self.nodes():
            span = self._spans.get(("nodes", index))
            if span is not None and span.start <= offset <= span.end:
                return name
        return None

    def place(self, node_id: str | None, field_path: str | None) -> Span | None:
        """Where a problem's field stands: the prover names it from the node's data, or from the document."""
        steps = tuple(int(index) if index else name for name, index in _FIELD_STEP.findall(field_path or ""))
        if node_id is None or steps[:1] == ("nodes",):
            return self.span(steps)
        index = next((index for index, name in self.nodes() if name == node_id), None)
        if index is None:
            return self.span(("nodes",))
        node: Path = ("nodes", index)
        in_data = (*node, "data", *steps)
        if steps and in_data[:4] not in self._spans and (*node, steps[0]) in self._spans:
            return self.span((*node, *steps))
        found = self.span(in_data)
        if found == self._spans.get((*node, "data")):
            return self._spans.get((*node, "id"), found)  # better the node's name than all of its data
        return found

    def line(self, offset: int) -> int:
        """The number of the line at an offset, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def cursor(self, offset: int) -> Cursor | None:
        """What is about to be written at an offset; None where nothing can be."""
        reader = _Reader(self.text)
        for found in _TOKEN.finditer(self.text):
            piece, start, end = found[0], found.start(), found.end()
            is_text = piece.startswith('"')
            closed = is_text and len(piece) > 1 and piece.endswith('"') and not _escaped(piece)
            if start >= offset:
                break
            if piece in ("{", "}", "[", "]", ":", ",") or end < offset or (is_text and closed and end == offset):
                reader.take(piece, start)
                continue
            inside = Span(start + 1, end - closed) if is_text else Span(start, end)
            followed = self.text[end:].lstrip().startswith(":")
            return self._at(reader, inside, self.text[inside.start : offset], is_text, closed, followed)
        return self._at(reader, Span(offset, offset), "", False, False, False)

    @staticmethod
    def _at(reader: _Reader, span: Span, before: str, quoted: bool, closed: bool, followed: bool) -> Cursor | None:
        if not reader.frames:
            return None
        top = reader.frames[-1]
        if top.opener == "{" and top.expects in ("key", "comma"):
            if top.expects == "comma" and not quoted:
                return None
            return Cursor("key", top.path, None, span, before, quoted, closed, followed)
        if top.expects == "value":
            return Cursor("value", top.path, top.key, span, before, quoted, closed, followed)
        return None


def utf16_offset(text: str, offset: int) -> int:
    """The browser's offset for one of ours: it counts UTF-16 units; an emoji has two."""
    return offset + sum(1 for character in text[:offset] if ord(character) > 0xFFFF)


def from_utf16(text: str, units: int) -> int:
    """Our offset for one of the browser's."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace"))


def pretty(document: Any) -> str:
    """A document as it is written: indented, with short objects and lists on one line."""
    return _pretty(document, 0) + "\n"


_LINE = 100


def _pretty(value: Any, indent: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if (
        not isinstance(value, dict | list)
        or not value
        or (indent > 0 and indent + len(flat) <= _LINE and _is_flat(value))
    ):
        return flat
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _pretty(item, indent + 2) for item in value) + f"\n{outer}]"
    items = (
        f"{inner}{json.dumps(str(key), ensure_ascii=False)}: {_pretty(item, indent + 2)}" for key, item in value.items()
    )
    return "{\n" + ",\n".join(items) + f"\n{outer}}}"


def _is_flat(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value
    return not any(isinstance(part, dict | list) and part for part in parts)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not valid JSON")


def _escaped(piece: str) -> bool:
    """Whether a text's last quote is one that belongs to it."""
    slashes = len(piece[:-1]) - len(piece[:-1].rstrip("\\"))
    return slashes % 2 == 1


def _string(piece: str) -> str:
    try:
        return str(json.loads(piece))
    except ValueError:
        return piece.strip('"')


def _scalar(piece: str) -> Any:
    try:
        return json.loads(piece)
    except ValueError:
        return piece.strip('"')
