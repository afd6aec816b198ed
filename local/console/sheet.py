"""A dialog with a title that is read out when it opens."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import html, ui


@contextmanager
def sheet(title: str, *, wide: bool = False) -> Iterator[ui.dialog]:
    """Build a dialog in the body; it is closed until `open()`."""
    with ui.dialog() as dialog, ui.card().classes("sheet wide" if wide else "sheet"):
        dialog.props["aria-label"] = title
        html.h2(title)
        yield dialog
