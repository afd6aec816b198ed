"""Tables on a page, each with a button that gives it as CSV."""

from nicegui import html, ui

from local.console.tables import Table, csv_of, shown
from local.console.words import Words


def csv_button(words: Words, table: Table, title: str) -> ui.button:
    """Return a button that downloads a table."""
    button = ui.button(words("measure.csv"), icon="download", color=None)
    button.props(f'flat dense no-caps aria-label="{words("measure.csv.of", name=title)}"').classes("csv")
    return button.on_click(lambda: ui.download(csv_of(table), f"{table.name}.csv", "text/csv"))


def show_table(table: Table, title: str, most: int | None = None) -> None:
    """Draw a table; numbers stand right. It scrolls by itself where it is wider than the page."""
    numeric = table.numeric
    with html.div().classes("scroll-x table-scroll").props('tabindex="0"'), html.table().classes("rows figures-table"):
        html.caption(title).classes("visually-hidden")
        with html.thead(), html.tr():
            for heading, right in zip(table.headings, numeric, strict=True):
                html.th(heading).props('scope="col"').classes("right" if right else "")
        with html.tbody():
            for row in table.rows[:most]:
                with html.tr():
                    for cell, right in zip(row, numeric, strict=True):
                        html.td(shown(cell)).classes("right" if right else "")
