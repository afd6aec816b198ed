"""A table as a page shows it and as a spreadsheet opens it."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HIDDEN_FORMULA = re.compile(r"([;\t]\s*)([=+\-@])")


@dataclass(frozen=True)
class Table:
    """Rows under headings. `name` is what its file is called."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold nothing but numbers."""
        return tuple(
            any(row[index] is not None for row in self.rows)
            and all(isinstance(row[index], int | float | None) for row in self.rows)
            for index in range(len(self.headings))
        )


def csv_of(table: Table) -> bytes:
    """Return a table as CSV (RFC 4180, UTF-8 with its mark, which spreadsheets look for).

    A text that a spreadsheet would take for a formula gets an apostrophe, because people write these texts. Some spreadsheets
    split cells at semicolons and tabs too, and skip characters that cannot be seen.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_harmless(heading) for heading in table.headings])
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def shown(cell: Cell) -> str:
    """Return a cell as it is read on a page."""
    if cell is None:
        return "—"
    if isinstance(cell, float):
        return f"{cell:,.2f}".rstrip("0").rstrip(".")
    return f"{cell:,}" if isinstance(cell, int) else cell


def _harmless(cell: Cell) -> Cell:
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    seen = "".join(c for c in cell if c in "\t\n\r" or unicodedata.category(c)[0] != "C")
    harmless = _HIDDEN_FORMULA.sub(r"\1'\2", seen)
    return f"'{harmless}" if harmless.lstrip().startswith(_FORMULA) else harmless


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
