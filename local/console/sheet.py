"""A dialog with a title that is read out when it opens."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import html, ui


@contextmanager
def sheet(title: str, *, wide: bool = False) -> Iterator[ui.dialog]:
    """Build a dialog over the page; it is closed until `open()`, and gone when it is closed again.

    It belongs to the page and not to its opener, which may be redrawn meanwhile.
    """
    with ui.context.client.content, ui.dialog() as dialog, ui.card().classes("sheet wide" if wide else "sheet"):
        dialog.props["aria-label"] = title
        dialog.on("hide", dialog.delete)
        html.h2(title)
        yield dialog
