"""The editor of a flow document: text with highlighting, completion by Python, and marks where something is wrong."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import events, ui

from local.console.completion import Completions
from local.console.findings import Finding
from local.console.flow_text import FlowText, Span, from_utf16, utf16_offset

_OUR_PART = "/_console/flow-editor.js"


class FlowEditor:
    """One editor. It reports every change of its text at once; listeners debounce."""

    def __init__(
        self,
        text: str,
        label: str,
        *,
        dark: bool,
        on_change: Callable[[str], object],
        on_cursor: Callable[[int], object],
        on_save: Callable[[], object],
        complete: Callable[[str, int], Completions | None],
    ) -> None:
        self._complete = complete
        self._on_cursor = on_cursor
        self.cursor = 0
        """Where the cursor is, as an offset into `text`."""
        self._view = ui.codemirror(
            text,
            on_change=lambda event: on_change(event.value),
            keymap={"Mod-s": lambda _: on_save()},
            language="JSON",
            theme="vscodeDark" if dark else "githubLight",
            indent="  ",
            line_wrapping=True,
        ).classes("flow-editor")
        self._view.on("complete", self._answer, ["number", "at"])
        self._view.on("cursor", self._moved, ["at"])
        self._ours(f".then(ours => ours.attach(getElement({self._view.id}), {json.dumps(label)}))", loads=True)

    @property
    def text(self) -> str:
        """Its text."""
        return self._view.value or ""

    def set_text(self, text: str) -> None:
        """Put another text in its place; only what differs is replaced, so the cursor stays where it can."""
        self._view.value = text

    def mark(self, findings: Sequence[Finding]) -> None:
        """Underline what is wrong."""
        text = self.text
        marks = [
            {
                "from": utf16_offset(text, one.span.start),
                "to": utf16_offset(text, _line_end(text, one.span)),
                "look": f"wrong wrong-{one.severity}",
                "title": one.message,
            }
            for one in findings
            if one.span is not None
        ]
        self._ours(f"?.mark({json.dumps(marks)})")

    def jump(self, span: Span) -> None:
        """Select a piece of the text and bring it into view."""
        text = self.text
        end = _line_end(text, span)
        self._ours(f"?.jump({utf16_offset(text, span.start)}, {utf16_offset(text, end)})")

    def insert(self, at: int, text: str, select: Span) -> None:
        """Put a text in at an offset, then select a piece of the whole."""
        before = self.text
        after = before[:at] + text + before[at:]
        places = (utf16_offset(before, at),) * 2
        chosen = (utf16_offset(after, select.start), utf16_offset(after, select.end))
        self._ours(f"?.insert({places[0]}, {places[1]}, {json.dumps(text)}, {chosen[0]}, {chosen[1]})")

    def _answer(self, event: events.GenericEventArguments) -> None:
        number, at = int(event.args["number"]), int(event.args["at"])
        text = self.text
        found = self._complete(text, from_utf16(text, at))
        answer: dict[str, Any] | None = None
        if found is not None:
            options = [
                {"label": one.label, "apply": one.insert, "type": one.kind, "detail": one.detail}
                for one in found.options
            ]
            answer = {"from": utf16_offset(text, found.start), "to": utf16_offset(text, found.end), "options": options}
        self._ours(f"?.complete({number}, {json.dumps(answer)})")

    def _moved(self, event: events.GenericEventArguments) -> None:
        self.cursor = from_utf16(self.text, int(event.args["at"]))
        self._on_cursor(self.cursor)

    def _ours(self, call: str, *, loads: bool = False) -> None:
        ours = f"import({json.dumps(_OUR_PART)})" if loads else f"window.pytakeEditors?.get('c{self._view.id}')"
        self._view.client.run_javascript(ours + call)


def place_of_new_node(text: FlowText, node: str) -> tuple[int, str, Span]:
    """Where a new node goes in a document, what to put in there, and what of the result to select: its id.

    `node` is the node as JSON. Without a list of nodes it goes to the end of the text, where the builder sees it.
    """
    span = text.span(("nodes",))
    listed = text.tree.get("nodes")
    if span is None or not isinstance(listed, list) or text.text[span.end - 1 : span.end] != "]":
        at, put = len(text.text), f"\n{node}\n"
    else:
        lines = "\n".join(f"    {line}" for line in node.splitlines())
        last = text.span(("nodes", len(listed) - 1)) if listed else None
        at, put = (last.end, f",\n{lines}") if last is not None else (span.start + 1, f"\n{lines}\n  ")
    begin = at + put.index('"id": "') + len('"id": "')
    return at, put, Span(begin, begin + put[put.index('"id": "') + 7 :].index('"'))


def _line_end(text: str, span: Span) -> int:
    """The end of a piece, or of its first line: a whole underlined node would be hard to read."""
    end = text.find("\n", span.start, span.end)
    return span.end if end < 0 else max(end, span.start + 1)
