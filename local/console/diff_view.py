"""Differences between two flows, drawn."""

from collections.abc import Sequence

from nicegui import html

from local.console.flow_diff import Change
from local.console.words import Words

_SPOKEN = {"+": "+", "-": "−", " ": "", "…": "…"}


def show_diff(words: Words, changes: Sequence[Change]) -> None:
    """Draw changes into the current element: a part for each node, lines that came and went marked by sign and colour."""
    if not changes:
        html.p(words("build.diff.none")).classes("quiet")
    for change in changes:
        if change.kind == "order":
            html.p(words("build.diff.order"))
            continue
        with html.section().classes(f"diff diff-{change.kind}"):
            with html.h3():
                html.span(words(f"build.diff.{change.kind}")).classes("diff-kind")
                html.span(change.title or change.node_id or words("build.diff.document"))
                if change.title and change.node_id:
                    html.code(change.node_id)
            with html.pre().classes("diff-lines").props('tabindex="0"'):
                for line in change.lines:
                    kind = {"+": "ins", "-": "del"}.get(line.sign, "span")
                    element = {"ins": html.ins, "del": html.del_, "span": html.span}[kind]
                    element(f"{_SPOKEN[line.sign]:1} {line.text}").classes("diff-line")
